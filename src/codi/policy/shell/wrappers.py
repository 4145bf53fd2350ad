"""Programs that run another one with the words that follow: `timeout 5 make test` is `make test`.

One is looked through only where all its options are known; otherwise it stands for itself, and nobody knows what it runs.
"""

import re
from collections.abc import Sequence

from msgspec import Struct


class _Wrapper(Struct, frozen=True):
    """`switches` stand alone, `valued` take the next word or what is attached, `operands` stand before the program."""

    switches: str
    valued: frozenset[str] = frozenset()
    operands: tuple[str, ...] = ()


_NONE = r"(?!)"
_DURATION = r"\d+(?:\.\d+)?[smhd]?"
_WRAPPERS = {
    "env": _Wrapper(_NONE),  # with any option or assignment it changes what the program is told
    "nohup": _Wrapper(_NONE),
    "builtin": _Wrapper(_NONE),
    "command": _Wrapper(_NONE),
    "time": _Wrapper(r"-p"),
    "nice": _Wrapper(r"-\d+|-n-?\d+|--adjustment=-?\d+", frozenset({"-n"})),
    "timeout": _Wrapper(
        r"--foreground|--preserve-status|-v|--verbose|--(?:signal|kill-after)=\w+|-[ks]\w+",
        frozenset({"-s", "-k"}),
        (_DURATION,),
    ),
    "stdbuf": _Wrapper(r"-[ioe][0L]|--(?:input|output|error)=[0L]", frozenset({"-i", "-o", "-e"})),
    "xargs": _Wrapper(
        r"-[0rt]+|-[nPL]\d+|-I\{\}|--null|--no-run-if-empty|--max-(?:args|procs)=\d+",
        frozenset({"-n", "-P", "-L", "-I"}),
    ),
    "sudo": _Wrapper(r"-[nEHS]+", frozenset({"-u", "-g"})),
}
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_MOST = 8


def unwrapped(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """The words that are run in the end, the wrappers around them, and why one of these could not be looked through."""
    wrappers: list[str] = []
    at = 0
    while at < len(words) and words[at] in _WRAPPERS:
        if len(wrappers) == _MOST:
            return words[at:], tuple(wrappers), "too many programs within another"
        inner, why = _inner(words, at)
        if why:
            return words[at:], tuple(wrappers), why
        if inner is None:
            break
        wrappers.append(words[at])
        at = inner
    return words[at:], tuple(wrappers), None


def _inner(words: tuple[str, ...], at: int) -> tuple[int | None, str | None]:
    """Where the inner program stands: None where there is none. Else why that is not known."""
    name, wrapper = words[at], _WRAPPERS[words[at]]
    if name == "command" and words[at + 1 : at + 2] in (("-v",), ("-V",)):
        return None, None
    at += 1
    while at < len(words) and words[at].startswith("-"):
        word = words[at]
        if word in wrapper.valued:
            if at + 1 >= len(words) or words[at + 1].startswith("-"):
                return None, f"{word} of {name} has no value that can be told from an option"
            at += 2
        elif re.fullmatch(wrapper.switches, word):
            at += 1
        else:
            return None, f"{name} with {word} is not looked through"
    for operand in wrapper.operands:
        if at >= len(words) or not re.fullmatch(operand, words[at]):
            return None, f"{name} is not used in a way that is known"
        at += 1
    if at >= len(words):
        return None, None
    if name in ("env", "sudo") and "=" in words[at]:
        return None, f"{name} sets a variable"
    return at, None


def script_of(words: Sequence[str]) -> str | None:
    """The text of `sh -c 'text'`."""
    name = words[0].rpartition("/")[2] if words else ""
    if name in SHELLS and len(words) >= 3 and re.fullmatch(r"-[elux]*c", words[1]):
        return words[2]
    return None
