"""What a list shows of a session, folded line by line, so that a grown file costs only its new lines."""

import os

from msgspec import Struct

from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import SessionError
from codi.protocol.events import (
    CommandShown,
    Entry,
    Fact,
    MessageAdded,
    ModelChosen,
    ReplyFacts,
    SessionOpened,
    TitleGiven,
    TurnStarted,
)
from codi.protocol.messages import Message
from codi.sessions.json_lines import objects_in
from codi.sessions.version3 import Header, entry_of, header_of, seconds_of

_BOM = b"\xef\xbb\xbf"
_SHOWN = 200


class Tally(Struct):
    """One file, as far as `offset` bytes. A file whose first line is no header has no `id`."""

    path: str
    inode: int = 0
    size: int = 0
    mtime_ns: int = 0
    offset: int = 0
    id: str = ""
    cwd: str = ""
    parent: str | None = None
    created: float = 0.0
    modified: float = 0.0
    name: str = ""
    messages: int = 0
    prompts: int = 0
    newest_turn: int = 0
    model: str = ""
    tokens: int = 0
    cost: float = 0.0
    unknown_costs: int = 0
    first_message: str = ""
    branch: str = ""

    @property
    def is_readable(self) -> bool:
        return bool(self.id)

    def take(self, content: bytes) -> None:
        """Count the bytes from `offset` on; a last line that is not complete is left for the next time."""
        *whole, last = content.split(b"\n")
        if self.offset == 0:
            header = header_of((whole.pop(0) if whole else last).removeprefix(_BOM))
            if header is None:
                return
            self._begin(header)
            last = last if b"\n" in content else b""
        for line in whole:
            self._count_line(line)
        self.offset += len(content)
        if not self._count_line(last):
            self.offset -= len(last)

    def summary(self) -> SessionSummary:
        if not self.is_readable:
            return SessionSummary(
                path=self.path,
                id="",
                cwd="",
                modified=round(self.mtime_ns / 1e9, 3),
                first_message="(unreadable)",
                size=self.size,
                readable=False,
            )
        return SessionSummary(
            path=self.path,
            id=self.id,
            cwd=self.cwd,
            name=self.name,
            parent=self.parent,
            created=self.created,
            modified=self.modified or self.created,
            messages=self.messages,
            turns=self.newest_turn or self.prompts,
            model=self.model,
            tokens=self.tokens,
            cost=None if self.unknown_costs else self.cost,
            first_message=self.first_message or "(no messages)",
            branch=self.branch,
            size=self.size,
        )

    def _begin(self, header: Header) -> None:
        self.id = header.id
        self.cwd = header.cwd
        self.parent = header.parent_session
        self.created = seconds_of(header.timestamp) or 0.0

    def _count_line(self, line: bytes) -> bool:
        if not line or line.isspace():
            return True
        entry = entry_of(line)
        if entry is not None:
            self._count(entry)
            return True
        glued = [entry_of(part) for part in objects_in(line.strip(b" \t\r"))]
        whole = [entry for entry in glued if entry is not None]
        if not whole or len(whole) < len(glued):
            return False
        for entry in whole:
            self._count(entry)
        return True

    def _count(self, entry: Entry) -> None:
        fact: Fact = entry.fact
        match fact:
            case MessageAdded(message, reply):
                self.messages += 1
                self._count_message(entry.at, message, reply)
            case CommandShown():
                self.messages += 1
            case ModelChosen(provider, model_id):
                self.model = f"{provider}/{model_id}"
            case TitleGiven(name):
                self.name = name
            case TurnStarted(turn):
                self.newest_turn = max(self.newest_turn, turn)
            case SessionOpened(git=git):
                branch = (git or {}).get("branch")
                self.branch = branch if isinstance(branch, str) else self.branch

    def _count_message(self, at: float, message: Message, reply: ReplyFacts | None) -> None:
        if not message.tool_results:
            self.modified = max(self.modified, at)
        if message.role == "user" and not message.tool_results:
            self.prompts += 1
            self.first_message = self.first_message or " ".join(message.text.split())[:_SHOWN]
        if message.origin is not None:
            self.model = f"{message.origin.provider}/{message.origin.model}"
        if reply is not None and reply.usage.total:
            self.tokens += reply.usage.total
            self.cost += reply.usage.cost.total if reply.usage.cost else 0.0
            self.unknown_costs += reply.usage.cost is None


def summary_of(path: str) -> SessionSummary:
    """The summary of one file, read through. Raises SessionError."""
    tally = Tally(path)
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            tally.take(file.read())
    except OSError as error:
        raise SessionError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path with `codi sessions list`."
        ) from error
    tally.size, tally.mtime_ns = status.st_size, status.st_mtime_ns
    return tally.summary()
