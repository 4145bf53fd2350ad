"""What a reader of another agent's files finds: sessions, as records that become entries."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

from msgspec import DecodeError, Struct
from msgspec.json import decode
from msgspec.structs import replace

from codi.protocol.events import (
    ContextCompacted,
    Entry,
    Fact,
    MessageAdded,
    RecordKept,
    ReplyFacts,
    SessionImported,
    Stop,
    TitleGiven,
)
from codi.protocol.messages import Block, Cost, Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage
from codi.sessions.json_lines import object_of

_MILLISECONDS = 100_000_000_000
_BLOCKS = {
    "text", "thinking", "reasoning", "tool_use", "tool-call", "toolCall", "tool_result", "tool-result",
}  # fmt: skip


class Surroundings(Struct, frozen=True):
    """Where agents keep their things: the person's home, the directory at hand, environment, and directories that are known."""

    home: str
    cwd: str
    env: Mapping[str, str]
    known: tuple[str, ...] = ()

    def folder(self, variable: str, *usual: str) -> str:
        """What a variable names, else a place below home."""
        return self.env.get(variable) or os.path.join(self.home, *usual)


class Connector(Protocol):
    """Reads the sessions of one agent. `observed_version` is that for which it was made."""

    agent: str
    observed_version: str

    def sources(self, around: Surroundings) -> Iterable[str]:
        """The files that hold sessions, where the agent keeps them."""
        ...

    def recognises(self, path: str, head: bytes) -> bool:
        """Whether a file, of which the beginning is given, is one of this agent's."""
        ...

    def read(self, path: str, around: Surroundings) -> Iterable["FoundSession"]:
        """What is in a source. Raises OSError; whatever is wrong with a record is counted."""
        ...


class FoundSession:
    """A session as it is being read. `key` names it among all of its agent, `parent` that from which it came."""

    def __init__(self, agent: str, key: str, *, cwd: str = "", created: float = 0.0) -> None:
        self.agent = agent
        self.key = key
        self.cwd = cwd
        self.created = created
        self.parent: str | None = None
        self.title = ""
        self.observed_version = ""
        self.bad = 0
        self.records = 0
        self.lossy: Counter[str] = Counter()
        self.entries: list[Entry] = []
        self.tools: dict[str, str] = {}
        """The names of the tools that were called, by the ids of the calls."""
        self._by_record: dict[str, str] = {}
        self._ids: set[str] = set()

    @property
    def is_worth_keeping(self) -> bool:
        return any(isinstance(entry.fact, MessageAdded) for entry in self.entries)

    def entry_time(self, entry: Entry) -> float:
        """When it was; of what stands before all that tell a time, the beginning."""
        return entry.at or round(self.created, 3)

    @property
    def modified(self) -> float:
        return max((entry.at for entry in self.entries), default=self.created)

    def add(self, fact: Fact, at: float, *, record: str = "", parent: str | None = None) -> str:
        """Keep a fact behind the entry of the record `parent`, else behind the last one. `record` names what it was made of; of
        several facts of one record each stands behind the one before."""
        name = f"{record}/{len(self.entries)}" if record in self._by_record else record or f"#{len(self.entries)}"
        entry_id = self._new_id(name)
        behind = self._by_record.get(record) or (self._by_record.get(parent) if parent else None)
        before = behind or (self.entries[-1].id if self.entries else None)
        at = at or (self.entries[-1].at if self.entries else self.created)
        self.created = self.created or at
        self.entries.append(Entry(entry_id, before, round(at, 3), fact))
        if record:
            self._by_record[record] = entry_id
        return entry_id

    def add_person(self, text: str, at: float, images: Iterable[Image] = (), **place: Any) -> None:
        blocks: tuple[Block, ...] = (*((Text(text),) if text else ()), *images)
        if blocks:
            self.add(MessageAdded(Message("user", blocks)), at, **place)

    def add_reply(
        self,
        blocks: Iterable[Block],
        at: float,
        *,
        provider: str = "",
        model: str = "",
        usage: Usage | None = None,
        error: str | None = None,
        **place: Any,
    ) -> None:
        said = tuple(blocks)
        if not said and not error:
            return
        calls = [block for block in said if isinstance(block, ToolCall)]
        self.tools |= {call.id: call.name for call in calls}
        stop: Stop = "error" if error else "toolUse" if calls else "stop"
        origin = Origin("", provider or self.agent, model or "unknown")
        reply = ReplyFacts(stop=stop, usage=usage or Usage(), error=error)
        self.add(MessageAdded(Message("assistant", said, origin), reply), at, **place)

    def give_usage(self, usage: Usage) -> None:
        """What the last reply used, where that is told behind it."""
        for at in range(len(self.entries) - 1, -1, -1):
            entry = self.entries[at]
            match entry.fact:
                case MessageAdded(Message("assistant") as message, ReplyFacts() as reply):
                    if not reply.usage.total:
                        fact = MessageAdded(message, replace(reply, usage=usage))
                        self.entries[at] = replace(entry, fact=fact)
                    return

    def add_result(
        self,
        call_id: str,
        text: str,
        at: float,
        *,
        error: bool = False,
        tool: str = "",
        images: Iterable[Image] = (),
        **place: Any,
    ) -> None:
        content: tuple[Text | Image, ...] = (Text(text), *images)
        result = ToolResult(call_id, content, is_error=error, tool=tool or self.tools.get(call_id, ""))
        self.add(MessageAdded(Message("user", (result,))), at, **place)

    def add_compaction(self, summary: str, at: float, **place: Any) -> None:
        entry_id = self.add(ContextCompacted(summary=summary, first_kept="", tokens_before=0), at, **place)
        last = self.entries[-1]
        self.entries[-1] = replace(last, fact=ContextCompacted(summary=summary, first_kept=entry_id, tokens_before=0))

    def add_raw(self, kind: str, value: Any, at: float, **place: Any) -> None:
        """Keep a record that has no counterpart."""
        self.lossy[kind] += 1
        self.add(RecordKept(agent=self.agent, kind=kind, value=value), at, **place)

    def add_unknown_blocks(self, content: Any, at: float, **place: Any) -> None:
        """Keep the blocks of a message that `anthropic_blocks`, `image_of` and results leave out."""
        for block in map(mapping, listed(content)):
            kind = text(block.get("type"))
            if kind not in _BLOCKS and not (kind == "image" and image_of(block)):
                self.add_raw(f"block {kind}".rstrip(), block, at, **place)

    def facts_of_import(self, source: str, digest: str) -> list[Fact]:
        """What stands before all else."""
        imported = SessionImported(
            agent=self.agent,
            source=source,
            line=self.records,
            sha256=digest,
            observed_version=self.observed_version,
            lossy=tuple(sorted(self.lossy)),
        )
        return [imported, *([TitleGiven(self.title[:60])] if self.title else [])]

    def _new_id(self, record: str) -> str:
        """An id that the same record always gets, so that what is imported again is known."""
        attempt = 0
        while True:
            drawn = sha256(f"{self.agent}\n{self.key}\n{record}\n{attempt}".encode("utf-8", "replace")).hexdigest()[:8]
            if drawn not in self._ids:
                self._ids.add(drawn)
                return drawn
            attempt += 1


def objects_of(path: str, session: FoundSession | None = None) -> list[dict[str, Any]]:
    """The JSON objects in a file, one a line; the lines that hold none are counted."""
    objects: list[dict[str, Any]] = []
    with open(path, "rb") as file:
        for line in file:
            if not line.strip():
                continue
            json = object_of(line.strip().removeprefix(b"\xef\xbb\xbf"))
            if json is not None:
                objects.append(json)
            elif session is not None:
                session.bad += 1
    return objects


def json_in(path: str) -> Any:
    """What a JSON file holds; None where it is none."""
    with open(path, "rb") as file:
        try:
            return decode(file.read())
        except (DecodeError, UnicodeDecodeError, RecursionError):
            return None


def seconds(told: Any) -> float:
    """A time in seconds since 1970, from ISO 8601, seconds or milliseconds; 0 for none."""
    if isinstance(told, bool):
        return 0.0
    if isinstance(told, int | float):
        return told / 1000 if told > _MILLISECONDS else float(max(told, 0))
    if isinstance(told, str):
        try:
            moment = datetime.fromisoformat(told)
        except ValueError:
            return 0.0
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return 0.0


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 53 else 0


def cost_of(value: Any) -> Cost | None:
    """A cost that is told as one number; None where it is not."""
    return Cost(output=float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def arguments_of(value: Any) -> dict[str, Any]:
    """The arguments of a call: an object, or the text of one."""
    if isinstance(value, str):
        try:
            value = decode(value)
        except (DecodeError, RecursionError):
            return {"input": value}
    return value if isinstance(value, dict) else {} if value is None else {"input": value}


def image_of(block: Mapping[str, Any]) -> Image | None:
    """An image as Anthropic's API tells it, or as version 3 does."""
    source = mapping(block.get("source"))
    data, kind = source.get("data", block.get("data")), source.get("media_type", block.get("mimeType"))
    return Image(data, kind) if isinstance(data, str) and isinstance(kind, str) else None


def image_at(url: str) -> Image | None:
    """The image that a data URL holds."""
    kind, is_base64, data = url.removeprefix("data:").partition(";base64,")
    return Image(data, kind) if is_base64 and kind.startswith("image/") else None


def anthropic_blocks(content: Any) -> list[Block]:
    """What a model said, in the blocks of Anthropic's API."""
    if isinstance(content, str):
        return [Text(content)] if content.strip() else []
    blocks: list[Block] = []
    for block in map(mapping, listed(content)):
        match block.get("type"):
            case "text" if text(block.get("text")).strip():
                blocks.append(Text(text(block["text"])))
            case "thinking" | "reasoning" if said := text(block.get("thinking", block.get("text"))):
                # Its seal belongs to a login of that agent, and is of no use to another.
                blocks.append(Thinking(said))
            case "tool_use" | "tool-call" | "toolCall":
                call_id = text(block.get("id", block.get("toolCallId")))
                name = text(block.get("name", block.get("toolName")))
                said_with = block.get("input", block.get("args", block.get("arguments")))
                blocks.append(ToolCall(call_id, name, arguments_of(said_with)))
    return blocks


def result_text(content: Any) -> str:
    """The text of a result, in whatever form it is told."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            found for part in content if (found := part if isinstance(part, str) else text(mapping(part).get("text")))
        )
    return "" if content is None else repr(content)
