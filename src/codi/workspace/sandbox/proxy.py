"""The proxy through which a confined command reaches the hosts that it may reach, and no others.

It speaks HTTP: `CONNECT` for what is encrypted, and requests with a whole address for what is not. The name is checked as it was
sent, byte for byte, and the connection is made to an address that was looked at: whoever owns a name may let it lead anywhere.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from select import POLLIN, poll

from codi.protocol.network import Errand, Hear, nobody
from codi.workspace.launching.orders import PROXY_PORT

_HEAD_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_CONNECT_S = 10.0
_IDLE_S = 300.0
_NAME = re.compile(rb"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)
_NUMERIC = re.compile(rb"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)
_HOP_BY_HOP = (b"proxy-", b"connection:", b"keep-alive:")


class Refused(Exception):
    """Why a host is not reached, in words for whoever asked."""


class Proxy:
    """Listens on a socket at `path` until it is closed. `hosts` are names, `*.name` for all below one, with `:port` or without (80
    and 443). `offline` refuses all; `hear` is told of each connection."""

    def __init__(self, path: str, hosts: Sequence[str], *, offline: bool = False, hear: Hear = nobody) -> None:
        self.path = path
        self._hosts = tuple(hosts)
        self._offline = offline
        self._errand = Errand("command", "a command", hear)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(path)
        os.chmod(path, 0o600)
        self._listening.listen(64)
        threading.Thread(target=self._serve, name="proxy", daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What programs look for to find a proxy."""
        address = f"http://127.0.0.1:{PROXY_PORT}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return {name: address for upper in names for name in (upper, upper.lower())}

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(asking,), daemon=True).start()

    def _answer(self, asking: socket.socket) -> None:
        with asking, suppress(OSError):
            asking.settimeout(_IDLE_S)
            at, name, port, place = time.time(), "", 0, ("", 0)
            try:
                head, rest = _head(asking)
                host, port, onward = target_of(head)
                name = host.decode("ascii", "backslashreplace")
                if self._offline:
                    raise Refused("offline")
                place = checked(host, port, self._hosts)
                there = socket.create_connection(place, _CONNECT_S)
            except Refused as refusal:
                self._errand.refused(name, port, str(refusal))
                asking.sendall(_told(403, "Forbidden", str(refusal)))
                return
            except OSError as error:
                self._errand.failed(at, name, port, str(error), place[0])
                asking.sendall(_told(502, "Bad Gateway", f"It cannot be reached: {error}"))
                return
            went = [0, 0]
            try:
                with there:
                    there.settimeout(_IDLE_S)
                    if not onward:
                        asking.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    there.sendall(onward + rest)
                    went[0] += len(onward) + len(rest)
                    _join(asking, there, went)
            finally:
                self._errand.closed(at, name, place[0], port, *went)


def checked(host: bytes, port: int, hosts: Sequence[str]) -> tuple[str, int]:
    """The address to connect to. Raises Refused for a name that is not allowed, is no plain name, or leads to no public address."""
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise Refused(f"{host!r} is no plain name of a host")
    if _NUMERIC.fullmatch(host):
        raise Refused(f"{host.decode()} is an address and no name")
    name = host.decode().lower()
    if not any(_fits(pattern, name, port) for pattern in hosts):
        raise Refused(f"{name}:{port} is not among the hosts that this command may reach")
    from codi.workspace.addresses import (
        is_public,
    )  # loads what is slow to load, for the few who let commands reach anything

    found = [str(place[0]) for _, _, _, _, place in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not is_public(address):
            raise Refused(f"{name} is at {address}, which is no public address")
    return found[0], port


def _fits(pattern: str, name: str, port: int) -> bool:
    wanted, _, wanted_port = pattern.lower().partition(":")
    if str(port) != wanted_port if wanted_port else port not in (80, 443):
        return False
    return name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:]))


def target_of(head: bytes) -> tuple[bytes, int, bytes]:
    """Host and port that a request names, and the request as it goes on; nothing of it for a tunnel. Raises Refused."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise Refused("this is no request for a proxy")
    method, target, version = words
    if method == b"CONNECT":
        host, port = _host_and_port(target, None)
        return host, port, b""
    scheme, _, place = target.partition(b"://")
    if scheme.lower() != b"http":
        raise Refused("a request to a proxy names the whole address, and HTTPS comes by CONNECT")
    authority, slash, path = place.partition(b"/")
    host, port = _host_and_port(authority, 80)
    named = [line for line in lines if not line.lower().startswith((*_HOP_BY_HOP, b"host:"))]
    # One request a connection: the next could name another host behind our back.
    onward = [b" ".join((method, slash + path or b"/", version)), b"Host: " + authority, *named, b"Connection: close"]
    return host, port, b"\r\n".join(onward) + b"\r\n\r\n"


def _host_and_port(authority: bytes, usual: int | None) -> tuple[bytes, int]:
    host, colon, port = authority.rpartition(b":")
    if not colon and usual is not None:
        return authority, usual
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Refused(f"{authority!r} names no port")
    return host, int(port)


def _head(asking: socket.socket) -> tuple[bytes, bytes]:
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = asking.recv(_CHUNK)
        if not chunk or len(head) > _HEAD_BYTES:
            raise Refused("this is no request for a proxy")
        head += chunk
    first, _, rest = head.partition(b"\r\n\r\n")
    return first + b"\r\n\r\n", rest


def _join(one: socket.socket, other: socket.socket, went: list[int]) -> None:
    """Carry what each says to the other, until one is done or both are silent for long. `went` counts the bytes, there and back."""
    ready = poll()
    for each in (one, other):
        ready.register(each, POLLIN)
    while happened := ready.poll(_IDLE_S * 1000):
        for descriptor, _ in happened:
            source, sink = (one, other) if descriptor == one.fileno() else (other, one)
            chunk = source.recv(_CHUNK)
            if not chunk:
                return
            sink.sendall(chunk)
            went[source is other] += len(chunk)


def _told(status: int, name: str, text: str) -> bytes:
    body = f"{text}\n".encode()
    return (
        f"HTTP/1.1 {status} {name}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
