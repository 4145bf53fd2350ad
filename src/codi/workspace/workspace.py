"""Where work happens. A tool is handed one of these, limited to the effects it declared, and reaches the world no other way."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from codi.protocol.effects import Effect, Runs
from codi.workspace.trial import Keeping

Kind = Literal["file", "directory", "link", "fifo", "socket", "device", "absent"]


class Stamp(Struct, frozen=True):
    """What a file was when it was looked at: enough to tell whether it is still the same."""

    mtime_ns: int
    size: int
    sha256: str


class FileFacts(Struct, frozen=True, kw_only=True):
    """`kind` is that of the target for a link that leads somewhere; `link` is then where the link points."""

    kind: Kind
    size: int = 0
    mode: int = 0
    mtime_ns: int = 0
    links: int = 1
    link: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How a process ended. `output` is stdout and stderr in order of arrival, cut to what the caller asked for: its
    beginning `head` and its end `tail`; `total_bytes` and `total_lines` count all of it, `spill` is a file that holds all
    of it when something was cut. `exit_code` is None when a signal ended it, which `signal` then names."""

    head: bytes
    tail: bytes
    total_bytes: int
    total_lines: int
    exit_code: int | None = None
    signal: str | None = None
    timed_out: bool = False
    flooded: bool = False
    spill: str | None = None
    cwd: str | None = None
    """Where the shell stood when it ended; None for a program run without one."""
    duration_ms: int = 0
    put_back: tuple[str, ...] = ()
    """Paths that it changed and may not, which are now as they were."""


class Confinement(Struct, frozen=True):
    """What of a grant holds for a command from outside of it. Without `writes` it may change all of the workspace; with `looks`
    nothing at all. `hosts` are those that it may reach, as `name:port`. Where somebody decides on its changes (`keeping`), it runs
    on an overlay."""

    looks: bool = False
    writes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    keeping: Keeping | None = None


Size = tuple[int, int]
"""Columns and rows of a terminal."""


class JobState(Struct, frozen=True, kw_only=True):
    """How a job stands, `seconds` after its start or at its end."""

    running: bool
    exit_code: int | None = None
    signal: str | None = None
    timed_out: bool = False
    seconds: float = 0.0

    @property
    def words(self) -> str:
        if self.running:
            return f"running for {self.seconds:.0f} s"
        if self.timed_out:
            return f"timed out after {self.seconds:.0f} s"
        how = f"killed by {self.signal}" if self.signal else f"exited with code {self.exit_code}"
        return f"{how} after {self.seconds:.1f} s"


class Job(Protocol):
    """A command that was started and runs on. `runs` is what it was granted as; looking at it and ending it need no more."""

    id: str
    runs: Runs
    pid: int

    @property
    def state(self) -> JobState: ...

    @property
    def screen(self) -> str | None:
        """What its terminal shows; None where it has none."""
        ...

    async def wait(self, seconds: float, *, fresh: bool = False) -> None:
        """Wait for output that nobody has seen, or for the end. With `fresh` what was said before now does not count."""
        ...

    async def ended(self) -> None:
        """Wait for the end."""
        ...

    def look(self) -> Outcome:
        """What it said since the last look; how it ended is in `state`."""
        ...

    def resize(self, columns: int, rows: int) -> None:
        """Raises OSError where it has no terminal."""
        ...

    def kill(self) -> None:
        """TERM to all that it started, and KILL after a grace."""
        ...


class NoJob(LookupError):
    """There is no job of that name. `str(error)` says which there are."""


class TooManyJobs(Exception):
    """As many jobs run as may. `str(error)` names them."""


class Fetched(Struct, frozen=True, kw_only=True):
    """An answer from the network. `headers` have lower-case names; `body` is cut where `is_cut`, and `size` is then what the
    service says of the whole, if it does."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool = False
    size: int | None = None


class Unreachable(Exception):
    """Why something on the network was not reached, in words for a model."""


class UndeclaredEffect(Exception):
    """An action touched what it had not declared. A bug of its tool."""


class Workspace(Protocol):
    """Paths may be relative to the root, absolute, or begin with `~` or `@`; all pass one resolver. A missing file raises
    FileNotFoundError and other trouble an OSError, for tools to put in words."""

    root: str

    def resolve(self, path: str) -> str:
        """The absolute real path: `@` stripped, `~` expanded, joined to the root, links of existing ancestors followed."""
        ...

    def shown(self, path: str) -> str:
        """As results show it: relative to the root with `/`, absolute when outside."""
        ...

    def resolved(self, effects: Sequence[Effect]) -> tuple[Effect, ...]:
        """The same effects on absolute real paths: what policy, grant and scheduling look at."""
        ...

    def facts(self, path: str) -> FileFacts: ...

    async def read(self, path: str) -> bytes:
        """The whole of a regular file. Anything else raises OSError."""
        ...

    def contents(self, path: str, names: Iterable[str], *, most_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Of files below a directory, named relative to it, those that are regular and have at most `most_bytes`, each with all
        that it holds. Quicker than `read` for many. What cannot be read is left out, and no link is followed."""
        ...

    async def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """Put `content` in place of the file at once: a crash leaves the old file or the new. Parents are made; mode, owner
        and links are kept. `expected` is what the change was computed from (None: no file); if that is no longer so,
        raises `ChangedMeanwhile` and touches nothing."""
        ...

    async def replace_all(self, changes: Sequence["Replacement"]) -> None:
        """All of them or none: what was swapped is rolled back when a later one fails."""
        ...

    def in_place(self, path: str) -> str | None:
        """Why a change must be written over the file where it stands, in words that go on from its name; None where another
        file can take its place, or there is no file."""
        ...

    async def make_directory(self, path: str) -> None:
        """Make a directory and its parents. One that exists stays as it is."""
        ...

    def entries(self, path: str) -> list[tuple[str, FileFacts]]:
        """Names and facts in a directory, in no order."""
        ...

    def walk(
        self, path: str, *, hidden: bool = True, include_ignored: bool = False, folders: bool = False
    ) -> Iterator[str]:
        """Files below a directory as paths relative to it with `/`, honouring nested ignore files; `.git` is never entered
        and links to directories are not followed. With `folders` each folder comes too, before what is in it, and ends
        in `/`."""
        ...

    def namesakes(self, path: str) -> Iterator[str]:
        """Files anywhere below the root that have the name of this one, relative to the root, for whoever looked in the wrong
        place. In a very large tree not all are found."""
        ...

    def stamp(self, path: str) -> Stamp | None:
        """What this session last saw of a file; None if it never read it."""
        ...

    def saw(self, path: str, content: bytes) -> None:
        """Remember that the session has seen the whole present content of a file."""
        ...

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
        """Run to the end, or to the timeout. New output goes to `tell`, by default the workspace's own. Nothing of it
        lives on, whatever happens."""
        ...

    async def start(
        self,
        command: Runs,
        *,
        timeout_s: float | None,
        keep: int,
        terminal: Size | None = None,
        confinement: Confinement = Confinement(),
    ) -> Job:
        """Start a command that runs on until it ends, its time is up, or the session ends. `keep` bytes of the beginning
        and of the end of its output are kept between looks. Raises TooManyJobs."""
        ...

    def job(self, id: str) -> Job:
        """Raises NoJob."""
        ...

    async def feed(self, job: Job, content: bytes) -> None:
        """Write to the standard input or terminal of a job: to be granted as what the job runs."""
        ...

    def lines_of(self, words: Sequence[str], *, cwd: str = ".") -> AsyncIterator[bytes]:
        """The output lines of one of codi's own read-only programs (ripgrep, git) as they come."""
        ...

    async def fetch(self, url: str, *, headers: Mapping[str, str] = {}, most_bytes: int) -> Fetched:
        """One GET over HTTP. Redirects are answers like others, a body is read up to `most_bytes`. What resolves to an
        address that is not public is refused unless the person allowed its host. Raises Unreachable."""
        ...

    async def check_public(self, url: str) -> None:
        """Only look up whether an address may be fetched. Raises Unreachable."""
        ...

    def tell(self, text: str) -> None:
        """Show progress of the running call."""
        ...


class Replacement(Struct, frozen=True):
    """One change of `replace_all`: `content` None deletes the file; `mode` None keeps what was there."""

    path: str
    content: bytes | None
    expected: bytes | None
    mode: int | None = None


class ChangedMeanwhile(OSError):
    """The file is no longer what the change was computed from."""
