"""A key that stands in an environment variable."""

import os


class EnvironmentKey:
    """The first of `names` that is set. Read anew for each request; shown nowhere."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.source = next((name for name in names if os.environ.get(name)), names[0] if names else "")

    async def secret(self) -> str | None:
        return next((key for name in self._names if (key := os.environ.get(name, "").strip())), None)

    def __repr__(self) -> str:
        return f"EnvironmentKey({self.source})"
