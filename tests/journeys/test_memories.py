"""What outlives a session: nothing but what the person agreed to."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from conftest import Codi, says
from eye import Terminal

PROPOSED = """\
Here they are:
- style: Tabs, never spaces.
- build: The tests run with make check.
2. person: The key is sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-AAAAAA
- person: Prefers short answers.
- project: The parser is written by hand.
- project: The port is 8080.
"""
PROPOSES = {"when": {"system": "You are shown a conversation"}, "loop": True, "steps": [says(PROPOSED)]}


@pytest.fixture
def chat(terminals: Callable[..., Terminal]) -> Callable[..., Terminal]:
    return partial(terminals, term="dumb")


def test_what_a_model_proposes_is_kept_fact_by_fact_and_only_with_a_yes(codi: Codi, lab, chat):
    codi.home.mkdir()
    (codi.home / "memories.md").write_text("- [1a2b3c4d] 2026-11-20 style: Tabs, never spaces.\n")
    server = lab({"steps": [says("Use make check.")], "branches": [PROPOSES]})
    person = chat("--trust-project")
    person.wait_for("\nYou:")
    person.type("How do I test?\n")
    person.wait_for("Use make check.", "[1 step,")
    person.type("/memories consolidate\n")
    person.wait_for("Remember this?", "build: The tests run with make check.")
    assert not (codi.cwd / ".codi").exists()
    person.type("y\n")
    person.wait_for("person: Prefers short answers.")
    person.type("n\n")
    person.wait_for("project: The parser is written by hand.")
    person.type("\n")
    person.wait_for("remembered as ")

    (line,) = (codi.cwd / ".codi" / "memories.md").read_text().splitlines()
    assert "build: The tests run with make check." in line
    assert "8080" not in person.shown and "sk-ant" not in person.shown and "Tabs" not in person.shown
    asked = server.requests[-1].json
    assert "How do I test?" in json.dumps(asked["messages"]) and not asked.get("tools")
    (kept,) = [entry["data"] for entry in codi.session() if entry.get("customType") == "codi/request"][1:]
    assert kept["purpose"] == "summary"


def test_the_full_interface_asks_the_same(codi: Codi, lab, terminals):
    lab({"steps": [says("Use make check.")], "branches": [PROPOSES]})
    person = terminals("--trust-project")
    person.type("How do I test?\r")
    person.wait_for("Use make check.", "1 step,")
    person.type("/memories consolidate\r")
    person.wait_for("Remember this?", "style: Tabs, never spaces.")
    person.type("y")
    person.wait_for("build: The tests run with make check.")
    person.type("n")
    person.wait_for("person: Prefers short answers.")
    person.type("n")
    person.wait_for("remembered as ")
    assert "style: Tabs, never spaces." in (codi.cwd / ".codi" / "memories.md").read_text()


def test_where_nothing_was_said_nothing_is_proposed(codi: Codi, lab, chat):
    server = lab({"branches": [PROPOSES], "steps": []})
    person = chat()
    person.wait_for("\nYou:")
    person.type("/memories consolidate\n")
    person.wait_for("error: nothing was said yet")
    assert not server.requests


def test_forgetting_lists_and_asks(codi: Codi, lab, chat):
    codi.home.mkdir()
    file = codi.home / "memories.md"
    file.write_text("- [1a2b3c4d] 2026-11-20 style: Tabs, never spaces.\n- [2a2b3c4d] 2026-11-20 Port 8080.\n")
    lab([says("Never.")])
    person = chat()
    person.wait_for("\nYou:")
    person.type("/forget tabs\n")
    person.wait_for("Forget this?", "Tabs, never spaces.")
    person.type("\n")
    person.wait_for("nothing was forgotten")
    assert "Tabs" in file.read_text()
    person.type("/forget tabs\n")
    person.wait_for("Forget this?", times=2)
    person.type("y\n")
    person.wait_for("forgotten: 1")
    assert file.read_text() == "- [2a2b3c4d] 2026-11-20 Port 8080.\n"
