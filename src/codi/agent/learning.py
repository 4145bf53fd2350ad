"""Rules that come out of answers: offered after the same was allowed for the third time, kept only when the person says so.

Nothing is learned silently, and what was learned does not answer in a turn in which a stranger has spoken.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from codi.policy.exec_rules import BadRules, ExecRule, check, covers, made_of, rule_from
from codi.policy.offers import Offer, offer_for
from codi.policy.policy import Policy
from codi.policy.provenance import stranger, suspension
from codi.policy.rules import Rule
from codi.policy.territory import Territory
from codi.protocol.effects import Ask, Effect, Reaches, Reads, Runs, Writes
from codi.protocol.errors import UsageError
from codi.protocol.events import ApprovalAsked, CallIntended, Entry, RuleTriedDelta

OFFERED_AT = 3
"""Approvals of the same after which its rule is offered."""
_FEWEST_WORDS = 2
_MOST_TOLD = 20
_WRITE_IT = "A rule of your own: codi policy add RULE."

Remember = Literal["session", "project", "user"]


class Book(Protocol):
    """Where rules are kept for good."""

    project: str
    warnings: list[str]

    def rules(self) -> tuple[Rule, ...]: ...
    def keep(self, rules: Sequence[ExecRule]) -> list[ExecRule]: ...
    def used(self, names: Iterable[str]) -> None: ...


class Habits(Protocol):
    """What was allowed how often, and which offers were refused."""

    def approvals_of(self, rule: str) -> int: ...
    def is_refused(self, rule: str) -> bool: ...
    def approve(self, rule: str) -> None: ...
    def refuse(self, rule: str) -> None: ...


class Offers(Struct, frozen=True):
    """`rules` would allow the like of a call, the narrowest first; `suggested` is the one that the person is asked to take."""

    rules: tuple[str, ...] = ()
    suggested: str | None = None
    key: str | None = None


class Learning:
    """Without a book rules are kept for the session alone, and without habits none is suggested."""

    def __init__(self, territory: Territory, book: Book | None = None, habits: Habits | None = None) -> None:
        self._territory = territory
        self._book = book
        self._habits = habits
        self._of_session: tuple[Rule, ...] = ()
        self._suspended = ""
        self.veil: Callable[[str], str] = str
        """A text as it may be written down."""

    def begin_turn(self) -> list[str]:
        """What the person should hear of the rules that are kept."""
        self._suspended = ""
        if self._book is None:
            return []
        self._book.rules()
        told = list(self._book.warnings)
        self._book.warnings.clear()
        return told

    def entered(self, effects: Iterable[Effect], tool: str) -> None:
        """A call has brought something into the conversation."""
        if not self._suspended and (whose := stranger(effects, tool, self._territory)):
            self._suspended = suspension(whose)

    def applied(self, policy: Policy, *, confined: bool = True) -> Policy:
        """The policy with all that was learned, as far as it holds now. What was learned in another session answers for no
        command that is not `confined`."""
        kept = self._book.rules() if self._book else ()
        rules = (*policy.rules, *self._of_session, *kept)
        return replace(policy, rules=rules, suspended=self._suspended, unconfined=not confined)

    def decided(self, names: str | None) -> None:
        """These rules have allowed or denied a call."""
        if self._book and names:
            self._book.used(names.split(", "))

    def offers(self, effects: Sequence[Effect], policy: Policy, tool: str, risk: int) -> Offers:
        asking = [effect for effect in effects if isinstance(policy.judged(effect, tool).verdict, Ask)]
        found: dict[Offer, None] = {}
        for effect in asking:
            offer = offer_for(effect, policy, self._territory, risk)
            if offer is None:
                return Offers()
            found[offer] = None
        exact = tuple(dict.fromkeys(offer.exact for offer in found))
        if len(found) != 1:
            return Offers(exact)
        (offer,) = found
        key = offer.wide or offer.exact
        habits = self._habits
        if not habits or habits.is_refused(key) or habits.approvals_of(key) + 1 < OFFERED_AT:
            return Offers(exact, key=key)
        return Offers(tuple(dict.fromkeys((key, *exact))), suggested=key, key=key)

    def allowed(self, offers: Offers, *, refused: bool) -> None:
        """The person allowed a call, and refused the rule that was suggested, or was not asked for one."""
        if self._habits and offers.key:
            if refused and offers.suggested:
                self._habits.refuse(offers.suggested)
            else:
                self._habits.approve(offers.key)

    def keep(self, text: str, remember: Remember, asked: ApprovalAsked) -> ExecRule:
        """Keep a rule that came with an answer; one of the session has no id. Raises UsageError for one that makes no sense or
        does not fit the call, CodiError where it cannot be written."""
        rule = replace(self._made(text, asked.effects, asked.tool_name), id="")
        if remember != "session" and self.veil(rule.text) != rule.text:
            raise UsageError("it holds a secret, which is not written down", hint="Allow it for this session.")
        if not asked.offers:
            raise UsageError(f"no rule is learned from a call like this: {asked.tool_name}", hint=_WRITE_IT)
        if remember == "session" or self._book is None:
            self._of_session += (replace(made_of(rule, self._territory), text=text),)
            return rule
        if remember == "project":
            rule = replace(rule, scope="project", project=self._book.project, pattern=self._in_project(rule))
        return self._book.keep([rule])[0]

    def hold(self, rule: Rule) -> None:
        """A rule for this session alone, which the person wrote."""
        self._of_session += (rule,)

    def tried(self, text: str, effects: Sequence[Effect], tool: str, path: Iterable[Entry]) -> RuleTriedDelta:
        """What a rule would do: why it cannot be kept, or what else of this session it would have matched."""
        try:
            rule = self._made(text, effects, tool)
        except UsageError as error:
            return RuleTriedDelta(text, problem=str(error))
        return RuleTriedDelta(text, matches=self._matches(made_of(rule, self._territory), effects, path))

    def _made(self, text: str, effects: Sequence[Effect], tool: str) -> ExecRule:
        rule = replace(rule_from(text.strip(), "allow", self._territory, id="new"), source="learned")
        made = made_of(rule, self._territory)
        runs = any(isinstance(effect, Runs) for effect in effects)
        if (rule.kind == "prefix" and len(rule.pattern) < _FEWEST_WORDS) or (rule.kind == "tool" and runs):
            raise UsageError(f"the rule {text} is too broad to be learned: it needs two literal words", hint=_WRITE_IT)
        if not covers(made, tuple(effects), tool):
            raise UsageError(
                f"the rule {text} does not cover this call", hint="Edit it so that it does, or allow the call once."
            )
        examples = tuple(
            line
            for effect in effects
            if (line := _example(effect)) is not None and self.veil(line) == line and covers(made, (effect,), tool)
        )
        rule = replace(rule, match=(tool,) if rule.kind == "tool" else tuple(dict.fromkeys(examples)))
        try:
            check(rule, self._territory)
        except BadRules as error:
            raise UsageError(str(error), hint="Edit the rule, or allow the call once.") from error
        return rule

    def _matches(self, rule: Rule, effects: Sequence[Effect], path: Iterable[Entry]) -> tuple[str, ...]:
        told: dict[str, None] = {}
        for entry in path:
            match entry.fact:
                case ApprovalAsked(tool_name=tool, effects=earlier) | CallIntended(tool_name=tool, effects=earlier):
                    for effect in earlier:
                        if effect not in effects and covers(rule, (effect,), tool):
                            told[_shown(effect)] = None
        return tuple(told)[:_MOST_TOLD]

    def _in_project(self, rule: ExecRule) -> str | tuple[str | tuple[str, ...], ...]:
        """A pattern of paths that began at the working directory, from the project's root on."""
        assert self._book is not None
        if rule.kind != "path" or not isinstance(rule.pattern, str) or rule.pattern.startswith(("@", "~", "/")):
            return rule.pattern
        return self._territory.placed(rule.pattern).removeprefix(f"{self._book.project.rstrip('/')}/")


def _example(effect: Effect) -> str | None:
    match effect:
        case Runs():
            return effect.line
        case Reads(path) | Writes(path):
            return path
        case Reaches(host, port):
            return f"{host}:{port}"


def _shown(effect: Effect) -> str:
    match effect:
        case Runs():
            return effect.line
        case Reads(path):
            return f"reads {path}"
        case Writes(path):
            return f"writes {path}"
        case Reaches(host, port):
            return f"{host}:{port}"
