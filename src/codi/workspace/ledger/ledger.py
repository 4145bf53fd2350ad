"""The ledger of a workspace: what every action changed, so that it can be told and taken back.

Around each action stands a step: before it, what it may change is put into the store; after it, what it did change goes
into the journal. What became different between two steps was done by a person, or by a program that is not ours, and is
kept as theirs. All codi processes in a workspace share one ledger, and each takes back only what is its own.
"""

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from threading import RLock

from msgspec import Struct, structs

from codi.protocol.errors import WorkspaceError
from codi.workspace import git
from codi.workspace.ledger import journal as records
from codi.workspace.ledger.contents import Contents, Missing
from codi.workspace.ledger.coverage import UndoSettings
from codi.workspace.ledger.folders import make_private
from codi.workspace.ledger.git_objects import GitObjects
from codi.workspace.ledger.journal import Begun, Cleared, Journal, Named, Pruned, Record, Restoring
from codi.workspace.ledger.restoring import Restorer, Target
from codi.workspace.ledger.scanning import MOST_FILES, Difference, Scanner, Stopped, TooMany, changes_of
from codi.workspace.ledger.states import NO_CAUSE, Cause, Change, File, Gap, Owner, State, Step, Uncovered
from codi.workspace.ledger.tree import Tree
from codi.workspace.ledger.undoing import Plan, Planner, is_of_git

_MB = 1024 * 1024
_ASIDE = ".codi-undo"
_FIRST_LOOK_S = 5.0
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
        self.at_ns = 0
        self.changes: tuple[Change, ...] = ()
        self.gaps: tuple[Gap, ...] = ()
        self.n = 0
        self.before = self.after = ""


class Undone(Struct, frozen=True):
    """What an undo did: its step (None where nothing changed), its plan, and why paths stayed that should have changed."""

    step: Step | None
    plan: Plan
    failed: dict[str, str]
    aside: tuple[str, ...] = ()


class Ledger:
    """`home` is codi's home, `root` the top of the project. Opening costs nothing; the first use reads the journal. Methods
    that touch the disk may take long for large workspaces, and are called in threads."""

    def __init__(
        self,
        home: str,
        root: str,
        settings: UndoSettings = DEFAULTS,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = os.path.realpath(root)
        self._home = home
        self.folder = os.path.join(home, "undo", workspace_id(self.root))
        self.settings = settings
        self.journal = Journal(self.folder)
        self._clock = clock
        self._lock = RLock()
        self._own: set[str] = set()
        self._opened = False
        self._saved_at = -1
        self.too_large = "it is no project" if self.root in ("/", os.path.expanduser("~")) else None
        self.contents = Contents(os.path.join(self.folder, "objects"), self._from_git)
        self._use(Tree())

    def _from_git(self, id: str) -> bytes | None:
        return self._git.content(id) if self._git else None

    def _use(self, tree: Tree) -> None:
        """Go on from this tree."""
        self._tree = tree
        self._git: GitObjects | None = None
        tops: list[str] = []
        if os.path.lexists(os.path.join(self.root, ".git")):
            own, common = git.folders_of(self.root)
            self._git = GitObjects(os.path.join(self.folder, "git"), own, common, tree.blobs)
            if not _is_below(common, self.root):
                # Of a repository with several worktrees: what is this one's, and what all share; not what is another's.
                tops = [own, *(os.path.join(common, name) for name in ("refs", "packed-refs", "logs/refs", "config"))]
        self.scanner = self._scanner(tree, self._git, tops)

    def _scanner(self, tree: Tree, git_objects: GitObjects | None, tops: Sequence[str]) -> Scanner:
        return Scanner(
            self.root,
            tree,
            self.contents,
            git_objects,
            tops=tops,
            exclude=self.settings.exclude,
            max_bytes=self.settings.max_file_mb * _MB,
            room=self._has_room,
        )

    # What is needed before anything: the journal read, a crash made good.

    def open(self) -> None:
        """Read the journal, finish what a crash left unfinished, and load the tree. Raises WorkspaceError."""
        with self._lock:
            if self._opened:
                self._absorb()
                return
            try:
                make_private(self._home, self.folder)
                for name in ("objects", "git"):
                    make_private(self._home, os.path.join(self.folder, name))
                with self.journal.locked():
                    self._use(Tree.load(self._tree_file))
                    self._saved_at = self._tree.step
                    self._opened = True
                    self._absorb()
                    self.contents.sweep()
                    self._finish_restoring()
                    self._finish_interrupted()
            except OSError as error:
                raise _trouble(error) from error

    @property
    def _tree_file(self) -> str:
        return os.path.join(self.folder, "tree")

    def _absorb(self) -> list[Change]:
        """Take the steps of other processes into our tree. Returns what stood between what we knew and what they found:
        that is nobody's yet."""
        self.journal.read()
        between: list[Change] = []
        for step in self.journal.steps():
            if step.n <= self._tree.step:
                continue
            self._tree.step = step.n
            if step.began in self._own:
                continue
            for change in step.changes:
                if not self._tree.complete and self._tree.known(change.path) is None:
                    continue
                known = self._tree.state(change.path)
                if known != change.before and known != change.after:
                    between.append(Change(change.path, known, change.before))
                self._tree.assume(change.path, change.after)
        return between

    def _append(self, *written: Record) -> list[Step]:
        """Append records of our own; returns the steps among them, numbered."""
        with self.journal.locked():
            self._own |= {record.began for record in written if isinstance(record, Step)}
            begins = len(self.journal.records)
            self.journal.append(*written)
            return [record for record in self.journal.records[begins:] if isinstance(record, Step)]

    # Steps.

    def begin(self, cause: Cause, places: Sequence[str], runs: bool, meanwhile: Cause | None = None) -> StepUnderWay:
        """Before an action that may write the absolute paths `places`, or anything if it `runs` a command: keep what it may
        change. What changed since the last step may be the work of a job in the background, started by `meanwhile`. Raises
        WorkspaceError, and then the action must not start."""
        try:
            if not self._lock.acquire(timeout=_FIRST_LOOK_S):
                return self._begin_apart(cause, places)
            try:
                self.open()
                return self._begin(cause, places, runs and self.too_large is None, meanwhile)
            finally:
                self._lock.release()
        except OSError as error:
            raise _trouble(error) from error

    def _begin(self, cause: Cause, places: Sequence[str], runs: bool, meanwhile: Cause | None) -> StepUnderWay:
        with self._resting():
            if self._git is None and os.path.lexists(os.path.join(self.root, ".git")):
                self._use(self._tree)
            self.scanner.stopped = False
            first = not self._tree.complete
            if first and runs and not self._look_first():
                return self._begin(cause, places, False, meanwhile)
            under_way = StepUnderWay(os.urandom(6).hex(), cause, runs, self._paths_of(places), self.scanner)
            self._own.add(under_way.token)
            with self.journal.locked():
                self._absorb()
                try:
                    found = self.scanner.look() if runs else self.scanner.look_at(under_way.paths)
                except TooMany:
                    self.too_large = _TOO_MANY
                    return self._begin(cause, places, False, meanwhile)
                if not self._others_running():
                    self._keep_between(changes_of(_with_before(found) if first else found), meanwhile)
                self.contents.sync()
                if first and runs:
                    self.save()
                under_way.n, under_way.before = self._tree.step, self._tree_id
                self.journal.append(self._begun(under_way))
            under_way.at_ns = time.time_ns()
            return under_way

    def _begin_apart(self, cause: Cause, places: Sequence[str]) -> StepUnderWay:
        """While the first look takes its time: keep what is named, and nothing else."""
        apart = self._scanner(Tree(), None, ())
        under_way = StepUnderWay(os.urandom(6).hex(), cause, False, self._paths_of(places), apart)
        apart.look_at(under_way.paths)
        self.contents.sync()
        self.journal.append(self._begun(under_way))
        return under_way

    def first_look(self) -> None:
        """Look at everything for the first time, so that the first command need not wait for it."""
        try:
            self.open()
            with self._lock, self._resting():
                if not self._tree.complete and self.too_large is None and self._look_first():
                    self.contents.sync()
                    self.save()
        except (OSError, WorkspaceError, Stopped):
            pass  # whoever needs it will look again, and be told

    def stop(self) -> None:
        """Give up a look that is under way."""
        self.scanner.stopped = True

    def drop(self, under_way: StepUnderWay) -> None:
        """Forget a step whose action was not begun after all. Raises WorkspaceError."""
        try:
            self.journal.append(Cleared(under_way.token))
        except OSError as error:
            raise _trouble(error) from error

    def _look_first(self) -> bool:
        try:
            self.scanner.look()
        except TooMany:
            self.too_large = _TOO_MANY
        return self.too_large is None

    @property
    def _tree_id(self) -> str:
        return self._tree.id if self._tree.complete else ""

    def _begun(self, under_way: StepUnderWay) -> Begun:
        return Begun(
            token=under_way.token,
            at=self._clock(),
            process=os.getpid(),
            started=_started(os.getpid()),
            runs=under_way.runs,
            cause=under_way.cause,
            before={} if under_way.runs else dict(under_way.scanner.known_at(under_way.paths)),
        )

    def end(self, under_way: StepUnderWay) -> None:
        """Find what the action changed, and keep it. Raises WorkspaceError."""
        try:
            if under_way.scanner is not self.scanner:
                self._end(under_way)
                return
            with self._lock, self._resting():
                self._end(under_way)
                under_way.after = self._tree_id
        except OSError as error:
            raise _trouble(error) from error

    def _end(self, under_way: StepUnderWay) -> None:
        scanner, apart = under_way.scanner, under_way.scanner is not self.scanner
        with self.journal.locked():
            between = [] if apart else self._absorb()
            others = under_way.runs and self._others_running(since_ns=under_way.at_ns)
            found = scanner.look() if under_way.runs else scanner.look_at(under_way.paths)
            changes = _joined([*(between if under_way.runs else ()), *changes_of(found)])
            if others:
                changes = tuple(structs.replace(change, uncertain=True) for change in changes)
            under_way.changes = changes
            under_way.gaps = tuple(scanner.gaps) if under_way.runs else self._gaps_of_part(apart)
            if not changes:
                self.journal.append(Cleared(under_way.token))
                return
            self._keep_contents(changes)
            step = Step(
                n=0,
                at=self._clock(),
                owner="agent",
                changes=changes,
                cause=under_way.cause,
                gaps=under_way.gaps,
                began=under_way.token,
            )
            (kept,) = self._append(step)
            under_way.n = kept.n
            if apart:
                self._own.discard(under_way.token)  # our tree learns of it as of another's
                return
            self._tree.step = kept.n
            self._prune()

    def _gaps_of_part(self, apart: bool) -> tuple[Gap, ...]:
        if apart:
            return (Gap(".", "the first look at the workspace had not ended: only what was named is covered"),)
        return (Gap(".", self.too_large),) if self.too_large else ()

    def _keep_between(self, changes: tuple[Change, ...], meanwhile: Cause | None) -> None:
        """Keep what became different since the last step: as a person's, or as what may be a job's."""
        if not changes:
            return
        if meanwhile:
            changes = tuple(structs.replace(change, uncertain=True) for change in changes)
        self._keep_contents(changes)
        token = os.urandom(6).hex()
        self._own.add(token)
        step = Step(
            n=0,
            at=self._clock(),
            owner="agent" if meanwhile else "person",
            changes=changes,
            cause=meanwhile or NO_CAUSE,
            began=token,
        )
        (kept,) = self._append(step)
        self._tree.step = kept.n

    def _keep_contents(self, changes: Iterable[Change]) -> None:
        """Contents that only git holds come into our store as soon as a step needs them."""
        for change in changes:
            for state in (change.before, change.after):
                if isinstance(state, File) and not self.contents.has(state.id):
                    with suppress(Missing):
                        self.contents.put(self.contents.get(state.id), state.id)
        self.contents.sync()

    @contextmanager
    def _resting(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._git:
                self._git.rest()

    def _paths_of(self, places: Iterable[str]) -> tuple[str, ...]:
        """The paths of these places, and of the folders that would have to be made for them."""
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
                    paths |= dict.fromkeys(self._tree.names_of(status.st_ino))
        return tuple(paths)

    def path_of(self, place: str) -> str:
        """The ledger's path of an absolute real path."""
        if place == self.root:
            return "."
        return place[len(self.root.rstrip("/")) + 1 :] if _is_below(place, self.root) else place

    # Other processes, and crashes.

    def _open_begins(self) -> list[Begun]:
        ended = {record.began for record in self.journal.records if isinstance(record, Step)}
        ended |= {record.token for record in self.journal.records if isinstance(record, Cleared)}
        return [record for record in self.journal.records if isinstance(record, Begun) and record.token not in ended]

    def _others_running(self, since_ns: int = 0) -> bool:
        """Whether another codi runs a command in this workspace, or has since."""
        if any(record.runs and record.token not in self._own and _lives(record) for record in self._open_begins()):
            return True
        if not since_ns:
            return False
        foreign = {
            record.token for record in self.journal.records if isinstance(record, Begun) and record.runs
        } - self._own
        return any(
            (isinstance(record, Step) and record.began in foreign and record.at * 1e9 > since_ns)
            for record in self.journal.records[-50:]
        )

    def _finish_interrupted(self) -> None:
        """What a process that was killed was about to change becomes a step of its own."""
        for begun in self._open_begins():
            if _lives(begun):
                continue
            if begun.runs and not self._tree.complete:
                self.journal.append(Cleared(begun.token))
                continue
            if not begun.runs:
                for path, state in begun.before.items():
                    self._tree.assume(path, state)
            found = self.scanner.look() if begun.runs else self.scanner.look_at(begun.before)
            changes = changes_of(found)
            if not changes:
                self.journal.append(Cleared(begun.token))
                continue
            self._keep_contents(changes)
            step = Step(
                n=0,
                at=self._clock(),
                owner="agent",
                changes=changes,
                cause=begun.cause,
                gaps=tuple(self.scanner.gaps),
                began=begun.token,
                interrupted=True,
            )
            (kept,) = self._append(step)
            self._tree.step = kept.n

    def _finish_restoring(self) -> None:
        """An undo that was cut off is brought to its end. The lock that we hold shows that nobody is at it."""
        ended = {record.began for record in self.journal.records if isinstance(record, Step)}
        for record in self.journal.records:
            if isinstance(record, Restoring) and record.token not in ended:
                self._restore(record.step)

    # Taking back.

    def undoable(self, session: str | None = None) -> list[Step]:
        """The steps that can be taken back, oldest first; of one session alone where it is named."""
        gone = records.undone(self.journal.records)
        return [
            step
            for step in self.journal.steps()
            if step.owner in ("agent", "restore") and step.n not in gone and session in (None, step.cause.session)
        ]

    def plan(self, steps: Sequence[Step], paths: Iterable[str] = ()) -> Plan:
        """What taking these steps back would do. Nothing is changed."""
        named = tuple(paths)
        with self._lock, self._resting():
            return Planner(self.scanner.state, self.contents.get, certain=not named).plan(steps, named)

    def undo(self, steps: Sequence[Step], paths: Iterable[str] = (), cause: Cause = NO_CAUSE) -> Undone:
        """Take steps back, as `plan` says. Raises WorkspaceError."""
        return self._carry_out(lambda: self.plan(steps, paths), "undo", cause)

    def redoable(self, session: str | None = None) -> list[Step]:
        """The undos that can be put back, oldest first. A new change of the agent clears them."""
        waiting: list[Step] = []
        for step in self.journal.steps():
            if session not in (None, step.cause.session):
                continue
            if step.owner == "undo":
                waiting.append(step)
            elif step.owner == "redo" and waiting:
                waiting.pop()
            elif step.owner in ("agent", "restore"):
                waiting.clear()
        return waiting

    def plan_redo(self, undo: Step) -> Plan:
        return structs.replace(self.plan([undo]), steps=undo.undoes)

    def redo(self, undo: Step) -> Undone:
        """Put back what an undo took."""
        return self._carry_out(lambda: self.plan_redo(undo), "redo", undo.cause)

    def plan_restore(self, states: dict[str, State]) -> Plan:
        with self._lock, self._resting():
            return Planner(self.scanner.state, self.contents.get).towards(states)

    def restore(self, states: dict[str, State], cause: Cause) -> Undone:
        """Give paths the states that they had, whoever changed them since."""
        return self._carry_out(lambda: self.plan_restore(states), "restore", cause)

    def _carry_out(self, planned: Callable[[], Plan], owner: Owner, cause: Cause) -> Undone:
        self.open()
        try:
            with self._lock, self._resting(), self.journal.locked():
                self._absorb()
                plan = planned()
                targets = plan.targets
                asides = self._asides(plan) if owner != "redo" else []
                for id, content in plan.merged.items():
                    if any(
                        isinstance(state, File) and state.id == id for each in targets for state in (each.now, each.to)
                    ):
                        self.contents.put(content, id)
                self.contents.sync()
                changes = tuple(Change(each.path, each.now, each.to) for each in [*targets, *asides])
                if not changes and not plan.steps:
                    return Undone(None, plan, {})
                token = os.urandom(6).hex()
                step = Step(
                    n=0, at=self._clock(), owner=owner, changes=changes, cause=cause, undoes=plan.steps, began=token
                )
                self._own.add(token)
                self.journal.append(Restoring(token=token, step=step))
                kept, failed = self._restore(step)
                return Undone(kept, plan, failed, tuple(aside.path for aside in asides if aside.path not in failed))
        except OSError as error:
            raise _trouble(error) from error

    def _restore(self, step: Step) -> tuple[Step, dict[str, str]]:
        """Do what a journalled intent says; what is done already stays done."""
        targets = []
        for change in step.changes:
            present, _ = self.scanner.state(change.path)
            if present != change.after:
                targets.append(Target(change.path, change.before, change.after))
        restorer = Restorer(self.scanner, self.contents.get)
        restorer.apply(targets)
        if self._git and any(is_of_git(target.path) for target in targets):
            self._git.put_back()
        changes = tuple(change for change in step.changes if change.path not in restorer.failed)
        self._own.add(step.began)
        (kept,) = self._append(structs.replace(step, changes=changes))
        for change in changes:
            self._tree.assume(change.path, change.after)
        self._tree.step = kept.n
        return kept, restorer.failed

    def _asides(self, plan: Plan) -> list[Target]:
        """Beside each file in conflict its older content, for the person to compare. Never among git's own files."""
        found = []
        for action in plan.conflicts:
            path = action.path + _ASIDE
            if isinstance(action.aside, File) and not is_of_git(action.path) and self._is_kept(action.aside.id):
                found.append(Target(path, self.scanner.state(path)[0], action.aside))
        return [target for target in found if target.now != target.to]

    def _is_kept(self, id: str) -> bool:
        try:
            self.contents.get(id)
        except Missing:
            return False
        return True

    # What is not covered.

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
        if self._tree.complete:
            return self.scanner.gaps
        return [Gap(name, "excluded by undo.exclude") for name in self.settings.exclude]

    # Looking.

    def look(self, meanwhile: Cause | None = None) -> tuple[Change, ...]:
        """What became different since the last step; it becomes a step of a person, or of the job that `meanwhile` started.
        Raises WorkspaceError."""
        self.open()
        try:
            with self._lock, self._resting(), self.journal.locked():
                self._absorb()
                self.scanner.stopped = False
                first = not self._tree.complete
                changes = changes_of(self.scanner.look())
                if first:
                    changes = ()
                if self._others_running():
                    return changes
                self._keep_between(changes, meanwhile)
                self.contents.sync()
                self.save()
                return changes
        except (OSError, TooMany) as error:
            raise _trouble(error) from error

    def name_tree(self, name: str) -> Named:
        """Give the tree as it stands now a name. Raises WorkspaceError."""
        self.look()
        try:
            with self._lock, self.journal.locked():
                step = self.journal.newest()
                named = Named(id=f"s{step}", name=name, at=self._clock(), step=step, tree=self._tree.id)
                self.journal.append(named)
                return named
        except OSError as error:
            raise _trouble(error) from error

    def forget_names(self, names: Iterable[str]) -> None:
        """Take names of trees away. Raises WorkspaceError."""
        gone = [Named(id="", name=name, at=self._clock(), step=0, tree="", deleted=True) for name in names]
        try:
            if gone:
                self.journal.append(*gone)
        except OSError as error:
            raise _trouble(error) from error

    def lost(self) -> list[int]:
        """The steps of which something cannot be taken back, because what it replaced is damaged or gone."""
        with self._resting():
            return [step.n for step in self.undoable() if not all(map(self._can_come_back, step.changes))]

    def _can_come_back(self, change: Change) -> bool:
        return not isinstance(change.before, Uncovered) and (
            not isinstance(change.before, File) or self._is_kept(change.before.id)
        )

    def close(self) -> None:
        """Keep what was learned for the next start."""
        with self._lock, suppress(OSError):
            if self._opened and self._tree.complete and self._tree.step != self._saved_at:
                with self.journal.locked():
                    self.save()

    def save(self) -> None:
        self._tree.save(self._tree_file)
        self._saved_at = self._tree.step

    # Room.

    def used(self) -> int:
        """Bytes that the ledger takes of the disk."""
        size = self.contents.used() + (self._git.used() if self._git else 0)
        for name in ("journal.jsonl", "tree"):
            with suppress(FileNotFoundError):
                size += os.stat(os.path.join(self.folder, name)).st_size
        return size

    @property
    def quota(self) -> int:
        """Bytes that it may take: what is set, and no more than a fifth of what is free."""
        status = os.statvfs(self.folder if os.path.isdir(self.folder) else "/")
        return min(self.settings.quota_mb * _MB, self.contents.used() + status.f_bavail * status.f_frsize // 5)

    def _has_room(self, size: int) -> bool:
        return self.contents.used() + size <= self.quota or size <= self._prunable(size)

    def _prunable(self, size: int) -> int:
        """Give up old steps for a content of this size; the room that there is then."""
        self._prune(size)
        return self.quota - self.contents.used()

    def _prune(self, more: int = 0) -> None:
        """Give up whole steps, oldest first, until all is under the quota."""
        if self.contents.used() + more <= self.quota:
            return
        with self.journal.locked():
            if self._git:
                self._git.drop()
            steps = self.journal.steps()
            while steps and self.contents.used() + more > self.quota:
                through = steps[max(len(steps) // 8, 1) - 1].n
                steps = [step for step in steps if step.n > through]
                wanted = self._tree.contents()
                wanted |= {
                    state.id
                    for step in steps
                    for change in step.changes
                    for state in (change.before, change.after)
                    if isinstance(state, File)
                }
                self._shorten(through)
                self.contents.keep_only(wanted)

    def _shorten(self, through: int) -> None:
        open_tokens = {begun.token for begun in self._open_begins()}

        def keep(record: Record) -> bool:
            match record:
                case Step(n=n):
                    return n > through
                case Begun(token=token):
                    return token in open_tokens
                case Named(step=step):
                    return step >= through
                case Pruned() | Cleared() | Restoring():
                    return False
            return True

        self.journal.shorten(keep, Pruned(through))


def workspace_id(root: str) -> str:
    """A name for the folder of a workspace's ledger, that a person recognises."""
    tail = re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(root))[-40:] or "root"
    return f"{tail}-{sha256(os.fsencode(root)).hexdigest()[:12]}"


def _with_before(differences: Iterable[Difference]) -> list[Difference]:
    return [each for each in differences if each.before is not None]


def _is_below(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip("/") + "/")


def _joined(changes: Iterable[Change]) -> tuple[Change, ...]:
    """One change a path, from the first before to the last after."""
    joined: dict[str, Change] = {}
    for change in changes:
        earlier = joined.get(change.path)
        joined[change.path] = structs.replace(change, before=earlier.before) if earlier else change
    return tuple(change for change in joined.values() if change.before != change.after)


def _trouble(error: Exception) -> WorkspaceError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return WorkspaceError(
        f"what is to be changed cannot be kept for undo: {said}",
        hint="Make room on the disk, or set undo.enabled = false.",
    )


def _started(process: int) -> str:
    """Clock ticks after boot at which a process began, which tells it from a later one of the same number."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _lives(begun: Begun) -> bool:
    return bool(begun.started) and _started(begun.process) == begun.started
