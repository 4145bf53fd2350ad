"""Chunks of an HTTP/1.1 answer that arrived together, made one (RFC 9112, 7.1).

Services put each event into a chunk of its own. The HTTP library hands up chunk by chunk, through all its layers, which costs
more than all that is done with the few bytes in one.
"""

_LINE_END = b"\r\n"
_HEAD_END = b"\r\n\r\n"
_MOST_OF_A_LINE = 16 * 1024
_DIGITS = b"0123456789abcdefABCDEF"
_MOST_DIGITS = 20


class JoinedChunks:
    """`feed` it what arrives, and it gives the same answer in fewer chunks; `begin` says that another answer comes next. What is
    not in chunks, and what is no sound HTTP, passes as it is."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._rest = b""
        self._left = 0
        self._is_in_head = True
        self._passes = False

    def feed(self, data: bytes) -> bytes:
        """May be empty though `data` is not: then the beginning of a chunk has come, and none of what is in it."""
        if self._passes:
            return data
        if self._is_in_head:
            return self._of_head(data)
        return self._of_body(data)

    def _of_head(self, data: bytes) -> bytes:
        seen = self._rest + data
        head, end, body = seen.partition(_HEAD_END)
        if not end:
            self._rest = seen
            return data
        self._rest, self._is_in_head = b"", False
        before = len(seen) - len(data)  # is out already
        if head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):  # an announcement; the answer itself follows
            self._is_in_head = True
            told = seen[before : len(head) + len(end)]
            return told + self.feed(body) if body else told
        self._passes = not _is_chunked(head)
        return data if self._passes or not body else seen[before : len(head) + len(end)] + self.feed(body)

    def _of_body(self, data: bytes) -> bytes:
        data = self._rest + data
        parts: list[bytes] = []
        at = 0
        while True:
            if self._left > len(_LINE_END):
                part = data[at : at + self._left - len(_LINE_END)]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
            if self._left:  # what is left of a chunk with the line end behind it
                if len(data) - at < self._left or self._left > len(_LINE_END):
                    break
                if data[at : at + self._left] != _LINE_END:
                    self._passes, data = True, data[:at] + _LINE_END + data[at:]  # an empty line is no chunk to anybody
                    break
                at += self._left
                self._left = 0
            end = data.find(_LINE_END, at)
            if end < 0:
                self._passes = len(data) - at > _MOST_OF_A_LINE
                break
            size = _size_of(data[at:end])
            if not size:  # the last chunk, or none
                self._passes = True
                break
            self._left = size + len(_LINE_END)
            at = end + len(_LINE_END)
        joined = b"".join(parts)
        self._rest = b"" if self._passes else data[at:]
        told = b"%x\r\n%b\r\n" % (len(joined), joined) if joined else b""
        return told + data[at:] if self._passes else told


def _is_chunked(head: bytes) -> bool:
    return any(
        line.partition(b":")[2].strip().lower().endswith(b"chunked")
        for line in head.split(_LINE_END)
        if line[:18].lower() == b"transfer-encoding:"
    )


def _size_of(line: bytes) -> int:
    """0 for the last chunk and for what is no size."""
    size = line.partition(b";")[0].rstrip(b" \t")
    return int(size, 16) if size and len(size) <= _MOST_DIGITS and not size.strip(_DIGITS) else 0
