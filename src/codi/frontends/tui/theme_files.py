"""Themes of a person: files of named colours, in TOML or JSON, and which of the built-in ones fits the terminal.

A file gives colours to tokens, at its top or in a table `colors`, with names for colours in a table `vars` and a theme to begin
with in `base`. The names of pi's themes are read as well (its theme.json: `vars` and `colors`, a colour being `#rrggbb`, a number
of the 256, the name of a variable, or "" for the terminal's own).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from codi.frontends.tui.theme import BUILT_IN, DARK, Tokens, is_colour, is_word

_ENDINGS = (".toml", ".json")
_LARGEST = 256 * 1024
_ABOUT = ("name", "base", "vars", "colors", "$schema", "export")

_OF_PI: Mapping[str, tuple[str, ...]] = {
    "accent": ("accent",), "border": ("border", "rule"), "borderMuted": ("border.off",), "success": ("ok", "tool.ok"),
    "error": ("error", "tool.failed", "tool.denied"), "warning": ("warning", "mode", "tool.running"),
    "muted": ("tool.pending", "tool.cancelled"), "dim": ("dim",), "text": ("text",), "thinkingText": ("thinking",),
    "userMessageText": ("user",), "toolTitle": ("tool",), "toolOutput": ("tool.output",), "mdHeading": ("heading",),
    "mdLink": ("link",), "mdCode": ("code",), "mdCodeBlock": ("code.text",), "mdQuote": ("quote",), "mdHr": ("rule",),
    "mdListBullet": ("bullet",), "toolDiffAdded": ("added", "added.word"), "toolDiffRemoved": ("removed", "removed.word"),
    "toolDiffContext": ("hunk",), "syntaxComment": ("syntax.comment",), "syntaxKeyword": ("syntax.keyword",),
    "syntaxFunction": ("syntax.function",), "syntaxVariable": ("syntax.name",), "syntaxString": ("syntax.string",),
    "syntaxNumber": ("syntax.number",), "syntaxType": ("syntax.type",), "syntaxOperator": ("syntax.operator",),
    "thinkingOff": ("border.off",), "thinkingMinimal": ("border.minimal",), "thinkingLow": ("border.low",),
    "thinkingMedium": ("border.medium",), "thinkingHigh": ("border.high",), "thinkingXhigh": ("border.xhigh",),
}  # fmt: skip
_UNUSED_OF_PI = frozenset((
    "borderAccent", "selectedBg", "userMessageBg", "customMessageBg", "customMessageText", "customMessageLabel", "toolPendingBg",
    "toolSuccessBg", "toolErrorBg", "mdLinkUrl", "mdCodeBlockBorder", "mdQuoteBorder", "syntaxPunctuation", "bashMode",
))  # fmt: skip


class ThemeFile:
    """A theme that was read. `complaints` name the file and what in it was left aside."""

    def __init__(self, path: str, tokens: Tokens, complaints: Sequence[str]) -> None:
        self.path = path
        self.tokens = tokens
        self.complaints = complaints


def names_in(folders: Iterable[str]) -> list[str]:
    """The themes that there are, the built-in ones first."""
    found = set()
    for folder in folders:
        with suppress(OSError):
            found |= {name.rpartition(".")[0] for name in os.listdir(folder) if name.endswith(_ENDINGS)}
    return [*BUILT_IN, *sorted(found - set(BUILT_IN))]


def find_theme(name: str, folders: Iterable[str]) -> str | None:
    """The file of a theme; those of later folders count first. A path is the file that it names."""
    if os.sep in name or name.startswith("."):
        return path if os.path.isfile(path := os.path.abspath(os.path.expanduser(name))) else None
    places = [os.path.join(folder, name + ending) for folder in reversed(list(folders)) for ending in _ENDINGS]
    return next((place for place in places if os.path.isfile(place)), None)


def read_theme(path: str) -> ThemeFile:
    """What can be used of a file; where nothing can, it is the dark theme with a complaint."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        return ThemeFile(path, DARK, [f"{path}: {error.strerror}; the dark theme is used"])
    try:
        if len(data) > _LARGEST:
            raise ValueError("it is too large")
        said = _decoded(path, data)
    except (ValueError, msgspec.DecodeError) as error:
        return ThemeFile(path, DARK, [f"{path}: {error}; the dark theme is used"])
    return _theme(path, said)


def fitting(report: str | None, environment: Mapping[str, str]) -> str:
    """`dark` or `light`: by what the terminal said its background is (OSC 11), else by COLORFGBG."""
    light = None if report is None else _is_light(report)
    if light is None:
        last = environment.get("COLORFGBG", "").rpartition(";")[2]
        light = last in ("7", "9", "10", "11", "12", "13", "14", "15")
    return "light" if light else "dark"


def _is_light(report: str) -> bool | None:
    """`]11;rgb:ffff/ffff/ffff`, with one to four digits each (xterm's control sequences)."""
    kind, _, colour = report.partition(";")
    space, _, digits = colour.partition(":")
    parts = digits.split("/")
    if kind != "]11" or space not in ("rgb", "rgba") or len(parts) < 3:
        return None
    try:
        red, green, blue = (int(part, 16) / float(16 ** len(part) - 1) for part in parts[:3])
    except (ValueError, ZeroDivisionError):
        return None
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


def _decoded(path: str, data: bytes) -> dict[str, Any]:
    if path.endswith(".json"):
        return msgspec.json.decode(data, type=dict[str, Any])
    import tomllib  # few have a theme of their own

    return tomllib.loads(data.decode())


def _theme(path: str, said: Mapping[str, Any]) -> ThemeFile:
    complaints: list[str] = []
    base = said.get("base", "dark")
    if not isinstance(base, str) or base not in BUILT_IN:
        complaints.append(f"{path}: base: there is no theme {base!r}; dark is used")
        base = "dark"
    tokens = dict(BUILT_IN[base])
    named = said.get("vars")
    names: Mapping[str, Any] = named if isinstance(named, Mapping) else {}
    colours = said.get("colors")
    flat = {token: value for token, value in said.items() if token not in _ABOUT}
    for token, value in {**_flat(flat), **_flat(colours if isinstance(colours, Mapping) else {})}.items():
        if token in _UNUSED_OF_PI:
            continue
        places = (token,) if token in tokens else _OF_PI.get(token)
        if places is None:
            complaints.append(f"{path}: {token}: there is no such token; ignored")
            continue
        looks = _looks(value, names)
        if looks is None:
            complaints.append(f"{path}: {token}: {value!r} is no colour; the default is used")
            continue
        for place in places:
            tokens[place] = looks if any(map(is_word, looks.split())) else f"{looks} {_words(tokens[place])}".strip()
    return ThemeFile(path, tokens, complaints)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`tool.ok` may be written as a key of the table `tool`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat


def _looks(value: Any, names: Mapping[str, Any]) -> str | None:
    """A colour and words, with the names of colours put in; None where it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    words = [str(names.get(word, word)) for word in value.split()] or [str(names.get("", ""))]
    words = [word for word in words if word]
    colours = [word for word in words if not is_word(word)]
    return " ".join(words) if len(colours) <= 1 and all(map(is_colour, colours)) else None


def _words(looks: str) -> str:
    return " ".join(word for word in looks.split() if is_word(word))
