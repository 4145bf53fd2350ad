"""`codi usage --cache`: what the service's cache gave each request of a session, and why not more."""

import os
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.protocol.errors import UsageError


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi usage", description="What the requests of a session read from the service's cache.")
    parser.add_argument("--cache", action="store_true", help="each miss with its cause")
    parser.add_argument("id", nargs="?", metavar="ID", help="a session; else the newest of this project")
    add_general(parser)
    args = parser.parse_args(words)
    if not args.cache:
        raise UsageError("what of the usage is to be shown?", hint="codi usage --cache [ID]")
    # Settings and session files: not for help or for a mistake.
    from codi.cli.printing import print_json, print_table
    from codi.engine.layers import load
    from codi.engine.places import Places
    from codi.engine.shelf import Shelf
    from codi.protocol.events import RequestSent
    from codi.sessions.files import reading_of

    places = Places.at(args.cwd)
    shelf = Shelf(places, load(places, os.environ, {}, ()).settings.sessions)
    path = shelf.path_of(args.id) if args.id else _newest(shelf)
    rows: list[list[str]] = []
    for entry in reading_of(path).entries:
        if not isinstance(entry.fact, RequestSent) or entry.fact.purpose != "turn":
            continue
        sent = entry.fact
        if args.json:
            print_json(_as_json(entry.id, sent))
        else:
            read = "" if sent.cache_read is None else str(sent.cache_read)
            miss = [str(sent.miss.tokens), sent.miss.segment, sent.miss.cause] if sent.miss else ["", "", ""]
            rows.append([str(len(rows) + 1), f"~{sent.tokens}", read, *miss])
    if not args.json:
        print_table(("request", "tokens", "cached", "missed", "segment", "cause"), rows)
    return 0


def _newest(shelf: Any) -> str:
    summary = next((each for each in shelf.sessions(everywhere=False) if each.readable), None)
    if summary is None:
        raise UsageError("there is no session of this project", hint="codi sessions --all lists those of others.")
    return str(summary.path)


def _as_json(entry_id: str, sent: Any) -> dict[str, Any]:
    from msgspec import to_builtins

    return {
        "id": entry_id,
        "step": sent.step,
        "model": sent.model,
        "tokens": sent.tokens,
        "cacheRead": sent.cache_read,
        "miss": to_builtins(sent.miss),
    }
