"""A line for the shell, taken apart as far as it takes to know which programs it runs, where, and for which of them its exit
status speaks.

This judges nothing that could do harm: who wants to know whether a line may run asks the policy.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r"""
      (?P<blank>(?:[ \t\r]|\\\n)+)
    | (?P<comment>\#[^\n]*)
    | (?P<here><<-?[ \t]*(?:'[^'\n]*'|"[^"\n]*"|[\w.]+))
    | (?P<redirect>(?:&>>?|\d*>>?\|?|\d*<{1,3})[ \t]*(?:&[\d-]+|(?=\S)|$)|\d*[<>]&[\d-]+)
    | (?P<operator>&&|\|\||;;|\|&|[;&|()\n])
    | (?P<word>(?:[^\s;&|()<>'"\\`$]|\\.|'[^']*'|"(?:\\.|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$)+)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)""", re.DOTALL)
_CONDITIONAL = frozenset({"if", "then", "elif", "else", "while", "until", "do", "for", "case", "!"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})


class Step(Struct, frozen=True):
    """One program of a line. `folder` is where the line went before, in its own words, "" for where it began. `speaks`: when
    the line succeeds, so did this. `after` are the programs through which its output went."""

    words: tuple[str, ...]
    folder: str = ""
    speaks: bool = True
    after: tuple[tuple[str, ...], ...] = ()


def steps_of(line: str) -> list[Step]:
    """The programs in the order in which they would run; none where the line cannot be understood."""
    statements = _statements(line)
    steps: list[Step] = []
    stops_at_failure = pipes_speak = within = False
    folder, outer = "", []  # type: str, list[str]
    for at, statement in enumerate(statements):
        is_last = not any(each.chain for each in statements[at + 1 :])
        for pipe in statement.chain:
            outer = [*outer, *[folder] * pipe.opened]
            for place, words in enumerate(pipe.commands):
                plain = list(words)
                while plain and plain[0] in _CONDITIONAL | {"{"}:
                    within = within or plain[0] in _CONDITIONAL
                    plain.pop(0)
                if not plain or plain[0] in _CLOSING:
                    continue
                if plain[0] == "set":
                    stops_at_failure = stops_at_failure or _sets(plain, "e", "errexit")
                    pipes_speak = pipes_speak or _sets(plain, "", "pipefail")
                elif plain[0] in ("cd", "pushd"):
                    folder = _moved(folder, plain)
                else:
                    speaks = (
                        not (within or statement.background or statement.has_other_ways)
                        and (is_last or stops_at_failure)
                        and (pipes_speak or place == len(pipe.commands) - 1)
                    )
                    steps.append(Step(tuple(plain), folder, speaks, tuple(pipe.commands[place + 1 :])))
            for _ in range(min(pipe.closed, len(outer))):
                folder = outer.pop()
    return steps


class _Pipe:
    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.opened = self.closed = 0


class _Statement:
    """Pipes joined by `&&` and `||`."""

    def __init__(self) -> None:
        self.chain: list[_Pipe] = []
        self.has_other_ways = self.background = False


def _statements(line: str) -> list[_Statement]:
    statements, pipe, words = [_Statement()], _Pipe(), []  # type: list[_Statement], _Pipe, list[str]

    def end_command() -> None:
        nonlocal words
        if words:
            pipe.commands.append(tuple(words))
            words = []

    def end_pipe() -> None:
        nonlocal pipe
        end_command()
        if pipe.commands or pipe.opened or pipe.closed:
            statements[-1].chain.append(pipe)
            pipe = _Pipe()

    for kind, text in _tokens(line):
        if kind == "word":
            words.append(text)
            continue
        match text:
            case "(":
                pipe.opened += 1
            case ")":
                end_command()
                pipe.closed += 1
            case "|" | "|&":
                end_command()
            case "&&" | "||":
                end_pipe()
                statements[-1].has_other_ways |= text == "||"
            case _:
                end_pipe()
                statements[-1].background = text == "&"
                statements.append(_Statement())
    end_pipe()
    return statements


def _tokens(line: str) -> Iterator[tuple[str, str]]:
    """Words without their quotes, and operators. Nothing where the line does not read as one."""
    found: list[tuple[str, str]] = []
    at, expected, skips = 0, [], False  # type: int, list[str], bool
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            return
        at, kind, text = match.end(), str(match.lastgroup), match.group()
        if kind == "here":
            expected.append(text.lstrip("<-").strip().strip("'\""))
        elif kind == "redirect":
            skips = "&" not in text.lstrip("&")
        elif kind == "word" and skips:
            skips = False
        elif kind in ("word", "operator"):
            found.append((kind, plain(text) if kind == "word" else text))
        if text == "\n":
            for end in expected:
                body = re.compile(rf"^\t*{re.escape(end)}[ \t]*$", re.MULTILINE).search(line, at)
                at = body.end() if body else len(line)
            expected = []
    yield from found


def plain(word: str) -> str:
    """A word as the program gets it, but for what the shell would put in."""
    return _QUOTED.sub(lambda match: next(group for group in match.groups() if group is not None), word)


def _sets(words: list[str], letter: str, name: str) -> bool:
    switches = [word for word in words[1:] if word.startswith("-")]
    return name in words or (bool(letter) and any(letter in word[1:] for word in switches))


def _moved(folder: str, words: list[str]) -> str:
    named = next((word for word in words[1:] if not word.startswith("-")), "~")
    return named if named.startswith(("/", "~")) or not folder else f"{folder}/{named}"
