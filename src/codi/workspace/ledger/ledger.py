"""The ledger of a workspace: what every action changed, so that it can be told and taken back.

Around each action stands a step: before it, what it may change is put into the store; after it, what it did change goes
into the journal. What became different between two steps was done by a person, or by a program that is not ours, and is
kept as theirs. All codi processes in a workspace share one ledger, and each takes back only what is its own.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import structs

from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger.books import Books, troubles
from codi.workspace.ledger.contents import Contents
from codi.workspace.ledger.coverage import UndoSettings
from codi.workspace.ledger.journal import Begun, Cleared, Journal, Named, open_begins
from codi.workspace.ledger.processes import lives, started
from codi.workspace.ledger.reversal import Reversal
from codi.workspace.ledger.scanning import MOST_FILES, Difference, Scanner, Stopped, TooMany, changes_of
from codi.workspace.ledger.states import Cause, Change, Gap

_MB = 1024 * 1024
_FIRST_LOOK_S = 5.0
_MOST_GAPS = 50
_TOO_MANY = f"it holds more than {MOST_FILES:,} files"
DEFAULTS = UndoSettings()


class StepUnderWay:
    """A step between its beginning and its end. `before` and `after` are the tree's ids ("" where it was not looked at as a
    whole), `n` the number of the step; of one that changed nothing, that of the step before it."""

    def __init__(self, token: str, cause: Cause, runs: bool, paths: tuple[str, ...], scanner: Scanner) -> None:
        self.token = token
        self.cause = cause
        self.runs = runs
        self.paths = paths
        self.scanner = scanner
        self.at = 0.0
        self.changes: tuple[Change, ...] = ()
        self.gaps: tuple[Gap, ...] = ()
        self.n = 0
        self.before = self.after = ""


class Ledger:
    """`home` is codi's home, `root` the top of the project. Making one costs nothing; the first use reads the journal.
    `reversal` takes steps back. Methods that touch the disk may take long for large workspaces: call them in threads."""

    def __init__(
        self, home: str, root: str, settings: UndoSettings = DEFAULTS, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._books = Books(home, root, settings, clock)
        self.root = self._books.root
        self.folder = self._books.folder
        self.settings = settings
        self.reversal = Reversal(self._books)
        self.too_large = "it is no project" if self.root in ("/", os.path.expanduser("~")) else None
        """Why commands are not looked after in this workspace; None where they are."""
        self._is_open = False

    @property
    def journal(self) -> Journal:
        return self._books.journal

    @property
    def contents(self) -> Contents:
        return self._books.contents

    @property
    def scanner(self) -> Scanner:
        return self._books.scanner

    def path_of(self, place: str) -> str:
        """The ledger's path of an absolute real path."""
        return self._books.path_of(place)

    def open(self) -> None:
        """Read the journal, load the tree, and finish what a crash left unfinished. Raises WorkspaceError."""
        books = self._books
        with troubles(), books.lock:
            if self._is_open:
                books.absorb()
                return
            books.open()
            with books.resting(), books.journal.locked():
                books.absorb()
                self._is_open = True
                self.reversal.finish()
                self._finish_interrupted()

    def close(self) -> None:
        """Keep what was learned for the next start."""
        with self._books.lock, suppress(OSError):
            if self._is_open:
                self._books.save()

    # Steps.

    def begin(self, cause: Cause, places: Sequence[str], runs: bool, meanwhile: Cause | None = None) -> StepUnderWay:
        """Before an action that may write the absolute paths `places`, or anything if it `runs` a command: keep what it may
        change. What changed since the last step may be the work of a job in the background, started by `meanwhile`. Raises
        WorkspaceError, and then the action must not start."""
        with troubles():
            if not self._books.lock.acquire(timeout=_FIRST_LOOK_S if self._is_open else -1):
                return self._begin_apart(cause, places)
            try:
                self.open()
                with self._books.resting():
                    return self._begin(cause, places, runs and self._can_look(), meanwhile)
            finally:
                self._books.lock.release()

    def _begin(self, cause: Cause, places: Sequence[str], runs: bool, meanwhile: Cause | None) -> StepUnderWay:
        books = self._books
        under_way = StepUnderWay(books.token(), cause, runs, self._paths_of(places), books.scanner)
        with books.journal.locked():
            books.absorb()
            was_complete = books.tree.complete
            found = self._looked(under_way)
            if not self._others_are_busy():
                seen = found if was_complete else [each for each in found if each.before is not None]
                self._keep_between(changes_of(seen), meanwhile)
            books.contents.sync()
            under_way.n, under_way.before = books.tree.step, books.tree_id
            books.journal.append(self._begun(under_way))
        under_way.at = time.time()
        return under_way

    def _begin_apart(self, cause: Cause, places: Sequence[str]) -> StepUnderWay:
        """While the first look takes its time: keep what is named, and nothing else."""
        books = self._books
        apart = books.scanner_apart()
        under_way = StepUnderWay(os.urandom(6).hex(), cause, False, self._paths_of(places), apart)
        apart.look_at(under_way.paths)
        books.contents.sync()
        books.journal.append(self._begun(under_way))
        return under_way

    def _can_look(self) -> bool:
        """Whether everything can be looked at; it is, where it never was."""
        books = self._books
        books.scanner.stopped = False
        if books.git is None and books.has_repository:
            books.use(books.tree)
        if self.too_large is None and not books.tree.complete:
            try:
                books.scanner.look()
                books.contents.sync()
                books.save()
            except TooMany:
                self.too_large = _TOO_MANY
        return self.too_large is None

    def first_look(self) -> None:
        """Look at everything for the first time, so that the first command need not wait for it. Never raises."""
        try:
            self.open()
            with troubles(), self._books.lock, self._books.resting():
                self._can_look()
        except (WorkspaceError, Stopped):
            pass  # whoever needs it will look again, and be told

    def stop(self) -> None:
        """Give up a first look that is under way."""
        self._books.scanner.stopped = True

    def drop(self, under_way: StepUnderWay) -> None:
        """Forget a step whose action was not begun after all. Raises WorkspaceError."""
        with troubles():
            self._books.journal.append(Cleared(under_way.token))

    def end(self, under_way: StepUnderWay) -> None:
        """Find what the action changed, and keep it. Raises WorkspaceError."""
        books = self._books
        with troubles():
            if under_way.scanner is not books.scanner:
                self._end_apart(under_way)
                return
            with books.lock, books.resting(), books.journal.locked():
                between = books.absorb()
                others = under_way.runs and self._others_are_busy(since=under_way.at)
                found = self._looked(under_way)
                changes = _joined([*(between if under_way.runs else ()), *changes_of(found)])
                self._keep(under_way, _uncertain(changes) if others else changes)
                under_way.after = books.tree_id
                books.room.make(0, books.tree, (), books.git)

    def _looked(self, under_way: StepUnderWay) -> list[Difference]:
        scanner = under_way.scanner
        if not under_way.runs:
            under_way.gaps = (Gap(".", self.too_large),) if self.too_large else ()
            return scanner.look_at(under_way.paths)
        try:
            found = self._look_around()
        except TooMany:
            self.too_large, under_way.runs = _TOO_MANY, False
            return self._looked(under_way)
        under_way.gaps = tuple(scanner.gaps[:_MOST_GAPS])
        return found

    def _end_apart(self, under_way: StepUnderWay) -> None:
        under_way.gaps = (Gap(".", "the first look at the workspace had not ended: only what was named is covered"),)
        changes = changes_of(under_way.scanner.look_at(under_way.paths))
        with self._books.journal.locked():
            self._books.contents.sync()
            if not changes:
                self._books.journal.append(Cleared(under_way.token))
                return
            step = self._books.step_of(changes, "agent", cause=under_way.cause, began=under_way.token)
            self._books.journal.append(structs.replace(step, gaps=under_way.gaps))
            under_way.changes, under_way.n = changes, self._books.journal.newest()

    def _keep(self, under_way: StepUnderWay, changes: tuple[Change, ...], *, interrupted: bool = False) -> None:
        under_way.changes = changes
        if not changes:
            self._books.journal.append(Cleared(under_way.token))
            return
        step = self._books.step_of(changes, "agent", cause=under_way.cause, began=under_way.token)
        under_way.n = self._books.keep(structs.replace(step, gaps=under_way.gaps, interrupted=interrupted)).n

    def _keep_between(self, changes: tuple[Change, ...], meanwhile: Cause | None) -> None:
        """Keep what became different since the last step: as a person's, or as what may be a job's."""
        if changes and meanwhile:
            self._books.keep(self._books.step_of(_uncertain(changes), "agent", cause=meanwhile))
        elif changes:
            self._books.keep(self._books.step_of(changes, "person"))

    def _begun(self, under_way: StepUnderWay) -> Begun:
        return Begun(
            token=under_way.token,
            at=self._books.clock(),
            process=os.getpid(),
            started=started(os.getpid()),
            runs=under_way.runs,
            cause=under_way.cause,
            before={} if under_way.runs else dict(under_way.scanner.known_at(under_way.paths)),
        )

    def _paths_of(self, places: Iterable[str]) -> tuple[str, ...]:
        """The paths of these places, of the folders that would have to be made for them, and of their files' other names."""
        paths: dict[str, None] = {}
        for place in places:
            above = os.path.dirname(place)
            missing = []
            while not os.path.lexists(above):
                missing.append(above)
                above = os.path.dirname(above)
            for each in (*reversed(missing), place):
                paths[self.path_of(each)] = None
            with suppress(OSError):
                status = os.lstat(place)
                if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
                    paths |= dict.fromkeys(self._books.tree.names_of(status.st_ino))
        return tuple(paths)

    # Other processes, and crashes.

    def _look_around(self) -> list[Difference]:
        """What became different everywhere, but for the files that another codi is just writing: it finds them itself, and they
        must not be taken for the work of a command or of a person."""
        books = self._books
        theirs = {
            path
            for begun in open_begins(books.journal.records)
            if not begun.runs and begun.token not in books.own and lives(begun)
            for path in begun.before
        }
        return [difference for difference in books.scanner.look() if difference.path not in theirs]

    def _others_are_busy(self, since: float | None = None) -> bool:
        """Whether another codi runs a command in this workspace, or has since."""
        books = self._books
        if any(
            begun.runs and begun.token not in books.own and lives(begun) for begun in open_begins(books.journal.records)
        ):
            return True
        if since is None:
            return False
        theirs = {
            record.token for record in books.journal.records if isinstance(record, Begun) and record.runs
        } - books.own
        return any(step.began in theirs and step.at > since for step in books.journal.steps())

    def _finish_interrupted(self) -> None:
        """What a process that was killed was about to change becomes a step of its own."""
        books = self._books
        for begun in open_begins(books.journal.records):
            if lives(begun):
                continue
            for path, state in begun.before.items():
                books.tree.assume(path, state)
            under_way = StepUnderWay(begun.token, begun.cause, begun.runs, tuple(begun.before), books.scanner)
            can_tell = not begun.runs or books.tree.complete
            self._keep(under_way, changes_of(self._looked(under_way)) if can_tell else (), interrupted=True)

    # What is covered, and what is there.

    def refusal(self, places: Iterable[str], *, runs: bool) -> str | None:
        """Why an action could not be taken back as a whole, where that is known beforehand."""
        if runs and self.too_large:
            return f"what commands change below {self.root} is not kept: {self.too_large}"
        most = min(self.settings.max_file_mb, self.settings.quota_mb) * _MB
        for place in places:
            with suppress(OSError):
                status = os.lstat(place)
                if stat.S_ISREG(status.st_mode) and status.st_size > most:
                    return f"{place} is larger than undo keeps ({status.st_size // _MB} MB of {most // _MB})"
        return None

    def known_gaps(self) -> list[Gap]:
        """What commands may change and undo does not cover, as far as was looked; else what is never covered."""
        if self.too_large:
            return [Gap(".", self.too_large)]
        if self._books.tree.complete:
            return self.scanner.gaps
        return [Gap(name, "excluded by undo.exclude") for name in self.settings.exclude]

    def used(self) -> int:
        """Bytes that the ledger takes of the disk."""
        return self._books.room.taken + (self._books.git.used() if self._books.git else 0)

    @property
    def quota(self) -> int:
        """Bytes that it may take."""
        return self._books.room.quota

    def look(self, meanwhile: Cause | None = None) -> None:
        """Look at everything. What became different since the last step becomes a step of a person, or of the job that
        `meanwhile` started. Raises WorkspaceError."""
        self.open()
        books = self._books
        with troubles(), books.lock, books.resting(), books.journal.locked():
            books.absorb()
            was_complete = books.tree.complete
            if not self._can_look():
                return
            changes = changes_of(self._look_around())
            if was_complete and not self._others_are_busy():
                self._keep_between(changes, meanwhile)
            books.contents.sync()
            books.save()

    def name_tree(self, name: str) -> Named:
        """Give the tree as it stands now a name. Raises WorkspaceError."""
        self.look()
        books = self._books
        with troubles(), books.lock, books.journal.locked():
            step = books.journal.newest()
            named = Named(id=f"s{step}", name=name, at=books.clock(), step=step, tree=books.tree_id)
            books.journal.append(named)
            return named

    def forget_names(self, names: Iterable[str]) -> None:
        """Take names of trees away. Raises WorkspaceError."""
        gone = [Named(id="", name=name, at=self._books.clock(), step=0, tree="", deleted=True) for name in names]
        with troubles():
            if gone:
                self._books.journal.append(*gone)


def _uncertain(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(structs.replace(change, uncertain=True) for change in changes)


def _joined(changes: Iterable[Change]) -> tuple[Change, ...]:
    """One change a path, from the first before to the last after."""
    joined: dict[str, Change] = {}
    for change in changes:
        earlier = joined.get(change.path)
        joined[change.path] = (
            structs.replace(change, before=earlier.before, modified_ns=earlier.modified_ns) if earlier else change
        )
    return tuple(change for change in joined.values() if change.before != change.after)
