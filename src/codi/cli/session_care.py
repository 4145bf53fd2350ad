"""Naming, checking, mending and deleting sessions, for `codi sessions`. `args` are as its parser gives them."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from codi.cli.flags import LONGEST_NAME
from codi.cli.printing import print_json, print_table, shown_path
from codi.cli.session_tables import as_json, title_of
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import TitleGiven
from codi.sessions.files import reading_of
from codi.sessions.jsonl import JsonlStore
from codi.sessions.mending import mended_copy
from codi.sessions.reading import Problem
from codi.sessions.session import Session
from codi.sessions.summaries import summary_of
from codi.sessions.trash import Trash, left_behind, remove, size_of

_SAID = {
    "skipped": "cannot be read and is skipped",
    "split": "several entries stand in one line",
    "re-attached": "its parent is missing or comes round in a circle",
    "renamed": "its id is missing or taken",
}


def rename(args: Any, places: Places, shelf: Shelf) -> int:
    name = " ".join(" ".join(args.name).split())
    if len(name) > LONGEST_NAME:
        raise UsageError(f"the name is {len(name)} characters long", hint=f"Give at most {LONGEST_NAME}.")
    path = shelf.path_of(args.id)
    session = Session(JsonlStore.open(path))
    try:
        session.append(TitleGiven(name))
    finally:
        session.close()
    if args.json:
        print_json(as_json(summary_of(path)))
    elif not args.quiet:
        print(f"{session.store.session_id} is called {name!r}" if name else f"{session.store.session_id} has no name")
    return 0


def verify(args: Any, places: Places, shelf: Shelf) -> int:
    paths = [shelf.path_of(args.id)] if args.id else [each.path for each in shelf.sessions(everywhere=args.all)]
    found = [(path, _problems(path)) for path in paths]
    if args.json:
        for path, problems in found:
            told = [
                {"line": problem.line, "kind": problem.kind, "message": _SAID[problem.kind]} for problem in problems
            ]
            print_json({"path": path, "ok": not problems, "problems": told})
    else:
        rows = [
            [path, str(problem.line), problem.kind, _SAID[problem.kind]]
            for path, problems in found
            for problem in problems
        ]
        if rows:
            print_table(("file", "line", "kind", "what"), rows)
        if not args.quiet:
            bad = sum(bool(problems) for _, problems in found)
            print(f"{len(found)} read, {bad} damaged", file=sys.stderr)
    return 1 if any(problems for _, problems in found) else 0


def _problems(path: str) -> list[Problem]:
    try:
        return reading_of(path).problems
    except SessionError:
        with suppress(OSError):
            if not os.path.getsize(path):
                return []  # a session that is yet to begin
        return [Problem(1, "skipped")]  # no header, or no file that can be read


def repair(args: Any, places: Places, shelf: Shelf) -> int:
    path = shelf.path_of(args.id)
    problems = reading_of(path).problems
    copy = mended_copy(path, at=time.time()) if problems else None
    if args.json:
        print_json({"path": path, "copy": copy, "problems": len(problems)})
    elif copy:
        print(copy)
    if not copy and not args.quiet:
        print(f"{path} is whole; there is nothing to repair", file=sys.stderr)
    return 0


def delete(args: Any, places: Places, shelf: Shelf) -> int:
    paths = list(dict.fromkeys(shelf.path_of(text) for text in args.id))  # all of them must be known before any goes
    return _delete(args, places, paths)


def clear(args: Any, places: Places, shelf: Shelf) -> int:
    found = [session.path for session in shelf.sessions(everywhere=args.all)]
    if not found:
        if not args.quiet:
            print("there are no sessions", file=sys.stderr)
        return 0
    return _delete(args, places, found)


def collect(args: Any, places: Places, shelf: Shelf) -> int:
    """Throw away what nothing leads to any more. No session is touched."""
    outdated = Trash(os.path.join(places.home, "trash")).outdated(time.time())
    for path in (*outdated, *left_behind(shelf.folders)):
        size = size_of(path)
        if not args.dry_run:
            shutil.rmtree(path)
        if args.json:
            print_json({"path": path, "bytes": size, "removed": not args.dry_run})
        elif not args.quiet:
            print(f"{'would remove' if args.dry_run else 'removed'} {path} ({size} bytes)")
    return 0


def _delete(args: Any, places: Places, paths: Sequence[str]) -> int:
    if not _is_sure(args, paths):
        print("nothing was deleted", file=sys.stderr)
        return 1
    trash = Trash(os.path.join(places.home, "trash"))
    for path in paths:
        kept = None
        if args.now:
            remove(path)
        else:
            kept = trash.add(path, at=time.time())
        if args.json:
            print_json({"path": path, "trash": kept})
        elif not args.quiet:
            print(f"deleted {path}" + (f"; it lies in {kept} for 30 days" if kept else " for good"))
    return 0


def _is_sure(args: Any, paths: Sequence[str]) -> bool:
    if args.yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        many = "1 session" if len(paths) == 1 else f"{len(paths)} sessions"
        raise UsageError(f"deleting {many} asks, and there is no terminal to answer at", hint="Add --yes.")
    for path in paths:
        session = summary_of(path)
        print(f"{session.id or path}  {shown_path(session.cwd)}  {title_of(session)}", file=sys.stderr)
    many = f"these {len(paths)} sessions" if len(paths) > 1 else "this session"
    print(f"Delete {many}{' for good' if args.now else ''}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
