"""What a service's prompt cache would have read and written, so that cache behaviour is measured offline.

A request is a row of segments. Each prefix of it has a hash; a prefix that was kept earlier, and is not too old, is read
from the cache. Anthropic keeps prefixes where the request says so and looks back at most twenty segments from there; the
others keep every prefix by themselves.
"""

import time
from collections.abc import Callable, Iterable
from hashlib import blake2b

from codi.lab.exchange import Billed, Segment

_LOOK_BACK = 20
_KEPT_S = 3600.0


def tokens_of(content: bytes) -> int:
    """Estimated tokens: a quarter of the bytes."""
    return -(-len(content) // 4)


class PrefixCache:
    """`minimum` is the shortest prefix in tokens that a service keeps."""

    def __init__(self, *, minimum: int = 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._minimum = minimum
        self._clock = clock
        self._kept: dict[bytes, float] = {}

    def marked(self, scope: str, segments: Iterable[Segment]) -> Billed:
        """Bill a request whose breakpoints say what is kept: what is new before the last of them is written."""
        prefixes, tokens, marks = self._prefixes(scope, segments)
        now = self._clock()
        read = written_to = hour_to = 0
        for at, ttl_s in reversed(marks):
            if tokens[at] < self._minimum:
                continue
            written_to = max(written_to, at)
            if ttl_s > 300.0:
                hour_to = max(hour_to, at)
            if not read:
                look = range(at, max(at - _LOOK_BACK, 0), -1)
                read = next((each for each in look if self._kept.get(prefixes[each], 0.0) > now), 0)
        if read:
            ttl_s = next((ttl for at, ttl in marks if at >= read), 300.0)
            self._kept[prefixes[read]] = max(self._kept[prefixes[read]], now + ttl_s)
        for at, ttl_s in marks:
            if tokens[at] >= self._minimum:
                self._kept[prefixes[at]] = max(self._kept.get(prefixes[at], 0.0), now + ttl_s)
        written = max(tokens[written_to] - tokens[read], 0)
        return Billed(
            input=tokens[-1] - tokens[read] - written,
            read=tokens[read],
            written=written,
            written_1h=max(tokens[hour_to] - tokens[read], 0),
        )

    def automatic(self, scope: str, segments: Iterable[Segment], *, step: int = 1) -> Billed:
        """Bill a request of a service that keeps every prefix; what was read is a multiple of `step` tokens."""
        prefixes, tokens, _ = self._prefixes(scope, segments)
        now = self._clock()
        longest = next((at for at in range(len(prefixes) - 1, 0, -1) if self._kept.get(prefixes[at], 0.0) > now), 0)
        read = tokens[longest] // step * step if tokens[longest] >= self._minimum else 0
        for prefix in prefixes[1:]:
            self._kept[prefix] = now + _KEPT_S
        return Billed(input=tokens[-1] - read, read=read)

    @staticmethod
    def _prefixes(scope: str, segments: Iterable[Segment]) -> tuple[list[bytes], list[int], list[tuple[int, float]]]:
        # Hash and tokens of every prefix, the empty one first, and where the breakpoints are.
        prefixes = [scope.encode()]
        tokens = [0]
        marks = []
        for content, is_breakpoint, ttl_s in segments:
            prefixes.append(blake2b(content, key=prefixes[-1][:64], digest_size=16).digest())
            tokens.append(tokens[-1] + tokens_of(content))
            if is_breakpoint:
                marks.append((len(prefixes) - 1, ttl_s))
        return prefixes, tokens, marks
