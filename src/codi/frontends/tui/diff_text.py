"""Reading a diff, as git and codi write it: which lines are of which side, where they stand, and what became of the file.

Two forms are read: unified diffs (https://git-scm.com/docs/diff-format), with or without git's own lines before them, and the
numbered form of codi's edits: ` NN text`, `-NN text`, `+NN text`, ` ...` for what is left out.
"""

import re
from collections.abc import Sequence
from typing import Literal

RowKind = Literal["same", "added", "removed", "hunk", "gap", "file", "note"]

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NUMBERED = re.compile(r"([ +-])( *\d+) (.*)", re.DOTALL)
_GIT_LINES = ("diff --git ", "index ", "similarity index ", "dissimilarity index ")


class DiffRow:
    """One line of a diff. `old` and `new` are its numbers on both sides, 0 where it is on one only. `path` is the file it is of.
    `carriage` says that the line ends with a carriage return, which is no longer part of the text."""

    __slots__ = ("carriage", "kind", "new", "old", "path", "text")

    def __init__(self, kind: RowKind, text: str, *, old: int = 0, new: int = 0, path: str = "") -> None:
        self.kind = kind
        self.carriage = text.endswith("\r") and kind in ("same", "added", "removed")
        self.text = text[:-1] if self.carriage else text
        self.old = old
        self.new = new
        self.path = path


def is_diff(text: str) -> bool:
    """Whether there is a unified diff in it."""
    return any(_HUNK.match(line) or line.startswith("Binary files ") for line in text.split("\n"))


def read_diff(text: str, path: str = "") -> list[DiffRow]:
    """The rows of a diff of any form; what is no part of a diff comes as a note. `path` is the file where the diff names none."""
    lines = text.rstrip("\n").split("\n") if text else []
    return _Reading(lines, path).rows()


class _Reading:
    def __init__(self, lines: Sequence[str], path: str) -> None:
        self._lines = lines
        self._path = path
        self._rows: list[DiffRow] = []
        self._old = self._new = self._old_left = self._new_left = 0
        self._is_numbered = not any(_HUNK.match(line) for line in lines)
        self._marks: list[str] = []
        self._before = ""
        self._shift = 0

    def rows(self) -> list[DiffRow]:
        at = 0
        while at < len(self._lines):
            line = self._lines[at]
            if self._old_left > 0 or self._new_left > 0:
                self._in_hunk(line)
            elif line.startswith("--- ") and self._lines[at + 1 : at + 2] and self._lines[at + 1].startswith("+++ "):
                self._file(line[4:], self._lines[at + 1][4:])
                at += 1
            elif self._is_numbered and self._numbered(line):
                pass
            else:
                self._between(line)
            at += 1
        self._close()
        return self._rows

    def _in_hunk(self, line: str) -> None:
        sign, rest = line[:1], line[1:]
        if sign == "+":
            self._add("added", rest, new=self._new)
            self._new += 1
            self._new_left -= 1
        elif sign == "-":
            self._add("removed", rest, old=self._old)
            self._old += 1
            self._old_left -= 1
        elif sign == "\\":
            self._add("note", line)
        else:
            self._add("same", rest, old=self._old, new=self._new)
            self._old += 1
            self._new += 1
            self._old_left -= 1
            self._new_left -= 1

    def _numbered(self, line: str) -> bool:
        found = _NUMBERED.fullmatch(line)
        if found:
            number = int(found[2])
            match found[1]:
                case "+":
                    self._add("added", found[3], new=number)
                    self._shift += 1
                case "-":
                    self._add("removed", found[3], old=number)
                    self._shift -= 1
                case _:
                    self._add("same", found[3], old=number, new=number + self._shift)
            return True
        if line == " ...":
            self._add("gap", "...")
            return True
        return False

    def _between(self, line: str) -> None:
        """A line outside of hunks: git's words about the file, or somebody's else."""
        found = _HUNK.match(line)
        if found:
            self._close()
            self._old, self._new = int(found[1]), int(found[3])
            self._old_left = int(found[2]) if found[2] is not None else 1
            self._new_left = int(found[4]) if found[4] is not None else 1
            self._add("hunk", line)
        elif line.startswith("diff --git "):
            self._close()
            self._before = line.rpartition(" b/")[2]
        elif line.startswith(_GIT_LINES):
            return
        elif line.startswith("--- "):
            self._path, self._shift = line[4:], 0
            self._add("file", line[4:])
        elif line.startswith("new file mode"):
            self._marks.append("new")
        elif line.startswith("deleted file mode"):
            self._marks.append("deleted")
        elif line.startswith(("rename from ", "copy from ")):
            self._marks.append(f"{'renamed' if line[0] == 'r' else 'copied'} from {line.partition(' from ')[2]}")
        elif line.startswith(("rename to ", "copy to ")):
            self._before = line.partition(" to ")[2]
        elif line.startswith("old mode "):
            self._marks.append(f"mode {line[9:]}")
        elif line.startswith("new mode ") and self._marks:
            self._marks[-1] += f" → {line[9:]}"
        elif line.startswith("Binary files ") and " differ" in line:
            self._binary(line)
        elif line or self._rows:
            self._add("note", line)

    def _binary(self, line: str) -> None:
        names, _, size = line.removeprefix("Binary files ").partition(" differ")
        old, _, new = names.partition(" and ")
        self._path = _name(new) or _name(old)
        marks = [
            *self._marks,
            "binary",
            *(["new"] if old == "/dev/null" else ["deleted"] if new == "/dev/null" else []),
        ]
        self._marks, self._before = [], ""
        self._add("file", f"{self._path} ({', '.join(dict.fromkeys(marks))}){size}")

    def _file(self, old: str, new: str) -> None:
        before, after = _name(old), _name(new)
        self._path = after or before
        marks = list(self._marks)
        if not before:
            marks.append("new")
        elif not after:
            marks.append("deleted")
        elif before != after and not any(mark.startswith(("renamed", "copied")) for mark in marks):
            marks.append(f"renamed from {before}")
        self._marks, self._before, self._shift = [], "", 0
        self._add("file", self._path + (f" ({', '.join(dict.fromkeys(marks))})" if marks else ""))

    def _close(self) -> None:
        """Tell of a file of which only the name or the mode changed."""
        if self._marks:
            self._path = self._before
            self._add("file", f"{self._path} ({', '.join(self._marks)})")
            self._marks, self._before = [], ""

    def _add(self, kind: RowKind, text: str, *, old: int = 0, new: int = 0) -> None:
        self._rows.append(DiffRow(kind, text, old=old, new=new, path=self._path))


def _name(told: str) -> str:
    """The path without git's `a/` and `b/`, and without a time behind it; "" for no file."""
    name = told.partition("\t")[0]
    return "" if name == "/dev/null" else name[2:] if name[:2] in ("a/", "b/") else name
