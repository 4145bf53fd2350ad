"""A command is a value: its name, what may stand behind it, and which function answers it. So none can be forgotten in a switch."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from codi.protocol.events import ChangedFileRow, Entry, Event, Waiting
from codi.protocol.messages import Image
from codi.protocol.ops import Line, Op

DuringTurn = Literal["now", "queue", "refuse"]

List = Literal["queue", "snapshots"]
"""What an interface may show to choose from, where others show it to read."""

Part = (
    Literal["tree", "rewind", "fork", "session", "sessions", "copy", "terminal", "queued", "files", "put"]
    | Literal["modes", "thinking", "models", "settings", "reload", "theme", "themes", "keys"]
)
"""What of an interface can be opened; each interface has an answer to each."""


class Form(Struct, frozen=True):
    """One way to write a command: the words behind its name, `<so>` where one is filled in and `[so]` where it may be left away.
    `example` is a line that a test runs. `completes` names what can stand in the first place, beside the words written."""

    words: str
    example: str
    summary: str = ""
    completes: Literal["", "model", "session", "file", "mode", "thinking", "command", "snapshot", "theme", "branch"] = (
        ""
    )


class Show(Struct, frozen=True):
    """Something to read. `title` is for a pager, where it is long. `files` is the same of changed files with what changed within,
    for who can show that; `view` the part of an interface that lists the same to choose from. Where it is a preview, `then` goes on with what was shown, once the person agrees; who cannot ask leaves it."""

    text: str
    title: str = ""
    files: tuple[ChangedFileRow, ...] = ()
    view: List | None = None
    then: "Callable[[], Awaitable[Outcome]] | None" = None


class Do(Struct, frozen=True):
    """Ops for the conversation; what becomes of them comes as events."""

    ops: tuple[Op, ...]
    text: str = ""


class Ask(Struct, frozen=True):
    """A prompt for the model, as if the person had written it."""

    prompt: str
    images: tuple[Image, ...] = ()
    later: bool = False


class Open(Struct, frozen=True):
    """A part of the interface is opened: a picker, a pager, another conversation. `text` is put into the editor there, `ops` are
    what another conversation begins with."""

    view: Part
    argument: str = ""
    text: str = ""
    ops: tuple[Op, ...] = ()


class Fail(Struct, frozen=True):
    message: str
    hint: str = ""


class Leave(Struct, frozen=True):
    status: int = 0


Outcome = Show | Do | Ask | Open | Fail | Leave


class Answered(Struct, frozen=True):
    """What a subcommand of `codi` printed, and how it ended."""

    status: int
    text: str
    error: str = ""


class InLine(Struct, frozen=True):
    """Something that waits: in which line, and at which place of it from 0."""

    line: Line
    at: int
    what: Waiting


class Desk(Protocol):
    """What lies before a command: the conversation in which it was typed, and whom it may ask."""

    session_id: str
    session_file: str | None
    is_busy: bool
    keeps_for: Literal["--project", "--user"] | None
    """For whom facts are kept that are typed as `#text`; None until the person was asked."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The path of the conversation, from its first entry to the one at which it stands."""
        ...

    @property
    def waiting(self) -> Sequence[InLine]:
        """What was said and is not yet taken up."""
        ...

    async def subcommand(self, *words: str) -> Answered:
        """Run `codi WORDS` beside this program, on the same directory."""
        ...

    async def answer(self, op: Op) -> Event:
        """Send an op that only looks, and give what was told of it; a warning where it could not be done."""
        ...

    async def confirm(self, question: str) -> bool:
        """Ask the person; no is the default."""
        ...


Running = Callable[[Sequence[str], Desk], Awaitable[Outcome]]
"""What a command's `run` names: given the words behind the name."""


class Command(Struct, frozen=True):
    """`run` is "module:function", loaded when it is used. A `local` command asks no model and adds nothing to the conversation;
    a `prompt` adds one message of the person."""

    name: str
    summary: str
    forms: tuple[Form, ...]
    run: str
    kind: Literal["local", "prompt"] = "local"
    aliases: tuple[str, ...] = ()
    during_turn: DuringTurn = "now"
    group: str = "general"

    @property
    def usage(self) -> str:
        """How it is written, a line each form."""
        rows = [(f"/{self.name} {form.words}".rstrip(), form.summary) for form in self.forms]
        wide = max(len(row[0]) for row in rows)
        lines = [f"{left:<{wide}}  {right}".rstrip() for left, right in rows]
        also = f"\nalso: {', '.join(f'/{alias}' for alias in self.aliases)}" if self.aliases else ""
        fresh = "\n--fresh begins a new session with it" if self.kind == "prompt" else ""
        return f"{self.summary}\n" + "\n".join(lines) + also + fresh

    def words(self) -> list[str]:
        """The fixed words that may stand first, from its forms."""
        first = (form.words.split(" ")[0] for form in self.forms if form.words)
        return [word for said in first for word in said.strip("[]").split("|") if word[:1].isalpha() and word.islower()]
