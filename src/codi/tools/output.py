"""How much of a result the model is shown, and the words that say what is missing.

Everything here is pure. A cut keeps whole lines: from the beginning where the rest can be asked for by offset, from both
ends where the end matters most. Lines are what LF separates; a final LF begins no further line.
"""

import re
from shlex import quote
from typing import Any, Literal

from msgspec import Struct, to_builtins

MOST_LINES = 2000
MOST_BYTES = 51_200
LEAST_BYTES = 2000


class Cap(Struct, frozen=True):
    """The most that one result may hold; whichever is reached first cuts."""

    lines: int = MOST_LINES
    bytes: int = MOST_BYTES


def cap_for(window: int | None) -> Cap:
    """The cap for a model whose window holds so many tokens: an eighth of it at 4 bytes a token, within bounds."""
    return Cap() if window is None else Cap(bytes=max(LEAST_BYTES, min(MOST_BYTES, window * 4 // 8)))


class Truncation(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a cut did, for frontends: `details.truncation`."""

    truncated: bool
    truncated_by: Literal["lines", "bytes"] | None
    total_lines: int
    total_bytes: int
    output_lines: int
    output_bytes: int
    last_line_partial: bool = False
    first_line_exceeds_limit: bool = False
    max_lines: int
    max_bytes: int


class Cut(Struct, frozen=True, kw_only=True):
    """A text, cut or not. `first` and `last` number the lines that are shown, the later part where the middle is gone."""

    text: str
    first: int
    last: int
    truncation: Truncation
    last_line_bytes: int = 0
    last_line_shown_bytes: int = 0

    @property
    def truncated(self) -> bool:
        return self.truncation.truncated

    @property
    def details(self) -> dict[str, Any] | None:
        return {"truncation": to_builtins(self.truncation)} if self.truncated else None


def size(count: int) -> str:
    """Bytes in words: `12B`, `50.0KB`, `1.0MB`."""
    if count < 1024:
        return f"{count}B"
    # What would be rounded to 1024.0KB is a megabyte.
    return f"{count / 1024:.1f}KB" if count < 1024 * 1023.95 else f"{count / 1024**2:.1f}MB"


def lines_of(text: str) -> list[str]:
    """The lines of a text, at least one."""
    return text.removesuffix("\n").split("\n")


def head(text: str, max_lines: int = MOST_LINES, max_bytes: int = MOST_BYTES) -> Cut:
    """Whole lines from the beginning. A first line that alone is too long leaves nothing."""
    lines = lines_of(text)
    whole = _uncut(text, lines, max_lines, max_bytes)
    if whole is not None:
        return whole
    kept, by = _fitting(lines, max_lines, max_bytes)
    shown = "\n".join(kept)
    return Cut(
        text=shown,
        first=1,
        last=len(kept),
        truncation=Truncation(
            truncated=True,
            truncated_by=by,
            total_lines=len(lines),
            total_bytes=_bytes(text),
            output_lines=len(kept),
            output_bytes=_bytes(shown),
            first_line_exceeds_limit=not kept and by == "bytes",
            max_lines=max_lines,
            max_bytes=max_bytes,
        ),
    )


def tail(text: str, max_lines: int = MOST_LINES, max_bytes: int = MOST_BYTES) -> Cut:
    """Whole lines up to the end. Of a last line that alone is too long, its end."""
    lines = lines_of(text)
    return _uncut(text, lines, max_lines, max_bytes) or _tail(lines, len(lines), _bytes(text), max_lines, max_bytes)


def head_tail(text: str, max_lines: int = MOST_LINES, max_bytes: int = MOST_BYTES) -> Cut:
    """The first tenth of what may be shown, then a line that tells what is left out, then the end."""
    lines = lines_of(text)
    whole = _uncut(text, lines, max_lines, max_bytes)
    return whole or head_tail_of(lines, lines, len(lines), _bytes(text), max_lines, max_bytes)


def head_tail_of(
    beginning: list[str],
    end: list[str],
    total_lines: int,
    total_bytes: int,
    max_lines: int,
    max_bytes: int,
    last_line_bytes: int | None = None,
) -> Cut:
    """The same for a text of which only the first and the last lines are at hand: more than may be shown, in all.
    `last_line_bytes` is for a last line of which only the end is at hand."""
    kept, _ = _fitting(beginning, max_lines // 10, max_bytes // 10)
    ending = _tail(end, total_lines, total_bytes, max_lines - max_lines // 10, max_bytes - max_bytes // 10)
    kept = kept[: ending.first - 1]
    omitted = f"[... lines {len(kept) + 1}-{ending.first - 1} omitted ...]" if ending.first - 1 > len(kept) else None
    shown = "\n".join([*kept, *([omitted] if omitted else []), ending.text])
    was = ending.truncation
    return Cut(
        text=shown,
        first=ending.first,
        last=ending.last,
        last_line_bytes=last_line_bytes or ending.last_line_bytes,
        last_line_shown_bytes=ending.last_line_shown_bytes,
        truncation=Truncation(
            truncated=True,
            truncated_by=was.truncated_by,
            total_lines=total_lines,
            total_bytes=total_bytes,
            output_lines=len(kept) + was.output_lines,
            output_bytes=_bytes(shown) - (_bytes(omitted) + 1 if omitted else 0),
            last_line_partial=was.last_line_partial,
            max_lines=max_lines,
            max_bytes=max_bytes,
        ),
    )


def _uncut(text: str, lines: list[str], max_lines: int, max_bytes: int) -> Cut | None:
    total = _bytes(text)
    if len(lines) > max_lines or total - text.endswith("\n") > max_bytes:
        return None
    # A final LF that finds no room is no loss worth a notice.
    shown = text if total <= max_bytes else text[:-1]
    return Cut(
        text=shown,
        first=1,
        last=len(lines),
        truncation=Truncation(
            truncated=False,
            truncated_by=None,
            total_lines=len(lines),
            total_bytes=total,
            output_lines=len(lines),
            output_bytes=_bytes(shown),
            max_lines=max_lines,
            max_bytes=max_bytes,
        ),
    )


def _fitting(lines: list[str], max_lines: int, max_bytes: int) -> tuple[list[str], Literal["lines", "bytes"]]:
    room = max_bytes
    for at, line in enumerate(lines[:max_lines]):
        room -= _bytes(line) + (at > 0)
        if room < 0:
            return lines[:at], "bytes"
    return lines[:max_lines], "lines"


def _tail(end: list[str], total_lines: int, total_bytes: int, max_lines: int, max_bytes: int) -> Cut:
    kept, by = _fitting(end[: -max_lines - 1 : -1], max_lines, max_bytes)
    kept.reverse()
    partial = not kept and max_lines > 0
    if partial:
        # Cut at a character: the bytes of half a character at the front are dropped.
        kept = [end[-1].encode(errors="replace")[-max_bytes:].decode(errors="ignore") if max_bytes > 0 else ""]
    shown = "\n".join(kept)
    return Cut(
        text=shown,
        first=total_lines - len(kept) + 1,
        last=total_lines,
        last_line_bytes=_bytes(end[-1]),
        last_line_shown_bytes=_bytes(kept[-1]),
        truncation=Truncation(
            truncated=True,
            truncated_by=by,
            total_lines=total_lines,
            total_bytes=total_bytes,
            output_lines=len(kept),
            output_bytes=_bytes(shown),
            last_line_partial=partial,
            max_lines=max_lines,
            max_bytes=max_bytes,
        ),
    )


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def in_brackets(*notices: str) -> str:
    """Several notices share one bracket."""
    return f"[{'. '.join(notices)}]"


def with_notice(text: str, *notices: str) -> str:
    """A text and, after a blank line, what there is to say of it."""
    if not notices:
        return text
    text = text.removesuffix("\n")
    return f"{text}\n\n{in_brackets(*notices)}" if text else in_brackets(*notices)


def continue_notice(cut: Cut, *, first: int = 1, total: int | None = None) -> str:
    """For a head cut of lines that begin with number `first` of `total`: where to go on."""
    was = cut.truncation
    last = first + was.output_lines - 1
    total = first + was.total_lines - 1 if total is None else total
    return f"Showing lines {first}-{last} of {total}{_byte_limit(was)}. Use offset={last + 1} to continue."


def more_lines_notice(left: int, offset: int) -> str:
    """When the caller's own limit cut: `left` lines follow, from `offset` on."""
    return f"{left} more lines in file. Use offset={offset} to continue."


def recall_notice(cut: Cut, id: str) -> str:
    """Where the whole of a cut result lies."""
    was = cut.truncation
    if was.last_line_partial:
        return (
            f"Showing last {size(cut.last_line_shown_bytes)} of line {was.total_lines} (line is {size(cut.last_line_bytes)}). "
            f'Full output: recall(id="{id}")'
        )
    return (
        f'Showing lines {cut.first}-{cut.last} of {was.total_lines}{_byte_limit(was)}. Full output: recall(id="{id}")'
    )


def long_line_notice(line: int, line_bytes: int, path: str, max_bytes: int = MOST_BYTES) -> str:
    """For a file whose next line alone is more than may be shown."""
    return (
        f"Line {line} is {size(line_bytes)}, exceeds {size(max_bytes)} limit. "
        f"Use shell: sed -n '{line}p' {quote(path)} | head -c {max_bytes}"
    )


def limit_notice(limit: int, what: Literal["matches", "results", "entries"], most: int) -> str:
    """For a search that stopped at the caller's limit; `most` is the highest that may be asked for."""
    more = f"Use limit={min(2 * limit, most)} for more, or refine pattern" if limit < most else "Refine pattern"
    return f"{limit} {what} limit reached. {more}"


LINES_TRUNCATED_NOTICE = "Some lines truncated to 500 chars. Use read tool to see full lines"


def _byte_limit(was: Truncation) -> str:
    return f" ({size(was.max_bytes)} limit)" if was.truncated_by == "bytes" else ""


_SEQUENCE = re.compile(
    r"""
      (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?                       # CSI: colours, cursor, erasing
    | (?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?  # OSC: titles, links
    | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?
    | \x1b[ -/]*[0-~]?
    | [\x80-\x9f]
    """,
    re.VERBOSE,
)
_CONTROL = re.compile(r"[\x00-\x07\x0b\x0e-\x1f\x7f]")


def clean(output: bytes) -> str:
    """What a process wrote, as a person would have read it in the end: no control sequences, of a line that was rewritten its
    last state, and U+FFFD for what is no UTF-8."""
    text = output.decode(errors="replace")
    if "\x1b" in text or not text.isascii():
        text = _SEQUENCE.sub("", text)
    if "\r" in text or "\b" in text:
        text = "\n".join(_last_state(line) for line in text.split("\n"))
    return _CONTROL.sub("", text)


def _last_state(line: str) -> str:
    line = next((state for state in reversed(line.split("\r")) if state), "")
    if "\b" not in line:
        return line
    shown: list[str] = []
    for character in line:
        if character != "\b":
            shown.append(character)
        elif shown:
            shown.pop()
    return "".join(shown)
