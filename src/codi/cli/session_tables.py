"""Sessions as tables and as JSON, for `codi sessions`. `args` are as its parser gives them."""

import os
import sys
import time
from typing import Any

from codi.cli.moments import age, moment
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.protocol.conversation import SessionSummary
from codi.protocol.events import CompactionUndone, ContextCompacted
from codi.sessions.files import reading_of
from codi.sessions.summaries import summary_of
from codi.sessions.version3 import timestamp_of

_HEAD = ("id", "title", "project", "age", "turns", "model", "cost", "branch")
_TITLE = 60


def show_all(args: Any, places: Places, shelf: Shelf) -> int:
    since = moment(args.since) if args.since else 0.0
    found = [
        session
        for session in shelf.sessions(everywhere=args.all)
        if session.modified >= since and args.model.lower() in session.model.lower()
    ][: args.limit]
    if args.json:
        for session in found:
            print_json(as_json(session))
        return 0
    print_table(_HEAD, (_row(session) for session in found))
    if not found and not args.quiet and not (args.all or since or args.model):
        print(f"no sessions of {places.cwd}; --all lists those of every project", file=sys.stderr)
    return 0


def show_compactions(args: Any, places: Places, shelf: Shelf) -> int:
    entries = reading_of(shelf.path_of(args.id)).entries
    undone = {entry.fact.compaction_id for entry in entries if isinstance(entry.fact, CompactionUndone)}
    rows = []
    for entry in entries:
        if not isinstance(entry.fact, ContextCompacted):
            continue
        fact = entry.fact
        own = fact.details.get("codi", {}) if isinstance(fact.details, dict) else {}
        row = {
            "id": entry.id,
            "at": timestamp_of(entry.at),
            "method": own.get("method", ""),
            "model": own.get("model", ""),
            "tokensBefore": fact.tokens_before,
            "tokensAfter": own.get("tokensAfter"),
            "dropped": len(own.get("dropped", ())),
            "firstKeptEntryId": fact.first_kept,
            "undone": entry.id in undone,
        }
        if args.json:
            print_json(row | {"summary": fact.summary, "details": fact.details})
        rows.append(["" if value is None else str(value) for value in row.values()])
    if not args.json:
        print_table(("id", "at", "method", "model", "before", "after", "dropped", "first kept", "undone"), rows)
    return 0


def show(args: Any, places: Places, shelf: Shelf) -> int:
    session = summary_of(shelf.path_of(args.id))
    if args.json:
        print_json(as_json(session))
        return 0
    rows = {
        "id": session.id,
        "title": title_of(session),
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


def tell_path(args: Any, places: Places, shelf: Shelf) -> int:
    path = shelf.path_of(args.id)
    print_json({"path": path}) if args.json else print(path)
    return 0


def tell_dir(args: Any, places: Places, shelf: Shelf) -> int:
    print_json({"dir": shelf.folder}) if args.json else print(shelf.folder)
    return 0


def _row(session: SessionSummary) -> list[str]:
    title = title_of(session)
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


def title_of(session: SessionSummary) -> str:
    return session.name or session.first_message


def _cost(session: SessionSummary) -> str:
    return "?" if session.cost is None else f"${session.cost:.4f}" if session.cost else "$0"


def as_json(session: SessionSummary) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": title_of(session),
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
