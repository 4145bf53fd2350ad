"""The conversation as blocks, folded from its events; and which of their lines may be printed for good.

Printed lines belong to the terminal. Of the blocks that are printed only the newest are kept, for the pager and for a window
whose size changes; all else is in the session's file. Of what earlier runs said only the end is printed: to lay out all of it
would keep a person waiting for what nobody may look at.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from codi.frontends.proof import Proof, mark_of
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock
from codi.frontends.tui.blocks.retry import RetryBlock
from codi.frontends.tui.blocks.speech import AnswerBlock, ThinkingBlock, UserBlock
from codi.frontends.tui.blocks.todo import TodoBlock
from codi.frontends.tui.blocks.tools import State, ToolBlock
from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.panes import Block
from codi.protocol.events import (
    ApprovalGiven,
    CallEndDelta,
    CallIntended,
    CallStartDelta,
    CommandDelta,
    CommandShown,
    ContextCompacted,
    Entry,
    Event,
    Fact,
    FilesChanged,
    MessageAdded,
    Retried,
    SessionOpened,
    Skipped,
    SnapshotTaken,
    StatusDelta,
    TextDelta,
    ThinkingDelta,
    TodoWritten,
    ToolCallDelta,
    ToolProgress,
    TurnEnded,
    TurnStarted,
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
        self._begin: int | None = None
        self._is_shown = False
        self._streaming: dict[tuple[str, int], Any] = {}
        self._calls: dict[str, ToolBlock] = {}
        self._intended: set[str] = set()
        self._final: AnswerBlock | None = None
        self._retrying: RetryBlock | None = None
        self._columns = 80
        self._changed: set[str] = set()
        self._todo = TodoBlock(())
        self._todo_printed = self._todo.items
        self._is_running = False
        self._skipped: tuple[Skipped, ...] = ()
        self._own: ToolBlock | None = None

    def hear(self, event: Event) -> None:
        self.proof.hear(event)
        if self._retrying and not _is_about_tries(event):
            self._retrying.end()
            self._retrying = None
        match event:
            case Entry(fact=fact):
                self._begin = len(self.blocks) if self._begin is None else self._begin
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
            case StatusDelta(kind="retry") as status:
                self._withdraw()
                self._retry(status)
            case StatusDelta(kind="fallback", text=text, hint=hint):
                self.add(NoticeBlock("warning", text, more=hint or ""))
            case StatusDelta(kind="warning", text=text, hint=hint):
                self.add(NoticeBlock("warning", text, hint or ""))

    def add(self, block: Block) -> None:
        """A further block at the end. What was said before it is final."""
        if self._final and self._final is not block:
            self._final.end(self._final.text)
            self._final = None
        self.blocks.append(block)

    def show_again(self, entries: Iterable[Entry]) -> None:
        """What was said before, once more: the conversation goes on from there."""
        for entry in entries:
            self._keep(entry.fact)

    def mend(self, columns: int, mishap: Callable[[str, Exception], str]) -> bool:
        """Put a notice in place of each block that cannot be shown; whether there was one."""
        found = False
        for at, block in enumerate(self.blocks):
            try:
                block.settled(columns)
                block.lines(columns)
            except Exception as bug:  # noqa: BLE001 - whatever it is, the conversation goes on
                self.blocks[at] = NoticeBlock("error", mishap(type(block).__name__, bug))
                found = True
        return found

    def printable(self, columns: int, earlier: int) -> list[Line]:
        """The lines that will not change any more and were not given before; of what was said before anything was shown, the last
        `earlier`."""
        before = self._printed, self._lines_printed, self._is_shown
        try:
            return self._printable(columns, earlier)
        except Exception:
            self._printed, self._lines_printed, self._is_shown = before
            raise

    def _leave_out(self, columns: int, earlier: int) -> list[Line]:
        """Go on where the last lines begin; a note of what was before, where there was something."""
        at = len(self.blocks)
        while at > self._printed and earlier > 0:
            at -= 1
            earlier -= len(self.blocks[at].lines(columns))
        if at <= self._printed:
            return []
        left_out, self._printed, self._lines_printed = at - self._printed, at, 0
        return [clipped(((f"... ({_counted(left_out, 'earlier block')}, ctrl+o to look back)", "dim"),), columns)]

    def _printable(self, columns: int, earlier: int) -> list[Line]:
        out: list[Line] = []
        self._columns = columns
        while self._printed < len(self.blocks):
            if not self._is_shown and self._printed == self._begin:
                self._is_shown = True
                out += self._leave_out(columns, earlier)
            block = self.blocks[self._printed]
            lines = block.lines(columns)
            final = len(lines) if block.is_done else min(block.settled(columns), len(lines))
            out += lines[self._lines_printed : final]
            self._lines_printed = max(final, self._lines_printed)
            if not block.is_done:
                break
            self._printed += 1
            self._lines_printed = 0
            if isinstance(block, AnswerBlock):
                block.printed()
        self._is_shown = True
        self._forget()
        return out

    def live(self, columns: int, rows: int) -> list[Line]:
        """What still changes, at most so many lines: the last ones, with a note of what is above; and the list of what is to be
        done."""
        todo = self._todo.short(columns, rows // 2) if self._is_running else []
        return [*self._changing(columns, rows - len(todo)), *todo]

    def _changing(self, columns: int, rows: int) -> list[Line]:
        lines: list[Line] = []
        for at, block in enumerate(self.blocks[self._printed :]):
            lines += block.lines(columns)[0 if at else self._lines_printed :]
        lines = [_undrawn(line) for line in lines]
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

    def pages(self, *, whole: bool) -> "Pages":
        """What is kept, for the pager."""
        return Pages(self.blocks, whole=whole)

    def _keep(self, fact: Fact) -> None:
        match fact:
            case MessageAdded(Message("assistant", blocks), reply):
                self._end_reply(blocks, reply.error if reply else None)
            case MessageAdded(Message("user") as message):
                for result in message.tool_results:
                    self._result(result)
                if message.text or not message.tool_results:
                    images = [block for block in message.blocks if isinstance(block, Image)]
                    self.add(UserBlock(message.text, images, self.look))
            case ApprovalGiven(tool_call_id=call_id, decision=("deny" | "abort") as decision) if call_id in self._calls:
                self._calls[call_id].state = "denied" if decision == "deny" else "cancelled"
            case TurnStarted():
                self._is_running = True
                self._changed.clear()
            case FilesChanged(_, changes):
                self._changed.update(change.path for change in changes)
            case TodoWritten(items):
                self._todo = TodoBlock(items)
            case ContextCompacted(summary=summary, tokens_before=tokens):
                self.add(NoticeBlock("info", f"compacted: {tokens} tokens became a summary", more=summary))
            case SnapshotTaken(skipped=skipped) if skipped and skipped != self._skipped:
                self._skipped = skipped
                count = f"{len(skipped)} path{'' if len(skipped) == 1 else 's'}"
                rows = "\n".join(f"{each.path}: {each.why}" for each in skipped)
                self.add(NoticeBlock("warning", f"undo does not cover {count}", more=rows))
            case CommandShown() as shown:
                self._end_command(shown)
            case CallIntended(tool_call_id=call_id):
                self._intended.add(call_id)
            case SessionOpened():
                self._leave_open()
            case TurnEnded() as ended:
                self._end_turn(ended)

    def _retry(self, status: StatusDelta) -> None:
        if self._retrying:
            self._retrying.again(status)
        else:
            self._retrying = RetryBlock(self.look, status)
            self.add(self._retrying)

    def _end_reply(self, blocks: Sequence[Any], error: str | None) -> None:
        """The reply is kept: it holds what was streamed, whole."""
        last = len(blocks) - 1
        for index, block in enumerate(blocks):
            match block:
                case Text(text) if text.strip():
                    self._say(index, text, is_last=index == last)
                case Thinking(text) if text.strip():
                    self._stream(("thinking", index)).end(text)
                case ToolCall(call_id, name, arguments):
                    self._call(call_id, name, arguments).arguments = arguments
        for left in self._streaming.values():
            if not left.is_done and left is not self._final:
                left.end(left.text)
        self._streaming.clear()
        if error and error != "Request was aborted":
            self.add(NoticeBlock("error", error))

    def _say(self, index: int, text: str, *, is_last: bool) -> None:
        """The answer with which a turn may end stays open until its claims were looked at."""
        block = self._stream(("text", index))
        if is_last and isinstance(block, AnswerBlock) and self._is_running:
            block.replace(text)
            self._final = block
        else:
            block.end(text)

    def _judge(self) -> list[str]:
        """Put marks behind the sentences that nothing backs; those whose place is printed already are given back."""
        left = []
        final = self._final
        for claim in self.proof.newest:
            mark = mark_of(claim)
            if not mark:
                continue
            printed = 0
            if final and final in self.blocks:
                at = self.blocks.index(final)
                printed = self._lines_printed if at == self._printed else 0
            if not final or not final.mark(claim.text, mark, self._columns, printed):
                left.append(f"{claim.text} {mark}")
        return left

    def _end_command(self, shown: CommandShown) -> None:
        block = self._own or self._call("own", "!", {"command": shown.command})
        self._calls.pop(block.call_id, None)
        self._own = None
        status = f"\n(exit status {shown.exit_code})" if shown.exit_code else ""
        result = ToolResult(block.call_id, (Text(shown.output.rstrip("\n") + status),), is_error=bool(shown.exit_code))
        held: State = "failed" if shown.exit_code else "ok"
        block.end(result, "cancelled" if shown.cancelled else "denied" if block.state == "denied" else held)

    def _leave_open(self) -> None:
        """What an earlier run of codi did not come to the end of."""
        self._is_running = False
        for call in self._calls.values():
            if not call.is_done:
                how = "interrupted, effect unknown" if call.call_id in self._intended else "not run"
                call.end(ToolResult(call.call_id, (Text(how),), True, call.tool), "cancelled")
        self._calls.clear()
        self._intended.clear()

    def _end_turn(self, ended: TurnEnded) -> None:
        self._is_running = False
        for call in self._calls.values():
            if not call.is_done:
                call.state = "cancelled"
        self._calls.clear()
        self._intended.clear()
        unbacked = self._judge()
        if self._final:
            self._final.end(self._final.text)
            self._final = None
        for mark in unbacked:
            self.add(NoticeBlock("warning", mark))
        if self._todo.items != self._todo_printed:
            self._todo_printed = self._todo.items
            if self._todo.items:
                self.add(self._todo)
        if ended.message:
            self.add(NoticeBlock("error", f"{ended.reason}: {ended.message}", ended.hint or ""))
        elif ended.reason == "interrupted":
            self.add(NoticeBlock("info", "interrupted"))
        self.add(NoticeBlock("info", _summary(ended, len(self._changed), self.proof)))

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


def _undrawn(line: Line) -> Line:
    """Without a picture: it is drawn once, when its place is printed for good."""
    return line[:-1] if line and line[-1][1].startswith("image:") else line


class Pages:
    """Blocks as a pager shows them, each whole or as it stands in the transcript."""

    def __init__(self, blocks: Sequence[Block], *, whole: bool) -> None:
        self._blocks = list(blocks)
        self._whole = [whole] * len(self._blocks)

    def lines(self, columns: int) -> list[Line]:
        return [line for lines in self._laid(columns) for line in lines]

    def starts(self, columns: int) -> list[int]:
        """The first line of each that says something: an empty one stands above it."""
        at, starts = 0, []
        for lines in self._laid(columns):
            starts.append(at + (1 if lines and not lines[0] else 0))
            at += len(lines)
        return starts

    def expand(self, block: int) -> None:
        """Show all of it, or less again."""
        self._whole[block] = not self._whole[block]

    def _laid(self, columns: int) -> list[Sequence[Line]]:
        pairs = zip(self._blocks, self._whole, strict=True)
        return [
            block.whole(columns) if is_whole else [_undrawn(line) for line in block.lines(columns)]
            for block, is_whole in pairs
        ]


def _is_about_tries(event: Event) -> bool:
    """Whether a request is still being tried again after this."""
    if isinstance(event, StatusDelta):
        return event.kind != "retry_end"
    return isinstance(event, Entry) and isinstance(event.fact, Retried)


def _summary(ended: TurnEnded, files: int, proof: Proof) -> str:
    """A turn in one line: what it did, what it cost, and how much of what was said is proven."""
    stats = ended.stats
    parts = [_counted(stats.steps, "step")]
    if stats.tool_calls:
        parts.append(_counted(stats.tool_calls, "tool call"))
    parts.append(f"{stats.total_tokens} tokens")
    parts.append("$?" if stats.cost is None else f"${stats.cost:.4f}")
    parts.append(f"{stats.duration_ms / 1000:.1f} s")
    if files:
        parts.append(f"{_counted(files, 'file')} changed")
    backed = sum(claim.state == "backed" for claim in proof.newest)
    marks = [mark_of(claim) for claim in proof.newest if mark_of(claim)]
    if backed:
        parts.append(f"{_counted(backed, 'claim')} backed")
    for mark in dict.fromkeys(marks):
        parts.append(f"{marks.count(mark)} {mark}")
    return ", ".join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
