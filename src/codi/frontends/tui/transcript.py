"""The conversation as blocks, folded from its events; and which of their lines may be printed for good.

Printed lines belong to the terminal. Of the blocks that are printed only the newest are kept, for the pager and for a window
whose size changes; all else is in the session's file.
"""

from collections.abc import Iterable
from typing import Any

from codi.frontends.proof import Proof
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock
from codi.frontends.tui.blocks.speech import AnswerBlock, ThinkingBlock, UserBlock
from codi.frontends.tui.blocks.tools import State, ToolBlock
from codi.frontends.tui.lines import Line
from codi.frontends.tui.panes import Block
from codi.protocol.events import (
    ApprovalGiven,
    CallEndDelta,
    CallStartDelta,
    CommandDelta,
    CommandShown,
    Entry,
    Event,
    Fact,
    MessageAdded,
    StatusDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolProgress,
    TurnEnded,
)
from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall, ToolResult

_KEPT = 500


class Transcript:
    """`hear` takes events, `printable` gives what is final and not yet printed, `live` what still changes."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.proof = Proof()
        self.blocks: list[Block] = []
        self._printed = 0
        self._lines_printed = 0
        self._streaming: dict[tuple[str, int], Any] = {}
        self._calls: dict[str, ToolBlock] = {}
        self._own: ToolBlock | None = None

    def hear(self, event: Event) -> None:
        self.proof.hear(event)
        match event:
            case Entry(fact=fact):
                self._keep(fact)
            case TextDelta(text, index):
                self._stream(("text", index)).feed(text)
            case ThinkingDelta(text, index):
                self._stream(("thinking", index)).feed(text)
            case ToolCallDelta(_, call_id, name) if call_id and name:
                self._call(call_id, name, {})
            case CallStartDelta(call_id, tool, arguments):
                self._call(call_id, tool, arguments).start(tool, arguments)
            case CommandDelta(command, call_id):
                self._own = self._call(call_id, "!", {"command": command})
                self._own.start("!", {"command": command})
            case ToolProgress(call_id, text) if call_id in self._calls:
                self._calls[call_id].feed(text)
            case CallEndDelta(result) if result.call_id in self._calls:
                self._calls[result.call_id].end(result)
            case StatusDelta(kind="retry"):
                self._withdraw()
            case StatusDelta(kind="warning" | "fallback", text=text, hint=hint):
                self.add(NoticeBlock("warning", text, hint or ""))

    def add(self, block: Block) -> None:
        self.blocks.append(block)

    def printable(self, columns: int) -> list[Line]:
        """The lines that will not change any more and were not given before."""
        out: list[Line] = []
        while self._printed < len(self.blocks):
            block = self.blocks[self._printed]
            lines = block.lines(columns)
            final = len(lines) if block.is_done else min(block.settled(columns), len(lines))
            out += lines[self._lines_printed : final]
            self._lines_printed = max(final, self._lines_printed)
            if not block.is_done:
                break
            self._printed += 1
            self._lines_printed = 0
        self._forget()
        return out

    def live(self, columns: int, rows: int) -> list[Line]:
        """What still changes, at most so many lines: the last ones, with a note of what is above."""
        lines: list[Line] = []
        for at, block in enumerate(self.blocks[self._printed :]):
            lines += block.lines(columns)[0 if at else self._lines_printed :]
        if len(lines) <= rows:
            return lines
        note: Line = ((f"... ({len(lines) - rows + 1} earlier lines, ctrl+o to expand)"[:columns], "dim"),)
        return [note, *lines[len(lines) - rows + 1 :]] if rows > 1 else lines[-rows:] if rows else []

    def newest(self, columns: int, rows: int) -> list[Line]:
        """The last lines of what is printed, for a window that is painted anew."""
        lines: list[Line] = []
        if self._printed < len(self.blocks):
            block = self.blocks[self._printed]
            self._lines_printed = min(block.settled(columns), len(block.lines(columns))) if self._lines_printed else 0
            lines = list(block.lines(columns)[: self._lines_printed])
        for block in reversed(self.blocks[: self._printed]):
            if len(lines) >= rows:
                break
            lines = [*block.lines(columns), *lines]
        return lines[-rows:]

    def whole(self, columns: int) -> list[Line]:
        """All that is kept, as the pager shows it."""
        return [line for block in self.blocks for line in block.whole(columns)]

    def _keep(self, fact: Fact) -> None:
        match fact:
            case MessageAdded(Message("assistant", blocks), reply):
                self._end_reply(blocks, reply.error if reply else None)
            case MessageAdded(Message("user") as message):
                for result in message.tool_results:
                    self._result(result)
                if message.text or not message.tool_results:
                    self.add(UserBlock(message.text, sum(isinstance(block, Image) for block in message.blocks)))
            case ApprovalGiven(tool_call_id=call_id, decision=("deny" | "abort") as decision) if call_id in self._calls:
                self._calls[call_id].state = "denied" if decision == "deny" else "cancelled"
            case CommandShown() as shown:
                self._end_command(shown)
            case TurnEnded() as ended:
                self._end_turn(ended)

    def _end_reply(self, blocks: Iterable[Any], error: str | None) -> None:
        """The reply is kept: it holds what was streamed, whole."""
        for index, block in enumerate(blocks):
            match block:
                case Text(text) if text.strip():
                    self._stream(("text", index)).end(text)
                case Thinking(text) if text.strip():
                    self._stream(("thinking", index)).end(text)
                case ToolCall(call_id, name, arguments):
                    self._call(call_id, name, arguments).arguments = arguments
        for left in self._streaming.values():
            if not left.is_done:
                left.end(left.text)
        self._streaming.clear()
        if error and error != "Request was aborted":
            self.add(NoticeBlock("error", error))

    def _end_command(self, shown: CommandShown) -> None:
        block = self._own or self._call("own", "!", {"command": shown.command})
        self._calls.pop(block.call_id, None)
        self._own = None
        status = f"\n(exit status {shown.exit_code})" if shown.exit_code else ""
        result = ToolResult(block.call_id, (Text(shown.output.rstrip("\n") + status),), is_error=bool(shown.exit_code))
        held: State = "failed" if shown.exit_code else "ok"
        block.end(result, "cancelled" if shown.cancelled else "denied" if block.state == "denied" else held)

    def _end_turn(self, ended: TurnEnded) -> None:
        for call in self._calls.values():
            if not call.is_done:
                call.state = "cancelled"
        self._calls.clear()
        for mark in self.proof.marks():
            self.add(NoticeBlock("warning", mark))
        if ended.message:
            self.add(NoticeBlock("error", f"{ended.reason}: {ended.message}", ended.hint or ""))
        elif ended.reason == "interrupted":
            self.add(NoticeBlock("info", "interrupted"))
        stats = ended.stats
        cost = "$?" if stats.cost is None else f"${stats.cost:.4f}"
        tools = f", {stats.tool_calls} tool call{'' if stats.tool_calls == 1 else 's'}" if stats.tool_calls else ""
        steps = f"{stats.steps} step{'' if stats.steps == 1 else 's'}"
        self.add(
            NoticeBlock(
                "info", f"{steps}{tools}, {stats.total_tokens} tokens, {cost}, {stats.duration_ms / 1000:.1f} s"
            )
        )

    def _stream(self, key: tuple[str, int]) -> Any:
        block = self._streaming.get(key)
        if block is None:
            block = AnswerBlock() if key[0] == "text" else ThinkingBlock(self.look, began=self.look.now)
            for other in self._streaming.values():
                if not other.is_done:
                    other.end(other.text)
            self._streaming[key] = block
            self.add(block)
        return block

    def _call(self, call_id: str, tool: str, arguments: dict[str, Any]) -> ToolBlock:
        block = self._calls.get(call_id)
        if block is None:
            block = self._calls[call_id] = ToolBlock(self.look, call_id, tool, arguments)
            self.add(block)
        return block

    def _result(self, result: ToolResult) -> None:
        block = self._calls.get(result.call_id)
        if block is None:
            block = self._call(result.call_id, result.tool, {})
        state = block.state
        block.end(result, state if state in ("denied", "cancelled") else None)

    def _withdraw(self) -> None:
        """The reply broke off and is asked for again: what of it is not printed goes away."""
        begun = [*self._streaming.values(), *(call for call in self._calls.values() if call.state == "pending")]
        for block in begun:
            at = self.blocks.index(block)
            if at == self._printed and self._lines_printed and not isinstance(block, ToolBlock):
                block.end(block.text)
            else:
                del self.blocks[at]
        for call in [call for call in self._calls.values() if call.state == "pending"]:
            del self._calls[call.call_id]
        self._streaming.clear()

    def _forget(self) -> None:
        more = self._printed - _KEPT
        if more > 0:
            del self.blocks[:more]
            self._printed -= more
