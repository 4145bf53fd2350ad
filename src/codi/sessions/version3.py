"""Facts and the lines of a version 3 session file: the only module that knows both.

What version 3 has a word for is written in its words; codi's own facts are `custom` entries whose `customType` begins
with `codi/`. A line that nobody here understands becomes `Unknown`, which holds it byte for byte.
Source of the format: docs/session.md of pi 0.73.
"""

import re
import time
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from typing import Any
from zlib import crc32

from msgspec import DecodeError, Raw, Struct, ValidationError, convert, field
from msgspec.json import Decoder, Encoder, decode

from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    BranchSummarised,
    CallIntended,
    ChangesUndone,
    ClaimChecked,
    CommandShown,
    CompactionUndone,
    ContextAdded,
    ContextCompacted,
    Entry,
    EntryPinned,
    EvidenceGathered,
    Fact,
    FilesChanged,
    Labelled,
    LeafMoved,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    Noted,
    PolicyChosen,
    QuestionAsked,
    QueueKept,
    RecordKept,
    RequestSent,
    ResultsPruned,
    ResultsRestored,
    Retried,
    SessionImported,
    SessionOpened,
    SnapshotTaken,
    ThinkingChosen,
    TitleGiven,
    TodoWritten,
    TurnEnded,
    TurnStarted,
    Unknown,
)
from codi.protocol.messages import Level, Message
from codi.sessions.json_lines import encoded, object_of
from codi.wire.characters import without_halves
from codi.wire.foreign_forms import camel, camel_fields, ordered_content, ordered_message
from codi.wire.version3 import Content, CustomHeld, Held, blocks_of, fact_of, held

VERSION = 3


class Header(Struct, frozen=True, tag="session", tag_field="type", omit_defaults=True, rename="camel"):
    """The first line of a file. `parent_session` is the absolute path of the file that this one was forked from."""

    version: int
    id: str
    timestamp: str
    cwd: str
    parent_session: str | None = None


class _Line(Struct, frozen=True, tag_field="type", rename="camel", omit_defaults=True):
    id: str
    parent: str | None = field(name="parentId")
    timestamp: str


class _MessageLine(_Line, frozen=True, tag="message"):
    message: Held


class _ModelLine(_Line, frozen=True, tag="model_change"):
    provider: str
    model_id: str


class _ThinkingLine(_Line, frozen=True, tag="thinking_level_change"):
    thinking_level: Level


class _CompactionLine(_Line, frozen=True, tag="compaction"):
    summary: str
    first_kept_entry_id: str
    tokens_before: int
    details: Any = None
    from_hook: bool | None = None


class _BranchLine(_Line, frozen=True, tag="branch_summary"):
    from_id: str
    summary: str
    details: Any = None
    from_hook: bool | None = None


class _CustomMessageLine(_Line, frozen=True, tag="custom_message"):
    custom_type: str
    content: Content
    display: bool
    details: Any = None


class _LabelLine(_Line, frozen=True, tag="label"):
    target_id: str
    label: str | None = None


class _NameLine(_Line, frozen=True, tag="session_info"):
    name: str


class _CustomLine(_Line, frozen=True, tag="custom"):
    custom_type: str
    data: Any = None


_AnyLine = (
    _MessageLine
    | _ModelLine
    | _ThinkingLine
    | _CompactionLine
    | _BranchLine
    | _CustomMessageLine
    | _LabelLine
    | _NameLine
    | _CustomLine
)

_CUSTOM_TYPES: dict[type[Fact], str] = {
    SessionOpened: "codi/session",
    TurnStarted: "codi/turn_start",
    TurnEnded: "codi/turn_end",
    CallIntended: "codi/intent",
    FilesChanged: "codi/effect",
    SnapshotTaken: "codi/snapshot",
    ChangesUndone: "codi/undo",
    ApprovalAsked: "codi/approval_asked",
    ApprovalGiven: "codi/approval_given",
    QuestionAsked: "codi/question",
    TodoWritten: "codi/todo",
    PolicyChosen: "codi/policy",
    ModelDescribed: "codi/model",
    Retried: "codi/retry",
    EvidenceGathered: "codi/evidence",
    ClaimChecked: "codi/claim",
    QueueKept: "codi/queue",
    LeafMoved: "codi/leaf",
    RequestSent: "codi/request",
    ResultsPruned: "codi/prune",
    ResultsRestored: "codi/restore",
    CompactionUndone: "codi/uncompact",
    EntryPinned: "codi/pin",
    SessionImported: "codi/import",
    RecordKept: "codi/raw",
    Noted: "codi/note",
}
_OWN_FACTS = {name: fact for fact, name in _CUSTOM_TYPES.items()}

_TAGS = {
    camel(tag): tag
    for tag in (
        "message",
        "model_change",
        "thinking_level_change",
        "compaction",
        "branch_summary",
        "custom_message",
        "label",
        "session_info",
        "custom",
    )
}


@cache
def _decoder() -> Decoder[_AnyLine]:
    """Made with the first line that is read: a new session reads none."""
    return Decoder(_AnyLine)


_encoder = Encoder()
_WHOLE_FLOAT = re.compile(rb"[:,\[]-?\d+\.0[],}]")
_LAST_WHOLE = 1e15
_CHECK_BYTES = len(b',"_c":"00000000"}')


def line_of(entry: Entry) -> bytes:
    """The line that holds the entry, with its end. Keys come in a fixed order and the check sum comes last."""
    if isinstance(entry.fact, Unknown):
        return bytes(entry.fact.line) + b"\n"
    line = _line(entry.fact, entry.id, entry.parent, timestamp_of(entry.at))
    try:
        json = _encoder.encode(line)
    except UnicodeEncodeError:
        json = encoded(line)  # half a surrogate pair, which came in with a file name or a cut text
    if _WHOLE_FLOAT.search(json):
        json = encoded(_with_whole_numbers(decode(json)))
    return b'%s,"_c":"%08x"}\n' % (json[:-1], crc32(json))


def _with_whole_numbers(value: Any) -> Any:
    """The same with `1` for `1.0`, as JavaScript writes it: programs that copy a line by reading and writing it anew then keep
    the text over which its check sum is."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LAST_WHOLE else value
    if isinstance(value, dict):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    return [_with_whole_numbers(inner) for inner in value] if isinstance(value, list) else value


def checked_line(json: dict[str, Any]) -> bytes:
    """The line that holds an entry given as JSON values, without its end; with its check sum, if it had one."""
    had_sum = "_c" in json
    line = encoded({name: value for name, value in json.items() if name != "_c"})
    return b'%s,"_c":"%08x"}' % (line[:-1], crc32(line)) if had_sum else line


def entry_of(line: bytes) -> Entry | None:
    """The entry in a line, given without its end; None for what is no entry, or fails its check sum.

    Never raises. An entry without a usable id has the id "", one without a usable parent the parent ""."""
    if not _is_whole(line):
        return None
    try:
        read = _decoder().decode(line)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return _foreign_entry(line)
    fact = _fact(read, line)
    at = seconds_of(read.timestamp)
    if at is None:
        return _foreign_entry(line)
    return Entry(read.id, read.parent, at, fact)


def header_line(header: Header) -> bytes:
    try:
        return _encoder.encode(header) + b"\n"
    except UnicodeEncodeError:
        return encoded(header) + b"\n"


def header_of(line: bytes) -> Header | None:
    """The header in the first line of a file, of any version; None where it holds none."""
    json = object_of(line)
    if json is None or json.get("type") != "session" or not isinstance(json.get("id"), str):
        return None
    told = camel_fields(json)
    parent = told.get("parentSession", told.get("branchedFrom"))
    return Header(
        version=version_of(told.get("version", 1)),
        id=told["id"],
        timestamp=_text(told.get("timestamp")),
        cwd=_text(told.get("cwd")),
        parent_session=parent if isinstance(parent, str) else None,
    )


def version_of(told: Any) -> int:
    """The version that a header tells, read as JavaScript would: `2.0` and `"2"` are 2. What is no number says nothing."""
    try:
        return VERSION if isinstance(told, bool) else int(float(told))
    except (TypeError, ValueError, OverflowError):
        return VERSION


def timestamp_of(at: float) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-20T08:56:01.903Z`."""
    seconds, milliseconds = divmod(round(at * 1000), 1000)
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"


def seconds_of(timestamp: str) -> float | None:
    """Seconds since 1970, to the millisecond; None for what is no ISO 8601 time."""
    try:
        told = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    return round(told.timestamp(), 3)


def _line(fact: Fact, id: str, parent: str | None, timestamp: str) -> _AnyLine:
    match fact:
        case ContextAdded():
            message = held(fact, 0)
            assert isinstance(message, CustomHeld)
            return _CustomMessageLine(id, parent, timestamp, fact.kind, message.content, fact.display, fact.details)
        case MessageAdded() | CommandShown():
            return _MessageLine(id, parent, timestamp, held(fact, seconds_of(timestamp) or 0.0))
        case ModelChosen(provider, model_id):
            return _ModelLine(id, parent, timestamp, provider, model_id)
        case ThinkingChosen(level):
            return _ThinkingLine(id, parent, timestamp, level)
        case ContextCompacted():
            return _CompactionLine(
                id, parent, timestamp, fact.summary, fact.first_kept, fact.tokens_before, fact.details, fact.from_hook
            )
        case BranchSummarised():
            return _BranchLine(id, parent, timestamp, fact.from_id, fact.summary, fact.details, fact.from_hook)
        case Labelled(target, label):
            return _LabelLine(id, parent, timestamp, target, label)
        case TitleGiven(name, by="person"):
            return _NameLine(id, parent, timestamp, name)
        case TitleGiven(name, by, model):
            told = {"title": name, "by": by} | ({"model": model} if model else {})
            return _CustomLine(id, parent, timestamp, "codi/title", told)
        case _:
            return _CustomLine(id, parent, timestamp, _CUSTOM_TYPES[type(fact)], _data(fact))


def _data(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, RecordKept):
        return {"agent": fact.agent, "type": fact.kind, "value": fact.value}
    names = zip(fact.__struct_fields__, fact.__struct_encode_fields__)
    # What is absent is left out; of a move to or from nowhere both ends are told.
    return {
        told: value for name, told in names if (value := getattr(fact, name)) is not None or isinstance(fact, LeafMoved)
    }


def _fact(read: _AnyLine, line: bytes) -> Fact:
    match read:
        case _MessageLine():
            return fact_of(read.message)
        case _ModelLine():
            return ModelChosen(read.provider, read.model_id)
        case _ThinkingLine():
            return ThinkingChosen(read.thinking_level)
        case _CompactionLine():
            return ContextCompacted(
                summary=read.summary,
                first_kept=read.first_kept_entry_id,
                tokens_before=read.tokens_before,
                details=read.details,
                from_hook=read.from_hook,
            )
        case _BranchLine():
            return BranchSummarised(
                from_id=read.from_id, summary=read.summary, details=read.details, from_hook=read.from_hook
            )
        case _CustomMessageLine():
            message = Message("user", blocks_of(read.content))
            return ContextAdded(kind=read.custom_type, message=message, display=read.display, details=read.details)
        case _LabelLine():
            return Labelled(read.target_id, read.label or None)
        case _NameLine():
            return TitleGiven(read.name)
        case _CustomLine():
            return _own_fact(read) or Unknown(Raw(line))


def _own_fact(read: _CustomLine) -> Fact | None:
    try:
        if read.custom_type == "codi/title":
            told = convert(read.data, dict[str, Any])
            return convert({**told, "name": told["title"], "type": "title"}, TitleGiven)
        if read.custom_type == "codi/raw":
            told = convert(read.data, dict[str, Any])
            return RecordKept(agent=str(told["agent"]), kind=str(told["type"]), value=told.get("value"))
        if kind := _OWN_FACTS.get(read.custom_type):
            return convert(read.data, kind)
    except (ValidationError, KeyError):
        pass  # of a later version: kept as it is
    return None


def _foreign_entry(line: bytes) -> Entry | None:
    json = object_of(line)
    if json is None or not isinstance(json.get("type"), str) or json["type"] == "session":
        return None
    if rb"\u" in line:
        json = without_halves(json)
    told = camel_fields(json, _FIELDS)
    parent = told.get("parentId", "")
    told["id"] = _text(told.get("id"))
    told["parentId"] = parent if parent is None or isinstance(parent, str) else ""
    at = _foreign_seconds(told)
    told["timestamp"] = ""
    tag = _TAGS.get(camel(json["type"]))
    fact: Fact | None = None
    if tag is not None:
        told["type"] = tag
        _put_in_order(tag, told)
        try:
            fact = _fact(convert(told, _AnyLine), line)
        except ValidationError:
            pass
    return Entry(told["id"], told["parentId"], at, Unknown(Raw(line)) if fact is None else fact)


_FIELDS = {"level": "thinkingLevel", "model": "modelId"}


def _put_in_order(tag: str, told: dict[str, Any]) -> None:
    match tag:
        case "message":
            told["message"] = ordered_message(told.get("message"))
        case "model_change":
            told["provider"] = _text(told.get("provider"))
        case "thinking_level_change":
            level = _text(told.get("thinkingLevel")).lower()
            told["thinkingLevel"] = "xhigh" if level == "max" else level
        case "compaction" | "branch_summary":
            told["summary"] = _text(told.get("summary"))
            told["firstKeptEntryId"] = _text(told.get("firstKeptEntryId", told.get("checkpointId")))
            told["fromId"] = _text(told.get("fromId", told.get("checkpointId"))) or told["parentId"] or "root"
            tokens = told.get("tokensBefore")
            told["tokensBefore"] = int(tokens) if isinstance(tokens, int | float) and isfinite(tokens) else 0
            told["fromHook"] = told.get("fromHook") if isinstance(told.get("fromHook"), bool) else None
        case "custom_message":
            told["content"] = ordered_content(told.get("content"))
            told["display"] = told.get("display") is not False
        case "label":
            told["label"] = _text(told.get("label"))
        case "session_info":
            told["name"] = _text(told.get("name"))


def _foreign_seconds(told: dict[str, Any]) -> float:
    """When it was kept: by the entry, else by its message; some programs count milliseconds. 0 where nobody tells."""
    message = told.get("message")
    for time_told in (told.get("timestamp"), message.get("timestamp") if isinstance(message, dict) else None):
        if isinstance(time_told, str) and (at := seconds_of(time_told)) is not None:
            return at
        if isinstance(time_told, int | float) and 0 < time_told < _LAST_MILLISECOND:
            return round(time_told / 1000, 3)
    return 0.0


_LAST_MILLISECOND = 253_402_300_800_000  # the year 10000, which a time stamp cannot name


def _is_whole(line: bytes) -> bool:
    """Whether the check sum, where there is one, is that of the line without it."""
    if line.startswith(b',"_c":"', -_CHECK_BYTES) and line.endswith(b'"}'):
        sum_of_rest = crc32(b"}", crc32(memoryview(line)[:-_CHECK_BYTES]))
        return b"%08x" % sum_of_rest == line[-10:-2].lower()
    if b'"_c"' not in line:
        return True
    # Another program may have written our line anew, with other spaces or another order of keys.
    json = object_of(line)
    if json is None or "_c" not in json:
        return True
    told = json.pop("_c")
    return isinstance(told, str) and told.lower() == f"{crc32(encoded(json)):08x}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
