"""`codi fork ID --at ENTRY|TURN`: go on from an earlier point of a session, in a new one."""

import os
import sys
import time
from collections.abc import Sequence

import anyio

from codi.cli import chat
from codi.cli.flags import Parser, add_general
from codi.cli.session_trees import tell_fork
from codi.cli.start import host_for
from codi.engine.layers import load
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.protocol.events import Fact, ModelChosen
from codi.sessions.files import reading_of
from codi.sessions.forking import fork_at
from codi.sessions.tree import Place, place_of


def run(words: Sequence[str]) -> int:
    parser = Parser(
        prog="codi fork",
        description="A new session that goes as far as an entry or a turn of another. In a terminal it is opened.",
    )
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--at", metavar="ENTRY|TURN", help="as far as this; else all of its path")
    parser.add_argument("--model", default="", metavar="M", help="the model that answers there")
    add_general(parser)
    args = parser.parse_args(words)
    places = Places.at(args.cwd)
    loaded = load(places, os.environ, {}, ())
    shelf = Shelf(places, loaded.settings.sessions)
    source = shelf.path_of(args.id)
    reading = reading_of(source)
    entries = reading.entries
    place = place_of(args.at, entries) if args.at else Place(entries[-1].id if entries else None)
    then: list[Fact] = []
    if args.model:
        host = host_for(places, {"model.default": args.model}, Options(model_given=True))
        choice = anyio.run(host.choice)
        then.append(ModelChosen(choice.service, choice.model_id))
    made = fork_at(source, shelf.folder_for(reading.header.cwd), place.leaf, at=time.time(), then=then)
    if not args.json and sys.stdin.isatty() and sys.stdout.isatty():
        return chat.run(["--session", made.path])
    tell_fork(made.path, place.prompt, as_json=args.json)
    return 0
