"""Which files a part of a conversation read and changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from codi.protocol.events import ContextCompacted, Entry, FilesChanged, MessageAdded
from codi.protocol.messages import ToolCall

_READING = frozenset({"read", "view_image", "read_file", "cat"})
_CHANGING = frozenset(
    {
        "write",
        "edit",
        "apply_patch",
        "insert_lines",
        "replace_lines",
        "delete_lines",
        "refactor",
        "move",
        "delete",
        "write_file",
        "create_file",
        "string_replace",
        "patch_file",
    }
)
_PATHS = ("path", "file_path", "file", "from", "to", "source", "destination")


class Files:
    """Sorted, a path a line; what was changed is not told as read too."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._changed: set[str] = set()

    def take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            match entry.fact:
                case MessageAdded(message):
                    for call in message.tool_calls:
                        self._called(call)
                case FilesChanged(changes=changes):
                    self._changed.update(change.path for change in changes)

    def take_over(self, earlier: ContextCompacted) -> None:
        """What an earlier compaction knew, unless somebody else supplied it."""
        if earlier.from_hook or not isinstance(earlier.details, Mapping):
            return
        self._read.update(_texts(earlier.details.get("readFiles")))
        self._changed.update(_texts(earlier.details.get("modifiedFiles")))

    @property
    def read(self) -> list[str]:
        return sorted(self._read - self._changed)

    @property
    def changed(self) -> list[str]:
        return sorted(self._changed)

    def _called(self, call: ToolCall) -> None:
        into = self._read if call.name in _READING else self._changed if call.name in _CHANGING else None
        if into is not None:
            into.update(paths_in(call.arguments))


def paths_in(arguments: Mapping[str, Any]) -> list[str]:
    """The paths that a call names by itself."""
    found = [arguments[name] for name in _PATHS if isinstance(arguments.get(name), str)]
    for name in ("paths", "files"):
        found += _texts(arguments.get(name))
    return [path for path in found if path]


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []
