"""`--output-format json` and `stream-json`: a run as one object, or as a line for each thing that happens.

The line types and their order are those of the established version 3 event stream; messages look as they do in a session file.
A partial message is never repeated, so the size of the stream is linear in what was said.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from codi.frontends.answers import Answering
from codi.frontends.headless import run_prompts
from codi.frontends.outcome import Outcome
from codi.protocol.conversation import Conversation
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallEndDelta,
    CallStartDelta,
    ClaimChecked,
    CommandShown,
    CompactionEndDelta,
    CompactionStartDelta,
    ContextAdded,
    Entry,
    Event,
    EvidenceGathered,
    MessageAdded,
    ModelChosen,
    QueueDelta,
    ReplyFacts,
    SnapshotTaken,
    StatusDelta,
    TextDelta,
    ThinkingChosen,
    ThinkingDelta,
    TitleGiven,
    ToolCallDelta,
    ToolProgress,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage
from codi.protocol.ops import Prompt
from codi.wire.characters import proper_json
from codi.wire.version3 import message_json

Line = dict[str, Any]
_PROGRESS_S = 0.1


def write_line(line: Line) -> None:
    sys.stdout.buffer.write(proper_json(line) + b"\n")
    sys.stdout.buffer.flush()


async def print_events(
    conversation: Conversation, prompts: Sequence[Prompt], answering: Answering, outcome: Outcome, cwd: str
) -> None:
    """Print the session's header, then a line for each event; the caller ends the stream with the result object."""
    lines = EventLines()
    write_line(header_line(conversation, cwd))
    for warning in outcome.warnings:
        write_line({"type": "warning", "message": warning})

    def hear(event: Event) -> None:
        outcome.hear(event)
        for line in lines.of(event):
            write_line(line)

    await run_prompts(conversation, prompts, answering, hear)


def header_line(conversation: Conversation, cwd: str) -> Line:
    seconds, milliseconds = divmod(round(conversation.began * 1000), 1000)
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"
    return {"type": "session", "version": 3, "id": conversation.session_id, "timestamp": timestamp, "cwd": cwd}


class EventLines:
    """A fold from events to lines."""

    def __init__(self) -> None:
        self._messages: list[Line] = []
        self._results: list[Line] = []
        self._reply: Line | None = None
        self._asked: list[str] = []
        self._origin = Origin("", "", "")
        self._step_open = False
        self._speaking = False
        self._begun: set[int] = set()
        self._tools: dict[str, str] = {}
        self._running: set[str] = set()
        self._heard: dict[str, tuple[float, str]] = {}

    def of(self, event: Event) -> Iterator[Line]:
        match event:
            case Entry(fact=TurnStarted()):
                self._messages = []
                yield {"type": "agent_start"}
                yield from self._open_step()
            case Entry(fact=MessageAdded(message=message) as fact, at=at):
                yield from self._message(fact, message, at)
            case Entry(fact=ContextAdded(message=message), at=at):
                yield from self._open_step()
                yield from self._whole(message_json(MessageAdded(message), at))
            case TextDelta(text, index):
                yield from self._delta("text", index, text)
            case ThinkingDelta(text, index):
                yield from self._delta("thinking", index, text)
            case ToolCallDelta(index, call_id, name, text):
                yield from self._delta("toolcall", index, text, id=call_id, toolName=name)
            case CallStartDelta(call_id, tool, arguments):
                yield self._start(call_id, tool, arguments)
            case ToolProgress(call_id, text):
                yield from self._progress(call_id, text)
            case CallEndDelta(result):
                yield from self._rest(result.call_id)
                yield self._ended(result)
            case StatusDelta():
                yield from self._status(event)
            case QueueDelta(steering, follow_up):
                said = ([item.text for item in line] for line in (steering, follow_up))
                yield dict(zip(("type", "steering", "followUp"), ("queue_update", *said)))
            case Entry(fact=CommandShown() as shown, at=at):
                yield from self._whole(message_json(shown, at))
            case CompactionStartDelta(reason):
                yield {"type": "compaction_start", "reason": reason}
            case CompactionEndDelta():
                yield _compaction_end(event)
            case Entry(fact=ApprovalAsked() as asked):
                yield {"type": "approval_asked", **_renamed(asked)}
            case Entry(fact=ApprovalGiven() as given):
                yield {"type": "approval_given", **_fields(given)}
            case Entry(fact=EvidenceGathered() as evidence):
                yield {"type": "evidence", **_fields(evidence)}
            case Entry(fact=ClaimChecked() as claim):
                yield {"type": "claim", **_fields(claim)}
            case Entry(fact=SnapshotTaken(id=id, tree=tree, skipped=skipped)):
                yield {"type": "snapshot_taken", "id": id, "tree": tree, "skipped": msgspec.to_builtins(skipped)}
            case Entry(fact=ModelChosen(provider, model_id)):
                yield {"type": "model_changed", "provider": provider, "modelId": model_id}
            case Entry(fact=ThinkingChosen(level)):
                yield {"type": "thinking_level_changed", "level": level}
            case Entry(fact=TitleGiven(name)):
                yield {"type": "session_info_changed", "name": name}
            case Entry(fact=TurnEnded(stats=stats)):
                yield from self._close_step()
                yield {"type": "agent_end", "messages": self._messages, "willRetry": False}
                yield {"type": "agent_settled", "stats": msgspec.to_builtins(stats)}

    def _message(self, fact: MessageAdded, message: Message, at: float) -> Iterator[Line]:
        line = message_json(fact, at)
        match message:
            case Message(role="assistant"):
                yield from self._spoken(message, line, at)
            case Message(blocks=(ToolResult() as result,)):
                if result.call_id not in self._tools:
                    yield self._start(result.call_id, result.tool, {})
                if result.call_id in self._running:
                    yield self._ended(result)
                yield from self._whole(line)
                self._results.append(line)
                if result.call_id in self._asked:
                    self._asked.remove(result.call_id)
                if not self._asked:
                    yield from self._close_step()
            case _:
                yield from self._open_step()
                yield from self._whole(line)

    def _spoken(self, message: Message, line: Line, at: float) -> Iterator[Line]:
        yield from self._speak(at)
        for index, block in enumerate(message.blocks):
            match block:
                case Text(text):
                    yield from self._end_of("text", index, content=text)
                case Thinking(text):
                    yield from self._end_of("thinking", index, content=text)
                case ToolCall():
                    yield from self._end_of("toolcall", index, toolCall=msgspec.to_builtins(block))
        yield {"type": "message_end", "message": line}
        self._speaking = False
        self._messages.append(line)
        self._reply = line
        self._asked = [call.id for call in message.tool_calls]
        if message.origin:
            self._origin = message.origin
        if not self._asked:
            yield from self._close_step()

    def _open_step(self) -> Iterator[Line]:
        if not self._step_open:
            self._step_open = True
            self._reply, self._results = None, []
            yield {"type": "turn_start"}

    def _close_step(self) -> Iterator[Line]:
        if self._step_open and self._reply:
            yield {"type": "turn_end", "message": self._reply, "toolResults": self._results}
        self._step_open = False

    def _whole(self, line: Line) -> Iterator[Line]:
        self._messages.append(line)
        yield {"type": "message_start", "message": line}
        yield {"type": "message_end", "message": line}

    def _speak(self, at: float) -> Iterator[Line]:
        if not self._speaking:
            yield from self._open_step()
            self._speaking, self._begun = True, set()
            empty = MessageAdded(Message("assistant", (), self._origin), ReplyFacts(stop="stop", usage=Usage()))
            yield {"type": "message_start", "message": message_json(empty, at)}

    def _begin_of(self, kind: str, index: int, **more: Any) -> Iterator[Line]:
        if index not in self._begun:
            self._begun.add(index)
            yield _update(f"{kind}_start", index, **{name: value for name, value in more.items() if value})

    def _delta(self, kind: str, index: int, text: str, **more: Any) -> Iterator[Line]:
        yield from self._speak(time.time())
        yield from self._begin_of(kind, index, **more)
        if text:
            yield _update(f"{kind}_delta", index, delta=text)

    def _end_of(self, kind: str, index: int, **more: Any) -> Iterator[Line]:
        yield from self._begin_of(kind, index)
        yield _update(f"{kind}_end", index, **more)

    def _start(self, call_id: str, tool: str, arguments: dict[str, Any]) -> Line:
        self._tools[call_id] = tool
        self._running.add(call_id)
        return {"type": "tool_execution_start", "toolCallId": call_id, "toolName": tool, "args": arguments}

    def _progress(self, call_id: str, text: str) -> Iterator[Line]:
        last, waiting = self._heard.get(call_id, (0.0, ""))
        if time.monotonic() - last < _PROGRESS_S:
            self._heard[call_id] = (last, waiting + text)
            return
        self._heard[call_id] = (time.monotonic(), "")
        yield self._partial(call_id, waiting + text)

    def _rest(self, call_id: str) -> Iterator[Line]:
        _, waiting = self._heard.pop(call_id, (0.0, ""))
        if waiting:
            yield self._partial(call_id, waiting)

    def _partial(self, call_id: str, text: str) -> Line:
        return {
            "type": "tool_execution_update",
            "toolCallId": call_id,
            "toolName": self._tools.get(call_id, ""),
            "partialResult": {"content": [{"type": "text", "text": text}]},
        }

    def _ended(self, result: ToolResult) -> Line:
        self._running.discard(result.call_id)
        told: Line = {"content": msgspec.to_builtins(result.content)}
        if result.details is not None:
            told["details"] = result.details
        return {
            "type": "tool_execution_end",
            "toolCallId": result.call_id,
            "toolName": self._tools.get(result.call_id, result.tool),
            "result": told,
            "isError": result.is_error,
            "durationMs": result.duration_ms or 0,
        }

    def _status(self, status: StatusDelta) -> Iterator[Line]:
        match status.kind:
            case "retry":
                self._speaking = False
                yield {
                    "type": "auto_retry_start",
                    "attempt": status.attempt,
                    "maxAttempts": status.tries,
                    "delayMs": round(status.wait_s * 1000),
                    "errorMessage": status.text,
                }
            case "retry_end":
                end = {"type": "auto_retry_end", "success": status.ok, "attempt": status.attempt}
                yield end if status.ok else end | {"finalError": status.text}
            case "waiting" if status.hint is None:
                return  # a short wait is for those who watch
            case "warning" | "fallback" | "waiting":
                line = {"type": "warning", "message": status.text}
                yield line | {"hint": status.hint} if status.hint else line


def _update(kind: str, index: int, **more: Any) -> Line:
    return {"type": "message_update", "assistantMessageEvent": {"type": kind, "contentIndex": index, **more}}


def _compaction_end(ended: CompactionEndDelta) -> Line:
    line: Line = {"type": "compaction_end", "reason": ended.reason}
    if made := ended.result:
        line["result"] = {
            "summary": made.summary,
            "firstKeptEntryId": made.first_kept,
            "tokensBefore": made.tokens_before,
            "details": made.details,
        }
    line |= {"aborted": ended.aborted, "willRetry": ended.will_retry}
    return line | {"errorMessage": ended.error} if ended.error else line


def _fields(fact: msgspec.Struct) -> Line:
    built = msgspec.to_builtins(fact)
    del built["type"]
    return dict(built)


def _renamed(asked: ApprovalAsked) -> Line:
    built = _fields(asked)
    return {("args" if name == "arguments" else name): value for name, value in built.items()}
