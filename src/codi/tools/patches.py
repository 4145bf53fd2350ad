"""Patches as models write them, taken apart.

Three forms are understood: unified diffs with or without git's headers, the form that begins with `*** Begin Patch`, and
blocks of SEARCH and REPLACE. Line numbers and counts are often wrong in what a model writes, so numbers are kept as hints and
counts only help to tell where a hunk ends. All paths are as they were written.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct, structs

Sign = Literal[" ", "-", "+"]


class PatchError(ValueError):
    """The text is no patch, or a patch that can not be applied to text."""


class Line(Struct, frozen=True):
    sign: Sign
    text: str


class Hunk(Struct, frozen=True, kw_only=True):
    """Lines that are to be found in this order, with what is to change. `at` is the first line's number as the patch has it;
    `headings` are lines that stand before it. `old_cut` and `new_cut` say that the last line ends without a newline;
    `at_end` that the hunk ends the file."""

    lines: tuple[Line, ...]
    at: int | None = None
    headings: tuple[str, ...] = ()
    old_cut: bool = False
    new_cut: bool = False
    at_end: bool = False

    @property
    def old(self) -> list[str]:
        return [line.text for line in self.lines if line.sign != "+"]

    @property
    def new(self) -> list[str]:
        return [line.text for line in self.lines if line.sign != "-"]


class FilePatch(Struct, frozen=True, kw_only=True):
    """What a patch does to one file. `source` is the file that is renamed or copied to `path`."""

    path: str
    kind: Literal["add", "delete", "update", "rename", "copy"] = "update"
    source: str | None = None
    hunks: tuple[Hunk, ...] = ()
    mode: int | None = None


def parsed(patch: str, path: str | None = None) -> list[FilePatch]:
    """The files of a patch, each once. `path` is meant where the patch names none. Raises PatchError."""
    lines = _unfenced(patch.replace("\r\n", "\n").removesuffix("\n").split("\n"))
    if any(_ENVELOPE.match(line) for line in lines):
        files = list(_enveloped(lines))
    elif any(_SEARCH.match(line) for line in lines):
        files = list(_blocks(lines, path))
    else:
        files = list(_unified(lines, path))
    files = _each_once(files)
    if not any(file.hunks or file.kind != "update" or file.mode is not None for file in files):
        raise PatchError("No valid hunk in the patch")
    return files


def _unfenced(lines: list[str]) -> list[str]:
    while lines and not lines[0].strip():
        lines = lines[1:]
    if lines and lines[0].startswith("```"):
        end = next((at for at in range(len(lines) - 1, 0, -1) if lines[at].strip() == "```"), len(lines))
        lines = lines[1:end]
    return lines


def _each_once(files: Sequence[FilePatch]) -> list[FilePatch]:
    once: dict[str, FilePatch] = {}
    for file in files:
        other = once.get(file.path)
        if other is None:
            once[file.path] = file
        elif other.kind == file.kind == "update":
            once[file.path] = structs.replace(other, hunks=other.hunks + file.hunks, mode=file.mode or other.mode)
        else:
            raise PatchError(f"{file.path} occurs twice in the patch")
    return list(once.values())


_ENVELOPE = re.compile(r"\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File: )")
_SECTION = re.compile(r"\*\*\* (?P<what>Add|Update|Delete) File: (?P<path>.+?)\s*$")
_MOVE = re.compile(r"\*\*\* Move to: (?P<path>.+?)\s*$")


def _enveloped(lines: list[str]) -> Iterator[FilePatch]:
    begin = next((at + 1 for at, line in enumerate(lines) if line.startswith("*** Begin Patch")), 0)
    end = next((at for at in range(begin, len(lines)) if lines[at].startswith("*** End Patch")), len(lines))
    at = begin
    while at < end:
        section = _SECTION.match(lines[at])
        if section is None:
            if lines[at].strip():
                raise PatchError(
                    f'Expected "*** Add File:", "*** Update File:" or "*** Delete File:", not "{lines[at]}"'
                )
            at += 1
            continue
        stop = next((to for to in range(at + 1, end) if _SECTION.match(lines[to])), end)
        yield _enveloped_file(section["what"], section["path"], lines[at + 1 : stop])
        at = stop


def _enveloped_file(what: str, path: str, lines: list[str]) -> FilePatch:
    if what == "Delete":
        return FilePatch(path=path, kind="delete")
    if what == "Add":
        while lines and not lines[-1]:
            lines = lines[:-1]
        wrong = next((line for line in lines if line and line[0] != "+"), None)
        if wrong is not None:
            raise PatchError(f'Each line of the added file {path} must begin with "+": "{wrong}"')
        added = tuple(Line("+", line[1:]) for line in lines)
        return FilePatch(path=path, kind="add", hunks=(Hunk(lines=added),) if added else ())
    move = _MOVE.match(lines[0]) if lines else None
    hunks = tuple(_hunks_between_headings(lines[1:] if move else lines))
    if move:
        return FilePatch(path=move["path"], kind="rename", source=path, hunks=hunks)
    return FilePatch(path=path, hunks=hunks)


def _hunks_between_headings(lines: list[str]) -> Iterator[Hunk]:
    headings: list[str] = []
    body: list[str] = []
    for line in [*lines, "@@"]:
        if not line.startswith("@@"):
            body.append(line)
            continue
        if any(body):
            yield _enveloped_hunk(body, headings)
            headings = []
        body = []
        heading = line.removeprefix("@@").strip()
        numbered = _HUNK.match(line)
        if heading and not numbered:
            headings.append(heading.removesuffix("@@").strip())


def _enveloped_hunk(body: list[str], headings: list[str]) -> Hunk:
    at_end = any(line.startswith("*** End of File") for line in body)
    return structs.replace(
        _hunk_of([line for line in body if not line.startswith("*** End of File")]),
        headings=tuple(headings),
        at_end=at_end,
    )


_SEARCH = re.compile(r"<{5,9} ?SEARCH>?\s*$")
_DIVIDER = re.compile(r"={5,9}\s*$")
_REPLACE = re.compile(r">{5,9} ?REPLACE\s*$")


def _blocks(lines: list[str], path: str | None) -> Iterator[FilePatch]:
    above: list[str] = []
    at = 0
    while at < len(lines):
        if not _SEARCH.match(lines[at]):
            above.append(lines[at])
            at += 1
            continue
        divider = next((to for to in range(at, len(lines)) if _DIVIDER.match(lines[to])), None)
        end = next((to for to in range(divider or at, len(lines)) if _REPLACE.match(lines[to])), None)
        if divider is None or end is None:
            raise PatchError("A SEARCH block lacks its ======= or its >>>>>>> REPLACE")
        path = _named_above(above) or path
        if path is None:
            raise PatchError(
                "A SEARCH block names no file: give `path`, or the file's path on the line before the block"
            )
        old = tuple(Line("-", line) for line in lines[at + 1 : divider])
        new = tuple(Line("+", line) for line in lines[divider + 1 : end])
        yield FilePatch(path=path, kind="update" if old else "add", hunks=(Hunk(lines=old + new),))
        above = []
        at = end + 1


def _named_above(lines: list[str]) -> str | None:
    for line in reversed(lines):
        name = line.strip().strip("`*#: ")
        if name and not line.startswith("```"):
            return name if not re.search(r"\s", name) or "/" in name else None
    return None


_HUNK = re.compile(r"@@+ -(?P<old>\d+)(?:,(?P<old_count>\d+))? \+\d+(?:,(?P<new_count>\d+))? @@")
_HEADER = re.compile(
    r"(?:old mode|new mode|deleted file mode|new file mode|similarity index|dissimilarity index|index|rename from"
    r"|rename to|copy from|copy to) (?P<value>.*)"
)
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")


class _Header(Struct):
    """What the lines before the hunks of one file say."""

    old: str | None = None
    new: str | None = None
    facts: dict[str, str] = {}


def _unified(lines: list[str], path: str | None) -> Iterator[FilePatch]:
    at = 0
    while at < len(lines):
        header, begin = _header(lines, at)
        hunks, at = _hunks(lines, begin)
        if header is None and not hunks:
            at = max(at, begin + 1)
            continue
        yield _unified_file(header or _Header(), tuple(hunks), path)


def _header(lines: list[str], at: int) -> tuple[_Header | None, int]:
    """The header that begins at a line, and the line after it."""
    header = _Header(facts={})
    begun = False
    while at < len(lines):
        line = lines[at]
        if line.startswith("diff --git "):
            if begun:
                break
            header.old, header.new = _git_paths(line.removeprefix("diff --git "))
            begun = True
        elif _is_file_header(lines, at):
            header.old, header.new = _stripped(_path(line[4:]), _path(lines[at + 1][4:]))
            return header, at + 2
        elif begun and (found := _HEADER.match(line)):
            header.facts[line[: found.start("value")].strip()] = found["value"]
        elif line.startswith(("GIT binary patch", "Binary files ")):
            raise PatchError(f"Binary patches are refused ({header.new or line})")
        elif begun or line.startswith("@@"):
            break
        at += 1
    return (header, at) if begun else (None, at)


def _is_file_header(lines: list[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _hunks(lines: list[str], at: int) -> tuple[list[Hunk], int]:
    hunks = []
    while at < len(lines) and lines[at].startswith("@@"):
        found = _HUNK.match(lines[at])
        end = at + 1
        while end < len(lines) and not _ends_hunk(lines, end):
            end += 1
        counts = (int(found["old_count"] or 1), int(found["new_count"] or 1)) if found else None
        hunk = _hunk_of(lines[at + 1 : end], counts)
        if hunk.lines and found:
            hunks.append(structs.replace(hunk, at=int(found["old"])))
        elif hunk.lines:
            heading = lines[at].strip("@ ")
            hunks.append(structs.replace(hunk, headings=(heading,) if heading.strip(".") else ()))
        at = end
    return hunks, at


def _ends_hunk(lines: list[str], at: int) -> bool:
    line = lines[at]
    if line.startswith(("@@", "diff --git ")):
        return True
    # A removed line "-- x" looks like the header of a file, unless an added "++ y" and a hunk follow it.
    return _is_file_header(lines, at) and at + 2 < len(lines) and lines[at + 2].startswith("@@")


def _hunk_of(body: list[str], counts: tuple[int, int] | None = None) -> Hunk:
    lines: list[Line] = []
    old_cut = new_cut = False
    for line in _without_trailer(body, counts):
        if line.startswith("\\"):
            old_cut |= bool(lines) and lines[-1].sign != "+"
            new_cut |= bool(lines) and lines[-1].sign != "-"
        elif line[:1] == "-":
            lines.append(Line("-", line[1:]))
        elif line[:1] == "+":
            lines.append(Line("+", line[1:]))
        else:
            # Models lose the blank before a line that stays, most of all before an empty one.
            lines.append(Line(" ", line.removeprefix(" ")))
    return Hunk(lines=tuple(lines), old_cut=old_cut, new_cut=new_cut)


def _without_trailer(body: list[str], counts: tuple[int, int] | None) -> list[str]:
    """Without the empty lines after a hunk and the signature that ends a mailed patch."""
    old, new = counts or (0, 0)
    for at, line in enumerate(body):
        if old <= 0 and new <= 0 and line == "-- " and counts:
            body = body[:at]
            break
        old -= line[:1] not in ("+", "\\")
        new -= line[:1] not in ("-", "\\")
    while body and not body[-1] and (counts is None or old < 0 or new < 0):
        body = body[:-1]
        old, new = old + 1, new + 1
    return body


def _unified_file(header: _Header, hunks: tuple[Hunk, ...], path: str | None) -> FilePatch:
    facts = header.facts
    mode = facts.get("new file mode") or facts.get("new mode")
    permissions = int(mode, 8) & 0o777 if mode and re.fullmatch(r"[0-7]{6}", mode) else None
    if mode and mode.startswith("120"):
        raise PatchError(f"Links are not made by patches ({header.new})")
    for kind in ("rename", "copy"):
        if f"{kind} from" in facts and f"{kind} to" in facts:
            source, target = _path(facts[f"{kind} from"]), _path(facts[f"{kind} to"])
            return FilePatch(path=target, kind=kind, source=source, hunks=hunks, mode=permissions)
    if header.old == "/dev/null" or "new file mode" in facts:
        return FilePatch(path=_named(header.new, path), kind="add", hunks=hunks, mode=permissions)
    if header.new == "/dev/null" or "deleted file mode" in facts:
        return FilePatch(path=_named(header.old, path), kind="delete", hunks=hunks)
    return FilePatch(path=_named(header.new, path), hunks=hunks, mode=permissions)


def _named(path: str | None, given: str | None) -> str:
    named = path if path and path != "/dev/null" else given
    if named is None:
        raise PatchError("The patch names no file: give `path`, or begin it with --- and +++ lines")
    return named


def _git_paths(names: str) -> tuple[str | None, str | None]:
    """Of `a/x b/y`. Blanks in names make it ambiguous; then both names are the same, or the lines that follow tell them."""
    if names.startswith('"'):
        old, _, new = names.partition('" ')
        return _stripped(_path(old + '"'), _path(new))
    for at in (found.start() for found in re.finditer(" b/", names)):
        old, new = names[:at].removeprefix("a/"), names[at + 1 :].removeprefix("b/")
        if old == new:
            return old, new
    old, _, new = names.partition(" ")
    return _stripped(old, new)


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Without the `a/` and `b/` that git puts before the names, where both have theirs."""
    if old.startswith("a/") and new.startswith("b/"):
        return old[2:], new[2:]
    if old == "/dev/null" and new.startswith("b/"):
        return old, new[2:]
    if new == "/dev/null" and old.startswith("a/"):
        return old[2:], new
    return old, new


def _path(name: str) -> str:
    """A name as a header has it: without the time after it, and without git's quotes."""
    name = name.partition("\t")[0].rstrip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        raw = _ESCAPE.sub(_unescaped, name[1:-1].encode())
        return raw.decode(errors="replace")
    return name


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if len(code) == 3:
        return bytes([int(code, 8) & 0xFF])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(code, code)
