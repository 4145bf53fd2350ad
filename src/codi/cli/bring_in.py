"""`codi import`: sessions from files, bundles and other agents, whose own files stay as they are."""

import os
import re
import sys
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from codi.cli import chat
from codi.cli.flags import Parser, add_general
from codi.cli.moments import moment
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError
from codi.sessions.bundles import Bundle, bundle_in
from codi.sessions.imports.bringing import Bringing, Brought
from codi.sessions.imports.connectors import CONNECTORS, connector_for, connector_named
from codi.sessions.imports.found import Connector, Surroundings

_SHARED_PAGE = re.compile(rb'<script id="codi-share"[^>]*>([A-Za-z0-9+/=\s]+)</script>')
_MOST_FILES = 20_000


def declare(parser: Parser) -> None:
    parser.add_argument("what", nargs="?", metavar="FILE|DIR|AGENT", help="else it is listed what is found")
    parser.add_argument("--since", metavar="T", help="spoken in since a date, a time, or so long ago (12h, 7d)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be brought in, and write nothing")
    parser.add_argument("--resume", action="store_true", help="go on with the newest of what was brought in")


def run(words: Sequence[str]) -> int:
    if words and words[0] == "config":
        from codi.cli.foreign_settings import run as bring_settings  # it writes configuration, and nothing else does

        return bring_settings(words[1:])
    agents = ", ".join(connector.agent for connector in CONNECTORS)
    parser = Parser(
        prog="codi import",
        description="Bring in sessions: a file, all in a folder, or those of an agent.",
        epilog=f"agents: {agents}\n`codi import config [AGENT]` brings in settings.",
    )
    declare(parser)
    add_general(parser)
    args = parser.parse_args(words)
    places = Places.at(args.cwd)
    loaded = load(places, os.environ, {}, ())
    shelf = Shelf(places, loaded.settings.sessions)
    return bring_in(args, places, shelf)


def bring_in(args: Any, places: Places, shelf: Shelf) -> int:
    around = Surroundings(os.path.expanduser("~"), places.cwd, os.environ, _known(shelf))
    bringing = Bringing(os.path.join(places.home, "imports.json"), shelf.folder_for, around, now=time.time())
    if args.what is None:
        return _list(args, bringing, around)
    since = moment(args.since) if args.since else 0.0
    brought: list[Brought] = []
    with bringing.at_work():
        path = os.path.join(places.cwd, os.path.expanduser(args.what))
        if os.path.isfile(path) and (own := _own(path)) is not None:
            brought.append(_bring_own(args, bringing, places, path, own))
        else:
            for connector, source in _sources(args.what, path, around):
                brought += bringing.bring(connector, source, since=since, write=not args.dry_run)
    return _tell(args, brought)


def _known(shelf: Shelf) -> tuple[str, ...]:
    """Directories in which codi has worked: some agents name theirs by a hash alone."""
    return tuple(dict.fromkeys(session.cwd for session in shelf.sessions(everywhere=True) if session.cwd))


def _list(args: Any, bringing: Bringing, around: Surroundings) -> int:
    rows = []
    for connector in CONNECTORS:
        sources = list(connector.sources(around))
        new = sum(map(bringing.is_new, sources))
        if sources:
            rows.append((connector.agent, len(sources), new))
    for agent, count, new in rows:
        if args.json:
            print_json({"agent": agent, "sources": count, "new": new})
    if not args.json:
        print_table(("agent", "sources", "new"), ([agent, str(count), str(new)] for agent, count, new in rows))
        if not rows and not args.quiet:
            print("no sessions of other agents were found", file=sys.stderr)
    return 0


def _own(path: str) -> Bundle | None:
    """The bundle in a file, also where a page is around it."""
    with open(path, "rb") as file:
        content = file.read()
    if b'id="codi-share"' in content and (found := _SHARED_PAGE.search(content)):
        content = b64decode(found[1])
    return bundle_in(content)


def _bring_own(args: Any, bringing: Bringing, places: Places, path: str, bundle: Bundle) -> Brought:
    """A bundle goes on where its directory is, else in the one at hand."""
    told = os.path.expanduser(str(bundle.header.get("cwd", "")))
    cwd = places.cwd if args.cwd or not os.path.isdir(told) else told
    return bringing.copy(bundle.content(), path, cwd=cwd, write=not args.dry_run)


def _sources(what: str, path: str, around: Surroundings) -> Iterator[tuple[Connector, str]]:
    if os.path.isdir(path):
        yield from _in_folder(path)
    elif os.path.exists(path) or os.sep in what:
        connector = connector_for(path)
        if connector is None:
            raise UsageError(
                f"{what} holds no session that codi knows",
                hint=f"It reads session files, bundles, and files of {', '.join(each.agent for each in CONNECTORS)}.",
            )
        yield connector, path
    elif connector := connector_named(what):
        for source in connector.sources(around):
            yield connector, source
    else:
        raise UsageError(
            f"there is no file and no agent {what!r}",
            hint=f"Agents: {', '.join(each.agent for each in CONNECTORS)}.",
        )


def _in_folder(folder: str) -> Iterator[tuple[Connector, str]]:
    count = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                return
            if name.endswith((".jsonl", ".json", ".db", ".vscdb", ".txt", ".md")):
                path = os.path.join(above, name)
                if (connector := connector_for(path)) is not None:
                    yield connector, path


def _tell(args: Any, brought: Sequence[Brought]) -> int:
    if args.json:
        for each in brought:
            print_json(_as_json(each))
    else:
        for each in brought:
            if each.state != "known" and not args.quiet:
                print(visible(_row(each)))
    failed = [each for each in brought if each.state == "failed"]
    if not args.quiet:
        added = sum(each.added for each in brought)
        counts = {state: sum(each.state == state for each in brought) for state in ("new", "grown", "known", "empty")}
        told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        would = "would be " if args.dry_run else ""
        print(f"{told or 'nothing'}; {added} entries {would}added", file=sys.stderr)
        if bad := sum(each.bad for each in brought):
            print(f"warning: {bad} records could not be read", file=sys.stderr)
        lost = sorted({what for each in brought for what in each.lossy})
        if lost:
            print(visible(f"without a counterpart: {', '.join(lost)}"), file=sys.stderr)
    for each in failed:
        print(visible(f"error: {each.source}: {each.why}\nhint: The other sources were brought in."), file=sys.stderr)
    if args.resume and not args.dry_run and not failed:
        return _resume([each.path for each in brought if each.path], quiet=args.quiet)
    return 1 if failed else 0


def _resume(paths: Sequence[str], *, quiet: bool) -> int:
    if not paths:
        raise UsageError("nothing was brought in that could be resumed", hint="codi -r chooses among what is here.")
    newest = max(paths, key=os.path.getmtime)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return chat.run(["--session", newest])
    if not quiet:
        print(f"go on with: codi --session {newest}", file=sys.stderr)
    return 0


def _row(each: Brought) -> str:
    title = f"  {each.title}" if each.title else ""
    return f"{each.state:<6} {each.agent:<12} {each.session}  +{each.added}{title}  {shown_path(each.source)}"


def _as_json(each: Brought) -> dict[str, Any]:
    return {
        "agent": each.agent,
        "source": each.source,
        "state": each.state,
        "path": each.path,
        "session": each.session or None,
        "title": each.title or None,
        "added": each.added,
        "bad": each.bad,
        "lossy": list(each.lossy),
        "error": each.why or None,
    }
