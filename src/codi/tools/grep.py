"""The `grep` tool."""

import os
import re
import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from anyio import move_on_after, to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.tools.entries import cannot_list, kind_found, prefix_of, readable
from codi.tools.globs import PathPattern, choices_of
from codi.tools.limiting import Limits
from codi.tools.output import LINES_TRUNCATED_NOTICE, limit_notice, size
from codi.tools.patterns import PatternError, for_ripgrep, parsed
from codi.tools.searching import LineSearch, shown, text_of
from codi.tools.text_files import Binary, TextFile
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Kind, Workspace

MOST_MATCHES = 2000
MOST_TIME_S = 30.0
MOST_FILE_BYTES = 64 * 1024 * 1024
_PATIENCE_S = 3.0
"""After so long ripgrep is asked again, to leave out files that are too large."""
_RIPGREP_FAILED = 2
_LINE_CHARACTERS = 500
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.*-]+")


class Grep(Struct, frozen=True, forbid_unknown_fields=True):
    """Search the contents of files for a regular expression. Skips binary and ignored files, and files over 64 MB."""

    pattern: Annotated[str, Meta(description="Regular expression; a match stays within its line")]
    path: Annotated[str, Meta(description="Directory or file to search")] = "."
    glob: Annotated[str | None, Meta(description="Only files like this, e.g. `*.py` or `src/**/*.{ts,tsx}`")] = None
    ignore_case: bool = False
    literal: Annotated[bool, Meta(description="Take the pattern as plain text")] = False
    whole_word: bool = False
    include_ignored: Annotated[bool, Meta(description="Search files that ignore files name, too")] = False
    context: Annotated[int, Meta(ge=0, le=10, description="Lines to show around each match")] = 0
    limit: Annotated[int, Meta(ge=1, le=MOST_MATCHES, description="Most matches to show")] = 100
    mode: Annotated[
        Literal["content", "files", "count"], Meta(description="Show lines, names of files, or matches per file")
    ] = "content"

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path)

    async def run(self, workspace: Workspace, *, ripgrep: str | None, limits: Limits) -> ToolOutput:
        try:
            node = parsed(self.pattern, literal=self.literal, ignore_case=self.ignore_case, whole_word=self.whole_word)
        except PatternError as error:
            raise ToolFailed(str(error)) from error
        kind = kind_found(workspace, self.path)
        prefix = prefix_of(workspace, self.path) if kind == "directory" else workspace.shown(self.path)
        found = _Found(self, prefix, LineSearch(node))
        try:
            with move_on_after(MOST_TIME_S) as scope:
                if kind == "directory":
                    paths = await self._candidates(workspace, ripgrep, for_ripgrep(node)) if ripgrep else None
                    is_known = paths is not None
                    files = await self._files_below(workspace, paths)
                else:
                    is_known = False
                    files = [("", await self._only_file(workspace, kind))]
                await to_thread.run_sync(found.look_through, files, is_known, abandon_on_cancel=True)
        finally:
            found.stop()
        return found.told(limits, is_partial=scope.cancelled_caught or found.is_late)

    async def _only_file(self, workspace: Workspace, kind: Kind) -> bytes:
        shown = workspace.shown(self.path)
        if kind != "file":
            raise ToolFailed(f"{shown} is not a regular file.")
        if (bytes_there := workspace.facts(self.path).size) > MOST_FILE_BYTES:
            raise ToolFailed(
                f"{shown} is {size(bytes_there)}, more than grep searches. Use shell: grep -n PATTERN FILE | head"
            )
        try:
            return await workspace.read(self.path)
        except OSError as error:
            raise ToolFailed(f"Cannot read {readable(shown)}: {error.strerror}") from error

    async def _files_below(self, workspace: Workspace, paths: list[str] | None) -> Iterable[tuple[str, bytes]]:
        """These or all files, as relative paths, and what they hold, in the order of names, directory by directory."""
        glob = PathPattern(self.glob) if self.glob else None
        if paths is None:
            try:
                walk = workspace.walk(self.path, include_ignored=self.include_ignored)
                paths = await to_thread.run_sync(list, walk, abandon_on_cancel=True)
            except OSError as error:
                raise cannot_list(workspace, self.path, error) from error
        if glob:
            paths = [path for path in paths if glob.matches(path)]
        paths.sort(key=lambda path: path.replace("/", "\0"))  # as if the lists of their names were compared
        return workspace.contents(self.path, paths, most_bytes=MOST_FILE_BYTES)

    async def _candidates(self, workspace: Workspace, ripgrep: str, expression: str) -> list[str] | None:
        """The files that ripgrep finds; None when it could not look everywhere, or not for this.

        It is asked for names and not for lines: for these it would have to go through all of each file, and where much
        matches it would print the whole project to somebody who wants the first hundred.
        """
        words = [
            ripgrep, "--no-config", "--files-with-matches", "--null", "--text", "--hidden", "--no-messages",
            "--no-require-git", "--no-ignore-global", "--glob", "!.git",
        ]  # fmt: skip
        if self.include_ignored:
            words.append("--no-ignore")
        for choice in choices_of(self.glob) if self.glob else []:
            # Only to search less: the pattern itself is matched here in any case.
            if not _PLAIN_NAME.fullmatch(choice):
                break
            words += ["--type-add", f"wanted:{choice}"]
        else:
            words += ["--type", "wanted"] if self.glob else []
        asked = ["--regexp", expression, "--", "."]
        try:
            # To be told the size of each file costs ripgrep a sixth of its time. Only where it takes long is that worth it,
            # for there may be a file without end.
            with move_on_after(_PATIENCE_S):
                return await self._named(workspace, [*words, *asked])
            return await self._named(workspace, [*words, "--max-filesize", str(MOST_FILE_BYTES), *asked])
        except OSError:
            return None

    async def _named(self, workspace: Workspace, words: list[str]) -> list[str]:
        lines: list[bytes] = []  # of which a name with a line break takes several
        try:
            async for line in workspace.lines_of(words, cwd=self.path):
                lines.append(line)
        except OSError as error:
            if error.errno != _RIPGREP_FAILED or error.strerror:
                raise
            # Without a word on standard error it only met something that it may not read.
        return [os.fsdecode(name).removeprefix("./") for name in b"\n".join(lines).split(b"\0") if name]


class _Found:
    """What has been found so far, and what there is to say of it."""

    def __init__(self, asked: Grep, prefix: str, search: LineSearch) -> None:
        self._asked = asked
        self._prefix = prefix
        self._search = search
        self._lines: list[str] = []
        self._matches = 0
        self._is_more = False
        self._is_shortened = False
        self._binary = 0
        self._late_at = time.monotonic() + MOST_TIME_S
        self.is_late = False

    def look_through(self, files: Iterable[tuple[str, bytes]], is_known: bool) -> None:
        """Add what files hold, until nothing more is wanted. It may be known already that each holds something."""
        for path, content in files:
            if is_known and isinstance(TextFile.of(content), Binary):
                self._binary += 1
            elif self._search.may_be_in(content) and not self._look_into(path, content):
                break
            if time.monotonic() > self._late_at:
                self.is_late = True
                break

    def stop(self) -> None:
        """Whoever still looks is to look no further."""
        self._late_at = 0.0

    def _look_into(self, path: str, content: bytes) -> bool:
        """Add what one file holds. False when nothing more is wanted."""
        text = text_of(content)
        room = self._asked.limit - self._matches if self._asked.mode == "content" else None
        numbers = self._first(text, room)
        if not numbers:
            return True
        if isinstance(TextFile.of(content), Binary):
            self._binary += 1
            return True
        if self._matches == self._asked.limit:
            self._is_more = True
            return False
        self._add(readable(self._prefix + path), text, numbers[:room])
        if room is not None and len(numbers) > room:
            self._is_more = True
            return False
        return True

    def _first(self, text: str, room: int | None) -> list[int]:
        """The lines that match: one more than there is room for, to know of it, or all of them."""
        numbers: list[int] = []
        for number in self._search.matching(text, until=self._late_at):
            numbers.append(number)
            if self._asked.mode == "files" or (room is not None and len(numbers) > room):
                break
            if time.monotonic() > self._late_at:
                break
        return numbers

    def _add(self, name: str, text: str, numbers: list[int]) -> None:
        match self._asked.mode:
            case "files":
                self._lines.append(name)
                self._matches += 1
            case "count":
                self._lines.append(f"{name}:{len(numbers)}")
                self._matches += 1
            case "content":
                self._matches += len(numbers)
                lines = text.removesuffix("\n").split("\n")
                matching = set(numbers)
                around = self._asked.context
                wanted = {
                    near
                    for number in numbers
                    for near in range(max(0, number - around), min(len(lines), number + around + 1))
                }
                for number in sorted(wanted):
                    sign = ":" if number in matching else "-"
                    self._lines.append(f"{name}{sign}{number + 1}{sign} {self._shortened(lines[number])}")

    def _shortened(self, line: str) -> str:
        line = shown(line.removesuffix("\r"))
        if len(line) <= _LINE_CHARACTERS:
            return line
        self._is_shortened = True
        return line[:_LINE_CHARACTERS] + "... [truncated]"

    def told(self, limits: Limits, *, is_partial: bool) -> ToolOutput:
        notices: list[str] = []
        details: dict[str, Any] = {}
        if self._is_more:
            notices.append(limit_notice(self._asked.limit, "matches", MOST_MATCHES))
            details["matchLimitReached"] = self._asked.limit
        if self._is_shortened:
            notices.append(LINES_TRUNCATED_NOTICE)
            details["linesTruncated"] = True
        if self._binary:
            notices.append(f"{self._binary} binary file{'s' * (self._binary > 1)} with matches not shown")
        if is_partial:
            notices.append(f"Stopped after {MOST_TIME_S:.0f} s: the result is partial")
        return limits.head("grep", self._asked, "\n".join(self._lines) or "No matches found", notices, details)
