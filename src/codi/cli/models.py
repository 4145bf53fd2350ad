"""`codi models`: the models that can be named, what they can do and cost, and which of them answers when nobody names one."""

from collections.abc import Sequence

from codi.cli.flags import Parser, action_of, add_general

_ACTIONS = {"list": "the models that can be named", "current": "the model that answers when nobody names one, and why"}


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "list")
    parser = Parser(
        prog=f"codi models {action}",
        description=_ACTIONS[action],
        epilog="actions: list, current; prices in US dollars per million tokens" if action == "list" else None,
    )
    if action == "list":
        parser.add_argument("search", nargs="?", default="", metavar="SEARCH", help="with this in id or name")
        parser.add_argument("--provider", default="", metavar="P", help="of this service alone")
        parser.add_argument("--local", action="store_true", help="those of servers on this machine that answer")
    add_general(parser)
    args = parser.parse_args(words)
    from codi.cli import model_tables  # all of codi: not before it is wanted

    return model_tables.show(args) if action == "list" else model_tables.show_current(args)
