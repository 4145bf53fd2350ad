"""A plan that the person approves is a file of the project, and the list of what is to be done is theirs as well."""

import pytest

from conftest import Codi, call, says

ENTER = "\r"


@pytest.fixture
def talk(lab, terminals):
    def start(*steps):
        start.server = lab([*steps])
        talk = terminals()
        talk.wait_for("codi 0")
        return talk

    return start


def test_an_approved_plan_is_written_by_codi_and_the_mode_before_is_back(codi: Codi, talk):
    terminal = talk(says("# Larder\n\n1. Make shelves in a.py"))
    for line, shown in (
        ("/mode accept-edits", "mode: accept-edits"),
        ("/plans approve", "usage: /plans"),
        ("/plan approve", "nothing is being planned"),
        ("/plan a larder", "1 step,"),
        ("/plan approve", "accept-edits mode holds again"),
    ):
        terminal.type(line + ENTER)
        terminal.wait_for(shown)
    (plan,) = (codi.cwd / ".codi" / "plans").iterdir()
    assert plan.read_text() == "# Larder\n\n1. Make shelves in a.py\n" and len(talk.server.requests) == 1
    name = plan.stem.removeprefix("plan-")
    terminal.type("/plans" + ENTER)
    terminal.wait_for(f"{name}  Larder")
    terminal.type(f"/plans show {name}" + ENTER)
    terminal.wait_for("1. Make shelves", times=2)
    terminal.type(f"/plan-list delete {name}" + ENTER)
    terminal.wait_for("Delete 1 plan")
    terminal.type("y")
    terminal.wait_for(f"plan {name} is deleted")
    assert not plan.exists()


def test_plans_are_kept_in_the_project_alone(codi: Codi, talk, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi" / "plans").symlink_to(tmp_path / "elsewhere")
    terminal = talk(says("A plan."))
    terminal.type("/plan x" + ENTER)
    terminal.wait_for("1 step,")
    terminal.type("/plan approve" + ENTER)
    terminal.wait_for("is a link to elsewhere")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_list_of_what_is_to_be_done_is_settled_by_hand(codi: Codi, talk):
    items = [{"content": "one", "status": "pending"}, {"content": "two", "status": "in_progress"}]
    terminal = talk(says("", call("todo", items=items)), says("Listed."))
    terminal.type("go" + ENTER)
    terminal.wait_for("2 steps,")
    for line, shown in (
        ("/todo", "2. ◐ two"),
        ("/todo done 2", "done: two"),
        ("/todo list", "2. ☑ two"),
        ("/todo done 7", "there is no item 7"),
        ("/todo clear", "the list is empty now"),
        ("/tasks", "nothing is on the list"),
        ("/todo x", "usage: /todo [list|clear|done N]"),
    ):
        terminal.type(line + ENTER)
        terminal.wait_for(shown)
    assert codi.sessions()[0].read_text().count('"codi/todo"') == 3
