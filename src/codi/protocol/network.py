"""What is told of a connection that codi made, or did not make."""

from collections.abc import Callable

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


class Line(Struct, frozen=True):
    """For whom and for what connections are made, and who is told of them."""

    purpose: str
    asked_by: str
    hear: Hear = nobody
