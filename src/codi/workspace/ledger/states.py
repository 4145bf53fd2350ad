"""What stands at a path, before and after: the words of the ledger.

A path is relative to the root with `/`, or absolute where it lies outside; "." is the root itself. Names that are no UTF-8
are held as Python holds them, with surrogate escapes. Equal states are equal content and mode: times, owners and inodes are
no part of them. When a file that is changed was modified last is kept beside, and undo gives it that time again where it can.
"""

import os
import stat
from typing import Literal

from msgspec import Struct


class File(Struct, frozen=True, tag="file", tag_field="is"):
    """A regular file. `id` is the SHA-256 of its content, in hex; its bytes are in the store."""

    mode: int
    id: str
    size: int


class Uncovered(Struct, frozen=True, tag="uncovered", tag_field="is"):
    """A regular file whose bytes are not in the store: too big, unreadable, or without room."""

    mode: int
    size: int
    mtime_ns: int


class Link(Struct, frozen=True, tag="link", tag_field="is"):
    target: str


class Directory(Struct, frozen=True, tag="directory", tag_field="is"):
    mode: int


class Special(Struct, frozen=True, tag="special", tag_field="is"):
    kind: Literal["fifo", "socket", "device"]
    mode: int


class Absent(Struct, frozen=True, tag="absent", tag_field="is"):
    """Nothing is there."""


State = File | Uncovered | Link | Directory | Special | Absent
ABSENT = Absent()

Owner = Literal["agent", "person", "undo", "redo", "restore"]
"""Whose step it is. A person is also any other program that is not codi's."""


class Change(Struct, frozen=True, omit_defaults=True):
    """`moved_from` names the path that stood here under another name before. An `uncertain` change was made while another
    codi, or a job in the background, was busy too: it may be somebody else's. `modified_ns` is the modification time of the
    file `before`, `given_ns` the one that a restored file gets as `after`; 0 is not known."""

    path: str
    before: State
    after: State
    moved_from: str | None = None
    uncertain: bool = False
    modified_ns: int = 0
    given_ns: int = 0


class Gap(Struct, frozen=True):
    """Something that undo does not cover, and why."""

    path: str
    why: str


class Cause(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which call of which prompt a step belongs to. `what` is the call in one line, `title` the beginning of the prompt."""

    session: str = ""
    turn: int = 0
    call_id: str = ""
    tool: str = ""
    what: str = ""
    title: str = ""


NO_CAUSE = Cause()


class Step(Struct, frozen=True, tag="step", tag_field="record", kw_only=True, omit_defaults=True):
    """What one action changed. `n` counts the steps of a workspace from 1; `undoes` are the steps that an undo took back, or
    that a redo put back; `began` is the token of the record that announced it."""

    n: int
    at: float
    owner: Owner
    changes: tuple[Change, ...]
    cause: Cause = Cause()
    gaps: tuple[Gap, ...] = ()
    undoes: tuple[int, ...] = ()
    began: str = ""
    interrupted: bool = False


def state_of_status(status: os.stat_result, content: str) -> State:
    """`content` is the id of a file's content ("" where it is not covered) or the target of a link."""
    kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
    return state_of(kind, mode, content, status.st_size, status.st_mtime_ns)


def state_of(kind: int, mode: int, content: str, size: int, mtime_ns: int) -> State:
    if kind == stat.S_IFREG:
        return File(mode, content, size) if content else Uncovered(mode, size, mtime_ns)
    if kind == stat.S_IFDIR:
        return Directory(mode)
    if kind == stat.S_IFLNK:
        return Link(content)
    return Special("fifo" if kind == stat.S_IFIFO else "socket" if kind == stat.S_IFSOCK else "device", mode)
