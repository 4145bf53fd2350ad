"""The changed files of a session below each other: what became of each, by whom, git's ids of it before and after, and the diff."""

import time
from collections.abc import Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.cells import width
from codi.frontends.tui.diff_view import DiffView
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.protocol.events import ChangedFileRow

_SHORT_ID = 12


class ChangesView:
    """`lines`, `toggle` and `blocks` are those of a pager's content: a block is a file."""

    def __init__(self, files: Sequence[ChangedFileRow]) -> None:
        self._files = [(file, DiffView("\n".join(file.patch), file.path)) for file in files]

    def toggle(self, columns: int) -> None:
        """From below each other to side by side, or back."""
        for _, diff in self._files:
            diff.toggle(columns)

    def lines(self, columns: int) -> list[Line]:
        out: list[Line] = list(wrapped(((_summary([file for file, _ in self._files]), "dim"),), columns))
        for file, diff in self._files:
            out += [(), *_heading(file, columns), *diff.lines(columns)]
        return out

    def blocks(self, columns: int) -> list[int]:
        """Where each file begins."""
        starts, at = [], len(wrapped(((_summary([file for file, _ in self._files]), "dim"),), columns))
        for file, diff in self._files:
            starts.append(at + 1)
            at += 1 + len(_heading(file, columns)) + len(diff.lines(columns))
        return starts


def _summary(files: Sequence[ChangedFileRow]) -> str:
    names = len({file.path for file in files})
    added, removed = sum(file.added or 0 for file in files), sum(file.removed or 0 for file in files)
    return f"{names} file{'' if names == 1 else 's'}, +{added} -{removed}"


def _heading(file: ChangedFileRow, columns: int) -> list[Line]:
    counts = "" if file.added is None else f" +{file.added} -{file.removed}"
    when = time.strftime(" %H:%M", time.localtime(file.at)) if file.at else ""
    said = f"{file.kind}{counts}, by {visible(file.by or file.owner)}{when}"
    lines: list[Line] = [clipped(((said, "accent"),), columns)]
    ids = _ids(file, 64)
    lines.append(clipped(((ids if width(ids) <= columns else _ids(file, _SHORT_ID), "dim"),), columns))
    return lines


def _ids(file: ChangedFileRow, digits: int) -> str:
    return f"blob {(file.before or 'none')[:digits]} → {(file.after or 'none')[:digits]}"
