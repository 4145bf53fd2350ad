import pytest
from installed import Codi


@pytest.fixture
def codi(tmp_path):
    return Codi(tmp_path)
