"""What of a session is exported: lines and entries, all of them or those of the path on which it stands."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry, MessageAdded
from codi.sessions import folds
from codi.sessions.files import reading_of
from codi.sessions.forking import path_lines
from codi.sessions.json_lines import encoded, object_of
from codi.sessions.reading import read
from codi.sessions.version3 import checked_line, header_line, header_of

_KEPT = frozenset(
    {
        *("id", "parentId", "type", "_c", "toolCallId", "entryId", "targetId", "mimeType", "timestamp", "version"),
        *("thoughtSignature", "textSignature", "thinkingSignature"),
        *(
            "role",
            "customType",
            "stopReason",
            "api",
            "by",
            "decision",
            "remember",
            "effect",
            "kind",
            "when",
            "reason",
            "state",
        ),
        *("mode", "status", "thinkingLevel", "before", "after", "tree", "sha256", "responseId"),
    }
)
"""What is no text of anybody's: ids, seals, words of the format."""
_FREE = frozenset({"arguments", "details", "value", "changed", "inputSchema", "input_schema"})
"""What is inside of these has names of its own."""


class Taken(Struct, frozen=True):
    """`header` and `objects` are as the file holds them, `entries` what they mean; the last one is the leaf."""

    header: dict[str, Any]
    lines: list[bytes]
    entries: list[Entry]

    @property
    def objects(self) -> list[dict[str, Any]]:
        found = (object_of(line) for line in self.lines)
        return [json for json in found if json is not None]

    @property
    def leaf(self) -> str | None:
        return self.entries[-1].id if self.entries else None

    @property
    def title(self) -> str:
        """Its name, else its first words."""
        if name := folds.name(self.entries):
            return name
        for entry in self.entries:
            match entry.fact:
                case MessageAdded(message) if message.role == "user" and message.text.strip():
                    return " ".join(message.text.split())[:80]
        return "session"

    def content(self) -> bytes:
        """A session file that holds this."""
        return encoded(self.header) + b"\n" + b"".join(line + b"\n" for line in self.lines)


def taken(path: str, *, everything: bool, at: float, change: Callable[[str], str] | None = None) -> Taken:
    """The session in a file with what `change` makes of each text. Raises SessionError, also where nothing was said in it."""
    reading = reading_of(path)
    if not any(isinstance(entry.fact, MessageAdded) for entry in reading.entries):
        raise SessionError("There is nothing to export: nothing was said in this session.", hint="Say something first.")
    with open(path, "rb") as file:
        first = file.readline()
    header = object_of(first.removeprefix(b"\xef\xbb\xbf")) if reading.header.version == 3 else None
    header = header or object_of(header_line(reading.header)) or {}
    if everything:
        lines: Sequence[bytes] = reading.lines
    else:
        lines = path_lines(reading, reading.entries[-1].id, at=at).split(b"\n")[:-1]
    if change is not None:
        header = changed(header, change)
        lines = [_changed_line(line, change) for line in lines]
    again = read(encoded(header) + b"\n" + b"".join(line + b"\n" for line in lines), with_lines=True)
    assert again is not None and header_of(encoded(header)) is not None
    return Taken(header, again.lines, again.entries)


def _changed_line(line: bytes, change: Callable[[str], str]) -> bytes:
    json = object_of(line)
    if json is None:
        return line
    new = changed(json, change)
    return line if new == json else checked_line(new)


def changed(value: Any, change: Callable[[str], str], *, is_free: bool = False) -> Any:
    """The same value with what `change` makes of every text in it. Ids, seals, words of the format and the data of images stay; the
    seal of a thought that was changed goes. What `is_free` has no format: arguments may be called as they like."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed(inner, change, is_free=is_free) for inner in value]
    if not isinstance(value, dict):
        return value
    is_image = value.get("type") == "image"
    new = {}
    for name, inner in value.items():
        stays = (is_image and name == "data") or (name in _KEPT and not is_free and not isinstance(inner, dict | list))
        new[change(name) if is_free else name] = (
            inner if stays else changed(inner, change, is_free=is_free or name in _FREE)
        )
    if "thinkingSignature" in new and new.get("thinking") != value.get("thinking"):
        del new["thinkingSignature"]
    return new
