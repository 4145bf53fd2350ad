"""What became of a run, folded from its events: the answer, the numbers, the kind of its end.

The same fold serves the plain answer, the JSON object and the last line of the event stream.
"""

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import to_builtins
from msgspec.structs import fields

from codi.frontends.proof import Proof
from codi.protocol.effects import Reaches, Reads, Runs, Writes
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallStartDelta,
    ClaimChecked,
    Entry,
    Event,
    FilesChanged,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    RequestSent,
    StatusDelta,
    ThinkingChosen,
    TurnEnded,
    TurnStats,
)
from codi.protocol.messages import Cost, Message, ToolResult, Usage

Kind = Literal["done", "error", "permission", "unbacked", "limit", "interrupted"]
EXIT_STATUS: dict[Kind, int] = {"done": 0, "error": 1, "permission": 3, "unbacked": 4, "limit": 124, "interrupted": 130}
_PRECEDENCE: tuple[Kind, ...] = ("interrupted", "error", "limit", "permission", "unbacked")
_MOST_RESULT = 2000


class Outcome:
    """`model` is the one that answers, as it is before the first event. `require_permission` False means that a permission
    nobody could give does not spoil the end."""

    def __init__(self, *, require_permission: bool = True) -> None:
        self.model = {"provider": "", "id": "", "thinking": "off"}
        self.answer = ""
        self.reason: str | None = None
        self.error: dict[str, str | None] | None = None
        self.hint: str | None = None
        self.turns_ended = 0
        self.warnings: list[str] = []
        self.stats = TurnStats()
        self._require_permission = require_permission
        self._kinds: set[Kind] = set()
        self._signal: int | None = None
        self._usage = Usage(cost=Cost())
        self._calls: dict[str, dict[str, Any]] = {}
        self._changes: list[dict[str, Any]] = []
        self._permissions: dict[str, dict[str, Any]] = {}
        self.proof = Proof()

    @property
    def kind(self) -> Kind:
        return next((kind for kind in _PRECEDENCE if kind in self._kinds), "done")

    @property
    def exit_status(self) -> int:
        return 128 + self._signal if self._signal else EXIT_STATUS[self.kind]

    def fail(self, message: str, hint: str, code: str) -> None:
        """The run could not begin, or codi itself failed."""
        self._kinds.add("error")
        self.reason, self.hint = message, hint
        self.error = {"code": code, "message": message, "hint": hint}

    def interrupted(self, signal: int | None = None) -> None:
        """The run was stopped; `signal` is the one that did so where it was not the person's."""
        self._kinds.add("interrupted")
        self._signal = signal

    def hear(self, event: Event) -> None:
        self.proof.hear(event)
        match event:
            case Entry(fact=MessageAdded(message=Message(role="assistant") as message, reply=reply)):
                self.answer = message.text or self.answer
                if reply:
                    self._usage = _sum(self._usage, reply.usage)
                for asked in message.tool_calls:
                    self._calls[asked.id] = {"id": asked.id, "name": asked.name, "arguments": asked.arguments}
            case Entry(fact=MessageAdded(message=Message(blocks=(ToolResult() as result,)))):
                self._hear_result(result)
            case Entry(fact=RequestSent(usage=Usage() as used)):
                self._usage = _sum(self._usage, used)
            case CallStartDelta(call_id, tool, arguments):
                call = self._calls.setdefault(call_id, {"id": call_id, "name": tool})
                if call["name"] != tool:
                    call["mappedFrom"] = call["name"]
                call.update(name=tool, arguments=arguments)
            case Entry(fact=FilesChanged(call_id, changes)):
                by = self._calls.get(call_id, {}).get("name", "")
                for change in changes:
                    row = {"path": change.path, "change": change.kind, "by": by, "turn": self.turns_ended + 1}
                    self._changes.append(row | ({"from": change.moved_from} if change.moved_from else {}))
            case Entry(fact=ApprovalAsked() as question):
                self._permissions[question.tool_call_id] = {
                    "id": question.tool_call_id,
                    "name": question.tool_name,
                    "effects": [said(effect) for effect in question.effects],
                }
            case Entry(fact=ApprovalGiven() as given):
                row = self._permissions.setdefault(
                    given.tool_call_id,
                    {
                        "id": given.tool_call_id,
                        "name": given.tool_name,
                        "effects": [said(effect) for effect in given.effects],
                    },
                )
                row |= {"decision": given.decision, "by": given.by} | ({"rule": given.rule_id} if given.rule_id else {})
            case Entry(fact=ModelChosen(provider, model_id)):
                self.model |= {"provider": provider, "id": model_id}
            case Entry(fact=ModelDescribed() as described):
                self.model = {
                    "provider": described.provider,
                    "id": described.model_id,
                    "thinking": described.thinking,
                }
            case Entry(fact=ThinkingChosen(level)):
                self.model["thinking"] = level
            case StatusDelta(kind="warning" | "fallback", text=text):
                self.warnings.append(text)
            case Entry(fact=TurnEnded() as ended):
                self._hear_end(ended)

    def as_json(self, *, session_id: str, session_file: str | None, cwd: str) -> dict[str, Any]:
        """The result object: fields may be added, none changes its type within a version."""
        usage = self._usage
        return {
            "type": "result",
            "version": 1,
            "kind": self.kind,
            "exitCode": self.exit_status,
            "answer": self.answer,
            "reason": self.reason,
            "error": self.error,
            "sessionId": session_id,
            "sessionFile": session_file,
            "cwd": cwd,
            "model": self.model,
            "usage": {
                "input": usage.input,
                "output": usage.output,
                "cacheRead": usage.cache_read,
                "cacheWrite": usage.cache_write,
                "totalTokens": usage.total,
                "estimated": usage.estimated,
                "cost": cost_json(usage.cost),
            },
            "stats": to_builtins(self.stats),
            "toolCalls": [call for call in self._calls.values() if "result" in call],
            "filesChanged": sorted(self._changes, key=lambda change: str(change["path"])),
            "permissions": list(self._permissions.values()),
            "evidence": [
                {"id": run.id, "command": run.command, "exitCode": run.exit_code, "stale": self.proof.is_stale(run)}
                for run in self.proof.evidence
            ],
            "claims": [_claim_json(claim) for claim in self.proof.claims],
            "warnings": self.warnings,
        }

    def _hear_result(self, result: ToolResult) -> None:
        call = self._calls.setdefault(result.call_id, {"id": result.call_id, "name": result.tool, "arguments": {}})
        if result.tool and call["name"] != result.tool:
            call.update(mappedFrom=call["name"], name=result.tool)
        call.update(result=result.text[:_MOST_RESULT], isError=result.is_error, durationMs=result.duration_ms or 0)

    def _hear_end(self, ended: TurnEnded) -> None:
        self.turns_ended += 1
        self.stats = _sum_stats(self.stats, ended.stats) if self.turns_ended > 1 else ended.stats
        if ended.reason == "permission" and not self._require_permission:
            return
        if ended.reason != "done":
            self._kinds.add(ended.reason)
        if ended.message:
            self.reason, self.hint = ended.message, ended.hint
        if ended.reason == "error":
            self.error = {"code": ended.code, "message": ended.message, "hint": ended.hint}


def said(effect: Reads | Writes | Runs | Reaches) -> str:
    """An effect in a few words."""
    match effect:
        case Reads(path):
            return f"reads {path}"
        case Writes(path, kind):
            return f"writes {path}" if kind in ("modify", "create") else f"{kind}s {path}"
        case Runs():
            return f"runs {effect.line}"
        case Reaches(host, port):
            return f"reaches {host}:{port}"


def question_of(asked: ApprovalAsked) -> str:
    """What a person reads before they answer."""
    place = f" (1 of {1 + asked.to_come})" if asked.to_come else ""
    lines = [f"\n{asked.tool_name} wants to:{place}", *(f"  {said(effect)}" for effect in asked.effects)]
    lines.append(f"  risk {asked.risk}: {'; '.join(asked.reasons)}")
    if asked.undo_cover:
        lines.append(f"  undo: {asked.undo_cover}")
    told = [effect.line for effect in asked.effects if isinstance(effect, Runs)]
    if asked.preview and [asked.preview] != told:
        lines += ["", asked.preview]
    return "\n".join(lines)


def _claim_json(claim: ClaimChecked) -> dict[str, str]:
    told = {"text": claim.text, "state": claim.state, "evidence": claim.evidence, "why": claim.why}
    return {name: value for name, value in told.items() if value is not None}


def cost_json(cost: Cost | None) -> dict[str, float] | None:
    if cost is None:
        return None
    return {
        "input": cost.input,
        "output": cost.output,
        "cacheRead": cost.cache_read,
        "cacheWrite": cost.cache_write,
        "total": cost.total,
    }


def _sum(one: Usage, other: Usage) -> Usage:
    cost = None
    if one.cost is not None and other.cost is not None:
        cost = Cost(*(getattr(one.cost, name) + getattr(other.cost, name) for name in _names(Cost)))
    return Usage(
        **{
            name: getattr(one, name) + getattr(other, name)
            for name in _names(Usage)
            if name not in ("cost", "estimated")
        },
        estimated=one.estimated or other.estimated,
        cost=cost,
    )


def _sum_stats(one: TurnStats, other: TurnStats) -> TurnStats:
    counted = {
        name: getattr(one, name) + getattr(other, name)
        for name in _names(TurnStats)
        if name not in ("cost", "model", "cache_hit")
    }
    asked = counted["input_tokens"] + counted["cache_read_tokens"] + counted["cache_write_tokens"]
    return TurnStats(
        **counted,
        cost=None if one.cost is None or other.cost is None else one.cost + other.cost,
        model=other.model,
        cache_hit=round(counted["cache_read_tokens"] / asked, 4) if asked else 0.0,
    )


def _names(struct: type) -> Iterable[str]:
    return (field.name for field in fields(struct))
