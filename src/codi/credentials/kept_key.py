"""A key out of a store."""

from anyio import to_thread

from codi.credentials.kept import Kept, Label
from codi.credentials.safe import Safe


class KeptKey:
    """Taken out when the first request needs it, in a thread: a store may have to ask the person, or to compute for long."""

    def __init__(self, safe: Safe, label: Label, kept: Kept | None = None) -> None:
        self.source = label.place
        self._safe = safe
        self._label = label
        self._kept = kept

    async def secret(self) -> str | None:
        if self._kept is None:
            self._kept = await to_thread.run_sync(self._safe.get, self._label)
        return self._kept.secret

    def __repr__(self) -> str:
        return f"KeptKey({self.source})"
