"""How far estimates are from what a model counts, learned from its replies; of each model by itself."""

from collections import deque
from collections.abc import Iterable

from codi.protocol.events import Entry, MessageAdded, RequestSent
from codi.protocol.messages import Message

LEAST = 3
"""Replies before the ratio counts."""

_KEPT = 20
_LOWEST, _HIGHEST = 0.5, 2.0

Model = tuple[str, str]
"""Provider and id."""


class Calibration:
    def __init__(self) -> None:
        self._seen: dict[Model, deque[tuple[int, int]]] = {}

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Calibration":
        """What the replies of a session have taught."""
        learned = cls()
        estimated = 0
        for entry in entries:
            match entry.fact:
                case RequestSent(purpose="turn", tokens=tokens):
                    estimated = tokens
                case MessageAdded(Message("assistant", origin=origin), reply) if origin and reply and estimated:
                    usage = reply.usage
                    if not usage.estimated and reply.stop not in ("error", "aborted"):
                        real = usage.input + usage.cache_read + usage.cache_write
                        learned.add((origin.provider, origin.model), real=real, estimated=estimated)
                    estimated = 0
        return learned

    def add(self, model: Model, *, real: int, estimated: int) -> None:
        if real > 0 and estimated > 0:
            self._seen.setdefault(model, deque(maxlen=_KEPT)).append((real, estimated))

    def ratio(self, model: Model) -> float:
        """What an estimate is to be multiplied with."""
        seen = self._seen.get(model, ())
        if len(seen) < LEAST:
            return 1.0
        real, estimated = sum(pair[0] for pair in seen), sum(pair[1] for pair in seen)
        return min(max(real / estimated, _LOWEST), _HIGHEST)
