"""The workspace on this machine: a folder, the files in it and around it, and the commands that run in it."""

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from hashlib import sha256
from itertools import islice
from weakref import WeakValueDictionary

import anyio
from anyio import to_thread
from msgspec import structs

from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes
from codi.protocol.network import Errand, Hear, nobody
from codi.workspace import paths, processes
from codi.workspace.contents import contents_of
from codi.workspace.descent import folder_of, naming, open_folder, open_listing, open_regular, read_all
from codi.workspace.endpoints import NoEndpoint, endpoint_of
from codi.workspace.git import NEUTRAL, for_commands
from codi.workspace.ignoring import files_below
from codi.workspace.jobs import Jobs
from codi.workspace.leftovers import OwnFolder
from codi.workspace.replacing import Change, replace_together
from codi.workspace.sandbox.sandbox import Sandbox, Way
from codi.workspace.trial import Conflict, Overlaid, Trial
from codi.workspace.workspace import (
    Confinement,
    Fetched,
    FileFacts,
    Job,
    Kind,
    Outcome,
    Replacement,
    Size,
    Stamp,
    Unreachable,
)

OFFLINE = "Offline: no network."

_NO_JOBS = (
    "what it changes is to be shown before it becomes true ([sandbox] preview), and of a job or a terminal that is never known. "
    "Run it in the foreground, without `pty`"
)
_READ_INLINE_BYTES = 1 << 20
_MOST_SEARCHED = 20_000
"""Files among which namesakes are looked for: beyond it the answer would be late."""

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class LocalWorkspace:
    """`extra_dirs` are folders outside the root that belong to the work too; `environment` is given to every command
    besides the few variables that all see; `shell` is the program for command lines (default: bash, else sh); `spool` is
    where outputs that are too long are kept, for the caller of `run` to remove. `offline`: the network is not reached;
    `allow_private` are hosts that may be, though their addresses are not public. `sandbox` confines commands; without one they are
    not.
    """

    def __init__(
        self,
        root: str,
        *,
        extra_dirs: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        shell: str | None = None,
        spool: str | None = None,
        offline: bool = False,
        allow_private: Sequence[str] = (),
        sandbox: Sandbox | None = None,
        hear: Hear = nobody,
    ) -> None:
        self.root = paths.real(os.path.abspath(root))
        self.roots = (self.root, *(self.resolve(folder) for folder in extra_dirs))
        self._environment = dict(environment or {})
        self._shell = shell
        self._given_spool = spool
        self._own = OwnFolder(os.environ.get("TMPDIR", "/tmp"))
        self._offline = offline
        self._errand = Errand("web", "the model", hear)
        self._allow_private = tuple(allow_private)
        self.sandbox = sandbox
        self.jobs = Jobs(self._spool)
        self._stamps: dict[str, Stamp] = {}
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    def resolve(self, path: str) -> str:
        return paths.real(paths.joined(path, self.root))

    def contains(self, path: str) -> bool:
        """Whether a path lies, its links followed, in the root or one of the extra folders."""
        return paths.inside(self.resolve(path), self.roots)

    def shown(self, path: str) -> str:
        real = self.resolve(path)
        if not paths.inside(real, (self.root,)):
            return real
        typed = paths.joined(path, self.root)
        # A link is shown by its name, not by where it leads; after `..` only the real path tells what is meant.
        place = real if ".." in typed.split("/") else os.path.normpath(typed)
        return os.path.relpath(place if paths.inside(place, (self.root,)) else real, self.root)

    def resolved(self, effects: Sequence[Effect]) -> tuple[Effect, ...]:
        return tuple(self._resolved(effect) for effect in effects)

    def _resolved(self, effect: Effect) -> Effect:
        match effect:
            case Reads(path):
                return Reads(self.resolve(path))
            case Writes(path, kind):
                return Writes(self.resolve(path), kind)
            case Runs(command, cwd):
                return Runs(command, self.resolve(cwd))
            case Reaches():
                return effect

    def facts(self, path: str) -> FileFacts:
        return _facts(paths.located(paths.joined(path, self.root)))

    async def read(self, path: str) -> bytes:
        descriptor = open_regular(self.resolve(path))
        if os.fstat(descriptor).st_size <= _READ_INLINE_BYTES:
            return read_all(descriptor)
        return await to_thread.run_sync(read_all, descriptor)

    def contents(self, path: str, names: Iterable[str], *, most_bytes: int) -> Iterator[tuple[str, bytes]]:
        return contents_of(self.resolve(path), names, most_bytes)

    async def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        await self.replace_all([Replacement(path, content, expected)])

    async def replace_all(self, changes: Sequence[Replacement]) -> None:
        planned = [self._change(change) for change in changes]
        await self._in_turn(sorted({change.path for change in planned}), partial(replace_together, planned))

    def _change(self, change: Replacement) -> Change:
        typed = paths.joined(change.path, self.root)
        place = paths.located(typed) if change.content is None else paths.real(typed)
        return Change(place, change.content, expected=change.expected, mode=change.mode)

    async def _in_turn(self, places: Sequence[str], work: Callable[[], None]) -> None:
        """Do work on files when those who asked earlier for one of them are done."""
        async with AsyncExitStack() as turns:
            for place in places:
                await turns.enter_async_context(self._turns.setdefault(place, anyio.Lock()))
            await to_thread.run_sync(work)

    def in_place(self, path: str) -> str | None:
        place = self.resolve(path)
        try:
            names = os.lstat(place).st_nlink
        except OSError:
            return None
        if names > 1:
            return f"has {names} hard links"
        folder = os.path.dirname(place)
        return (
            None
            if os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
            else "is in a directory that is not writable"
        )

    async def make_directory(self, path: str) -> None:
        os.close(open_folder(self.resolve(path), made=[]))

    def entries(self, path: str) -> list[tuple[str, FileFacts]]:
        folder = self.resolve(path)
        descriptor = open_listing(folder)
        try:
            found = []
            for name in os.listdir(descriptor):
                with suppress(FileNotFoundError):  # it went away since it was listed
                    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                    found.append((name, _facts_of(status, f"{folder.rstrip('/')}/{name}")))
            return found
        finally:
            os.close(descriptor)

    def walk(
        self, path: str, *, hidden: bool = True, include_ignored: bool = False, folders: bool = False
    ) -> Iterator[str]:
        return files_below(
            self.resolve(path), self.root, hidden=hidden, include_ignored=include_ignored, folders=folders
        )

    def namesakes(self, path: str) -> Iterator[str]:
        name = os.path.basename(self.resolve(path))
        return (found for found in islice(self.walk("."), _MOST_SEARCHED) if os.path.basename(found) == name)

    def stamp(self, path: str) -> Stamp | None:
        return self._stamps.get(self.resolve(path))

    def saw(self, path: str, content: bytes) -> None:
        place = self.resolve(path)
        self._stamps[place] = Stamp(_facts(place).mtime_ns, len(content), sha256(content).hexdigest())

    async def run(
        self,
        command: Runs,
        *,
        timeout_s: float,
        keep_head: int,
        keep_tail: int,
        env: Mapping[str, str] | None = None,
        tell: Callable[[str], None] | None = None,
        confinement: Confinement = Confinement(),
    ) -> Outcome:
        cwd = self.resolve(command.cwd)
        way = await self._way(
            command, confinement, self._environment_with({**for_commands(cwd), **(env or {})}), timeout_s
        )
        put_back: list[str] = []
        try:
            outcome = await processes.run(
                command.command,
                cwd=cwd,
                environment=way.environment,
                shell=self._shell or processes.shell_in(way.environment["PATH"]),
                timeout_s=timeout_s,
                keep_head=keep_head,
                keep_tail=keep_tail,
                spool=self._spool(),
                tell=tell,
                orders=way.orders,
            )
            if way.overlay:
                outcome = await self._settled(way.overlay, outcome, confinement)
        finally:
            put_back = way.ended()
            if way.overlay:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(way.overlay.drop)
        return structs.replace(outcome, put_back=tuple(put_back)) if put_back else outcome

    async def _settled(self, overlay: Overlaid, outcome: Outcome, confinement: Confinement) -> Outcome:
        """Have somebody decide what becomes of what the command changed, and do that."""
        assert confinement.keeping and self.sandbox
        changes, barred = await to_thread.run_sync(overlay.changes)
        contacted = self.sandbox.contacts(confinement)
        trial = Trial(changes=tuple(changes), contacted=contacted, exit_code=outcome.exit_code)
        outcome = structs.replace(outcome, put_back=tuple(barred))
        if not await confinement.keeping.keeps(trial):
            return structs.replace(outcome, cwd=None)
        try:
            await to_thread.run_sync(overlay.commit, changes)
        except Conflict as conflict:
            confinement.keeping.lost(f"nothing of it was kept: somebody else changed {conflict} meanwhile")
        except OSError as error:
            confinement.keeping.lost(f"not all of it could be kept: {error}")
        return outcome

    async def start(
        self,
        command: Runs,
        *,
        timeout_s: float | None,
        keep: int,
        terminal: Size | None = None,
        confinement: Confinement = Confinement(),
    ) -> Job:
        cwd = self.resolve(command.cwd)
        limit_s = processes.NO_TIME_LIMIT if timeout_s is None else timeout_s
        if confinement.keeping:
            raise PermissionError(1, _NO_JOBS)
        way = await self._way(command, confinement, self._environment_with(for_commands(cwd)), limit_s)
        return await self.jobs.start(
            Runs(command.command, cwd),
            cwd=cwd,
            environment=way.environment,
            shell=self._shell or processes.shell_in(way.environment["PATH"]),
            timeout_s=timeout_s,
            keep=keep,
            terminal=terminal,
            orders=way.orders,
            at_end=way.ended,
        )

    def _spool(self) -> str:
        return self._given_spool or self._own.path

    async def _way(
        self, command: Runs, confinement: Confinement, environment: Mapping[str, str], timeout_s: float
    ) -> Way:
        if self.sandbox is None:
            return Way(b"", dict(environment), None)
        program = self._shell if isinstance(command.command, str) else command.command[0]
        programs = [processes.PLACE_TELLER, *([program] if program and program.startswith("/") else [])]
        return await self.sandbox.way(confinement, self.resolve(command.cwd), environment, timeout_s, programs)

    def job(self, id: str) -> Job:
        return self.jobs.job(id)

    async def feed(self, job: Job, content: bytes) -> None:
        await self.jobs.job(job.id).send(content)

    async def aclose(self) -> None:
        """End what still runs."""
        await self.jobs.aclose()
        self._own.close()
        if self.sandbox:
            self.sandbox.close()

    def lines_of(self, words: Sequence[str], *, cwd: str = ".") -> AsyncIterator[bytes]:
        return processes.lines_of(words, cwd=self.resolve(cwd), environment=self._environment_with(NEUTRAL))

    async def check_public(self, url: str) -> None:
        if self._offline:
            raise Unreachable(OFFLINE)
        from codi.workspace import network  # as below

        host, port = endpoint_of(url)
        await network.checked_addresses(host, port, self._allow_private)

    async def fetch(self, url: str, *, headers: Mapping[str, str] = {}, most_bytes: int) -> Fetched:
        if self._offline:
            with suppress(NoEndpoint):
                self._errand.refused(*endpoint_of(url), "offline")
            raise Unreachable(OFFLINE)
        from codi.workspace import network  # 50 ms, for those sessions that go to the web

        return await network.fetch(
            url, headers=headers, most_bytes=most_bytes, allow_private=self._allow_private, errand=self._errand
        )

    def tell(self, text: str) -> None:
        """Nobody listens to the workspace itself; a grant has somebody who does."""

    def _environment_with(self, more: Mapping[str, str]) -> dict[str, str]:
        return processes.environment_for(os.environ, {**self._environment, **more})


def _facts(place: str) -> FileFacts:
    status = _status(place)
    return _facts_of(status, place) if status else FileFacts(kind="absent")


def _facts_of(status: os.stat_result, place: str) -> FileFacts:
    """Of what is at a located path. A link at its end is followed by our own resolver, never by the kernel."""
    link = None
    if stat.S_ISLNK(status.st_mode):
        link = os.readlink(place)
        target = _status(paths.real(place))
        if target is not None and not stat.S_ISLNK(target.st_mode):
            status = target
    return FileFacts(
        kind=_KINDS[stat.S_IFMT(status.st_mode)],
        size=status.st_size,
        mode=stat.S_IMODE(status.st_mode),
        mtime_ns=status.st_mtime_ns,
        links=status.st_nlink,
        link=link,
    )


def _status(place: str) -> os.stat_result | None:
    try:
        with folder_of(place) as (folder, name), naming(place):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
