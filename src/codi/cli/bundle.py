"""`codi bundle`: a session with all that a bug report needs, without secrets: replies, the files before its first step, versions."""

import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

from codi.cli.exporting import Desk, default_name, is_sure, write_new
from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json
from codi.cli.share import contents, contents_json
from codi.engine.places import Places
from codi.engine.redaction import Redaction
from codi.engine.version import VERSION
from codi.protocol.events import CallIntended, Entry
from codi.sessions.bundles import bundle_of
from codi.sessions.json_lines import encoded
from codi.workspace.ledger.contents import Missing
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.states import Absent, File, State

_MOST_BYTES = 256 * 1024


def run(words: Sequence[str]) -> int:
    parser = Parser(
        prog="codi bundle", description="Write a session with all that a bug report needs, without secrets."
    )
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--out", metavar="PATH", help="the file")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--dry-run", action="store_true", help="say what it holds, and write nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_general(parser)
    args = parser.parse_args(words)
    desk = Desk(args)
    taken = desk.taken(everything=True)
    files = _files(desk, taken.entries, str(taken.header.get("cwd", "")))
    versions = {"codi": VERSION, "python": sys.version.split()[0], "platform": platform.platform()}
    bundle = bundle_of(taken, desk.redaction.told(), files=files, versions=versions)
    path = os.path.join(desk.places.cwd, os.path.expanduser(args.out or default_name(taken, "codi.json")))
    if args.dry_run:
        print_json({"path": path, **contents_json(bundle)}) if args.json else print(contents(bundle, path))
        return 0
    if not args.yes:
        print(contents(bundle, path), file=sys.stderr)
    if not is_sure(args, "Write it?", "bundling"):
        print("nothing was written", file=sys.stderr)
        return 1
    write_new(path, encoded(bundle), force=args.force)
    print_json({"path": path, **contents_json(bundle)}) if args.json else print(path)
    return 0


def _files(desk: Desk, entries: Sequence[Entry], cwd: str) -> dict[str, Any]:
    """What stood before and after each change that the session made, as far as it is text and not long."""
    cwd = os.path.expanduser(cwd)
    if not desk.settings.undo.enabled or not os.path.isdir(cwd):
        return {}
    there = Places.at(cwd, desk.places.home)
    ledger = Ledger(there.home, there.root, desk.settings.undo)
    ledger.open()
    calls = {entry.fact.tool_call_id for entry in entries if isinstance(entry.fact, CallIntended)}
    found: dict[str, Any] = {}
    for step in ledger.journal.steps():
        if step.cause.call_id in calls:
            found[f"step {step.n}"] = {
                "call": step.cause.call_id,
                "changes": [
                    {
                        "path": desk.redaction(change.path),
                        "before": _content(ledger, change.before, desk.redaction),
                        "after": _content(ledger, change.after, desk.redaction),
                    }
                    for change in step.changes
                ],
            }
    return found


def _content(ledger: Ledger, state: State, redaction: Redaction) -> str | None:
    """The text of a file; None where there is none; else what is there instead."""
    if isinstance(state, Absent):
        return None
    if not isinstance(state, File) or state.size > _MOST_BYTES:
        return f"[{type(state).__name__.lower()}]"
    try:
        return redaction(ledger.contents.get(state.id).decode())
    except (Missing, UnicodeDecodeError):
        return f"[{state.size} bytes]"
