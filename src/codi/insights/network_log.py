"""Every connection that codi made, one JSON line each: `network.jsonl` in codi's home."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from logging import getLogger

import msgspec
from msgspec import Struct

from codi.insights import lines
from codi.protocol.network import Connection

logger = getLogger(__name__)

NAME = "network.jsonl"
_LONGEST = 10 * 1024 * 1024


class NetworkLine(Struct, frozen=True, kw_only=True):
    """`time` is when it was begun, `up` and `down` are bytes."""

    time: datetime
    host: str
    address: str
    port: int
    purpose: str
    asked_by: str
    up: int
    down: int
    verdict: str


class NetworkLog:
    def __init__(self, home: str) -> None:
        self.path = os.path.join(home, NAME)
        self._before = os.path.join(home, NAME.replace(".", ".1."))

    def hear(self, connection: Connection) -> None:
        """Keep it. What cannot be written costs a line of the log and nothing else."""
        line = NetworkLine(
            time=datetime.fromtimestamp(round(connection.at, 3), UTC),
            **{name: getattr(connection, name) for name in Connection.__struct_fields__ if name != "at"},
        )
        try:
            with lines.appending(self.path) as fd:
                lines.write(fd, msgspec.json.encode(line) + b"\n")
                if os.fstat(fd).st_size >= _LONGEST:
                    os.replace(self.path, self._before)
        except OSError as error:
            logger.warning("a connection to %s could not be written down: %s", connection.host, error)

    def all(self, since: datetime | None = None) -> Iterator[NetworkLine]:
        """In the order in which they ended. Lines that are none are passed over."""
        for path in (self._before, self.path):
            try:
                with open(path, "rb") as file:
                    found = file.readlines()
            except OSError:
                continue
            for text in found:
                try:
                    line = msgspec.json.decode(text, type=NetworkLine)
                except msgspec.DecodeError:
                    continue
                if since is None or line.time >= since:
                    yield line
