"""Facts and deltas with placeholders for secrets, whatever their shape: every text in them is veiled, wherever it stands.

Left as they are: what a service sealed, which must go back unchanged, and the data of images.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from codi.credentials.streaming import Stream
from codi.credentials.vault import Vault
from codi.protocol.events import CallEndDelta, Delta, StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta, ToolProgress
from codi.protocol.messages import Image, Thinking

_KEPT = frozenset({"signature", "id", "call_id", "tool_call_id"})


def veiled(value: Any, veil: Callable[[str], str]) -> Any:
    """The same value, and the very same object where there is nothing to veil in it."""
    if isinstance(value, str):
        return veil(value)
    if isinstance(value, Image):
        return value
    if isinstance(value, Struct):
        return _veiled_struct(value, veil)
    if isinstance(value, dict):
        changed = {veiled(key, veil): veiled(inner, veil) for key, inner in value.items()}
        return value if all(_same(*pairs) for pairs in zip(value.items(), changed.items())) else changed
    if isinstance(value, tuple | list):
        items = [veiled(inner, veil) for inner in value]
        same = all(inner is item for inner, item in zip(value, items))
        return value if same else tuple(items) if isinstance(value, tuple) else items
    return value


def restored(arguments: dict[str, Any], restore: Callable[[str], str]) -> dict[str, Any]:
    """A call's arguments with what `restore` makes of every text in them."""
    changed: dict[str, Any] = veiled(arguments, restore)
    return changed


def _veiled_struct(value: Struct, veil: Callable[[str], str]) -> Struct:
    changes = {}
    for name in value.__struct_fields__:
        if name not in _KEPT:
            inner = getattr(value, name)
            new = veiled(inner, veil)
            if new is not inner and new != inner:
                changes[name] = new
    if not changes:
        return value
    if isinstance(value, Thinking):
        changes["signature"] = None  # it seals the words as they were
    return replace(value, **changes)


def _same(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return one[0] == other[0] and one[1] is other[1]


class VeiledDeltas:
    """Deltas whose texts come in pieces, veiled as the whole is: what may be a part of a secret is held back until it is
    known."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._reply: dict[tuple[type[Delta], int], tuple[Stream, Delta]] = {}
        self._calls: dict[str, Stream] = {}

    def of(self, delta: Delta) -> Iterator[Delta]:
        match delta:
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                yield from self._of_reply(delta)
            case ToolProgress(call_id, text):
                stream = self._calls.setdefault(call_id, self._vault.stream())
                if told := stream.feed(text):
                    yield ToolProgress(call_id, told)
            case CallEndDelta(result):
                if (ended := self._calls.pop(result.call_id, None)) and (rest := ended.close()):
                    yield ToolProgress(result.call_id, rest)
                yield veiled(delta, self._vault.veil)
            case StatusDelta(kind="retry"):
                self._reply.clear()
                yield veiled(delta, self._vault.veil)
            case _:
                yield veiled(delta, self._vault.veil)

    def rest_of_reply(self) -> Iterator[Delta]:
        """What is still held back of a reply that has come to its end."""
        for stream, delta in self._reply.values():
            if rest := stream.close():
                yield replace(delta, text=rest)
        self._reply.clear()

    def _of_reply(self, delta: TextDelta | ThinkingDelta | ToolCallDelta) -> Iterator[Delta]:
        place = (type(delta), delta.index)
        if place not in self._reply:
            yield from self.rest_of_reply()  # a block begins when the one before has ended
        bare = ToolCallDelta(delta.index) if isinstance(delta, ToolCallDelta) else delta
        stream, _ = self._reply.setdefault(place, (self._vault.stream(), bare))
        told = stream.feed(delta.text)
        if told or (isinstance(delta, ToolCallDelta) and (delta.id or delta.name)):
            yield replace(delta, text=told)
