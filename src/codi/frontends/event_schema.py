"""The shape of every line of the event stream, and of the result object, for those who read them: `codi schema`.

The lines themselves are made in `json_lines` and `outcome`, as plain dictionaries; the tests hold real streams against what
is declared here. Fields and types may be added, and none changes its meaning within a version, so a reader ignores what it
does not know. Source: the event stream of version 3, and codi's own facts.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from codi.frontends.outcome import Kind
from codi.protocol.effects import By, Effect
from codi.protocol.events import Stop, TurnStats
from codi.protocol.messages import Image, Level, Text, Thinking, ToolCall
from codi.wire.version3 import Content, CostHeld, UsageHeld

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class User(Struct, tag="user", tag_field="role"):
    content: Content
    timestamp: int


class Assistant(Struct, tag="assistant", tag_field="role", rename="camel", kw_only=True):
    content: list[Text | Thinking | Image | ToolCall]
    api: str
    provider: str
    model: str
    usage: UsageHeld
    stop_reason: Stop
    timestamp: int
    response_model: str = ""
    response_id: str = ""
    raw_stop_reason: str = ""
    error_message: str = ""


class Result(Struct, tag="toolResult", tag_field="role", rename="camel", kw_only=True):
    tool_call_id: str
    tool_name: str
    content: list[Text | Image]
    is_error: bool
    timestamp: int
    details: dict[str, Any] = {}
    duration_ms: int = 0


class Command(Struct, tag="bashExecution", tag_field="role", rename="camel", kw_only=True):
    command: str
    output: str
    cancelled: bool
    truncated: bool
    timestamp: int
    exit_code: int | None = None
    full_output_path: str = ""
    exclude_from_context: bool = False


class Custom(Struct, tag="custom", tag_field="role", rename="camel", kw_only=True):
    custom_type: str
    content: Content
    display: bool
    timestamp: int
    details: Any = None


Message = User | Assistant | Result | Command | Custom


class SessionLine(Struct, tag="session", rename="camel", kw_only=True):
    """The first line: the header of the session."""

    version: int
    id: str
    timestamp: str
    cwd: str
    parent_session: str = ""


class AgentStart(Struct, tag="agent_start"):
    """A prompt is taken up."""


class AgentEnd(Struct, tag="agent_end", rename="camel"):
    """The prompt is dealt with; `messages` are those that came with it."""

    messages: list[Message]
    will_retry: bool


class TurnStart(Struct, tag="turn_start"):
    """A step begins: one reply and its calls."""


class TurnEnd(Struct, tag="turn_end", rename="camel"):
    message: Message
    tool_results: list[Message]


class MessageStart(Struct, tag="message_start"):
    message: Message


class MessageEnd(Struct, tag="message_end"):
    message: Message


class MessagePart(Struct, rename="camel", kw_only=True):
    """What came to the message; the text so far is never repeated."""

    type: Literal[
        "text_start",
        "text_delta",
        "text_end",
        "thinking_start",
        "thinking_delta",
        "thinking_end",
        "toolcall_start",
        "toolcall_delta",
        "toolcall_end",
        "done",
        "error",
    ]
    content_index: int
    delta: str = ""
    content: str = ""
    tool_call: ToolCall | msgspec.UnsetType = msgspec.UNSET
    id: str = ""
    tool_name: str = ""


class MessageUpdate(Struct, tag="message_update", rename="camel", kw_only=True):
    assistant_message_event: MessagePart
    usage: UsageHeld | msgspec.UnsetType = msgspec.UNSET


class ToolStart(Struct, tag="tool_execution_start", rename="camel"):
    tool_call_id: str
    tool_name: str
    args: dict[str, Any]


class Output(Struct):
    content: list[Text | Image]
    details: dict[str, Any] = {}


class ToolUpdate(Struct, tag="tool_execution_update", rename="camel"):
    """New text of a running call, not more often than each 100 ms."""

    tool_call_id: str
    tool_name: str
    partial_result: Output


class ToolEnd(Struct, tag="tool_execution_end", rename="camel"):
    tool_call_id: str
    tool_name: str
    result: Output
    is_error: bool
    duration_ms: int


class ApprovalAskedLine(Struct, tag="approval_asked", rename="camel", kw_only=True):
    tool_call_id: str
    tool_name: str
    args: dict[str, Any]
    effects: list[Effect]
    risk: int
    reasons: list[str] = []
    sandbox_level: int = 1
    undo_cover: str = ""
    preview: str = ""
    offers: list[str] = []
    mapped_from: str = ""
    suggested: str = ""
    binding: str = ""
    to_come: int = 0


class ApprovalGivenLine(Struct, tag="approval_given", rename="camel", kw_only=True):
    tool_call_id: str
    decision: Literal["allow", "deny", "abort"]
    by: By
    tool_name: str = ""
    effects: list[Effect] = []
    who: str = ""
    rule_id: str = ""
    remember: Literal["session", "project", "user"] | msgspec.UnsetType = msgspec.UNSET
    changed: dict[str, Any] = {}
    text: str = ""


class QueueUpdate(Struct, tag="queue_update", rename="camel"):
    """Prompts that wait: those for the running turn, and those for after it."""

    steering: list[str]
    follow_up: list[str]


Occasion = Literal["manual", "threshold", "overflow"]


class CompactionStart(Struct, tag="compaction_start"):
    reason: Occasion


class CompactionEnd(Struct, tag="compaction_end", rename="camel", kw_only=True):
    reason: Occasion
    aborted: bool
    will_retry: bool
    result: dict[str, Any] = {}
    error_message: str = ""


class Skipped(Struct):
    path: str
    why: str


class SnapshotTakenLine(Struct, tag="snapshot_taken"):
    id: str
    tree: str
    skipped: list[Skipped]


class EvidenceLine(Struct, tag="evidence", rename="camel", kw_only=True):
    """A command ran from which something can be concluded."""

    id: str
    command: str
    cwd: str
    kind: Literal["test", "build", "lint", "types"]
    tree: str
    duration_ms: int
    exit_code: int | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    outcome: Literal["", "passed", "failed", "unclear"] = ""
    partial: bool = False


class ClaimLine(Struct, tag="claim", kw_only=True):
    text: str
    state: Literal["backed", "stale", "contradicted", "unbacked"]
    evidence: str = ""
    why: str = ""


class RetryStart(Struct, tag="auto_retry_start", rename="camel"):
    attempt: int
    max_attempts: int
    delay_ms: int
    error_message: str


class RetryEnd(Struct, tag="auto_retry_end", rename="camel"):
    success: bool
    attempt: int
    final_error: str = ""


class NameChanged(Struct, tag="session_info_changed"):
    name: str


class ModelChanged(Struct, tag="model_changed", rename="camel"):
    provider: str
    model_id: str


class ThinkingChanged(Struct, tag="thinking_level_changed"):
    level: Level


class WarningLine(Struct, tag="warning"):
    message: str
    hint: str = ""


class Settled(Struct, tag="agent_settled"):
    """Nothing more is under way."""

    stats: TurnStats


class Failure(Struct):
    code: str | None
    message: str | None
    hint: str | None


class Model(Struct):
    provider: str
    id: str
    thinking: Level


class Used(Struct, rename="camel"):
    """Tokens of the whole run; `cost` in US dollars, null while a part is unknown."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    total_tokens: int
    estimated: bool
    cost: CostHeld | None


class CallMade(Struct, rename="camel", kw_only=True):
    """`result` is at most 2,000 characters; `mappedFrom` is the name that the model used, where it was another."""

    id: str
    name: str
    arguments: dict[str, Any]
    result: str
    is_error: bool
    duration_ms: int
    mapped_from: str = ""


class Changed(Struct, kw_only=True):
    """`by` names the tool."""

    path: str
    change: Literal["created", "modified", "deleted", "moved", "mode"]
    by: str
    turn: int
    moved_from: str = field(default="", name="from")


class Permission(Struct, kw_only=True):
    """A call that was asked for, or that was denied. `decision` and `by` are missing while nobody has decided."""

    id: str
    name: str
    effects: list[str]
    decision: Literal["allow", "deny", "abort"] | msgspec.UnsetType = msgspec.UNSET
    by: By | msgspec.UnsetType = msgspec.UNSET
    rule: str = ""


class Evidence(Struct, rename="camel"):
    """A command that ran, and whether something was changed since."""

    id: str
    command: str
    exit_code: int | None
    stale: bool


class Claim(Struct):
    text: str
    state: Literal["backed", "stale", "contradicted", "unbacked"]
    evidence: str = ""
    why: str = ""


class RunResult(Struct, tag="result", rename="camel", kw_only=True):
    """The whole run in one object: all of `--output-format json`, and the last line of a stream."""

    version: Literal[1]
    kind: Kind
    exit_code: int
    answer: str
    reason: str | None
    error: Failure | None
    session_id: str
    session_file: str | None
    cwd: str
    model: Model
    usage: Used
    stats: TurnStats
    tool_calls: list[CallMade]
    files_changed: list[Changed]
    permissions: list[Permission]
    evidence: list[Evidence]
    claims: list[Claim]
    warnings: list[str]


Line = (
    SessionLine
    | AgentStart
    | AgentEnd
    | TurnStart
    | TurnEnd
    | MessageStart
    | MessageUpdate
    | MessageEnd
    | ToolStart
    | ToolUpdate
    | ToolEnd
    | ApprovalAskedLine
    | ApprovalGivenLine
    | QueueUpdate
    | CompactionStart
    | CompactionEnd
    | RetryStart
    | RetryEnd
    | SnapshotTakenLine
    | EvidenceLine
    | ClaimLine
    | NameChanged
    | ModelChanged
    | ThinkingChanged
    | WarningLine
    | Settled
    | RunResult
)
"""One line of `--output-format stream-json`."""


def events_schema() -> dict[str, Any]:
    """JSON Schema of one line of the event stream."""
    return _schema(Line, "a line of codi's event stream")


def result_schema() -> dict[str, Any]:
    """JSON Schema of the result object."""
    return _schema(RunResult, "what became of a run of codi")


def _schema(kind: Any, title: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, "title": title, **msgspec.json.schema(kind)}
