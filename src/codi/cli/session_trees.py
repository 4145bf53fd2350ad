"""The tree of a session: shown, labelled, and copied in part. `args` are as the parser of `codi sessions` gives them."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from codi.cli.printing import print_json
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.frontends.sanitiser import visible
from codi.frontends.tui.pickers import Tree
from codi.protocol.events import Labelled
from codi.sessions import resume
from codi.sessions.files import reading_of
from codi.sessions.forking import fork_at
from codi.sessions.json_lines import object_of
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from codi.sessions.tree import Place, entry_named, labels, path_to, place_of
from codi.sessions.version3 import timestamp_of


def show_tree(args: Any, places: Places, shelf: Shelf) -> int:
    reading = reading_of(shelf.path_of(args.id))
    entries = reading.entries
    leaf = entries[-1].id if entries else None
    tree = Tree(entries, leaf)
    tree.filter = args.filter
    rows = tree.choices()
    if not args.json:
        for row in rows:
            print(f"{row.value}  {visible(row.text)}".rstrip())
        return 0
    active, labelled = {entry.id for entry in path_to(leaf, entries)}, labels(entries)
    by_id = {entry.id: (entry, line) for entry, line in zip(entries, reading.lines, strict=True)}
    for row in rows:
        entry, line = by_id[str(row.value)]
        print_json(
            {
                "id": entry.id,
                "parentId": entry.parent,
                "type": (object_of(line) or {}).get("type"),
                "timestamp": timestamp_of(entry.at),
                "text": row.text.lstrip("● "),
                "label": labelled.get(entry.id),
                "active": entry.id in active,
                "leaf": entry.id == leaf,
            }
        )
    return 0


def label(args: Any, places: Places, shelf: Shelf) -> int:
    text = " ".join(" ".join(args.text).split())
    session = Session(JsonlStore.open(shelf.path_of(args.id)))
    try:
        entry = entry_named(args.entry, session.entries)
        session.append(Labelled(entry.id, text or None))
    finally:
        session.close()
    if args.json:
        print_json({"id": entry.id, "label": text or None})
    elif not args.quiet:
        print(f"{entry.id} is labelled {text!r}" if text else f"{entry.id} has no label")
    return 0


def fork(args: Any, places: Places, shelf: Shelf) -> int:
    source = shelf.path_of(args.id)
    if args.at:
        return _forked(args, shelf, source, place_of(args.at, reading_of(source).entries))
    made = resume.fork(source, shelf.folder, places.cwd, at=time.time())
    if made.warning and not args.quiet:
        print(f"warning: {made.warning}", file=sys.stderr)
    tell_fork(made.path, "", as_json=args.json)
    return 0


def clone(args: Any, places: Places, shelf: Shelf) -> int:
    source = shelf.path_of(args.id)
    entries = reading_of(source).entries
    return _forked(args, shelf, source, Place(entries[-1].id if entries else None))


def _forked(args: Any, shelf: Shelf, source: str, place: Place) -> int:
    folder = shelf.folder_for(reading_of(source).header.cwd)
    made = fork_at(source, folder, place.leaf, at=time.time())
    tell_fork(made.path, place.prompt, as_json=args.json)
    return 0


def tell_fork(path: str, prompt: str, *, as_json: bool) -> None:
    """Say where the new session is, and what was said where it ends."""
    if as_json:
        header = reading_of(path).header
        print_json({"id": header.id, "path": path, "parent": header.parent_session, "prompt": prompt or None})
        return
    print(path)
    if prompt:
        print(visible(f"it ends before: {_one_line(prompt.split())}"), file=sys.stderr)


def _one_line(words: Sequence[str]) -> str:
    return " ".join(words)[:200]
