"""The `recall` tool."""

import re
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, Literal

from anyio import to_thread
from msgspec import Meta, Struct, json

from codi.protocol.effects import Effect, Writes
from codi.protocol.messages import Image
from codi.tools.limiting import Limits
from codi.tools.output import continue_notice, head, long_line_notice, more_lines_notice, size, with_notice
from codi.tools.results import ID, Header
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

MEMORIES = ".codi/memories.md"
"""The project's memories, from its root."""

_IMAGE = re.compile(r"data:(image/[\w.+-]+);base64,(.+)", re.DOTALL)
_LISTED = 20
_MOST_HITS = 200
_HIT_CHARACTERS = 500


class Recall(Struct, frozen=True, forbid_unknown_fields=True):
    """Read again what was left out of earlier results. `get` shows lines of one result, `list` the newest results, `check`
    whether one is still kept, `search` finds lines with a text in all of them. `remember` keeps a fact for later sessions, if the
    person approves."""

    action: Literal["get", "list", "check", "search", "remember"] = "get"
    id: Annotated[str | None, Meta(description="Of the result, for get and check")] = None
    offset: Annotated[int, Meta(ge=0, description="First line for get, counted from 1")] = 1
    limit: Annotated[int, Meta(ge=1, le=10_000, description="Lines for get")] = 500
    query: Annotated[str | None, Meta(description="Text to search for; case does not count")] = None

    fact: Annotated[str | None, Meta(description="What to remember, in one sentence")] = None

    def effects(self) -> Iterable[Effect]:
        if self.action == "remember":
            yield Writes(MEMORIES)  # a protected place, so the person is asked in every mode

    async def run(
        self,
        workspace: Workspace,
        *,
        limits: Limits,
        remember: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> str | ToolOutput:
        match self.action:
            case "get":
                return await to_thread.run_sync(self._get, limits)
            case "check":
                return "yes" if limits.results.path_of(self._known_id()) else "no"
            case "list":
                return self._list(limits, clock())
            case "search":
                return await to_thread.run_sync(self._search, limits)
            case "remember":
                if not self.fact or remember is None:
                    raise ToolFailed("remember needs a fact." if not self.fact else "Nothing is remembered here.")
                return remember(self.fact)

    def _known_id(self) -> str:
        if self.id is None or not ID.match(self.id):
            raise ToolFailed("Invalid id.")
        return self.id

    def _get(self, limits: Limits) -> ToolOutput:
        id = self._known_id()
        header = limits.results.header(id)
        path = limits.results.path_of(id)
        if header is None:
            raise ToolFailed(f'There is no result {id} in this session. See recall(action="list").')
        if path is None:
            call = f"{header.tool}({json.encode(header.arguments).decode()})"
            raise ToolFailed(f"The text of {id} is no longer kept. To have it again, repeat the call {call[:2000]}")
        first = max(1, self.offset)
        if first > header.lines:
            raise ToolFailed(f"Offset {self.offset} is beyond end of file ({header.lines} lines total)")
        if images := [_IMAGE.fullmatch(line) for line in _begin(limits.results.lines(id))]:
            shown = tuple(Image(found[2], found[1]) for found in images if found)
            if len(shown) == len(images):
                return ToolOutput(text=_title(header), images=shown)
        lines = list(islice(limits.results.lines(id), first - 1, first - 1 + self.limit))
        cut = head("\n".join(lines), limits.cap.lines, limits.cap.bytes)
        left = header.lines - (first - 1) - len(lines)
        notices = []
        if cut.truncation.first_line_exceeds_limit:
            notices.append(long_line_notice(first, len(lines[0].encode()), path, limits.cap.bytes))
        elif cut.truncated:
            notices.append(continue_notice(cut, first=first, total=header.lines))
        elif left > 0:
            notices.append(more_lines_notice(left, first + len(lines)))
        elif header.lost_bytes:
            notices.append(f"The last {size(header.lost_bytes)} were more than is kept")
        return ToolOutput(text=with_notice(f"{_title(header)}\n{cut.text}", *notices), details=cut.details)

    def _list(self, limits: Limits, now: float) -> str:
        kept = limits.results.newest(_LISTED)
        if not kept:
            return "No results are kept in this session."
        return "\n".join(
            f"{header.id}  {size(header.bytes)}  {header.tokens} tokens  {_age(now - header.at)}  {header.summary}"
            for header in kept
        )

    def _search(self, limits: Limits) -> ToolOutput:
        if not self.query:
            raise ToolFailed("search needs a query.")
        wanted = self.query.casefold()
        hits = (
            f"{header.id}:{number}: {_shortened(line)}"
            for header in limits.results.newest(1_000_000)
            for number, line in enumerate(limits.results.lines(header.id), 1)
            if wanted in line.casefold()
        )
        found = list(islice(hits, _MOST_HITS + 1))
        if not found:
            return ToolOutput(text="No matches found")
        notices = [f"{_MOST_HITS} matches limit reached. Refine the query"] if len(found) > _MOST_HITS else []
        cut = head("\n".join(found[:_MOST_HITS]), limits.cap.lines, limits.cap.bytes)
        if cut.truncated:
            notices.append(f"{len(found) - cut.last} more matches. Refine the query")
        return ToolOutput(text=with_notice(cut.text, *notices), details=cut.details)


def _begin(lines: Iterable[str]) -> list[str]:
    """All lines of what are images, and nothing of what is text."""
    first = next(iter(lines), "")
    return [first, *lines] if first.startswith("data:image/") else []


def _title(header: Header) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(header.at))
    return f"{header.id}, {header.tool}, {at}, {header.tokens} tokens"


def _age(age_s: float) -> str:
    for unit, length_s in (("d", 86_400), ("h", 3600), ("min", 60)):
        if age_s >= length_s:
            return f"{int(age_s / length_s)} {unit} ago"
    return f"{max(0, int(age_s))} s ago"


def _shortened(line: str) -> str:
    return line if len(line) <= _HIT_CHARACTERS else line[:_HIT_CHARACTERS] + "... [truncated]"
