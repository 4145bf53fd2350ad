"""Of all rules that match, and of all effects, the strictest verdict counts."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from codi.policy.mode import Mode
from codi.policy.rules import Rule
from codi.protocol.effects import Allow, Ask, Deny, Effect, Verdict

_STRICTNESS: dict[type, int] = {Allow: 0, Ask: 1, Deny: 2}


class Policy(Struct, frozen=True):
    """`otherwise` is the mode's table. It decides where no rule matches, and what it denies no rule can allow."""

    mode: Mode
    rules: tuple[Rule, ...]
    otherwise: Callable[[Effect], Verdict]

    def judge(self, effects: Iterable[Effect], *, tool: str = "") -> Verdict:
        """The verdict on one call, from its effects on resolved paths. Pure. A call without effects is allowed."""
        verdicts = [self._judge_one(effect, tool) for effect in effects]
        return strictest(*verdicts) if verdicts else Allow()

    def with_rule(self, rule: Rule) -> "Policy":
        return Policy(self.mode, (*self.rules, rule), self.otherwise)

    def _judge_one(self, effect: Effect, tool: str) -> Verdict:
        of_mode = self.otherwise(effect)
        if isinstance(of_mode, Deny):
            return of_mode
        said = [rule.verdict(of_mode) for rule in self.rules if rule.covers(effect, tool)]
        return strictest(*said) if said else of_mode


def strictest(*verdicts: Verdict) -> Verdict:
    """Deny before Ask before Allow; of several Asks the riskiest, with the reasons of all."""
    asks = [verdict for verdict in verdicts if isinstance(verdict, Ask)]
    worst = max(verdicts, key=lambda verdict: _STRICTNESS[type(verdict)])
    if isinstance(worst, Ask):
        reasons = dict.fromkeys(reason for ask in asks for reason in ask.reasons)
        return Ask(tuple(reasons), max(ask.risk for ask in asks))
    return worst
