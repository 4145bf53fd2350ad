"""The registry cannot be built wrong, and each command answers."""

import pytest

from codi.commands.command import Command, Fail, Form
from codi.commands.kit import commands
from codi.commands.registry import Registry, function_of, ranked, words_of


def _command(name: str = "one", **more: object) -> Command:
    return Command(**{"name": name, "summary": "s", "forms": (Form("", f"/{name}"),), "run": "m:f", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        [_command(), _command()],
        [_command(aliases=("two",)), _command("two")],
        [_command(aliases=("x",)), _command("two", aliases=("x",))],
        [_command(aliases=("one",))],
        [_command("Not-Kebab")],
        [_command(summary="")],
        [_command(forms=())],
        [_command(forms=(Form("", ""),))],
    ],
)
def test_what_collides_or_lacks_something_cannot_be_built(wrong: list[Command]) -> None:
    with pytest.raises(ValueError, match=r"/one|/two|name"):
        Registry(wrong)


@pytest.mark.parametrize("command", commands().commands, ids=lambda command: command.name)
def test_each_command_names_a_function_that_is_there(command: Command) -> None:
    assert callable(function_of(command))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/stauts", "did you mean /status?"),
        ("/mdoel", "did you mean /model?"),
        ("/mod", "did you mean /mode?"),
        ("/snapshots-of", "unknown command /snapshots-of"),
        ("/contex", "did you mean /context?"),
        ("/permis", "begins like /permission-mode"),
        ("/snapsho", "did you mean /snapshot?"),
        ("/zzzzzzzz", "unknown command /zzzzzzzz"),
    ],
)
def test_what_is_unknown_is_told_with_what_was_perhaps_meant(line: str, said: str) -> None:
    told = commands().read(line)
    assert isinstance(told, Fail) and said in told.message


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("/help", True),
        ("/HELP", True),
        ("/usr/bin/x is slow", False),
        ("//text", False),
        ("text", False),
        ("/nothing", True),
    ],
)
def test_what_is_a_command(line: str, is_one: bool) -> None:
    assert commands().is_command(line) is is_one


def test_quotes_hold_words_together() -> None:
    assert words_of("a \"b c\" 'd e' f") == ["a", "b c", "d e", "f"]


def test_what_begins_so_comes_first() -> None:
    assert ranked("mo", ["amode", "model", "x-mode", "m-o", "zz"]) == ["model", "x-mode", "amode", "m-o"]
