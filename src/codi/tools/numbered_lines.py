"""Changing whole lines of a file by their numbers: what `insert_lines`, `replace_lines` and `delete_lines` have in common.

Numbers are those that `read` shows: what LF separates, and a final newline begins no further line. Whether a newline ends the
file stays as it was.
"""

from collections.abc import Callable

from msgspec import Struct

from codi.tools.changing import Present, Rewritten, encoded, judged, present, put, stale, text_of
from codi.tools.diffs import diff_details
from codi.tools.lookup import not_found
from codi.tools.near_misses import numbered
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.text_files import Splice
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

AROUND = 20
"""Lines that a result shows on each side of the change; of a long change it shows as many at both ends."""
_LONGEST = 400  # characters of a line that a result shows


class NumberedLines(Struct, frozen=True):
    """A file and its lines. `ends` says whether a newline ends the last one."""

    file: Present
    text: str
    lines: list[str]

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def ends(self) -> bool:
        return self.text.endswith("\n") or not self.text

    def start_of(self, line: int) -> int:
        """Where a line begins, or for the one after the last where the text ends."""
        return min(sum(len(before) + 1 for before in self.lines[: line - 1]), len(self.text))

    def without(self, first: int, last: int) -> Splice:
        """Take lines away; with the last line of a file that no newline ends goes the newline before it."""
        start = self.start_of(first)
        if last == self.count and not self.ends:
            return Splice(max(start - 1, 0), len(self.text), "")
        return Splice(start, self.start_of(last + 1), "")

    def with_lines_before(self, line: int, new: list[str]) -> Splice:
        text = "\n".join(new)
        if line > self.count and not self.ends:
            return Splice(len(self.text), len(self.text), f"\n{text}")
        start = self.start_of(line)
        return Splice(start, start, f"{text}\n")

    def with_lines_for(self, first: int, last: int, new: list[str]) -> Splice:
        text = "\n".join(new)
        if last == self.count and not self.ends:
            return Splice(self.start_of(first), len(self.text), text)
        return Splice(self.start_of(first), self.start_of(last + 1), f"{text}\n")


def lines_in(content: str) -> list[str]:
    """What a model gave as lines: a final newline adds no blank one."""
    return content.replace("\r\n", "\n").removesuffix("\n").split("\n")


def check_number(line: int) -> None:
    if line < 1:
        raise ToolFailed(f"Invalid line: {line}. Must be a positive integer.")


def check_range(line: int, end_line: int, count: int) -> None:
    """Raises ToolFailed unless the file has these lines."""
    if end_line < line:
        raise ToolFailed(f"end_line ({end_line}) cannot be less than line ({line}).")
    check_inside(line, count)
    if end_line > count:
        raise ToolFailed(f"End line {end_line} is out of range (file has {count} lines)")


def check_inside(line: int, count: int, *, one_more: bool = False) -> None:
    if line > count + one_more:
        raise ToolFailed(f"Line {line} is out of range (file has {count} lines)")


async def numbered_lines(workspace: Workspace, path: str) -> NumberedLines:
    """Raises ToolFailed for what is no text file."""
    try:
        file = await present(workspace, path)
    except FileNotFoundError:
        raise not_found(workspace, path) from None
    text = text_of(workspace, file).text
    return NumberedLines(file, text, text.removesuffix("\n").split("\n") if text else [])


async def changed(
    workspace: Workspace,
    gate: SyntaxGate,
    old: NumberedLines,
    splice: Splice,
    line: int,
    added: int,
    said: Callable[[str, int], str],
) -> ToolOutput:
    """Make the change. `said` tells what was done, given the file's name and the number of its lines; `added` lines stand at
    `line` afterwards. Raises ToolFailed."""
    file = old.file
    if not file.seen:
        raise stale(workspace, file, line)
    shown = workspace.shown(file.path)
    before = text_of(workspace, file)
    after = before.spliced([splice])
    if after.raw == before.raw:
        raise ToolFailed(f"No changes made to {shown}.")
    change = Rewritten(path=file.path, old=file, content=encoded(workspace, file.path, after), text=after.text)
    warning = judged(workspace, gate, [change])
    changes = await put(workspace, [change])
    lines = after.text.removesuffix("\n").split("\n") if after.text else []
    text = f"{said(shown, len(lines))}\n{_around(lines, line, added)}{warning}"
    return ToolOutput(text=text, details=diff_details(old.text, [splice]), changes=changes)


def span(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first}-{last}"


def _around(lines: list[str], line: int, added: int) -> str:
    if not lines:
        return "[file is empty]"
    first, last = max(line - AROUND, 1), min(line + added - 1 + AROUND, len(lines))
    shown = [text if len(text) <= _LONGEST else f"{text[:_LONGEST]} [line cut, {len(text)} chars]" for text in lines]
    if added <= 2 * AROUND:
        return numbered(shown[first - 1 : last], first)
    head, tail = line + AROUND, line + added - AROUND
    between = f"      ({tail - head} more lines)"
    return f"{numbered(shown[first - 1 : head - 1], first)}\n{between}\n{numbered(shown[tail - 1 : last], tail)}"
