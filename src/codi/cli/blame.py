"""`codi blame`: which prompt, turn and call wrote each line of a file."""

import re
import time
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk
from codi.cli.printing import print_json, print_table
from codi.protocol.errors import UsageError, WorkspaceError
from codi.workspace.ledger.blame import Line, blame

_PLACE = re.compile(r"(.+?)(?::(\d+)(?:-(\d+))?)?", re.DOTALL)


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi blame", description="Who wrote each line: session, turn, prompt, call and time.")
    parser.add_argument("place", metavar="FILE[:LINE[-LINE]]")
    add_general(parser)
    args = parser.parse_args(words)
    told = _PLACE.fullmatch(args.place)
    if told is None:
        raise UsageError(f"{args.place!r} is no file", hint="For example src/app.py:10-20.")
    desk = Desk(args)
    path = desk.path(told[1])
    _, content = desk.ledger.scanner.state(path)
    if content is None:
        raise WorkspaceError(f"{told[1]} cannot be read as a file", hint="Name a file that is there.")
    lines = blame(path, content, desk.ledger.journal.steps(), desk.ledger.contents)
    first = int(told[2]) if told[2] else 1
    last = int(told[3]) if told[3] else first if told[2] else len(lines)
    if told[2] and not 1 <= first <= last <= len(lines):
        raise UsageError(f"{told[1]} has {len(lines)} lines", hint="Lines are counted from 1, the smaller first.")
    rows = [(number, lines[number - 1]) for number in range(first, last + 1)]
    if args.json:
        print_json({"path": told[1], "lines": [_as_json(number, line) for number, line in rows]})
    else:
        print_table(
            ("line", "step", "turn", "call", "at", "prompt", "text"), (_row(number, line) for number, line in rows)
        )
    return 0


def _row(number: int, line: Line) -> list[str]:
    text = line.text.decode("utf-8", "replace").rstrip("\r\n")
    step = line.step
    if step is None or step.owner == "person":
        whose = "a person" if step or line.is_new else "before codi"
        return [str(number), str(step.n) if step else "", "", "", _time(step.at) if step else "", whose, text]
    cause = step.cause
    return [
        str(number),
        str(step.n),
        str(cause.turn),
        f"{cause.tool} {cause.call_id}",
        _time(step.at),
        cause.title,
        text,
    ]


def _as_json(number: int, line: Line) -> dict[str, Any]:
    step = line.step
    told: dict[str, Any] = {"line": number, "text": line.text.decode("utf-8", "replace").rstrip("\r\n")}
    told["owner"] = step.owner if step else "person" if line.is_new else None
    if step:
        told |= {"step": step.n, "at": step.at}
    if step and step.owner == "agent":
        cause = step.cause
        told |= {"session": cause.session, "turn": cause.turn, "prompt": cause.title}
        told |= {"call": cause.call_id, "tool": cause.tool, "what": cause.what}
    return told


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
