"""What can be asked of the rules and done to them: for `codi policy`, and for `/policy` in a conversation."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from codi.engine.config_files import shown
from codi.engine.rulebook import RuleBook
from codi.policy.danger import danger_of
from codi.policy.exec_rules import ExecRule, rule_from, written_rules
from codi.policy.policy import Judged, Policy
from codi.policy.rule_sets import COMMANDS, PATHS
from codi.policy.rules import Decision, Rule
from codi.policy.shell.analysis import analyse
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Runs, Verdict
from codi.protocol.errors import UsageError
from codi.workspace import paths

EXIT_STATUS: dict[Decision, int] = {"allow": 0, "ask": 3, "deny": 1}

_UNREAD = 5
"""The risk of what cannot be read: that of a command of which nothing is known, and 2 more."""


class Told(Struct, frozen=True):
    """An answer in words or as a table, and as JSON: one object each."""

    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    objects: tuple[Any, ...] = ()
    status: int = 0


class Wish(Struct, frozen=True, kw_only=True):
    """A rule as a person adds it. `scope` project: in this one alone."""

    text: str
    decision: Decision = "allow"
    scope: str = "user"
    regex: bool = False
    match: tuple[str, ...] = ()
    not_match: tuple[str, ...] = ()
    why: str = ""
    expires: str = ""


class _Line(Struct, frozen=True):
    """One line of `check`."""

    cmd: str | tuple[str, ...]
    cwd: str | None = None


class PolicyDesk:
    """`policy` gives what holds now, with all rules."""

    def __init__(self, policy: Callable[[], Policy], book: RuleBook, territory: Territory) -> None:
        self._policy = policy
        self._book = book
        self._territory = territory

    def listed(self, *, with_state: bool = False) -> Told:
        """All rules: those that are kept, that the repository brings, and that settings and flags give."""
        told = [
            *(_row(rule, self._book.is_in_force(rule)) for rule in self._book.own()),
            *(_row(rule, self._book.is_in_force(rule, brought=True)) for rule in self._book.brought()),
            *(_row_of_setting(rule) for rule in self._policy().rules if not rule.id),
        ]
        told.sort(key=lambda row: not row["enforced"] if with_state else False)
        head: tuple[str, ...] = ("id", "decision", "rule", "scope", "source", "hits", "last used", "expires", "why")
        keys = ("id", "decision", "rule", "scope", "source", "hits", "last_used", "expires", "justification")
        rows: list[tuple[str, ...]] = [tuple("" if row[key] is None else str(row[key]) for key in keys) for row in told]
        if with_state:
            states = ("enforced" if row["enforced"] else "advisory" for row in told)
            rows = [(state, *row) for state, row in zip(states, rows)]
            head = ("state", *head)
        return Told(head=head, rows=tuple(rows), objects=tuple(told), lines=() if told else ("there are no rules",))

    def sets(self) -> Told:
        rows = [("run", f"@{name}", ", ".join(each)) for name, each in COMMANDS.items()]
        rows += [("write, read", f"@{name}", ", ".join(each)) for name, each in PATHS.items()]
        objects = [{"set": name, "kind": "commands", "rules": list(each)} for name, each in COMMANDS.items()]
        objects += [{"set": name, "kind": "paths", "rules": list(each)} for name, each in PATHS.items()]
        return Told(head=("of", "set", "rules"), rows=tuple(rows), objects=tuple(objects))

    def tested(self, line: str, cwd: str | None = None) -> Told:
        told = self._judged(line, cwd)
        decision: Decision = told["decision"]
        said = f"{decision} (risk {told['risk']})" + "".join(f"\n  {reason}" for reason in told["reasons"])
        return Told(tuple(said.split("\n")), objects=(told,), status=EXIT_STATUS[decision])

    def explained(self, line: str, cwd: str | None = None) -> Told:
        """Each simple command with the rules that speak of it, what is not understood, and what decided."""
        command = Runs(line, self._place(cwd))
        policy, told = self._policy(), self._judged(line, cwd)
        parts, found = policy.parts(command), analyse(command)
        judged = policy.judged(command, "shell")
        told["commands"] = [self._part(part) for part in parts]
        told["doubts"] = [{"segment": doubt.segment, "reason": doubt.reason} for doubt in found.doubts]
        told["decidedBy"] = _decider(judged, policy)
        lines = [line]
        for part, row in zip(parts, told["commands"]):
            lines.append(f"  {part.shown}")
            lines.append(
                f"    {row['decision']} (risk {row['risk']})"
                + (f": {'; '.join(row['reasons'])}" if row["reasons"] else "")
            )
            lines += (f"    matched {rule.decision} {_called(rule)}" for rule in part.rules)
        lines += (f"  not understood: `{doubt.segment}`: {doubt.reason}" for doubt in found.doubts)
        whole = [rule for rule in judged.rules if all(rule not in part.rules for part in parts)]
        lines += (f"  matched {rule.decision} {_called(rule)}" for rule in whole)
        lines.append(f"{told['decision']} (risk {told['risk']}), decided by {told['decidedBy']}")
        lines += (f"  {reason}" for reason in told["reasons"])
        return Told(tuple(lines), objects=(told,))

    def checked(self, text: bytes) -> dict[str, Any]:
        """The answer to one line `{"cmd": ..., "cwd"?: ...}`; one that says something else asks, and has an `error`."""
        try:
            said = msgspec.json.decode(text, type=_Line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            why = f"expected an object with cmd and perhaps cwd: {error}"
            return {"cmd": None, "decision": "ask", "risk": _UNREAD, "reasons": [why], "rules": [], "error": why}
        if isinstance(said.cmd, tuple):
            return {**self._judged(said.cmd, said.cwd), "cmd": list(said.cmd)}
        return self._judged(said.cmd, said.cwd)

    def added(self, wish: Wish) -> Told:
        """Raises UsageError where the rule or its examples make no sense, ConfigError where it cannot be written."""
        rule = rule_from(_spelled(wish.text), wish.decision, self._territory, regex=wish.regex)
        rule = replace(
            rule,
            match=wish.match,
            not_match=wish.not_match,
            justification=wish.why,
            expires=_instant(wish.expires) if wish.expires else None,
        )
        if wish.scope == "project":
            rule = replace(rule, scope="project", project=self._book.project)
        (kept,) = self._book.keep([rule])
        return Told((f"{kept.id}: {kept.decision} {kept.text}",), objects=(_row(kept, self._book.is_in_force(kept)),))

    def removed(self, name: str) -> Told:
        """By its id, or by its text. Raises UsageError where there is no such rule."""
        names = (name, _spelled(name))
        meant = [rule.id for rule in self._book.own() if rule.id == name or rule.text in names]
        if not meant:
            raise UsageError(
                f"there is no rule {name} that is kept", hint="codi policy list shows them with their ids."
            )
        gone = [rule for id in meant if (rule := self._book.drop(id))]
        return Told(
            tuple(f"removed {rule.id}: {rule.decision} {rule.text}" for rule in gone),
            objects=tuple({"removed": rule.id, "rule": rule.text} for rule in gone),
        )

    def exported(self) -> Told:
        content = written_rules(self._book.own())
        return Told(tuple(content.decode().rstrip("\n").split("\n")), objects=(msgspec.json.decode(content),))

    def imported(self, content: bytes) -> Told:
        """Raises UsageError where one rule in it cannot be used: then none is taken."""
        wanted = self._book.imported(content)
        before = {rule.id for rule in self._book.own()}
        new = [rule for rule in self._book.keep(wanted) if rule.id not in before]
        lines = (
            f"{len(new)} of {len(wanted)} rules are new",
            *(f"{rule.id}: {rule.decision} {rule.text}" for rule in new),
        )
        return Told(lines, objects=({"rules": len(wanted), "added": [rule.id for rule in new]},))

    def _place(self, cwd: str | None) -> str:
        return paths.real(paths.joined(cwd, self._territory.root)) if cwd else self._territory.root

    def _judged(self, line: str | tuple[str, ...], cwd: str | None) -> dict[str, Any]:
        command = Runs(line, self._place(cwd))
        judged = self._policy().judged(command, "shell")
        return {"cmd": line, **self._verdict(judged.verdict, command), "rules": [rule.name for rule in judged.rules]}

    def _part(self, part: Judged) -> dict[str, Any]:
        command = Runs(part.shown, self._territory.root)
        return {"text": part.shown, **self._verdict(part.verdict, command), "rules": [rule.name for rule in part.rules]}

    def _verdict(self, verdict: Verdict, command: Runs) -> dict[str, Any]:
        if isinstance(verdict, Ask):
            return {"decision": "ask", "risk": verdict.risk, "reasons": list(verdict.reasons)}
        danger = danger_of(command.line, command.cwd, self._territory)
        if isinstance(verdict, Deny):
            return {"decision": "deny", "risk": danger.risk, "reasons": [verdict.reason]}
        why = [f"allowed by {verdict.rule}"] if verdict.rule else list(danger.reasons)
        return {"decision": "allow", "risk": danger.risk, "reasons": why}


def _row(rule: ExecRule, enforced: bool) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(rule)
    scope = rule.scope if rule.scope == "user" or rule.project is None else f"project {shown(rule.project)}"
    return {**built, "rule": rule.text, "scope": scope, "enforced": enforced}


def _row_of_setting(rule: Rule) -> dict[str, Any]:
    row = dict.fromkeys(("id", "hits", "last_used", "expires", "justification"))
    enforced = {
        "rule": rule.text,
        "decision": rule.decision,
        "scope": "this start",
        "source": "settings",
        "enforced": True,
    }
    return {**row, **enforced}


def _called(rule: Rule) -> str:
    return f"{rule.id} {rule.text}".strip()


def _decider(judged: Judged, policy: Policy) -> str:
    verdict = judged.verdict
    if isinstance(verdict, Allow | Deny) and verdict.rule:
        return f"rule {verdict.rule}"
    asking = [rule.name for rule in judged.rules if rule.decision == "ask"]
    if isinstance(verdict, Ask) and asking:
        return f"rule {', '.join(asking)}"
    return f"mode {policy.mode}"


def _spelled(text: str) -> str:
    """A set by its name alone means its commands, or writing its files."""
    if not text.startswith("@"):
        return text
    return f"run({text})" if text[1:] in COMMANDS else f"write({text})"


def _instant(text: str) -> datetime:
    try:
        moment = msgspec.convert(
            f"{text}T00:00:00Z" if len(text) == len("2026-11-20") else text, datetime, strict=False
        )
    except msgspec.ValidationError as error:
        raise UsageError(f"{text!r} is no moment", hint="Write 2026-11-20, or 2026-11-20T10:00:00Z.") from error
    if moment.tzinfo is None:
        raise UsageError(f"{text!r} has no time zone", hint="Write it as 2026-11-20T10:00:00Z.")
    return moment
