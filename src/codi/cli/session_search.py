"""What was said somewhere, found again, for `codi sessions search`. `args` are as its parser gives them."""

import sys
from typing import Any

from codi.cli.moments import moment
from codi.cli.printing import print_json, shown_path
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.frontends.sanitiser import visible
from codi.sessions.search import Hit, Search
from codi.sessions.search_query import query_of
from codi.sessions.version3 import timestamp_of

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def search(args: Any, places: Places, shelf: Shelf) -> int:
    narrowed = [f'model:"{args.model}"'] if args.model else []
    narrowed += [f'after:"{args.since}"'] if args.since else []
    query = query_of(" ".join([*args.query, *narrowed]), moment)
    found = Search(shelf.database).find(query, shelf.folders, cwd=None if args.all else places.cwd, limit=args.limit)
    for hit in found:
        print_json(_as_json(hit)) if args.json else print(_row(hit))
    if not found and not args.quiet and not args.json:
        print("nothing was found" if args.all else "nothing was found; --all searches every project", file=sys.stderr)
    return 0


def _row(hit: Hit) -> str:
    said = hit.role + (f" {hit.tool}" if hit.tool else "")
    marks = (_BOLD, _PLAIN) if sys.stdout.isatty() else ("[", "]")
    snippet = visible(" ".join(hit.snippet.replace("\x02", "\ue000").replace("\x03", "\ue001").split()))
    snippet = snippet.replace("\ue000", marks[0]).replace("\ue001", marks[1])
    return f"{hit.session}  {hit.entry}  {timestamp_of(hit.at)[:16]}  {shown_path(hit.cwd)}  {said}: {snippet}"


def _as_json(hit: Hit) -> dict[str, Any]:
    return {
        "session": hit.session,
        "path": hit.path,
        "project": hit.cwd,
        "entry": hit.entry,
        "timestamp": timestamp_of(hit.at),
        "role": hit.role,
        "tool": hit.tool or None,
        "model": hit.model or None,
        "snippet": hit.snippet.replace("\x02", "").replace("\x03", ""),
        "highlighted": hit.snippet.replace("\x02", "**").replace("\x03", "**"),
        "score": round(hit.score, 3),
    }
