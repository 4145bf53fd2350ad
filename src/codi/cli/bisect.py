"""`codi bisect`: which step, and so which prompt, made a command fail."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk
from codi.cli.printing import print_json
from codi.commands.ledger_words import bisect_in_words
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError
from codi.protocol.events import BisectDelta
from codi.workspace.ledger import choosing
from codi.workspace.ledger.answers import told_step
from codi.workspace.ledger.bisecting import Bisecting
from codi.workspace.ledger.states import Step


def run(words: Sequence[str]) -> int:
    words, command = _divided(words)
    parser = Parser(
        prog="codi bisect",
        usage="codi bisect [--from A] [--to B] -- COMMAND ...",
        description="Run a command on the tree after some steps, each made anew in a folder of its own, and name the first "
        "step after which it fails. It says 0 for good, 125 to skip, anything else up to 127 for bad.",
    )
    parser.add_argument("--from", dest="begin", metavar="A", help="after this step all was good (before the first one)")
    parser.add_argument("--to", metavar="B", help="after this step it is bad (the last one)")
    parser.add_argument("--session", metavar="ID", help="steps of this session alone")
    add_general(parser)
    args = parser.parse_args(words)
    if not command:
        raise UsageError("there is no command to judge by", hint="codi bisect -- pytest -q")
    desk = Desk(args)
    desk.ledger.look()
    steps = desk.ledger.journal.steps()
    candidates = _candidates(args, desk)
    if not candidates:
        raise UsageError("there are no steps between these", hint="`codi changes --all` names the steps.")
    bisecting = Bisecting(desk.ledger.root, steps, desk.ledger.contents, desk.settings.exclude)
    inside = os.path.relpath(desk.places.cwd, desk.ledger.root)

    def judge(place: str, step: Step) -> int:
        cwd = os.path.join(place, inside)
        status = _run(command, cwd if os.path.isdir(cwd) else place)
        if not args.quiet:
            said = {0: "good", 125: "skipped"}.get(status, "bad")
            print(visible(f"{said:<8} after step {step.n}: {step.cause.tool} {step.cause.what}"), file=sys.stderr)
        return status

    found = bisecting.find(candidates, judge)
    if args.json:
        print_json({"steps": [told_step(step) for step in found.steps], "runs": found.runs})
    else:
        told = BisectDelta(steps=tuple(map(told_step, found.steps)), runs=found.runs, done=True)
        for line in bisect_in_words(told):
            print(visible(line))
    return 0 if len(found.steps) == 1 else 1


def _divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    words = list(words)
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _candidates(args: Any, desk: Desk) -> list[Step]:
    steps = desk.ledger.reversal.undoable(desk.session(args.session))
    begin, end = (choosing.step_number(told) if told else None for told in (args.begin, args.to))
    return choosing.between(steps, begin, end)


def _run(command: Sequence[str], cwd: str) -> int:
    words = ["/bin/sh", "-c", command[0]] if len(command) == 1 else list(command)
    try:
        return subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode
    except OSError as error:
        raise UsageError(f"{words[0]} cannot be run: {error.strerror}", hint="Name a program that is there.") from error
