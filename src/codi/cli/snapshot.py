"""`codi snapshot`: the tree as it was, by name or by step; compared, and brought back."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from codi.agent.rewinding import WITH_CONVERSATION, Rewinding, session_of
from codi.cli.flags import Parser, action_of, add_general
from codi.cli.ledgers import Desk, plan_json, print_plan, status_of
from codi.cli.printing import print_json, print_table
from codi.commands.ledger_words import resumed_in_words
from codi.engine.shelf import Shelf
from codi.frontends.sanitiser import visible
from codi.protocol.errors import SessionError, UsageError, WorkspaceError
from codi.protocol.events import Resumed
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from codi.tools.unified_diffs import patches
from codi.workspace.ledger.answers import snapshot_row
from codi.workspace.ledger.changes import Summary
from codi.workspace.ledger.snapshots import Snapshot, below, first_changes_after, names, snapshots, step_of
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
            print_json(snapshot_row(each))
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
    begin = step_of(desk.ledger.journal, args.a)
    end = step_of(desk.ledger.journal, args.b) if args.b else steps[-1].n if steps else 0
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
        for line in patches(summary.sides(between)):
            print(visible(line))
    return 0


def _restore(args: Any, desk: Desk) -> int:
    desk.ledger.look()
    number = step_of(desk.ledger.journal, args.id)
    taken = desk.ledger.journal.newest()
    with _conversation(args, desk, number) as (session, resumed):
        status = _brought_back(args, desk, number, taken, resumed)
        if session and resumed and resumed.moved:
            session.branch_from(resumed.to)
            session.sync()
    return status


@contextmanager
def _conversation(args: Any, desk: Desk, number: int) -> Iterator[tuple[Session | None, Resumed | None]]:
    """The session that goes back too, opened, and where it then goes on; nothing unless it is wanted. Raises CodiError before
    anything is changed."""
    if not args.conversation:
        yield None, None
        return
    session_id = desk.session(args.session) or session_of(desk.ledger.journal, number)
    if session_id is None:
        raise SessionError("no session changed files here", hint="Restore the files alone, without --conversation.")
    path = Shelf(desk.places, desk.session_settings).path_of(session_id)
    session = Session(JsonlStore.open(path))
    try:
        rewinding = Rewinding(session_id, session.entries, session.leaf, desk.ledger.journal)
        yield session, rewinding.of_snapshot(args.id, number)
    finally:
        session.close()


def _brought_back(args: Any, desk: Desk, number: int, taken: int, resumed: Resumed | None) -> int:
    wanted = [desk.path(path) for path in args.paths]
    changes = below(first_changes_after(desk.ledger.journal.steps(), number), wanted)
    what = f"restore {args.id} {WITH_CONVERSATION}" if resumed else f"restore {args.id}"
    restored = desk.ledger.reversal.restore(changes, Cause(tool="snapshot", what=what))
    if args.json:
        told = plan_json(restored.plan, restored.failed, (), restored.step, dry_run=False)
        print_json({"snapshot": f"s{taken}", **told, **({"conversation": resumed} if resumed else {})})
    elif not args.quiet:
        print_plan(restored.plan, restored.failed)
        print(f"what was there is s{taken}; `codi undo` brings it back")
        if resumed:
            print(visible(resumed_in_words(resumed)))
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


def _name(snapshot: Snapshot) -> str:
    return snapshot.name if snapshot.is_named else f"before turn {snapshot.turn}: {snapshot.name}"


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
    parser.add_argument("--conversation", action="store_true", help="the session goes on from where it stood then, too")
    parser.add_argument("--session", metavar="ID", help="with --conversation: this one; else the one that worked there")


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
