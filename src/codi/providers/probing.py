"""Which servers on this machine answer, and what models they have.

All are asked at once, in one quarter of a second: whoever has not answered by then is not there. This runs before there is an
event loop, on plain sockets, and only when no key and no address says where to go.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from codi.providers.choice import LocalServer

TOGETHER_S = 0.25
_MOST = 4_000_000


class _Question:
    """One server being asked."""

    def __init__(self, service: str, base_url: str) -> None:
        self.service, self.base_url = service, base_url
        self.answer = b""
        url = urlsplit(base_url)
        path = f"{url.path.rstrip('/')}/{'api/tags' if service == 'ollama' else 'models'}"
        self._asked = f"GET {path} HTTP/1.0\r\nHost: {url.netloc}\r\nAccept: application/json\r\n\r\n".encode()
        self.socket = socket.socket(socket.AF_INET6 if ":" in (url.hostname or "") else socket.AF_INET)
        self.socket.setblocking(False)
        self.socket.connect_ex((url.hostname or "127.0.0.1", url.port or 80))

    def go_on(self) -> bool:
        """Send what is to be sent, then read; False when there is nothing more to come."""
        if self._asked:
            self._asked = self._asked[self.socket.send(self._asked) :]
            return True
        piece = self.socket.recv(65536)
        self.answer += piece
        return bool(piece) and len(self.answer) < _MOST

    def events(self) -> int:
        return selectors.EVENT_WRITE if self._asked else selectors.EVENT_READ


def local_servers(servers: Sequence[tuple[str, str]]) -> list[LocalServer]:
    """Those of the servers, each a service and its base URL, that answer as such a service does; in the order given."""
    questions = [_Question(service, url) for service, url in servers if url.startswith("http://")]
    until = time.monotonic() + TOGETHER_S
    with selectors.DefaultSelector() as selector:
        for question in questions:
            selector.register(question.socket, question.events(), question)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                try:
                    goes_on = key.data.go_on()
                except OSError:
                    goes_on = False
                if goes_on:
                    selector.modify(key.fileobj, key.data.events(), key.data)
                else:
                    selector.unregister(key.fileobj)
    for question in questions:
        question.socket.close()
    return [server for question in questions if (server := _server(question))]


def _server(question: _Question) -> LocalServer | None:
    head, _, body = question.answer.partition(b"\r\n\r\n")
    if b" 200" not in head[:16]:
        return None
    try:
        told: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    rows = told.get("models") or told.get("data") or [] if isinstance(told, dict) else []
    names = (row.get("name") or row.get("id") for row in rows if isinstance(row, dict))
    return LocalServer(question.service, question.base_url, tuple(str(name) for name in names if name))
