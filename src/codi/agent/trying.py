"""A command that was tried on an overlay: what it did, in full, for the person who decides whether that becomes true."""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from itertools import islice

from codi.tools.output import size
from codi.workspace.trial import Change, Trial

_MOST_LISTED = 200
_MOST_DIFF_LINES = 2_000
_MOST_DIFF_BYTES = 2 << 20
_RISK_OF_DELETING = 5
_RISK_OF_CHANGING = 3

Decide = Callable[["Tried"], Awaitable[bool]]


class Tried:
    """What one command did. `shown` is how a path is told to a person."""

    def __init__(self, trial: Trial, shown: Callable[[str], str]) -> None:
        self.trial = trial
        self._shown = shown

    def bound_to(self, call: str) -> str:
        """What a yes is bound to: the call, and all that would become true."""
        states = [
            (change.kind, change.path, os.lstat(change.new) if change.new else None) for change in self.trial.changes
        ]
        told = [(kind, path, new and (new.st_mode, new.st_size, new.st_mtime_ns)) for kind, path, new in states]
        return sha256(f"{call}|{told!r}".encode(errors="surrogateescape")).hexdigest()

    @property
    def risk(self) -> int:
        deletes = any(change.kind == "deleted" for change in self.trial.changes)
        return _RISK_OF_DELETING if deletes else _RISK_OF_CHANGING

    @property
    def reason(self) -> str:
        return "it ran on an overlay; nothing that it changed is true yet"

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        trial = self.trial
        how = "was killed" if trial.exit_code is None else f"ended with exit code {trial.exit_code}"
        yield f"It ran on an overlay and {how}. Nothing of this is true yet:"
        files = [change for change in trial.changes if not _is_of_git(change.path)]
        if of_git := len(trial.changes) - len(files):
            yield f"  the state of git: {of_git} {'path' if of_git == 1 else 'paths'}"
        diffs = [_Side(change) for change in files]
        for side in islice(diffs, _MOST_LISTED):
            yield f"  {side.change.kind} {self._shown(side.change.path)}{'/' if side.change.is_folder else ''}{side.counts}"
        if len(diffs) > _MOST_LISTED:
            yield f"  and {len(diffs) - _MOST_LISTED} more"
        if not trial.changes:
            yield "  no file was changed"
        yield f"  {_contacted(trial.contacted)}"
        lines = (line for side in diffs for line in side.diff(self._shown(side.change.path)))
        yield from islice(lines, _MOST_DIFF_LINES)


class _Side:
    def __init__(self, change: Change) -> None:
        self.change = change
        self._old = None if change.kind == "created" else _content(change.path)
        self._new = None if change.new is None else _content(change.new)
        self._is_large = any(content == _TOO_LARGE for content in (self._old, self._new))

    @property
    def counts(self) -> str:
        change = self.change
        if change.is_folder:
            below = sum(len(names) for _, _, names in os.walk(change.path)) if change.kind == "deleted" else 0
            return f" ({below} {'file' if below == 1 else 'files'})" if below else ""
        if change.new is not None and os.path.islink(change.new):
            return f" -> {os.readlink(change.new)}"
        if self._is_large:
            return f" ({size(os.lstat(change.new or change.path).st_size)})"
        from codi.tools.unified_diffs import file_diff  # for what is tried, and most commands are not

        told = file_diff("", self._old, "", self._new)
        mode = "" if told.lines or change.new is None else f" (mode {os.lstat(change.new).st_mode & 0o7777:o})"
        return f" ({told.counts})" if told.lines else mode

    def diff(self, name: str) -> Sequence[str]:
        if self._is_large or self.change.is_folder:
            return ()
        from codi.tools.unified_diffs import file_diff

        return file_diff(name, self._old, name, self._new).lines


_TOO_LARGE = b"\0too large\0"


def _content(path: str) -> bytes | None:
    """Of a regular file that is not too large to be shown."""
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    if os.path.getsize(path) > _MOST_DIFF_BYTES:
        return _TOO_LARGE
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return _TOO_LARGE


def _is_of_git(path: str) -> bool:
    return ".git" in path.split("/")


def _contacted(hosts: Sequence[str] | None) -> str:
    if hosts is None:
        return "it had the network of this machine: whom it contacted is not known"
    return f"contacted {', '.join(hosts)}" if hosts else "contacted nobody"


class Trying:
    """Has every trial of one call decided on. `decide` asks; why nothing was kept is in `why_not`."""

    def __init__(self, decide: Decide, shown: Callable[[str], str]) -> None:
        self._decide = decide
        self._shown = shown
        self.why_not = ""

    async def keeps(self, trial: Trial) -> bool:
        return await self._decide(Tried(trial, self._shown))

    def lost(self, why: str) -> None:
        self.why_not = why
