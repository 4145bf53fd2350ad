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


def veiled(value: Any, vault: Vault) -> Any:
    """The same value, and the very same object where there is nothing to veil in it."""
    return value if vault.is_clean(_texts(value)) else changed(value, vault.veil)


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """The same value with what `change` makes of every text in it."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Image):
        return value
    if isinstance(value, Struct):
        return _changed_struct(value, change)
    if isinstance(value, dict):
        return {changed(key, change): changed(inner, change) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(changed(inner, change) for inner in value)
    if isinstance(value, list):
        return [changed(inner, change) for inner in value]
    return value


def _changed_struct(value: Struct, change: Callable[[str], str]) -> Struct:
    changes = {}
    for name in value.__struct_fields__:
        if name not in _KEPT:
            inner = getattr(value, name)
            new = changed(inner, change)
            if new != inner:
                changes[name] = new
    if not changes:
        return value
    if isinstance(value, Thinking):
        changes["signature"] = None  # it seals the words as they were
    return replace(value, **changes)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Image):
        return
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            if name not in _KEPT:
                yield from _texts(getattr(value, name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _texts(inner)


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
                yield veiled(delta, self._vault)
            case StatusDelta(kind="retry"):
                self._reply.clear()
                yield veiled(delta, self._vault)
            case _:
                yield veiled(delta, self._vault)

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
