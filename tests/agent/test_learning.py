"""What is learned from answers is written down without secrets, and tells nothing where it is only counted."""

from pathlib import Path

import pytest

from codi.agent.learning import Learning
from codi.engine.habits import Habits
from codi.engine.places import Places
from codi.engine.rulebook import RuleBook
from codi.policy.modes import policy_of
from codi.policy.territory import Territory
from codi.protocol.effects import Runs
from codi.protocol.errors import UsageError
from codi.protocol.events import ApprovalAsked

LINE = "npm run test -- --token=hunter2hunter2"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def learning(home: Path, folder: Path) -> Learning:
    territory = Territory(root=str(folder), home=str(folder.parent), codi_home=str(home))
    book = RuleBook(Places(str(folder), str(folder), str(home)), territory, trusts=lambda content: False)
    made = Learning(territory, book, Habits(str(home), book.project))
    made.veil = lambda text: text.replace("hunter2hunter2", "{{secret:TOKEN_1}}")
    return made


def asked(folder: Path) -> ApprovalAsked:
    effects = (Runs(LINE, str(folder)),)
    return ApprovalAsked(
        tool_call_id="c", tool_name="shell", arguments={}, effects=effects, risk=3, offers=("run(npm run test *)",)
    )


def test_a_rule_with_a_secret_is_not_written_down(learning: Learning, home: Path, folder: Path):
    with pytest.raises(UsageError, match="holds a secret"):
        learning.keep(f"run({LINE})", "project", asked(folder))
    assert not home.exists()
    learning.keep(f"run({LINE})", "session", asked(folder))
    learning.keep("run(npm run test *)", "user", asked(folder))
    assert "hunter2" not in (home / "exec-rules.json").read_text()


def test_what_was_allowed_is_counted_by_its_digest(learning: Learning, home: Path, folder: Path):
    territory = Territory(root=str(folder), home=str(folder.parent), codi_home=str(home))
    policy = policy_of("default", territory)
    effects = (Runs("make hunter2hunter2", str(folder)),)
    for number in range(3):
        offers = learning.offers(effects, policy, "shell", 5)
        assert offers.suggested == (None if number < 2 else "run(make hunter2hunter2 *)")
        learning.allowed(offers, refused=number == 2)
    assert learning.offers(effects, policy, "shell", 5).suggested is None
    assert "make" not in (home / "exec-offers.json").read_text()
    assert (home / "exec-offers.json").stat().st_mode & 0o077 == 0
