"""`codi undo`: take back what the agent changed. Shown first, done then; it can itself be taken back by `codi redo`."""

import sys
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk, nothing, plan_json, print_plan, status_of, summary_of, sure
from codi.cli.printing import print_json
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError
from codi.workspace.ledger import choosing
from codi.workspace.ledger.states import Step

_MB = 1024 * 1024


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi undo", description="Take back the last turn that changed files, or what is named.")
    parser.add_argument("count", nargs="?", metavar="N", help="the last N steps (a step is what one call changed)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--turn", action="store_true", help="the last turn that changed files, as without any argument")
    which.add_argument("--to", metavar="STEP", help="every step after this one")
    which.add_argument("--all", action="store_true", help="every step of the session")
    parser.add_argument("--path", action="append", default=[], metavar="P", help="of this file or folder alone")
    parser.add_argument("--session", metavar="ID", help="of this session; else of the one that changed files last")
    parser.add_argument("--dry-run", action="store_true", help="show it, and change nothing")
    parser.add_argument(
        "--status", action="store_true", help="what is kept, how much room it takes, what is not covered"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_general(parser)
    args = parser.parse_args(words)
    desk = Desk(args)
    if args.status:
        return _status(args, desk)
    steps = _chosen(args, desk)
    if not steps:
        raise nothing("take back")
    wanted = [desk.path(path) for path in args.path]
    plan = desk.ledger.reversal.plan(steps, wanted)
    if args.dry_run:
        if args.json:
            print_json(plan_json(plan, {}, (), None, dry_run=True))
        else:
            print(visible(f"would take back {summary_of(steps)}"))
            print_plan(plan, {})
        return 1 if plan.conflicts else 0
    if not (args.json or args.quiet or args.yes) and sys.stdin.isatty():
        print_plan(plan, {})
    if not sure(args, visible(f"Take back {summary_of(steps)}?")):
        print("nothing was changed", file=sys.stderr)
        return 1
    undone = desk.ledger.reversal.undo(steps, wanted)
    if args.json:
        print_json(plan_json(undone.plan, undone.failed, undone.aside, undone.step, dry_run=False))
    elif not args.quiet:
        print(visible(f"took back {summary_of(steps)}"))
        print_plan(undone.plan, undone.failed, undone.aside)
    return status_of(undone)


def _chosen(args: Any, desk: Desk) -> list[Step]:
    session = desk.session(args.session)
    if session is None:
        session = choosing.newest_session(desk.ledger.reversal.undoable(uncertain=bool(args.path)))
    steps = desk.ledger.reversal.undoable(session, uncertain=bool(args.path))
    if args.count is not None:
        if not args.count.isdecimal() or args.count == "0" or args.turn or args.to or args.all:
            raise UsageError(f"{args.count!r} is no number of steps", hint="codi undo 2 takes back the last two.")
        return choosing.last(steps, int(args.count))
    if args.to:
        return choosing.after(steps, choosing.step_number(args.to))
    return steps if args.all or (args.path and not args.turn) else choosing.of_last_turn(steps)


def _status(args: Any, desk: Desk) -> int:
    ledger = desk.ledger
    if ledger.journal.records:
        ledger.look()
    gaps = ledger.known_gaps()
    steps = ledger.journal.steps()
    told: dict[str, Any] = {
        "folder": ledger.folder,
        "enabled": desk.settings.enabled,
        "steps": len(steps),
        "undoable": len(ledger.reversal.undoable()),
        "redoable": len(ledger.reversal.redoable()),
        "usedBytes": ledger.used(),
        "quotaBytes": ledger.quota,
        "damagedLines": ledger.journal.damaged,
        "lost": ledger.reversal.lost(),
        "notCovered": [
            *({"path": gap.path, "why": gap.why} for gap in gaps),
            *({"path": what, "why": "never"} for what in _NEVER),
        ],
    }
    if args.json:
        print_json(told)
        return 0
    print(f"kept in      {ledger.folder}" + ("" if desk.settings.enabled else "  (undo.enabled is false)"))
    print(f"steps        {told['steps']}, of which {told['undoable']} can be taken back")
    print(f"room         {ledger.used() / _MB:.1f} MB of {ledger.quota / _MB:.0f} MB")
    for number in told["lost"]:
        print(f"lost         step {number}: what it replaced is damaged or gone")
    for gap in gaps:
        print(visible(f"not covered  {gap.path}  ({gap.why})"))
    print(f"not covered  {', '.join(_NEVER)}")
    return 0


_NEVER = ("network", "databases", "other processes", "what commands change outside of the workspace")
