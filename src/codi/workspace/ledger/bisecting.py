"""Finding the step that broke something: the tree after a step is made anew in a folder of its own, and a command judges it.

Each judgement gets a fresh folder, since what a command leaves behind (compiled files above all) could speak for another
version. The workspace itself is only read.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from msgspec import Struct

from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger.contents import Contents
from codi.workspace.ledger.restoring import Restorer, Target
from codi.workspace.ledger.scanning import Scanner
from codi.workspace.ledger.snapshots import first_changes_after
from codi.workspace.ledger.states import Step
from codi.workspace.ledger.tree import Tree

_SKIP = 125
_MOST_STATUS = 127
_NEEDED = ("node_modules", ".venv", "venv")
"""Too large to copy, and needed to run anything: linked. Other folders that are not covered can be made again."""


class Found(Struct, frozen=True):
    """`steps` are the first bad one, or, where commands skipped, the few among which it is. `runs` counts the judgements."""

    steps: tuple[Step, ...]
    runs: int


class Bisecting:
    """`exclude` are the names of folders that the ledger does not cover."""

    def __init__(self, root: str, steps: Sequence[Step], contents: Contents, exclude: Sequence[str]) -> None:
        self._root = root
        self._steps = steps
        self._contents = contents
        self._exclude = frozenset(exclude)

    def find(self, candidates: Sequence[Step], judge: Callable[[str, Step], int]) -> Found:
        """The first of the candidates after which `judge` says bad. Before them all was good, after them it is bad; so of n
        candidates at most ceil(log2 n) are judged, but for those that are skipped. Raises WorkspaceError."""
        good, bad, runs = -1, len(candidates) - 1, 0
        skipped: set[int] = set()
        while waiting := [at for at in range(good + 1, bad) if at not in skipped]:
            middle = min(waiting, key=lambda at: abs(at - (good + bad) // 2))
            with self.tree_after(candidates[middle].n) as place:
                status = judge(place, candidates[middle])
            runs += 1
            if status == 0:
                good = middle
            elif status == _SKIP:
                skipped.add(middle)
            elif 0 < status <= _MOST_STATUS:
                bad = middle
            else:
                raise WorkspaceError(
                    f"the command ended with status {status} after step {candidates[middle].n}",
                    hint="It must say 0 for good, 1 to 124 for bad, or 125 to skip.",
                )
        return Found(tuple(candidates[good + 1 : bad + 1]), runs)

    @contextmanager
    def tree_after(self, number: int) -> Iterator[str]:
        """A folder with the tree as it was after a step, for as long as the context lasts."""
        with tempfile.TemporaryDirectory(prefix="codi-bisect-", ignore_cleanup_errors=True) as scratch:
            place = os.path.join(scratch, os.path.basename(self._root) or "root")
            self._copy(self._root, place)
            scanner = Scanner(place, Tree(), self._contents, None, max_bytes=1 << 40)
            targets = [
                Target(path, scanner.state(path)[0], change.before)
                for path, change in first_changes_after(self._steps, number).items()
                if not path.startswith("/")
            ]
            restorer = Restorer(scanner, self._contents.get)
            restorer.apply([target for target in targets if target.now != target.to])
            if restorer.failed:
                path, why = next(iter(restorer.failed.items()))
                raise WorkspaceError(
                    f"the tree after step {number} cannot be made again: {path}: {why}",
                    hint="Choose a later step with --from.",
                )
            yield place

    def _copy(self, source: str, target: str) -> None:
        os.mkdir(target, 0o700)
        with os.scandir(source) as entries:
            for entry in entries:
                there = os.path.join(target, entry.name)
                if entry.name in _NEEDED and entry.name in self._exclude:
                    os.symlink(entry.path, there)
                elif entry.is_symlink():
                    os.symlink(os.readlink(entry.path), there)
                elif entry.is_dir():
                    if entry.name not in self._exclude and entry.name != ".git":
                        self._copy(entry.path, there)
                elif entry.is_file():
                    with suppress(PermissionError):
                        shutil.copyfile(entry.path, there)
                        os.chmod(there, stat.S_IMODE(entry.stat().st_mode))
        os.chmod(target, stat.S_IMODE(os.stat(source).st_mode) | stat.S_IRWXU)
