"""Messages in wire form, each encoded once.

A conversation grows at its end: request N+1 is request N and what was said since. So what was encoded for the last request
is kept, and a long conversation costs no more per step than a short one.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import is_

from codi.protocol.messages import Message, Text, ToolCall
from codi.providers.history import GO_ON

_BEFORE = Message("user", (Text("."),))
_CONVERSATIONS = 4


class Encoded:
    """What `settle` and `encode` make of messages, remembered for the next request; a few conversations side by side.

    The memory is exact because a history falls in two before an assistant message: `settle` does the same to what follows
    whatever precedes it, as long as a user message stands there and no call id is given twice. Where that does not hold, all
    is settled from scratch.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[Message]], list[Message]],
        encode: Callable[[Message], list[bytes]],
    ) -> None:
        self._settle = settle
        self._encode = encode
        self._conversations: list[_Conversation] = []

    def parts(self, messages: Sequence[Message]) -> list[bytes]:
        """The wire messages in order; equal to encoding `settle(messages)` from scratch."""
        if not messages:
            return []
        found = next((known for known in self._conversations if known.first is messages[0]), None)
        if found is None:
            found = _Conversation(messages[0], self._settle, self._encode)
            del self._conversations[_CONVERSATIONS - 1 :]
        else:
            self._conversations.remove(found)
        self._conversations.insert(0, found)
        return found.parts(messages)


class _Conversation:
    def __init__(
        self,
        first: Message,
        settle: Callable[[Sequence[Message]], list[Message]],
        encode: Callable[[Message], list[bytes]],
    ) -> None:
        self.first = first
        self._settle = settle
        self._encode = encode
        self._seen: list[Message] = []
        self._parts: list[bytes] = []
        self._ids: set[str] = set()
        self._last_seen: Sequence[Message] = ()
        self._last: list[tuple[Message, list[bytes]]] = []

    def parts(self, messages: Sequence[Message]) -> list[bytes]:
        seen = len(self._seen)
        # By identity: messages that compare equal may differ in their bytes, as 1 and true do.
        if len(messages) <= seen or not all(map(is_, messages, self._seen)) or (seen and messages[seen].role == "user"):
            self._forget()
            seen = 0
        at = _last_boundary(messages, seen)
        if at is None or not self._keep(messages[seen:at]):
            at = seen
        tail = self._settled(messages[at:])
        if tail is not None:
            return self._parts + self._wire(messages[at:], tail)
        self._forget()
        return self._wire(messages, self._settle(messages))

    def _keep(self, messages: Sequence[Message]) -> bool:
        """Take messages that end before an assistant message into the memory, if it is exact for them."""
        settled = self._settled(messages)
        if not settled or settled[-1].role != "user" or settled[-1] == GO_ON:
            return False
        self._parts += self._wire(messages, settled)
        self._ids.update(_ids(settled))
        self._seen += messages
        return True

    def _settled(self, messages: Sequence[Message]) -> list[Message] | None:
        """The messages settled as they stand after those in memory; None if that cannot be known from them alone."""
        if not self._seen:
            return self._settle(messages)
        before, *settled = self._settle([_BEFORE, *messages])
        parted = before == _BEFORE and settled and settled[0].role == "assistant"
        if not parted or not self._ids.isdisjoint(_ids(settled)):
            return None
        return settled

    def _wire(self, messages: Sequence[Message], settled: list[Message]) -> list[bytes]:
        # The end of the last request is the beginning of what is new in this one.
        again = len(messages) >= len(self._last_seen) and all(map(is_, self._last_seen, messages))
        known = self._last if again else []
        pairs = []
        for at, message in enumerate(settled):
            if at < len(known) and known[at][0] == message:
                pairs.append(known[at])
            else:
                pairs.append((message, self._encode(message)))
        self._last_seen, self._last = messages, pairs
        return [part for _, wire in pairs for part in wire]

    def _forget(self) -> None:
        self._seen, self._parts, self._ids = [], [], set()


def join_body(fields: Mapping[str, bytes], *, last: str = "") -> bytes:
    """A JSON object of fields that are encoded already, in the order of their names; the field `last` stands at the end, so
    that a body whose last field grows begins like the one before."""
    names = sorted(fields, key=lambda name: (name == last, name))
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), fields[name]) for name in names) + b"}"


def join_list(items: Sequence[bytes]) -> bytes:
    """A JSON array of items that are encoded already."""
    return b"[" + b",".join(items) + b"]"


def _ids(messages: Sequence[Message]) -> list[str]:
    return [block.id for message in messages for block in message.blocks if isinstance(block, ToolCall)]


def _last_boundary(messages: Sequence[Message], start: int) -> int | None:
    """The last place after `start` where an assistant message follows a user's."""
    for at in range(len(messages) - 1, start, -1):
        if messages[at].role == "assistant" and messages[at - 1].role == "user":
            return at
    return None
