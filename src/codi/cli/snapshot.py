"""`codi snapshot`: the tree as it was, by name or by step; compared, and brought back."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from codi.cli.changes import patches
from codi.cli.flags import Parser, action_of, add_general
from codi.cli.ledgers import Desk, plan_json, print_plan, shown, status_of
from codi.cli.printing import print_json, print_table
from codi.protocol.errors import UsageError, WorkspaceError
from codi.workspace.ledger import choosing
from codi.workspace.ledger.changes import Summary
from codi.workspace.ledger.snapshots import Snapshot, below, first_changes_after, first_step, names, snapshots
from codi.workspace.ledger.states import Cause


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "list")
    summary, act, declare = _ACTIONS[action]
    parser = Parser(prog=f"codi snapshot {action}", description=summary)
    declare(parser)
    add_general(parser)
    args = parser.parse_args(words)
    return act(args, Desk(args))


def _list(args: Any, desk: Desk) -> int:
    found = _snapshots(desk)
    if args.json:
        for each in found:
            print_json(_as_json(each))
        return 0
    print_table(("id", "taken", "name"), ([each.id, _time(each.at), _name(each)] for each in found))
    return 0


def _create(args: Any, desk: Desk) -> int:
    name = args.name or time.strftime("%Y-%m-%d %H:%M:%S")
    named = desk.ledger.name_tree(name)
    if args.json:
        print_json({"id": named.id, "name": named.name, "tree": named.tree, "step": named.step})
    else:
        print(named.id)
    for gap in [] if args.quiet else desk.ledger.known_gaps():
        print(f"skipped: {gap.path}  ({gap.why})", file=sys.stderr)
    return 0


def _diff(args: Any, desk: Desk) -> int:
    desk.ledger.look()
    steps = desk.ledger.journal.steps()
    begin = _step(desk, args.a)
    end = _step(desk, args.b) if args.b else steps[-1].n if steps else 0
    if begin > end:
        raise UsageError(f"{args.a} is newer than {args.b}", hint="Name the older one first.")
    between = [step for step in steps if begin < step.n <= end]
    summary = Summary(desk.ledger.contents, desk.ledger.root)
    if args.json:
        sides = [
            {"path": path, "before": summary.blob(old), "after": summary.blob(new)}
            for path, old, new in summary.sides(between)
        ]
        print_json({"files": sides})
    else:
        for line in patches(summary, between):
            print(line)
    return 0


def _restore(args: Any, desk: Desk) -> int:
    desk.ledger.look()
    number = _step(desk, args.id)
    taken = desk.ledger.journal.newest()
    wanted = [desk.path(path) for path in args.paths]
    changes = below(first_changes_after(desk.ledger.journal.steps(), number), wanted)
    restored = desk.ledger.reversal.restore(changes, Cause(tool="snapshot", what=f"restore {args.id}"))
    if args.json:
        told = plan_json(restored.plan, restored.failed, (), restored.step, dry_run=False)
        print_json({"snapshot": f"s{taken}", **told})
    elif not args.quiet:
        print_plan(restored.plan, restored.failed)
        print(f"what was there is s{taken}; `codi undo` brings it back")
    return status_of(restored)


def _delete(args: Any, desk: Desk) -> int:
    known = names(desk.ledger.journal)
    gone = [name for name, named in known.items() if args.id in (name, named.id)]
    if not gone:
        raise WorkspaceError(f"there is no snapshot with the name {args.id!r}", hint="`codi snapshot list` names them.")
    _check_sure(args)
    desk.ledger.forget_names(gone)
    _tell_gone(args, gone)
    return 0


def _prune(args: Any, desk: Desk) -> int:
    listed = {each.name for each in _snapshots(desk) if each.is_named}
    gone = [name for name in names(desk.ledger.journal) if name not in listed]
    _check_sure(args)
    desk.ledger.forget_names(gone)
    _tell_gone(args, gone)
    return 0


def _check_sure(args: Any) -> None:
    if not args.yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("deleting asks, and there is no terminal to answer at", hint="Add --yes.")
    if not args.yes:
        print("Delete for good? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise WorkspaceError("nothing was deleted", hint="Answer y, or add --yes.")


def _tell_gone(args: Any, gone: Sequence[str]) -> None:
    if args.json:
        print_json({"deleted": list(gone)})
    elif not args.quiet:
        print(f"{len(gone)} deleted")


def _snapshots(desk: Desk) -> list[Snapshot]:
    return snapshots(desk.ledger.journal, days=desk.settings.snapshot_days, count=desk.settings.snapshot_count)


def _step(desk: Desk, text: str) -> int:
    """The step that an id or a name means. Raises UsageError, and WorkspaceError for one that was given up."""
    named = names(desk.ledger.journal).get(text)
    number = named.step if named else choosing.step_number(text)
    oldest, newest = first_step(desk.ledger.journal), desk.ledger.journal.newest()
    if not oldest <= number <= newest:
        raise WorkspaceError(
            f"there is no tree {text}", hint=f"The oldest is s{oldest}, the newest s{newest}; `codi snapshot list`."
        )
    return number


def _name(snapshot: Snapshot) -> str:
    return snapshot.name if snapshot.is_named else f"before turn {snapshot.turn}: {snapshot.name}"


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "step": snapshot.step,
        "at": snapshot.at,
        "name": shown(snapshot.name),
        "named": snapshot.is_named,
        "session": snapshot.session or None,
        "turn": snapshot.turn or None,
    }


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _declare_nothing(parser: Parser) -> None:
    pass


def _declare_create(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="its name; else the time")


def _declare_diff(parser: Parser) -> None:
    parser.add_argument("a", metavar="A", help="a name, or an id such as s12")
    parser.add_argument("b", nargs="?", metavar="B", help="the newer one; else what is there now")


def _declare_restore(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="a name, or an id such as s12")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="these files and folders alone")


def _declare_delete(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="the name, or the id")
    _declare_prune(parser)


def _declare_prune(parser: Parser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


_Act = Callable[[Any, Desk], int]
_ACTIONS: dict[str, tuple[str, _Act, Callable[[Parser], None]]] = {
    "list": ("the trees that can be brought back, oldest first", _list, _declare_nothing),
    "create": ("give the tree as it is a name", _create, _declare_create),
    "diff": ("what became different between two trees", _diff, _declare_diff),
    "restore": ("bring a tree back, or some paths of it; git's branches and index stay", _restore, _declare_restore),
    "delete": ("take a name away", _delete, _declare_delete),
    "prune": ("take away the names that are too old, or too many", _prune, _declare_prune),
}
