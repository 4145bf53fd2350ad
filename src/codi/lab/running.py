"""A server of the lab beside synchronous code, such as a test."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

import anyio
from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from codi.lab.library import script_named
from codi.lab.server import LabServer
from codi.providers.script import Script, script_of


class RunningServer(LabServer):
    """A server with its own event loop in its own thread."""

    def __init__(self, script: Script, **options: Any) -> None:
        super().__init__(script, **options)
        self._thread = ExitStack()
        self._portal: BlockingPortal | None = None
        self._run: Future[None] | None = None
        self._life: anyio.CancelScope | None = None

    def start(self) -> None:
        """Returns once connections are accepted."""
        self._portal = self._thread.enter_context(start_blocking_portal())
        self._run, self._life = self._portal.start_task(self._serve)

    def stop(self) -> None:
        """Close all connections and wait for the end; raises what the server itself failed with."""
        run, self._run = self._run, None
        with self._thread:
            if run is not None and self._portal is not None and self._life is not None:
                self._portal.call(self._life.cancel)
                run.result()

    async def _serve(self, *, task_status: TaskStatus[anyio.CancelScope] = anyio.TASK_STATUS_IGNORED) -> None:
        with anyio.CancelScope() as life:
            await self.run(lambda: task_status.started(life))


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
