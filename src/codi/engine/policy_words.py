"""The words after `/policy` in a conversation, and what they are answered."""

import shlex
from collections.abc import Callable, Sequence

from codi.engine.policy_desk import PolicyDesk, Told, Wish
from codi.engine.rulebook import RuleBook
from codi.policy.policy import Policy
from codi.policy.rules import Decision, Rule, parse_rule
from codi.policy.territory import Territory
from codi.protocol.errors import CodiError, UsageError
from codi.protocol.events import PolicyDelta

_HOW = "list [--sets|--rules], add [--ask|--deny] [--project] RULE, rm ID, test CMD, explain CMD, export, import F"
_DECISIONS: dict[str, Decision] = {"--allow": "allow", "--ask": "ask", "--deny": "deny"}


class PolicyWords:
    """`hold` takes a rule for the session alone."""

    def __init__(
        self, policy: Callable[[], Policy], book: RuleBook, territory: Territory, hold: Callable[[Rule], None]
    ) -> None:
        self._desk = PolicyDesk(policy, book, territory)
        self._territory = territory
        self._hold = hold

    def answer(self, words: Sequence[str]) -> PolicyDelta:
        try:
            told = self._told(list(words) or ["list"])
        except CodiError as error:
            return PolicyDelta(f"error: {error}\nhint: {error.hint}", error.exit_status)
        rows = ["  ".join(cell for cell in row if cell) for row in told.rows]
        return PolicyDelta("\n".join((*told.lines, *rows)), told.status)

    def _told(self, words: list[str]) -> Told:
        match words:
            case ["list"]:
                return self._desk.listed()
            case ["list", "--rules"]:
                return self._desk.listed(with_state=True)
            case ["list", "--sets"] | ["sets"]:
                return self._desk.sets()
            case ["test", *line] if line:
                return self._desk.tested(_line(line))
            case ["explain", *line] if line:
                return self._desk.explained(_line(line))
            case ["rm" | "remove", *name] if name:
                return self._desk.removed(" ".join(name))
            case ["add", *rest] if rest:
                return self._added(rest)
            case [("allow" | "deny") as decision, *text] if text:
                self._hold(parse_rule(" ".join(text), decision, self._territory))
                return Told((f"for this session: {decision} {' '.join(text)}",))
            case ["export"]:
                return self._desk.exported()
            case ["import", file]:
                return self._desk.imported(_content(file))
        raise UsageError("there is no such word", hint=_HOW)

    def _added(self, words: list[str]) -> Told:
        flags = [word for word in words if word.startswith("--")]
        unknown = [flag for flag in flags if flag not in (*_DECISIONS, "--project", "--user")]
        if unknown:
            raise UsageError(f"there is no flag {unknown[0]}", hint=_HOW)
        decision: Decision = next((_DECISIONS[flag] for flag in flags if flag in _DECISIONS), "allow")
        text = " ".join(word for word in words if word not in flags)
        return self._desk.added(Wish(text=text, decision=decision, scope="project" if "--project" in flags else "user"))


def _line(words: Sequence[str]) -> str:
    """A command that was typed as it is, or in quotes as for a shell."""
    text = " ".join(words)
    try:
        parts = shlex.split(text)
    except ValueError:
        return text
    return parts[0] if len(parts) == 1 and text[:1] in "'\"" else text


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", hint="Name a file of `codi policy export`."
        ) from error
