"""`codi sessions`: what was talked about, newest first; one of them shown, named, checked, mended or deleted."""

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from importlib import import_module

from codi.cli.flags import Parser, action_of, add_general
from codi.protocol.errors import UsageError


def run(words: Sequence[str]) -> int:
    if words and words[0] in _ELSEWHERE:
        run_there: Callable[[Sequence[str]], int] = import_module(f"codi.cli.{_ELSEWHERE[words[0]]}").run
        return run_there(words[1:])
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
    told = [f"  {name:<{width}}  {summary}" for name, (summary, _, _) in _ACTIONS.items()]
    told += [f"  {name:<{width}}  as `codi {name}`" for name in _ELSEWHERE]
    return "actions:\n" + "\n".join(told)


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


def _declare_tree(parser: Parser) -> None:
    _declare_id(parser)
    parser.add_argument(
        "--filter", choices=("default", "no-tools", "user-only", "labeled-only", "all"), default="default"
    )


def _declare_search(parser: Parser) -> None:
    parser.add_argument("query", nargs="+", metavar="QUERY", help='words, "phrases", pre*, AND, OR, NOT, filters')
    parser.add_argument("--all", action="store_true", help="of every project, not of this one alone")
    parser.add_argument("--since", metavar="T", help="said since a date, a time, or so long ago (12h, 7d)")
    parser.add_argument("--model", default="", metavar="M", help="said by a model with this in its name")
    parser.add_argument("--limit", type=_count, default=20, metavar="N", help="the best N (20)")


def _declare_label(parser: Parser) -> None:
    _declare_id(parser)
    parser.add_argument("entry", metavar="ENTRY", help="the beginning of the id of an entry")
    parser.add_argument("text", nargs="+", metavar="TEXT", help='the label; "" takes it away')


def _declare_fork(parser: Parser) -> None:
    _declare_id(parser)
    parser.add_argument("--at", metavar="ENTRY|TURN", help="as far as an entry, or to the end of a turn")


def _declare_clear(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="of every project")
    parser.add_argument("--now", action="store_true", help="for good, not to the trash")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _declare_gc(parser: Parser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


_ELSEWHERE = {"export": "export", "import": "bring_in"}
"""Actions that are commands too, and the modules that do them."""
_ACTIONS: dict[str, tuple[str, str, Callable[[Parser], None]]] = {
    "list": ("the sessions of this project, newest first", "session_tables:show_all", _declare_list),
    "show": ("one session in detail", "session_tables:show", _declare_id),
    "path": ("the file of a session", "session_tables:tell_path", _declare_id),
    "dir": ("the folder of this project's sessions", "session_tables:tell_dir", _declare_nothing),
    "search": (
        "full text; filters role: tool: file: model: before: after:",
        "session_search:search",
        _declare_search,
    ),
    "tree": ("the entries of a session, with its branches and labels", "session_trees:show_tree", _declare_tree),
    "stats": ("what a session did and what it used, in numbers", "session_numbers:show_numbers", _declare_id),
    "label": ("put a label on an entry", "session_trees:label", _declare_label),
    "fork": ("a new session with all of another, or with a part of it", "session_trees:fork", _declare_fork),
    "clone": ("a new session with the path on which another stands", "session_trees:clone", _declare_id),
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
    "clear": ("move all sessions of this project to the trash", "session_care:clear", _declare_clear),
    "gc": (
        "throw away what lay in the trash for 30 days, and results of sessions that are gone",
        "session_care:collect",
        _declare_gc,
    ),
    "delete": ("move sessions to the trash, where they lie for 30 days", "session_care:delete", _declare_delete),
}
