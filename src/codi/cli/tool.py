"""`codi tool`: the tools by hand. A call is judged, granted, run and recorded exactly as one of the model's."""

import sys
from collections.abc import Sequence
from typing import Any

import anyio
import msgspec

from codi.cli.flags import MODES, Parser, add_general
from codi.cli.printing import print_json, print_table
from codi.cli.start import host_for
from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.engine.places import Places
from codi.frontends.answers import Answering, nobody, yes
from codi.protocol.errors import UsageError
from codi.protocol.events import ApprovalAsked, ApprovalGiven, Entry, MessageAdded
from codi.protocol.messages import Message, ToolCall, ToolResult
from codi.protocol.ops import UseTool

_NOT_ALLOWED = 3


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
    for each in (listing, show, call):
        add_general(each)
    args = parser.parse_args(words)
    return {"list": _list, "show": _show, "call": _call}[args.action](args)


def _host(args: Any, options: Options) -> Engine:
    mode = getattr(args, "permission_mode", None)
    return host_for(Places.at(args.cwd), {"permission_mode": mode} if mode else {}, options)


def _list(args: Any) -> int:
    specs = _host(args, Options()).tools()
    if args.json:
        print_json([{"name": spec.name, "description": spec.description} for spec in specs])
    else:
        print_table(["tool", "what it does"], ([spec.name, spec.description.partition("\n")[0]] for spec in specs))
    return 0


def _show(args: Any) -> int:
    specs = _host(args, Options()).tools()
    spec = next((spec for spec in specs if spec.name == args.name), None)
    if spec is None:
        raise UsageError(f"there is no tool {args.name!r}", hint=f"There are {', '.join(spec.name for spec in specs)}.")
    if args.json:
        print_json(spec)
    else:
        print(
            f"{spec.name}\n\n{spec.description}\n\n{msgspec.json.format(msgspec.json.encode(spec.parameters)).decode()}"
        )
    return 0


def _call(args: Any) -> int:
    text = sys.stdin.read() if args.arguments == "-" else args.arguments
    try:
        arguments = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(
            f"the arguments are no JSON object: {error}", hint='For example {"path": "README.md"}.'
        ) from error
    options = Options(keep=False, allow=tuple(args.allow), deny=tuple(args.deny), mode_given=True)
    call = ToolCall("call_1", args.name, arguments)
    result, allowed = anyio.run(_used, _host(args, options), call, yes if args.yes else nobody)
    print_json(result)
    return _NOT_ALLOWED if not allowed else 1 if result.is_error else 0


async def _used(engine: Engine, call: ToolCall, answering: Answering) -> tuple[ToolResult, bool]:
    allowed = True
    async with engine.open(thinks=False) as conversation:
        events = conversation.events()
        await conversation.send(UseTool(call))
        async for event in events:
            match event:
                case Entry(fact=ApprovalAsked() as asked):
                    await conversation.send(answering(asked))
                case Entry(fact=ApprovalGiven(decision=decision)):
                    allowed = decision == "allow"
                case Entry(fact=MessageAdded(message=Message(blocks=(ToolResult() as result,)))):
                    return result, allowed
    raise AssertionError("a call always has a result")
