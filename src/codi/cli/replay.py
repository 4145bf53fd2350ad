"""`codi replay`: run a session again, offline, with the replies that were recorded, and say where it becomes another."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from codi.cli import loop
from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json
from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.replaying import Compared, NotReplayable, Replay
from codi.engine.shelf import Shelf
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError
from codi.sessions.exports.plain import text_of
from codi.sessions.exports.taken import taken
from codi.sessions.files import reading_of

_LONGEST_PAUSE_S = 2.0


def run(words: Sequence[str]) -> int:
    parser = Parser(
        prog="codi replay",
        description="Run a session again in a copy of the tree as it was. Exits 0 if all is the same, 1 at the first "
        "difference, 2 if it cannot be replayed.",
    )
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--from", dest="first", type=int, metavar="A", help="from this turn on")
    parser.add_argument("--to", dest="last", type=int, metavar="B", help="up to this turn")
    parser.add_argument("--tools", choices=("real", "recorded"), default="real", help="recorded: nothing is run")
    parser.add_argument("--model", metavar="M", help="ask this model instead, in a new session")
    parser.add_argument("--ui", action="store_true", help="show it as it went, and run nothing")
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="so many times as fast (with --ui)")
    add_general(parser)
    args = parser.parse_args(words)
    if args.speed <= 0:
        raise UsageError("--speed is no number above 0", hint="For example --speed 4.")
    places = Places.at(args.cwd)
    loaded = load(places, os.environ, {}, ())
    shelf = Shelf(places, loaded.settings.sessions)
    source = shelf.path_of(args.id)
    if args.ui:
        return _show(source, args.speed)
    reading = reading_of(source)
    cwd = args.cwd or reading.header.cwd
    if not os.path.isdir(cwd):
        raise NotReplayable(f"its directory is gone: {cwd}", hint="Name another with --cwd.")
    there = Places.at(cwd, places.home)
    keep = args.model is not None
    scratch = os.path.realpath(tempfile.mkdtemp(prefix="codi-replay-"))
    try:
        replay = Replay(there, loaded.settings, source, reading.entries, scratch)
        turns = replay.turns(args.first, args.last)
        replay.restore(turns)
        if args.model:
            path = loop.run(replay.ask, turns, args.model, shelf.folder_for(cwd))
            print_json({"path": path, "work": replay.work}) if args.json else print(f"{path}\nworks in {replay.work}")
            return 0
        found = loop.run(_run, replay, turns, args.tools == "real")
    finally:
        if not keep:
            shutil.rmtree(scratch, ignore_errors=True)
    return _tell(args, found)


async def _run(replay: Replay, turns: Any, with_tools: bool) -> Sequence[Compared]:
    return await replay.run(turns, with_tools=with_tools)


def _tell(args: Any, found: Sequence[Compared]) -> int:
    for each in found:
        difference = each.difference
        if args.json:
            told = None
            if difference:
                told = {
                    "what": difference.what,
                    "offset": difference.at,
                    "then": difference.then,
                    "now": difference.now,
                }
            print_json({"step": each.step, "turn": each.turn, "same": difference is None, "difference": told})
        elif difference is None:
            print(f"step {each.step}: same")
        else:
            print(
                visible(
                    f"step {each.step}: {difference.what} differs at byte {difference.at}\n"
                    f"  then: {' '.join(difference.then.split())}\n  now:  {' '.join(difference.now.split())}"
                )
            )
    return 1 if any(each.difference for each in found) else 0


def _show(source: str, speed: float) -> int:
    """What was said, at the pace at which it was said."""
    whole = taken(source, everything=False, at=time.time())
    before = whole.entries[0].at
    for entry in whole.entries:
        text = text_of(type(whole)(whole.header, [], [entry])).strip()
        if text:
            time.sleep(min(max(entry.at - before, 0.0), _LONGEST_PAUSE_S) / speed)
            print(visible(text), end="\n\n", flush=True)
        before = entry.at
    sys.stdout.flush()
    return 0
