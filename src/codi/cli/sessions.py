"""`codi sessions`: what was talked about, newest first; one of them shown, named, checked, mended or deleted."""

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from importlib import import_module

from codi.cli.flags import Parser, action_of, add_general
from codi.protocol.errors import UsageError


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "list")
    if words and action == "list" and not words[0].startswith("-"):
        raise UsageError(f"unknown action {words[0]!r}", hint=f"There are {', '.join(_ACTIONS)}.")
    summary, place, declare = _ACTIONS[action]
    parser = Parser(prog=f"codi sessions {action}", description=summary, epilog=_listed() if action == "list" else None)
    declare(parser)
    add_general(parser)
    args = parser.parse_args(words)
    # SQLite, settings and session files: not for help or for a mistake.
    from codi.engine.layers import load
    from codi.engine.places import Places
    from codi.engine.shelf import Shelf

    places = Places.at(args.cwd)
    loaded = load(places, os.environ, {}, ())
    if not args.quiet:
        for warning in loaded.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    module, _, function = place.partition(":")
    act: Callable[..., int] = getattr(import_module(f"codi.cli.{module}"), function)
    return act(args, places, Shelf(places, loaded.settings.sessions))


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


_ACTIONS: dict[str, tuple[str, str, Callable[[Parser], None]]] = {
    "list": ("the sessions of this project, newest first", "session_tables:show_all", _declare_list),
    "show": ("one session in detail", "session_tables:show", _declare_id),
    "path": ("the file of a session", "session_tables:tell_path", _declare_id),
    "dir": ("the folder of this project's sessions", "session_tables:tell_dir", _declare_nothing),
    "rename": ("give a session a name", "session_care:rename", _declare_rename),
    "verify": (
        "read sessions through, and list what is damaged; exits 1 if anything is",
        "session_care:verify",
        _declare_verify,
    ),
    "compactions": (
        "what was said shorter in a session: when, how, how much",
        "session_tables:show_compactions",
        _declare_id,
    ),
    "repair": ("write a clean copy of a damaged session beside it", "session_care:repair", _declare_id),
    "delete": ("move sessions to the trash, where they lie for 30 days", "session_care:delete", _declare_delete),
}
