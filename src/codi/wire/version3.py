"""A message as the version 3 session format holds it, for session files and for the event stream of other programs.

Read tolerantly: what has another shape than this module writes is first put in order by `foreign_forms`, and what
cannot be put in order is no message (`None`), never an error. Source of the shapes: docs/session.md of pi 0.73.
"""

from typing import Any

from msgspec import Struct, ValidationError, convert, field, to_builtins

from codi.protocol.events import CommandShown, ContextAdded, MessageAdded, ReplyFacts, Stop
from codi.protocol.messages import (
    Block,
    Cost,
    Image,
    Message,
    Origin,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from codi.wire.foreign_forms import ordered_message

Spoken = MessageAdded | CommandShown | ContextAdded
"""The facts that version 3 holds as a message with a role."""

Content = str | tuple[Text | Image | ToolResult, ...]


class CostHeld(Struct, frozen=True, rename="camel"):
    input: float
    output: float
    cache_read: float
    cache_write: float
    total: float


class UsageHeld(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Other programs expect numbers in `cost`; `costUnknown` says that its zeros mean nothing."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    total_tokens: int
    cost: CostHeld
    reasoning: int = 0
    cache_write_1h: int = field(default=0, name="cacheWrite1h")
    estimated: bool = False
    cost_unknown: bool = False


class UserHeld(Struct, frozen=True, tag="user", tag_field="role"):
    content: Content
    timestamp: int


class AssistantHeld(Struct, frozen=True, tag="assistant", tag_field="role", rename="camel", omit_defaults=True):
    content: tuple[Text | Thinking | Image | ToolCall, ...]
    api: str
    provider: str
    model: str
    usage: UsageHeld
    stop_reason: Stop
    timestamp: int
    response_model: str | None = None
    response_id: str | None = None
    raw_stop_reason: str | None = None
    error_message: str | None = None


class ToolResultHeld(Struct, frozen=True, tag="toolResult", tag_field="role", rename="camel", omit_defaults=True):
    tool_call_id: str
    tool_name: str
    content: tuple[Text | Image, ...]
    is_error: bool
    timestamp: int
    details: dict[str, Any] | None = None
    duration_ms: int | None = None


class CommandHeld(Struct, frozen=True, tag="bashExecution", tag_field="role", rename="camel", omit_defaults=True):
    command: str
    output: str
    cancelled: bool
    truncated: bool
    timestamp: int
    exit_code: int | None = None
    full_output_path: str | None = None
    exclude_from_context: bool = False


class CustomHeld(Struct, frozen=True, tag="custom", tag_field="role", rename="camel", omit_defaults=True):
    custom_type: str
    content: Content
    display: bool
    timestamp: int
    details: Any = None


Held = UserHeld | AssistantHeld | ToolResultHeld | CommandHeld | CustomHeld


def message_json(fact: Spoken, at: float) -> dict[str, Any]:
    """The message of a fact that was kept at `at` (seconds since 1970), as plain JSON values."""
    json: dict[str, Any] = to_builtins(held(fact, at))
    if isinstance(json.get("content"), tuple):
        json["content"] = list(json["content"])
    return json


def message_fact(json: Any) -> Spoken | None:
    """The fact that a message tells; None for roles that are not known. Never raises."""
    try:
        return fact_of(convert(json, Held))
    except ValidationError:
        pass
    ordered = ordered_message(json)
    if ordered is None:
        return None
    try:
        return fact_of(convert(ordered, Held))
    except ValidationError:
        return None


def held(fact: Spoken, at: float) -> Held:
    """The message of a fact, ready to be encoded. A result must be a fact of its own, as MessageAdded says."""
    timestamp = round(at * 1000)
    match fact:
        case MessageAdded(Message("assistant") as message, reply):
            return _assistant(message, reply or _NO_REPLY, timestamp)
        case MessageAdded(Message(blocks=(ToolResult() as result,))):
            return ToolResultHeld(
                result.call_id,
                result.tool,
                result.content,
                result.is_error,
                timestamp,
                result.details,
                result.duration_ms,
            )
        case MessageAdded(message):
            return UserHeld(_said(message), timestamp)
        case CommandShown():
            return CommandHeld(
                fact.command,
                fact.output,
                fact.cancelled,
                fact.truncated,
                timestamp,
                fact.exit_code,
                fact.full_output_path,
                fact.excluded,
            )
        case ContextAdded():
            return CustomHeld(fact.kind, _said(fact.message), fact.display, timestamp, fact.details)


def fact_of(message: Held) -> Spoken:
    match message:
        case UserHeld():
            return MessageAdded(Message("user", blocks_of(message.content)))
        case AssistantHeld():
            return MessageAdded(_message(message), _reply(message))
        case ToolResultHeld():
            result = ToolResult(
                message.tool_call_id,
                message.content,
                message.is_error,
                message.tool_name,
                message.details,
                message.duration_ms,
            )
            return MessageAdded(Message("user", (result,)))
        case CommandHeld():
            return CommandShown(
                command=message.command,
                output=message.output,
                exit_code=message.exit_code,
                cancelled=message.cancelled,
                truncated=message.truncated,
                full_output_path=message.full_output_path,
                excluded=message.exclude_from_context,
            )
        case CustomHeld():
            return ContextAdded(
                kind=message.custom_type,
                message=Message("user", blocks_of(message.content)),
                display=message.display,
                details=message.details,
            )


def blocks_of(content: Content) -> tuple[Block, ...]:
    return (Text(content),) if isinstance(content, str) else content


_NO_REPLY = ReplyFacts(stop="stop", usage=Usage())


def _said(message: Message) -> tuple[Text | Image | ToolResult, ...]:
    return tuple(block for block in message.blocks if isinstance(block, Text | Image | ToolResult))


def _assistant(message: Message, reply: ReplyFacts, timestamp: int) -> AssistantHeld:
    origin = message.origin or Origin("", "", "")
    return AssistantHeld(
        tuple(block for block in message.blocks if not isinstance(block, ToolResult)),
        origin.api,
        origin.provider,
        origin.model,
        _usage_held(reply.usage),
        reply.stop,
        timestamp,
        reply.response_model,
        reply.response_id,
        reply.raw_stop,
        reply.error,
    )


def _usage_held(usage: Usage) -> UsageHeld:
    cost = usage.cost or Cost()
    return UsageHeld(
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.total,
        CostHeld(*map(_number, (cost.input, cost.output, cost.cache_read, cost.cache_write, cost.total))),
        usage.thinking,
        usage.cache_write_1h,
        usage.estimated,
        usage.cost is None,
    )


def _message(message: AssistantHeld) -> Message:
    origin = Origin(message.api, message.provider, message.model)
    return Message("assistant", message.content, origin if origin.provider or origin.model or origin.api else None)


def _reply(message: AssistantHeld) -> ReplyFacts:
    usage, cost = message.usage, message.usage.cost
    return ReplyFacts(
        stop=message.stop_reason,
        usage=Usage(
            input=usage.input,
            output=usage.output,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
            cache_write_1h=usage.cache_write_1h,
            thinking=usage.reasoning,
            estimated=usage.estimated,
            cost=None if usage.cost_unknown else Cost(cost.input, cost.output, cost.cache_read, cost.cache_write),
        ),
        raw_stop=message.raw_stop_reason,
        response_id=message.response_id,
        response_model=message.response_model,
        error=message.error_message,
    )


def _number(value: float) -> float:
    """A whole number as one: other programs of this format write no `0.0`."""
    return int(value) if float(value).is_integer() else value
