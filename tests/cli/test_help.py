"""`codi help`, through the installed program."""

import pytest

from codi.cli.words import COMMANDS


def test_help_is_the_same_by_any_name(codi):
    shown = codi("--help")
    assert shown.status == 0 and shown.err == ""
    assert codi("help").out == codi("-h").out == codi("-p", "--help").out == shown.out
    assert all(f"\n  {name} " in shown.out for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
def test_every_command_has_help(codi, name):
    shown = codi("help", name)
    assert shown.status == 0 and shown.out.startswith(f"usage: codi {name}")
    assert codi(name, "--help").out == shown.out


def test_help_of_an_action(codi):
    assert codi("help", "sessions", "delete").out.startswith("usage: codi sessions delete")


def test_help_of_a_flag(codi):
    assert codi("help", "-m").out.startswith("-m, --model [PROVIDER/]ID")
    assert "full-access" in codi("help", "--permission-mode").out
    (line,) = codi("help", "--tools", "--json").lines
    assert line["flags"] == ["--tools"] and line["help"]


def test_help_of_a_key(codi):
    assert codi("help", "agent.max_steps").out.startswith("agent.max_steps")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["help", "sesions"], 2, "no help on 'sesions'"),
        (["help", "--modl"], 2, "--model"),
        (["help", "no.such"], 1, "no.such"),
    ],
)
def test_what_there_is_no_help_on(codi, words, status, told):
    ran = codi(*words)
    assert ran.status == status and ran.out == "" and told in ran.err
