"""Commands that run while the conversation goes on, and die with it.

A job outlives the call that started it, and with it every task of that call. So each is listened to by a thread, which keeps what
it says until somebody looks.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock, Thread

import anyio

from codi.protocol.effects import Runs
from codi.workspace import warden
from codi.workspace.children import Child, Ended
from codi.workspace.processes import NO_TIME_LIMIT, prepared
from codi.workspace.spooling import Output
from codi.workspace.workspace import JobState, NoJob, Outcome, Size, TooManyJobs

MOST_JOBS = 8
"""That run at once."""
_MOST_ENDED = 32  # that can still be looked at
_SETTLE_S = 0.1
_MOST_SETTLE_S = 1.0
_END_S = warden.GRACE_S + 1.5


class Jobs:
    """All jobs of one session. `keep` bytes of the beginning and as many of the end of what each says are kept in memory between
    looks, and the whole in the folder that `spool` gives once that is too little."""

    def __init__(self, spool: Callable[[], str]) -> None:
        self._spool = spool
        self._jobs: dict[str, Job] = {}
        self._count = 0
        self.heard_end: Callable[[str], object] = lambda job: None
        """Called with the id of a job that has ended, by another thread."""

    async def start(
        self,
        command: Runs,
        *,
        cwd: str,
        environment: Mapping[str, str],
        shell: str,
        timeout_s: float | None,
        keep: int,
        terminal: Size | None,
        orders: bytes = b"",
        at_end: Callable[[], object] = lambda: None,
    ) -> "Job":
        """`orders` confine it (`launching.orders`); `at_end` is called when it has ended, by another thread. Raises TooManyJobs, and OSError for a missing program or directory."""
        running = [job for job in self._jobs.values() if job.is_running]
        if len(running) >= MOST_JOBS:
            raise TooManyJobs(f"{MOST_JOBS} jobs run already: {', '.join(job.id for job in running)}.")
        words, _, _ = prepared(command.command, shell, environment)
        surroundings = {**environment, "TERM": "xterm-256color"} if terminal else environment
        limit_s = NO_TIME_LIMIT if timeout_s is None else timeout_s
        child = Child(words, cwd, surroundings, limit_s, 0, fed=True, terminal=terminal, orders=orders)
        try:
            with anyio.CancelScope(shield=True):
                await child.started()
        except BaseException:
            child.close()
            raise
        self._count += 1
        id = str(self._count)
        job = Job(id, command, child, keep, self._spool(), terminal, at_end, lambda: self.heard_end(id))
        self._forget_oldest()
        self._jobs[job.id] = job
        return job

    @property
    def are_running(self) -> bool:
        return any(job.is_running for job in self._jobs.values())

    def job(self, id: str) -> "Job":
        """Raises NoJob."""
        if id not in self._jobs:
            known = ", ".join(f"{job.id} ({job.state.words})" for job in self._jobs.values())
            raise NoJob(f'There is no job "{id}". {f"Jobs: {known}." if known else "No job was started."}')
        return self._jobs[id]

    def news(self) -> list[str]:
        """What to tell a model of jobs that ended since they were last looked at; of each once."""
        fresh = [job for job in self._jobs.values() if not job.is_running and not job.end_is_known]
        for job in fresh:
            job.end_is_known = True
        return [
            f"Job {job.id} {job.state.words}: {job.runs.line}\n"
            f'Nobody has looked at it since. Its output: shell(job="{job.id}").'
            for job in fresh
        ]

    async def aclose(self) -> None:
        """End all of them."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.kill()
        with anyio.CancelScope(shield=True), anyio.move_on_after(_END_S):
            for job in jobs:
                await job.ended()
        for job in jobs:
            job.close()
        self._jobs.clear()

    def _forget_oldest(self) -> None:
        ended = [job for job in self._jobs.values() if not job.is_running]
        for job in ended[: max(len(ended) - _MOST_ENDED + 1, 0)]:
            job.close()
            del self._jobs[job.id]


class Job:
    """One command that was started, by its `id`. `runs` is what it was granted as."""

    def __init__(
        self,
        id: str,
        runs: Runs,
        child: Child,
        keep: int,
        spool: str | None,
        terminal: tuple[int, int] | None,
        at_end: Callable[[], object],
        has_ended: Callable[[], object],
    ) -> None:
        self.id = id
        self.runs = runs
        self.pid = child.pid
        self.end_is_known = False
        self._child = child
        self._at_end, self._has_ended = at_end, has_ended
        self._keep, self._spool = keep, spool
        self._output = Output(keep, keep, spool, None)
        self._began = time.monotonic()
        self._took_s: float | None = None
        self._end: Ended | None = None
        self._said = self._shown = 0
        self._lock = Lock()
        self._news = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closed = False
        self._terminal = None
        if terminal:
            from codi.workspace.terminal import Terminal  # 40 ms, for those few who want one

            self._terminal = Terminal(*terminal)
        Thread(target=self._listen, name=f"job {id}", daemon=True).start()

    @property
    def is_running(self) -> bool:
        return self._end is None

    @property
    def state(self) -> JobState:
        end, took_s = self._end, self._took_s
        return JobState(
            running=end is None,
            exit_code=end.exit_code if end else None,
            signal=end.signal if end else None,
            timed_out=bool(end and end.timed_out),
            seconds=time.monotonic() - self._began if took_s is None else took_s,
        )

    async def send(self, content: bytes) -> None:
        """Write to its standard input or terminal. Raises OSError when it does not read any more."""
        await self._child.send(content)

    async def wait(self, seconds: float, *, fresh: bool = False) -> None:
        """Wait for output that nobody has seen, or for the end; then a moment for the rest of it. With `fresh` what was said
        before now does not count."""
        mark = self._said if fresh else self._shown
        with anyio.move_on_after(seconds):
            while self._said == mark and self.is_running:
                await self._wait_for_news()
            settled = time.monotonic() + _MOST_SETTLE_S
            while self.is_running and time.monotonic() < settled:
                with anyio.move_on_after(_SETTLE_S) as quiet:
                    await self._wait_for_news()
                if quiet.cancelled_caught:
                    return

    async def ended(self) -> None:
        """Wait for the end."""
        while self.is_running:
            await self._wait_for_news()

    def look(self) -> Outcome:
        """What it said since the last look. Whoever sees the end knows of it."""
        with self._lock:
            output, self._output = self._output, Output(self._keep, self._keep, self._spool, None)
            self._shown = self._said
            self.end_is_known = self.end_is_known or not self.is_running
            spill = output.close()
        return Outcome(
            head=bytes(output.head),
            tail=bytes(output.tail),
            total_bytes=output.total_bytes,
            total_lines=output.total_lines,
            flooded=output.flooded,
            spill=spill,
        )

    @property
    def screen(self) -> str | None:
        """What its terminal shows; None where it has none."""
        with self._lock:
            return self._terminal.text if self._terminal else None

    def resize(self, columns: int, rows: int) -> None:
        """Raises OSError where it has no terminal."""
        with self._lock:
            self._child.resize(columns, rows)
            if self._terminal:
                self._terminal.resize(columns, rows)

    def kill(self) -> None:
        """TERM to all that it started, and KILL after a grace."""
        self._child.order(warden.STOP)

    def close(self) -> None:
        """Keep nothing of it. What still runs is ended."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            self._output.forget()
            if not self.is_running:
                self._child.close()
                os.close(self._news)
            else:
                self._child.order(warden.KILL)

    def _listen(self) -> None:
        for chunk in self._child.listen():
            with self._lock:
                if self._output.take(chunk):
                    self._child.order(warden.KILL)
                self._said += 1
                answer = self._terminal.feed(chunk) if self._terminal else b""
            if answer:
                with suppress(OSError):
                    self._child.send_now(answer)
            os.eventfd_write(self._news, 1)
        self._at_end()
        with self._lock:
            self._took_s = time.monotonic() - self._began
            self._end = self._child.end
            os.eventfd_write(self._news, 1)
        self._has_ended()

    async def _wait_for_news(self) -> None:
        await anyio.wait_readable(self._news)
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
