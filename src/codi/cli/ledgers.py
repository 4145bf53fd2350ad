"""What the commands on the ledger share: opening it, choosing a session, and showing what becomes of paths."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from codi.cli.flags import Parser
from codi.engine.layers import load
from codi.engine.places import Places
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError, WorkspaceError
from codi.workspace import paths
from codi.workspace.ledger.answers import shown
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.reversal import Undone
from codi.workspace.ledger.states import Step
from codi.workspace.ledger.undoing import Action, Plan

SAID = {
    "restore": "restore",
    "delete": "delete",
    "recreate": "recreate",
    "mode": "mode",
    "merge": "merge",
    "keep": "keep",
    "conflict": "CONFLICT",
    "lost": "LOST",
}


class Desk:
    """The ledger of the project around the working directory, read."""

    def __init__(self, args: Any) -> None:
        self.places = Places.at(args.cwd)
        loaded = load(self.places, os.environ, {}, ())
        if not args.quiet:
            for warning in loaded.warnings:
                print(f"warning: {warning}", file=sys.stderr)
        self.settings = loaded.settings.undo
        self.session_settings = loaded.settings.sessions
        self.ledger = Ledger(self.places.home, self.places.root, self.settings)
        self.ledger.open()
        if (damaged := self.ledger.journal.damaged) and not args.quiet:
            lines = ", ".join(map(str, damaged))
            print(
                f"warning: damaged lines in {self.ledger.journal.path}: {lines}; all other steps stand", file=sys.stderr
            )

    def path(self, typed: str) -> str:
        """What a typed path is called in the ledger."""
        return self.ledger.path_of(paths.located(paths.joined(typed, self.places.cwd)))

    def session(self, text: str | None) -> str | None:
        """The whole id of the session that a beginning means; None for none named. Raises UsageError."""
        if text is None:
            return None
        known = dict.fromkeys(step.cause.session for step in self.ledger.journal.steps() if step.cause.session)
        found = [session for session in known if session.startswith(text)]
        if len(found) != 1:
            why = "several sessions begin with" if found else "no session changed files here that begins with"
            raise UsageError(f"{why} {text!r}", hint="`codi changes --json` names the sessions.")
        return found[0]


def nothing(what: str) -> WorkspaceError:
    return WorkspaceError(f"there is nothing to {what}", hint="`codi changes` shows what was changed.")


def add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")


def print_plan(plan: Plan, failed: dict[str, str], aside: Sequence[str] = ()) -> None:
    for action in plan.actions:
        if action.what == "keep" and not action.why:
            continue
        said = "CONFLICT" if action.path in failed else SAID[action.what]
        why = failed.get(action.path, action.why)
        print(visible(f"{said:<9} {shown(action.path)}" + (f"  ({why})" if why else "")))
    for path in aside:
        print(visible(f"{'wrote':<9} {shown(path)}  (what it would have become)"))


def plan_json(
    plan: Plan, failed: dict[str, str], aside: Sequence[str], step: Step | None, *, dry_run: bool
) -> dict[str, Any]:
    changed = [action for action in plan.actions if action.now != action.to and action.path not in failed]
    kept = [action for action in plan.actions if action.what == "keep"]
    return {
        "step": step.n if step else None,
        "steps": list(plan.steps),
        "dryRun": dry_run,
        "changed": [_row(action) for action in changed],
        "kept": [_row(action) for action in kept],
        "conflicts": [
            *(_row(action) for action in plan.conflicts),
            *({"path": shown(path), "what": "conflict", "why": why} for path, why in failed.items()),
        ],
        "aside": [shown(path) for path in aside],
    }


def _row(action: Action) -> dict[str, str]:
    return {"path": shown(action.path), "what": action.what, "why": action.why}


def status_of(undone: Undone) -> int:
    """Exit status: 1 where something stayed that should have been taken back. Its names are told."""
    stayed = [*(action.path for action in undone.plan.conflicts), *undone.failed]
    if stayed:
        print(visible(f"error: not taken back: {', '.join(map(shown, stayed))}"), file=sys.stderr)
        print("hint: Compare each with its .codi-undo, where there is one, and mend it by hand.", file=sys.stderr)
    return 1 if stayed else 0


def sure(args: Any, question: str) -> bool:
    """Whether the person at the terminal means it; without a terminal it was meant."""
    if args.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def summary_of(steps: Iterable[Step]) -> str:
    steps = list(steps)
    named = f"step {steps[0].n}" if len(steps) == 1 else f"{len(steps)} steps ({steps[0].n} to {steps[-1].n})"
    title = next((step.cause.title for step in steps if step.cause.title), "")
    return f"{named}{f' of “{title}”' if title else ''}"
