"""`codi tool`: the tools by hand. A call is judged, granted, run and recorded exactly as one of the model's."""

from collections.abc import Sequence

from codi.cli.flags import MODES, Parser, add_general


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi tool", description="List, show or run one tool.")
    actions = parser.add_subparsers(dest="action", metavar="list|show|call", required=True)
    listing = actions.add_parser("list", help="the tools there are")
    show = actions.add_parser("show", help="what the model is told of a tool")
    show.add_argument("name")
    call = actions.add_parser("call", help="run a tool; the result as JSON")
    call.add_argument("name")
    call.add_argument(
        "arguments", nargs="?", default="{}", metavar="JSON|-", help="the arguments, or - for standard input"
    )
    call.add_argument("--permission-mode", choices=MODES)
    call.add_argument(
        "-y", "--yes", action="store_true", help="accept what is asked, except what is denied or dangerous"
    )
    call.add_argument("--allow", action="append", default=[], metavar="RULE")
    call.add_argument("--deny", action="append", default=[], metavar="RULE")
    call.add_argument("--sandbox", choices=("off", "auto", "require"))
    call.add_argument("--offline", action="store_true", help="no network beyond this machine")
    for each in (listing, show, call):
        add_general(each)
    args = parser.parse_args(words)
    from codi.cli import tool_work  # all of codi: not before it is wanted

    return {"list": tool_work.list_all, "show": tool_work.show, "call": tool_work.call}[args.action](args)
