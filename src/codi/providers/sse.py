"""Server-sent events, read from bytes as they come.

The format is WHATWG's (HTML, 9.2.6): lines end with LF, CRLF or CR, an empty line ends an event. Bytes stay
bytes until a whole event is there, so a character that is split between two packets is never seen in halves.
"""

from msgspec import DecodeError, Raw, Struct
from msgspec.json import decode

from codi.protocol.errors import MalformedAnswer

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of one line; no service sends more, and what does would fill the memory."""

_EVENT_LIMIT = 4 * LINE_LIMIT
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SseEvent(Struct, frozen=True):
    """`event` is `message` where the stream names none. The lines of `data` are joined by LF."""

    event: str
    data: bytes


class SseReader:
    """`feed` it every piece of the stream, then `close` it; each gives the events that were completed by it."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # pieces of a line whose end has not come
        self._line_size = 0
        self._after_cr = False
        self._at_start = True
        self._event = "message"
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Raise MalformedAnswer for a line over 16 MB."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head, newline, rest = chunk.partition(b"\n")
        self._line.append(head)
        self._line_size += len(head)
        self._check(self._line_size, LINE_LIMIT)
        if not newline:
            return []
        lines = [b"".join(self._line), *rest.split(b"\n")]
        tail = lines.pop()
        self._line = [tail]
        self._line_size = len(tail)
        self._check(self._line_size, LINE_LIMIT)
        return self._take(lines)

    def close(self) -> list[SseEvent]:
        """The stream ended. Some servers forget the empty line after their last event: such an event counts if it is
        whole, which only `[DONE]` and a complete JSON object can be seen to be."""
        tail = b"".join(self._line)
        events = self._take([tail]) if tail else []
        data = b"\n".join(self._data)
        self._line, self._data = [], []
        if data == b"[DONE]" or is_whole_object(data):
            events.append(SseEvent(self._event, data))
        return events

    def _take(self, lines: list[bytes]) -> list[SseEvent]:
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line:
                if self._data:
                    events.append(SseEvent(self._event, b"\n".join(self._data)))
                    self._data = []
                self._event = "message"
            elif line.startswith(b"event:"):
                self._event = line[6:].removeprefix(b" ").decode("utf-8", "replace") or "message"
            elif line == b"data":
                self._data.append(b"")
            elif line == b"event":
                self._event = "message"
            # Comments, `id`, `retry` and fields of a later day say nothing to a client that never reconnects.
        if len(self._data) > 1:
            self._check(sum(map(len, self._data)), _EVENT_LIMIT)
        return events

    @staticmethod
    def _check(size: int, limit: int) -> None:
        if size > limit:
            raise MalformedAnswer(
                f"the answer holds a line of more than {limit // 1024 // 1024} MB",
                hint="Check that the base URL is that of a model service.",
            )


def is_whole_object(data: bytes) -> bool:
    """Whether `data` is one complete JSON object, which the beginning of a longer one never is."""
    if not data.lstrip().startswith(b"{"):
        return False
    try:
        decode(data, type=Raw)
    except DecodeError:
        return False
    return True
