"""`codi redo`: put back what `codi undo` took."""

from collections.abc import Sequence

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk, nothing, plan_json, print_plan, status_of
from codi.cli.printing import print_json
from codi.protocol.errors import UsageError
from codi.workspace.ledger import choosing


def run(words: Sequence[str]) -> int:
    parser = Parser(
        prog="codi redo", description="Put back what the last undo took. A new change of the agent ends that."
    )
    parser.add_argument("count", nargs="?", default="1", metavar="N", help="the last N undos")
    parser.add_argument("--dry-run", action="store_true", help="show it, and change nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask (it never does)")
    add_general(parser)
    args = parser.parse_args(words)
    if not args.count.isdecimal() or args.count == "0":
        raise UsageError(f"{args.count!r} is no number of undos", hint="codi redo 2 puts back what the last two took.")
    desk = Desk(args)
    undos = choosing.last(desk.ledger.reversal.redoable(), int(args.count))
    if not undos:
        raise nothing("put back")
    status = 0
    for undo in reversed(undos):
        if args.dry_run:
            plan = desk.ledger.reversal.plan_redo(undo)
            print_json(plan_json(plan, {}, (), None, dry_run=True)) if args.json else print_plan(plan, {})
            status |= bool(plan.conflicts)
            continue
        redone = desk.ledger.reversal.redo(undo)
        if args.json:
            print_json(plan_json(redone.plan, redone.failed, (), redone.step, dry_run=False))
        elif not args.quiet:
            print(f"put back what step {undo.n} took")
            print_plan(redone.plan, redone.failed)
        status |= status_of(redone)
    return status
