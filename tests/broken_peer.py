"""A service at the other end of a wire that is broken in one way, and whole again when it is mended."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator

Course = Iterator[bytes | float | None]
"""What is sent on a connection once something was asked: bytes, seconds to rest, None for nothing any more."""


class BrokenPeer:
    """Every connection is treated as `course` says until `mend`; then all that comes is passed on to `behind`, a port of this machine.
    With `answers` False connections wait to be accepted for ever."""

    def __init__(self, course: Callable[[], Course], behind: int, *, accepts: bool = True) -> None:
        self._course = course
        self._behind = behind
        self._is_well = threading.Event()
        self.asked = threading.Event()
        """Somebody has said something to it, or tries to."""
        self._is_over = threading.Event()
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(64 if accepts else 0)
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        if not accepts:  # a full backlog: the system leaves whoever comes next without an answer
            for _ in range(3):
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", self.port))
                self._open.append(caller)
            self.asked.set()
        else:
            threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        self._is_well.set()

    def close(self) -> None:
        self._is_over.set()
        for each in (self._listening, *self._open):
            each.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(caller)
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            first = caller.recv(65536)
            if not first:
                return
            if self._is_well.is_set():
                self._pass_on(caller, first)
                return
            self.asked.set()
            threading.Thread(target=self._swallow, args=(caller,), daemon=True).start()
            for part in self._course():
                if part is None:
                    self._is_over.wait()
                elif isinstance(part, float):
                    self._is_over.wait(part)
                else:
                    caller.sendall(part)
            caller.shutdown(socket.SHUT_RDWR)  # to close alone ends nothing while another thread waits for more
        except OSError:
            pass  # the other end is gone, as it should
        finally:
            caller.close()

    def _swallow(self, caller: socket.socket) -> None:
        try:
            while caller.recv(65536):
                pass
        except OSError:
            pass

    def _pass_on(self, caller: socket.socket, first: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._behind)) as there, selectors.DefaultSelector() as ready:
            there.sendall(first)
            ready.register(caller, selectors.EVENT_READ, there)
            ready.register(there, selectors.EVENT_READ, caller)
            while not self._is_over.is_set():
                for key, _ in ready.select(0.5):
                    piece = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not piece:
                        return
                    key.data.sendall(piece)
