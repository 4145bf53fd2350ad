"""The books of a workspace: journal, contents, and the tree as it was last seen, kept in step with each other.

All codi processes of a workspace write to one journal. What others wrote there is taken into our tree before anything is
concluded from it.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from threading import RLock

from codi.protocol.errors import WorkspaceError
from codi.workspace import git
from codi.workspace.ledger.contents import Contents, Missing
from codi.workspace.ledger.coverage import UndoSettings
from codi.workspace.ledger.folders import make_private
from codi.workspace.ledger.git_objects import GitObjects
from codi.workspace.ledger.journal import Journal
from codi.workspace.ledger.room import Room
from codi.workspace.ledger.scanning import Scanner
from codi.workspace.ledger.states import NO_CAUSE, Cause, Change, File, Owner, Step
from codi.workspace.ledger.tree import Tree

_MB = 1024 * 1024
_SHARED = ("refs", "packed-refs", "logs/refs", "config")
"""What all worktrees of a repository share, and any of them may change."""


class Books:
    """`own` are the tokens of what this process began. Whoever reads or changes the books holds `lock`."""

    def __init__(self, home: str, root: str, settings: UndoSettings, clock: Callable[[], float] = time.time) -> None:
        self.root = os.path.realpath(root)
        self.folder = os.path.join(home, "undo", workspace_id(self.root))
        self.settings = settings
        self.clock = clock
        self.lock = RLock()
        self.own: set[str] = set()
        self.journal = Journal(self.folder)
        self.contents = Contents(os.path.join(self.folder, "objects"), self._from_git)
        self.room = Room(self.folder, settings.quota_mb * _MB, self.journal, self.contents)
        self._home = home
        self._generation = 0
        self._saved = -1
        self.use(Tree())

    def use(self, tree: Tree) -> None:
        """Go on from this tree."""
        self.tree = tree
        self.git: GitObjects | None = None
        tops: list[str] = []
        if self.has_repository:
            own, common = git.folders_of(self.root)
            self.git = GitObjects(os.path.join(self.folder, "git"), own, common, tree.blobs)
            if not is_below(common, self.root):
                # Of a repository with several worktrees: what is this one's, and what all share; not what is another's.
                tops = [own, *(os.path.join(common, name) for name in _SHARED)]
        self.scanner = self._scanner(tree, self.git, tops)

    @property
    def has_repository(self) -> bool:
        return os.path.lexists(os.path.join(self.root, ".git"))

    def scanner_apart(self) -> Scanner:
        """One that knows nothing yet and shares nothing but the contents."""
        return self._scanner(Tree(), None, ())

    def _scanner(self, tree: Tree, git_objects: GitObjects | None, tops: Sequence[str]) -> Scanner:
        scanner = Scanner(
            self.root,
            tree,
            self.contents,
            git_objects,
            tops=tops,
            exclude=self.settings.exclude,
            max_bytes=self.settings.max_file_mb * _MB,
            room=lambda size: self.room.has(size, tree, scanner.found, self.git),
        )
        return scanner

    def _from_git(self, id: str) -> bytes | None:
        return self.git.content(id) if self.git else None

    def open(self) -> None:
        """Read what there is. Raises OSError, and WorkspaceError where something else is in our place."""
        make_private(self._home, self.folder)
        for name in ("objects", "git"):
            make_private(self._home, os.path.join(self.folder, name))
        self.use(Tree.load(self._tree_file))
        self._saved = self.tree.step if self.tree.complete else -1
        self.contents.sweep()

    def save(self) -> None:
        """Keep the tree for the next start, if it is worth it. Raises OSError."""
        if self.tree.complete and self.tree.step != self._saved:
            self.tree.save(self._tree_file)
            self._saved = self.tree.step

    @property
    def _tree_file(self) -> str:
        return os.path.join(self.folder, "tree")

    @property
    def tree_id(self) -> str:
        """The id of the whole tree; "" as long as it was not looked at as a whole."""
        return self.tree.id if self.tree.complete else ""

    def absorb(self) -> list[Change]:
        """Take the steps of other processes into our tree. Returns what stood between what we knew and what they found:
        that is nobody's yet."""
        self.journal.read()
        if self.journal.generation != self._generation:
            self._generation = self.journal.generation
            self.contents.forget()  # whoever wrote the journal anew removed contents too
        between: list[Change] = []
        for step in self.journal.steps_after(self.tree.step):
            self.tree.step = step.n
            if step.began in self.own:
                continue
            for change in step.changes:
                if not self.tree.complete and self.tree.known(change.path) is None:
                    continue
                known = self.tree.state(change.path)
                if known not in (change.before, change.after):
                    between.append(Change(change.path, known, change.before))
                self.tree.assume(change.path, change.after)
        return between

    def token(self) -> str:
        """A new name for something that we begin."""
        token = os.urandom(6).hex()
        self.own.add(token)
        return token

    def keep(self, step: Step) -> Step:
        """Journal a step of our own; returns it with its number. Raises OSError."""
        with self.journal.locked():
            self.own.add(step.began)
            self.keep_contents(step.changes)
            self.journal.append(step)
            kept = self.journal.steps()[-1]
            self.tree.step = kept.n
            return kept

    def step_of(self, changes: tuple[Change, ...], owner: Owner, *, cause: Cause = NO_CAUSE, began: str = "") -> Step:
        """A step that gets its number when it is kept."""
        return Step(n=0, at=self.clock(), owner=owner, changes=changes, cause=cause, began=began or self.token())

    def keep_contents(self, changes: Iterable[Change]) -> None:
        """Contents that only git holds come into our store as soon as a step needs them."""
        for change in changes:
            for state in (change.before, change.after):
                if isinstance(state, File) and not self.contents.has(state.id):
                    with suppress(Missing):
                        self.contents.put(self.contents.get(state.id), state.id)
        self.contents.sync()

    def is_kept(self, id: str) -> bool:
        try:
            self.contents.get(id)
        except Missing:
            return False
        return True

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Afterwards no git runs for us any more."""
        try:
            yield
        finally:
            if self.git:
                self.git.rest()

    def path_of(self, place: str) -> str:
        """The ledger's path of an absolute real path."""
        if place == self.root:
            return "."
        return place[len(self.root.rstrip("/")) + 1 :] if is_below(place, self.root) else place


def workspace_id(root: str) -> str:
    """A name for the folder of a workspace's books, that a person recognises."""
    tail = re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(root))[-40:] or "root"
    return f"{tail}-{sha256(os.fsencode(root)).hexdigest()[:12]}"


def is_below(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip("/") + "/")


@contextmanager
def troubles() -> Iterator[None]:
    """What the disk refuses becomes a WorkspaceError."""
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"what is to be changed cannot be kept for undo: {error.strerror or error}",
            hint="Make room on the disk, or set undo.enabled = false.",
        ) from error
