"""The program that runs in the end, behind all that only runs another: `env A=b uv run python -m pytest`."""

import re
from collections.abc import Mapping, Sequence
from os.path import basename

from msgspec import Struct


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELLS = _words("bash sh dash zsh")
_WRAPPERS: Mapping[str, frozenset[str]] = {
    "env": frozenset({"-u", "-C", "--chdir"}),
    "time": frozenset({"-f", "-o"}),
    "timeout": frozenset({"-s", "-k", "--signal", "--kill-after"}),
    "nice": frozenset({"-n"}),
    "nohup": frozenset(),
    "stdbuf": frozenset({"-o", "-i", "-e"}),
    "sudo": frozenset({"-u", "-g"}),
    "command": frozenset(),
    "exec": frozenset(),
    "xvfb-run": frozenset({"-s", "-n"}),
    "npx": frozenset({"-p", "--package"}),
    "bunx": frozenset(),
    "pnpx": frozenset(),
    "uvx": frozenset({"--with", "--from", "-p", "--python"}),
}
"""Programs that run the program named behind them, with those of their options that take a value."""
_RUNS_WHAT_FOLLOWS: Mapping[str, frozenset[str]] = {
    "uv": frozenset({"run"}),
    "poetry": frozenset({"run"}),
    "pipenv": frozenset({"run"}),
    "pdm": frozenset({"run"}),
    "rye": frozenset({"run"}),
    "hatch": frozenset({"run"}),
    "conda": frozenset({"run"}),
    "mamba": frozenset({"run"}),
    "bundle": frozenset({"exec"}),
    "npm": frozenset({"exec", "x"}),
    "pnpm": frozenset({"exec", "dlx"}),
    "yarn": frozenset({"exec", "dlx"}),
    "bun": frozenset({"x"}),
    "mise": frozenset({"exec", "x"}),
    "direnv": frozenset({"exec"}),
    "coverage": frozenset({"run"}),
    "dotenv": frozenset({"run"}),
    "kcov": frozenset({"run"}),
}
_VALUED = _words(
    "--with --extra --group --package -p --python --project --directory --env-file -n --name --prefix --source --omit "
    "--include --rcfile --data-file -C"
)


ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_CHOOSES_TESTS = ("PYTEST_ADDOPTS=", "TESTS=", "TEST=")


class Unwrapped(Struct, frozen=True):
    """`words` begin with the program's bare name; none where nothing runs. `folder` is where a wrapper leads; `chooses`: a
    variable may leave out tests."""

    words: tuple[str, ...] = ()
    folder: str = ""
    chooses: bool = False


def unwrapped(words: Sequence[str]) -> Unwrapped:
    left, folder, chooses = list(words), "", False
    while left:
        name, rest = basename(left[0]), left[1:]
        if ASSIGNMENT.match(left[0]):
            chooses = chooses or (left[0].startswith(_CHOOSES_TESTS) and not left[0].endswith("="))
            left = rest
        elif name in _WRAPPERS:
            left = _without_options(rest, _WRAPPERS[name])
            if name == "timeout":
                left = left[1:]
        elif rest and rest[0] in _RUNS_WHAT_FOLLOWS.get(name, ()):
            folder = value_of(rest, ("--directory", "--project", "-C")) or folder
            left = _without_options(rest[1:], _VALUED)
            left = left[1:] if left[:1] == ["--"] or name == "direnv" else left
        else:
            return Unwrapped((name, *rest), folder, chooses)
    return Unwrapped((), folder, chooses)


def value_of(words: Sequence[str], options: Sequence[str]) -> str:
    """What an option says, as the next word or behind `=`; "" where it is not there."""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in options:
            return value if equals else next(iter(words[at + 1 :]), "")
    return ""


def _without_options(words: list[str], valued: frozenset[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        if words[at] == "-m":  # of `coverage run`, before a module
            return words[at + 1 :]
        at += 2 if words[at] in valued else 1
    return words[at:]
