"""`codi changes`: what became of each file, by whom, and what nobody watched."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from codi.cli.flags import Parser, add_general
from codi.cli.ledgers import Desk
from codi.cli.moments import moment
from codi.cli.printing import print_json, print_table
from codi.frontends.sanitiser import visible
from codi.tools.unified_diffs import patches
from codi.workspace.ledger.changes import ChangedFile, Summary, git_steps, standing
from codi.workspace.ledger.states import Gap, Step

_HEAD = ("path", "change", "before", "after", "+", "-", "owner", "steps")
_SHORT = 12


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi changes", description="What became of each file: git's ids, lines, owner and steps.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", metavar="ID", help="since this session began; else the one that changed files last")
    which.add_argument("--since", metavar="T", help="since a date, a time, or so long ago (12h, 7d)")
    which.add_argument("--all", action="store_true", help="since the ledger began")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--stat", action="store_true", help="files and lines alone")
    how.add_argument("--patch", action="store_true", help="as a unified diff")
    add_general(parser)
    args = parser.parse_args(words)
    desk = Desk(args)
    if desk.ledger.journal.records:
        desk.ledger.look()
    steps = _chosen(args, desk)
    summary = Summary(desk.ledger.contents, desk.ledger.root)
    rows = summary.of(steps)
    gaps = desk.ledger.known_gaps()
    if args.json:
        print_json({"files": [_as_json(row) for row in rows], "git": git_steps(steps), "notCovered": _gaps_json(gaps)})
    elif args.patch:
        for line in patches(summary.sides(steps)):
            print(visible(line))
    elif args.stat:
        print_table(("path", "+", "-"), ([row.path, _count(row.added), _count(row.removed)] for row in rows))
    else:
        print_table(_HEAD, (_row(row) for row in rows))
        _print_rest(args, steps, gaps)
    return 0


def _chosen(args: Any, desk: Desk) -> list[Step]:
    steps = standing(desk.ledger.journal)
    if args.all:
        return steps
    if args.since:
        since = moment(args.since)
        return [step for step in steps if step.at >= since]
    of_agent = [step for step in steps if step.owner == "agent"]
    session = desk.session(args.session) or (of_agent[-1].cause.session if of_agent else None)
    first = next((step.n for step in steps if step.cause.session == session and step.owner == "agent"), 0)
    return [step for step in steps if step.n >= first]


def _print_rest(args: Any, steps: Sequence[Step], gaps: Sequence[Gap]) -> None:
    if args.quiet:
        return
    if numbers := git_steps(steps):
        print(f"git: branches, HEAD, index or stash changed in steps {', '.join(map(str, numbers))}", file=sys.stderr)
    for gap in gaps:
        print(visible(f"not covered: {gap.path}  ({gap.why})"), file=sys.stderr)


def _row(row: ChangedFile) -> list[str]:
    return [
        row.path,
        row.kind,
        (row.before or "-")[:_SHORT],
        (row.after or "-")[:_SHORT],
        _count(row.added),
        _count(row.removed),
        f"{row.owner} ({row.tool})" if row.tool else row.owner,
        ",".join(map(str, row.steps)),
    ]


def _as_json(row: ChangedFile) -> dict[str, Any]:
    return {
        "path": row.path,
        "change": row.kind,
        "before": row.before,
        "after": row.after,
        "added": row.added,
        "removed": row.removed,
        "owner": row.owner,
        "tool": row.tool or None,
        "session": row.session or None,
        "steps": list(row.steps),
    }


def _gaps_json(gaps: Iterable[Gap]) -> list[dict[str, str]]:
    return [{"path": gap.path, "why": gap.why} for gap in gaps]


def _count(lines: int | None) -> str:
    return "-" if lines is None else str(lines)
