"""`codi blame`: which prompt, turn and call wrote each line of a file."""

import time
from collections.abc import Sequence

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk
from codi.cli.printing import print_json, print_table
from codi.commands.ledger_words import blame_of
from codi.protocol.events import BlamedLine
from codi.workspace.ledger.answers import blamed


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi blame", description="Who wrote each line: session, turn, prompt, call and time.")
    parser.add_argument("place", metavar="FILE[:LINE[-LINE]]")
    add_general(parser)
    args = parser.parse_args(words)
    asked = blame_of([args.place])
    desk = Desk(args)
    lines = blamed(desk.ledger, desk.path(asked.path), asked.first, asked.last, asked.path)
    if args.json:
        print_json({"path": asked.path, "lines": lines})
    else:
        print_table(("line", "step", "turn", "call", "at", "prompt", "text"), map(_row, lines))
    return 0


def _row(line: BlamedLine) -> list[str]:
    step = "" if line.step is None else str(line.step)
    at = "" if line.at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(line.at))
    if line.owner in (None, "person"):
        return [str(line.line), step, "", "", at, "a person" if line.owner else "before codi", line.text]
    turn, call = ("" if line.turn is None else str(line.turn)), f"{line.tool or ''} {line.call or ''}"
    return [str(line.line), step, turn, call, at, line.prompt or "", line.text]
