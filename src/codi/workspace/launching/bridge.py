"""The way from a network that reaches nothing to the proxy: a port of the command's own machine, joined to a socket of codi's.

Programs can be told of a proxy by its port, few of them by the path of a socket. Each direction of a connection is a process
that does nothing but copy.
"""

import _socket
import fcntl
import os
import select
import struct

from codi.workspace.launching.orders import PROXY, PROXY_PORT

_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 1
_CHUNK = 64 * 1024


class Bridge:
    """Open it while the network may still be changed."""

    def __init__(self) -> None:
        self._listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        flags = fcntl.ioctl(self._listening.fileno(), _GET_FLAGS, struct.pack("16sh14x", b"lo", 0))
        up = struct.unpack("16sh14x", flags)[1] | _IS_UP
        fcntl.ioctl(self._listening.fileno(), _SET_FLAGS, struct.pack("16sh14x", b"lo", up))
        self._listening.bind(("127.0.0.1", PROXY_PORT))
        self._listening.listen(64)

    @property
    def descriptors(self) -> list[int]:
        return [self._listening.fileno()]

    def register(self, ready: select.poll) -> None:
        ready.register(self._listening, select.POLLIN)

    def serve(self) -> None:
        """Join one connection to the proxy."""
        here = self._listening._accept()[0]  # type: ignore[attr-defined]  # only the half that is written in C has it
        try:
            there = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            there.connect(PROXY)
        except OSError:
            os.close(here)
            return
        for source, sink in ((here, there.fileno()), (there.fileno(), here)):
            if os.fork() == 0:
                self._listening.close()
                _copy(source, sink)
        os.close(here)
        there.close()


def _copy(source: int, sink: int) -> None:
    try:
        while chunk := os.read(source, _CHUNK):
            while chunk:
                chunk = chunk[os.write(sink, chunk) :]
        _socket.socket(fileno=os.dup(sink)).shutdown(_socket.SHUT_WR)
    except OSError:
        pass  # one of the two is gone
    finally:
        os._exit(0)
