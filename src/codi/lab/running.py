"""A server of the lab beside synchronous code, such as a test."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import anyio
from anyio import from_thread, lowlevel

from codi.lab.library import script_named
from codi.lab.server import LabServer
from codi.providers.script import Script, script_of


class RunningServer(LabServer):
    """A server with its own event loop in its own thread."""

    def __init__(self, script: Script, **options: Any) -> None:
        super().__init__(script, **options)
        self._ready = threading.Event()
        self._stop: tuple[anyio.CancelScope, lowlevel.EventLoopToken] | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live, name=f"lab {self.port}", daemon=True)

    def start(self) -> None:
        """Returns once connections are accepted."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close all connections and wait for the end; raises what the server itself failed with."""
        if self._stop is not None:
            scope, token = self._stop
            self._stop = None
            with suppress(anyio.RunFinishedError):  # it may have ended by itself, with an error
                from_thread.run_sync(scope.cancel, token=token)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _live(self) -> None:
        try:
            anyio.run(self._serve)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that stops the server
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        with anyio.CancelScope() as scope:
            self._stop = (scope, lowlevel.current_token())
            await self.run(self._ready.set)


@contextmanager
def running(script: Script | Mapping[str, Any] | Sequence[Any] | str, **options: Any) -> Iterator[RunningServer]:
    """A server for the time of a `with`: of a script, of the plain data of one, of its path or of a scenario's name.
    `options` are those of LabServer."""
    if isinstance(script, str):
        script = script_named(script)
    elif not isinstance(script, Script):
        script = script_of(dict(script) if isinstance(script, Mapping) else list(script))
    server = RunningServer(script, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
