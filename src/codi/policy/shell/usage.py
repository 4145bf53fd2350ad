"""The words that a program may be given for it to surely do no more than look, written down as briefly as a manual does.

`-n --lines:` are spellings of options. What ends in `:` takes a value that is text, in `=` one that may begin with `-` where
it is attached, in `/` one that is a path, in `?` a value only where it is attached; `-#` is a number as an option. Nothing that is not listed is accepted, nothing is
abbreviated, and no other value begins with `-`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Operands = Literal["paths", "texts", "none", "text then paths"]


class Usage(Struct, frozen=True):
    """`operands` says what the words are that are no options, `most` how many of them there may be. `pattern_options` are those
    that stand in for the first operand where that is a text. `ordered` is for programs, or versions of them, that take an
    option after the first operand for an operand."""

    options: str = ""
    operands: Operands = "paths"
    most: int = 10_000
    pattern_options: tuple[str, ...] = ()
    ordered: bool = False


class Seen(Struct, frozen=True):
    """What a program was given: the paths that it reads, the texts, and the options with their values, in order."""

    paths: tuple[str, ...]
    texts: tuple[str, ...]
    options: tuple[tuple[str, str | None], ...]

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)


def seen_in(arguments: Sequence[str], usage: Usage) -> Seen | None:
    """None where a word is not one of the usage."""
    known = _known(usage.options)
    options: list[tuple[str, str | None]] = []
    operands: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word == "--":
            operands += arguments[at:] if not (operands and usage.ordered) else arguments[at - 1 :]
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        if operands and usage.ordered:
            return None
        took = _options_in(word, arguments[at : at + 1], known)
        if took is None:
            return None
        found, more = took
        options += found
        at += more
    return _sorted_out(options, operands, known, usage)


def _sorted_out(
    options: list[tuple[str, str | None]], operands: list[str], known: dict[str, str], usage: Usage
) -> Seen | None:
    if len(operands) > usage.most or (operands and usage.operands == "none"):
        return None
    paths = [value for name, value in options if value is not None and known[name] == "/"]
    texts: list[str] = []
    if usage.operands == "texts":
        texts = operands
    elif usage.operands == "text then paths" and not any(name in usage.pattern_options for name, _ in options):
        texts, operands = operands[:1], operands[1:]
        paths += operands
    else:
        paths += operands
    return Seen(tuple(paths), tuple(texts), tuple(options))


def _options_in(
    word: str, following: Sequence[str], known: dict[str, str]
) -> tuple[list[tuple[str, str | None]], int] | None:
    """The options that one word holds, and how many of the following words are their values."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        kind = known.get(name)
        if kind is None or (equals and (kind == "" or (value.startswith("-") and kind != "="))):
            return None
        if equals:
            return [(name, value)], 0
        return _with_next(name, kind, following)
    if word in known:
        return _with_next(word, known[word], following)
    if "-#" in known and re.fullmatch(r"-\d{1,9}", word):
        return [("-#", None)], 0
    options: list[tuple[str, str | None]] = []
    for place in range(1, len(word)):
        name, rest = "-" + word[place], word[place + 1 :]
        kind = known.get(name)
        if kind is None:
            return None
        if kind and rest:
            return None if rest.startswith("-") else ([*options, (name, rest)], 0)
        if not rest:
            last = _with_next(name, kind, following)
            return last and ([*options, *last[0]], last[1])
        options.append((name, None))
    return options, 0


def _with_next(name: str, kind: str, following: Sequence[str]) -> tuple[list[tuple[str, str | None]], int] | None:
    if kind in ("", "?"):
        return [(name, None)], 0
    if not following or following[0].startswith("-"):
        return None
    return [(name, following[0])], 1


@lru_cache(maxsize=256)
def _known(options: str) -> dict[str, str]:
    return {word.rstrip(":=/?"): word[len(word.rstrip(":=/?")) :] for word in options.split()}
