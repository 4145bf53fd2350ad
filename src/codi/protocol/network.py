"""What is told of a connection that codi made, or did not make."""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct


class Connection(Struct, frozen=True, kw_only=True):
    """`address` is where it led, empty where none was made. `up` and `down` are bytes as they went over the line, `verdict` is
    "allowed", "refused" or "failed" with the reason. `at` is when it was begun, in seconds since 1970."""

    at: float
    host: str
    address: str = ""
    port: int
    purpose: str
    asked_by: str
    up: int = 0
    down: int = 0
    verdict: str = "allowed"


Hear = Callable[[Connection], None]
"""Is told of each connection once, when it is closed, or was not made."""


def nobody(connection: Connection) -> None:
    """For who keeps no account."""


class Errand(Struct, frozen=True):
    """For whom and for what connections are made, and who is told of them."""

    purpose: str
    asked_by: str
    hear: Hear = nobody

    def refused(self, host: str, port: int, why: str, address: str = "") -> None:
        """Tell of a connection that was not made."""
        self.hear(self._told(time.time(), host, address, port, verdict=f"refused: {why}"))

    def failed(self, at: float, host: str, port: int, why: str, address: str = "") -> None:
        self.hear(self._told(at, host, address, port, verdict=f"failed: {why}"))

    def closed(self, at: float, host: str, address: str, port: int, up: int, down: int) -> None:
        self.hear(self._told(at, host, address, port, up=up, down=down))

    def _told(self, at: float, host: str, address: str, port: int, **more: Any) -> Connection:
        return Connection(
            at=at, host=host, address=address, port=port, purpose=self.purpose, asked_by=self.asked_by, **more
        )
