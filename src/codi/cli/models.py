"""`codi models`: the models that can be named, what they can do and cost, and which of them answers when nobody names one."""

from collections.abc import Sequence

from codi.cli.flags import Parser, action_of, add_general

_ACTIONS = {
    "list": "the models that can be named",
    "info": "all that is known of a model",
    "current": "the model that answers when nobody names one, and why",
    "providers": "the services, with their addresses and the variables of their keys",
    "map": "models under names of your own: show, check, add, init, example",
    "run": "a pipeline of the model map",
}


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "list")
    if action == "run":
        from codi.cli import pipeline

        return pipeline.run(words, "codi models run")
    if action == "map":
        from codi.cli import model_map

        return model_map.run(words)
    parser = Parser(
        prog=f"codi models {action}",
        description=_ACTIONS[action],
        epilog=f"actions: {', '.join(_ACTIONS)}; prices in US dollars per million tokens" if action == "list" else None,
    )
    if action == "list":
        parser.add_argument("search", nargs="?", default="", metavar="SEARCH", help="with this in id or name")
        parser.add_argument("--provider", default="", metavar="P", help="of this service alone")
        parser.add_argument("--favourites", action="store_true", help="those that cycling offers")
        parser.add_argument("--local", action="store_true", help="those of servers on this machine that answer")
    if action == "info":
        parser.add_argument("id", metavar="ID", help="[provider/]id, or a name of the model map")
    add_general(parser)
    args = parser.parse_args(words)
    from codi.cli import model_tables  # all of codi: not before it is wanted

    show = {
        "list": model_tables.show,
        "info": model_tables.show_info,
        "current": model_tables.show_current,
        "providers": model_tables.show_providers,
    }
    return show[action](args)
