"""What a process said, for a model: readable, its beginning and its end, and where the rest is kept."""

import os
from errno import ENOSPC
from typing import Any

from anyio import to_thread

from codi.tools.limiting import Limits
from codi.tools.output import Cut, clean, head_tail, head_tail_of, lines_of
from codi.workspace.workspace import Outcome

_CHUNK = 1024 * 1024


async def cut_of(
    outcome: Outcome, limits: Limits, arguments: dict[str, Any], is_error: bool, tool: str = "shell"
) -> tuple[Cut, list[str]]:
    """What a process said, as much of it as may be shown, and what there is to say of the rest. A file that holds all of it is kept
    for `recall` or removed."""
    cap = limits.cap
    if outcome.total_bytes == len(outcome.head) + len(outcome.tail):
        text = clean(outcome.head + outcome.tail)
        cut = head_tail(text, cap.lines, cap.bytes)
        if not cut.truncated:
            return cut, []
        return cut, [limits.kept_notice(cut, lambda: limits.results.keep(tool, arguments, text, is_error=is_error))]
    try:
        return await to_thread.run_sync(_cut_of_both_ends, outcome, limits, arguments, is_error, tool)
    finally:
        if outcome.spill:
            os.unlink(outcome.spill)


def _cut_of_both_ends(
    outcome: Outcome, limits: Limits, arguments: dict[str, Any], is_error: bool, tool: str
) -> tuple[Cut, list[str]]:
    # At the inner ends of both pieces a line is cut through: it counts as omitted.
    beginning = lines_of(clean(outcome.head.rpartition(b"\n")[0])) if b"\n" in outcome.head else []
    last_line_bytes: int | None = None
    _, broken, rest = outcome.tail.removesuffix(b"\n").partition(b"\n")
    if not broken:
        rest = outcome.tail
        last_line_bytes = _last_line_bytes(outcome.spill) if outcome.spill else None
    end = lines_of(clean(rest))
    cap = limits.cap
    cut = head_tail_of(beginning, end, outcome.total_lines, outcome.total_bytes, cap.lines, cap.bytes, last_line_bytes)

    def keep() -> str:
        if outcome.spill is None:
            raise OSError(ENOSPC, "the disk has no room for it")
        return limits.results.keep_output(tool, arguments, outcome.spill, is_error=is_error)

    return cut, [limits.kept_notice(cut, keep)]


def _last_line_bytes(path: str) -> int:
    with open(path, "rb") as file:
        end = at = file.seek(0, os.SEEK_END)
        is_last = True
        while at > 0:
            begin = max(0, at - _CHUNK)
            file.seek(begin)
            piece = file.read(at - begin)
            if is_last and piece.endswith(b"\n"):
                end -= 1
                piece = piece[:-1]
            is_last = False
            if (newline := piece.rfind(b"\n")) >= 0:
                return end - (begin + newline + 1)
            at = begin
    return end
