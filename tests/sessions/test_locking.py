"""One writer, also where files cannot be locked."""

import os
import subprocess
import sys

import pytest
from msgspec.json import encode
from msgspec.structs import replace

from codi.protocol.errors import SessionError
from codi.sessions.locking import end_lease, own_lease, take_lease


def lease_file(path, lease):
    with open(path.removesuffix(".jsonl") + ".lock", "wb") as file:
        file.write(lease if isinstance(lease, bytes) else encode(lease))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "x.jsonl")


def test_a_lease_ends_when_it_is_let_go(path):
    lease = take_lease(path)
    with pytest.raises(SessionError, match=f"Session is open in process {os.getpid()}."):
        take_lease(path)
    end_lease(path, lease)

    end_lease(path, take_lease(path))
    assert os.listdir(os.path.dirname(path)) == []


def test_the_lease_of_a_process_that_is_gone_is_void(path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lease_file(path, replace(own_lease(), pid=gone.pid))

    assert take_lease(path) == own_lease()


@pytest.mark.parametrize("change", [{"boot_id": "another"}, {"start_time": "1"}])
def test_a_later_process_of_the_same_number_holds_nothing(path, change):
    lease_file(path, replace(own_lease(), **change))

    assert take_lease(path) == own_lease()


def test_a_lease_of_another_host_holds(path):
    lease_file(path, replace(own_lease(), host="elsewhere", pid=77))

    with pytest.raises(SessionError, match="Session is open in process 77 on elsewhere") as refused:
        take_lease(path)
    assert refused.value.hint == "use --fork"


def test_a_broken_lease_is_void(path):
    lease_file(path, b"{")

    assert take_lease(path) == own_lease()


def test_the_lease_of_another_is_not_ended(path):
    theirs = replace(own_lease(), host="elsewhere")
    lease_file(path, theirs)
    end_lease(path, own_lease())

    assert os.path.exists(path.removesuffix(".jsonl") + ".lock")
