"""Listing, showing and running tools by hand, for `codi tool`. `args` are as its parser gives them."""

import sys
from typing import Any

import msgspec

from codi.cli import loop
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


def _host(args: Any, options: Options) -> Engine:
    named = {
        "permission_mode": getattr(args, "permission_mode", None),
        "sandbox.mode": getattr(args, "sandbox", None),
        "network.offline": getattr(args, "offline", False) or None,
    }
    return host_for(Places.at(args.cwd), {name: value for name, value in named.items() if value is not None}, options)


def list_all(args: Any) -> int:
    specs = _host(args, Options()).tools()
    if args.json:
        print_json([{"name": spec.name, "description": spec.description} for spec in specs])
    else:
        print_table(["tool", "what it does"], ([spec.name, spec.description.partition("\n")[0]] for spec in specs))
    return 0


def show(args: Any) -> int:
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


def call(args: Any) -> int:
    text = sys.stdin.buffer.read() if args.arguments == "-" else args.arguments
    try:
        arguments = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(
            f"the arguments are no JSON object: {error}", hint='For example {"path": "README.md"}.'
        ) from error
    options = Options(keep=False, allow=tuple(args.allow), deny=tuple(args.deny), mode_given=True)
    call = ToolCall("call_1", args.name, arguments)
    result, allowed = loop.run(_used, _host(args, options), call, yes if args.yes else nobody)
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
