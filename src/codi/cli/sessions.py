"""`codi sessions`: what was talked about, newest first; one of them shown, named, checked, mended or deleted."""

import os
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

from codi.cli.flags import Parser, action_of, add_general
from codi.cli.moments import age, moment
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import TitleGiven
from codi.sessions.files import reading_of
from codi.sessions.jsonl import JsonlStore
from codi.sessions.mending import mended_copy
from codi.sessions.reading import Problem
from codi.sessions.session import Session
from codi.sessions.summaries import summary_of
from codi.sessions.trash import remove
from codi.sessions.version3 import timestamp_of

_HEAD = ("id", "title", "project", "age", "turns", "model", "cost", "branch")
_TITLE = 60
_LONGEST_NAME = 60
_SAID = {
    "skipped": "cannot be read and is skipped",
    "split": "several entries stand in one line",
    "re-attached": "its parent is missing or comes round in a circle",
    "renamed": "its id is missing or taken",
}


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "list")
    if words and action == "list" and not words[0].startswith("-"):
        raise UsageError(f"unknown action {words[0]!r}", hint=f"There are {', '.join(_ACTIONS)}.")
    summary, act, declare = _ACTIONS[action]
    parser = Parser(prog=f"codi sessions {action}", description=summary, epilog=_listed() if action == "list" else None)
    declare(parser)
    add_general(parser)
    args = parser.parse_args(words)
    places = Places.at(args.cwd)
    loaded = load(places, os.environ, {}, ())
    if not args.quiet:
        for warning in loaded.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    return act(args, places, Shelf(places, loaded.settings.sessions))


def _list(args: Any, places: Places, shelf: Shelf) -> int:
    since = moment(args.since) if args.since else 0.0
    found = [
        session
        for session in shelf.sessions(everywhere=args.all)
        if session.modified >= since and args.model.lower() in session.model.lower()
    ][: args.limit]
    if args.json:
        for session in found:
            print_json(_as_json(session))
        return 0
    print_table(_HEAD, (_row(session) for session in found))
    if not found and not args.quiet and not (args.all or since or args.model):
        print(f"no sessions of {places.cwd}; --all lists those of every project", file=sys.stderr)
    return 0


def _show(args: Any, places: Places, shelf: Shelf) -> int:
    session = summary_of(shelf.path_of(args.id))
    if args.json:
        print_json(_as_json(session))
        return 0
    rows = {
        "id": session.id,
        "title": _title(session),
        "project": session.cwd,
        "file": session.path,
        "parent": session.parent or "",
        "created": timestamp_of(session.created),
        "modified": f"{timestamp_of(session.modified)} ({age(time.time() - session.modified)} ago)",
        "turns": str(session.turns),
        "messages": str(session.messages),
        "model": session.model,
        "tokens": str(session.tokens),
        "cost": _cost(session),
        "branch": session.branch,
        "size": str(session.size),
        "begins with": session.first_message,
    }
    print_table(("", ""), ([name, value] for name, value in rows.items() if value))
    return 0


def _path(args: Any, places: Places, shelf: Shelf) -> int:
    path = shelf.path_of(args.id)
    print_json({"path": path}) if args.json else print(path)
    return 0


def _dir(args: Any, places: Places, shelf: Shelf) -> int:
    print_json({"dir": shelf.folder}) if args.json else print(shelf.folder)
    return 0


def _rename(args: Any, places: Places, shelf: Shelf) -> int:
    name = " ".join(" ".join(args.name).split())
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"the name is {len(name)} characters long", hint=f"Give at most {_LONGEST_NAME}.")
    path = shelf.path_of(args.id)
    session = Session(JsonlStore.open(path))
    try:
        session.append(TitleGiven(name))
    finally:
        session.close()
    if args.json:
        print_json(_as_json(summary_of(path)))
    elif not args.quiet:
        print(f"{session.store.session_id} is called {name!r}" if name else f"{session.store.session_id} has no name")
    return 0


def _verify(args: Any, places: Places, shelf: Shelf) -> int:
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
        return [Problem(1, "skipped")]  # no header, or no file that can be read


def _repair(args: Any, places: Places, shelf: Shelf) -> int:
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


def _delete(args: Any, places: Places, shelf: Shelf) -> int:
    paths = list(dict.fromkeys(shelf.path_of(text) for text in args.id))  # all of them must be known before any goes
    if not _is_sure(args, paths):
        print("nothing was deleted", file=sys.stderr)
        return 1
    for path in paths:
        kept = None
        if args.now:
            remove(path)
        else:
            kept = shelf.trash.add(path, at=time.time())
        if args.json:
            print_json({"path": path, "trash": kept})
        elif not args.quiet:
            print(f"deleted {path}" + (f"; it lies in {kept} for 30 days" if kept else " for good"))
    return 0


def _is_sure(args: Any, paths: Sequence[str]) -> bool:
    if args.yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("deleting asks, and there is no terminal to answer at", hint="Add --yes.")
    for path in paths:
        session = summary_of(path)
        print(f"{session.id or path}  {shown_path(session.cwd)}  {_title(session)}", file=sys.stderr)
    many = "these sessions" if len(paths) > 1 else "this session"
    print(f"Delete {many}{' for good' if args.now else ''}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _row(session: SessionSummary) -> list[str]:
    title = _title(session)
    return [
        session.id or os.path.basename(session.path),
        title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…",
        shown_path(session.cwd),
        age(time.time() - session.modified),
        str(session.turns),
        session.model,
        _cost(session),
        session.branch,
    ]


def _title(session: SessionSummary) -> str:
    return session.name or session.first_message


def _cost(session: SessionSummary) -> str:
    return "?" if session.cost is None else f"${session.cost:.4f}" if session.cost else "$0"


def _as_json(session: SessionSummary) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": _title(session),
        "name": session.name,
        "project": session.cwd,
        "path": session.path,
        "parent": session.parent,
        "created": timestamp_of(session.created) if session.created else None,
        "modified": timestamp_of(session.modified),
        "ageSeconds": max(0, round(time.time() - session.modified)),
        "turns": session.turns,
        "messages": session.messages,
        "model": session.model,
        "tokens": session.tokens,
        "cost": session.cost,
        "firstMessage": session.first_message,
        "branch": session.branch,
        "size": session.size,
        "readable": session.readable,
    }


def _listed() -> str:
    width = max(map(len, _ACTIONS))
    return "actions:\n" + "\n".join(f"  {name:<{width}}  {summary}" for name, (summary, _, _) in _ACTIONS.items())


def _declare_list(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="of every project, not of this one alone")
    parser.add_argument("--limit", type=_count, metavar="N", help="the newest N")
    parser.add_argument("--since", metavar="T", help="spoken in since a date, a time, or so long ago (12h, 7d)")
    parser.add_argument("--model", default="", metavar="M", help="with this in the model's name")


def _declare_id(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")


def _declare_nothing(parser: Parser) -> None:
    pass


def _declare_rename(parser: Parser) -> None:
    _declare_id(parser)
    parser.add_argument("name", nargs="+", metavar="NAME", help='the new name; "" takes it away')


def _declare_verify(parser: Parser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="one session; else those of this project")
    parser.add_argument("--all", action="store_true", help="of every project")


def _declare_delete(parser: Parser) -> None:
    parser.add_argument("id", nargs="+", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--now", action="store_true", help="for good, not to the trash")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


_Act = Callable[[Any, Places, Shelf], int]
_ACTIONS: dict[str, tuple[str, _Act, Callable[[Parser], None]]] = {
    "list": ("the sessions of this project, newest first", _list, _declare_list),
    "show": ("one session in detail", _show, _declare_id),
    "path": ("the file of a session", _path, _declare_id),
    "dir": ("the folder of this project's sessions", _dir, _declare_nothing),
    "rename": ("give a session a name", _rename, _declare_rename),
    "verify": ("read sessions through, and list what is damaged; exits 1 if anything is", _verify, _declare_verify),
    "repair": ("write a clean copy of a damaged session beside it", _repair, _declare_id),
    "delete": ("move sessions to the trash, where they lie for 30 days", _delete, _declare_delete),
}
