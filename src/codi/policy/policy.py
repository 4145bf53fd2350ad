"""Of all rules that match, and of all effects, the strictest verdict counts."""

import os
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from codi.policy.mode import Mode
from codi.policy.rules import PASS_ON, Rule
from codi.policy.shell.analysis import Analysis, SimpleCommand, analyse
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reads, Runs, Verdict, Writes

_STRICTNESS: dict[type, int] = {Allow: 0, Ask: 1, Deny: 2}
_ONLY_A_PERSON = 8
_UNCONFINED = "commands run unconfined, so learned rules do not answer for you"


class Judged(Struct, frozen=True):
    """One effect, or one simple command of a line, with what was thought of it. `rules` are those that speak of it."""

    shown: str
    verdict: Verdict
    rules: tuple[Rule, ...] = ()
    parts: tuple["Judged", ...] = ()


class Policy(Struct, frozen=True):
    """`otherwise` is the mode's table. It decides where no rule matches, and what it denies no rule can allow. `suspended` is
    why learned rules allow nothing for now; `real` follows the links in a path that stands in a command. Where commands are
    `unconfined`, learned rules that are kept allow none."""

    mode: Mode
    rules: tuple[Rule, ...]
    otherwise: Callable[[Effect], Verdict]
    suspended: str = ""
    real: Callable[[str], str] = os.path.normpath
    unconfined: bool = False

    def judge(self, effects: Iterable[Effect], *, tool: str = "") -> Verdict:
        """The verdict on one call, from its effects on resolved paths. Pure. A call without effects is allowed."""
        verdicts = [self.judged(effect, tool).verdict for effect in effects]
        return strictest(*verdicts) if verdicts else Allow()

    def judged(self, effect: Effect, tool: str = "") -> Judged:
        """The verdict on one effect, and how it came about."""
        of_mode = self.otherwise(effect)
        covering = tuple(rule for rule in self.rules if rule.covers(effect, tool))
        in_force = [rule for rule in covering if not self._is_suspended(rule)]
        shown = effect.line if isinstance(effect, Runs) else ""
        if isinstance(of_mode, Deny):
            return Judged(shown, of_mode, covering)
        if in_force:
            return Judged(
                shown, self._noted(strictest(*(rule.verdict(of_mode) for rule in in_force)), covering), covering
            )
        if isinstance(effect, Runs) and isinstance(of_mode, Ask):
            return self._judged_by_parts(effect, of_mode, covering)
        return Judged(shown, self._noted(of_mode, covering), covering)

    def parts(self, command: Runs) -> tuple[Judged, ...]:
        """Each simple command and each redirection of a line, judged by itself."""
        found = analyse(command)
        parts = (self._judged_part(part, command.cwd) for part in found.commands)
        return (*parts, *self._judged_redirections(found))

    def _judged_by_parts(self, command: Runs, of_mode: Ask, covering: tuple[Rule, ...]) -> Judged:
        """A line is allowed where all of it is understood, and every command and every redirection is allowed."""
        found = analyse(command)
        parts = self.parts(command)
        rules = tuple(dict.fromkeys((*covering, *(rule for part in parts for rule in part.rules))))
        asking = [part for part in parts if not isinstance(part.verdict, Allow)]
        verdict: Verdict = of_mode
        if found.commands and not asking and found.understood and of_mode.risk < _ONLY_A_PERSON:
            verdict = Allow(by="rule", rule=", ".join(dict.fromkeys(_named(parts)))) if rules else of_mode
        elif any(isinstance(part.verdict, Deny) for part in asking):
            verdict = strictest(*(part.verdict for part in asking))
        else:
            # What is allowed by itself is not why it asks.
            fine = tuple(f"{part.shown}: " for part in parts if isinstance(part.verdict, Allow))
            led = [part.verdict for part in asking if part.shown.startswith((">", "<"))]
            told = [reason for ask in led if isinstance(ask, Ask) for reason in ask.reasons]
            reasons = [reason for reason in (*of_mode.reasons, *told) if not (fine and reason.startswith(fine))]
            verdict = replace(of_mode, reasons=tuple(dict.fromkeys(reasons)))
        return Judged(command.line, self._noted(verdict, rules), rules, parts)

    def _judged_part(self, part: SimpleCommand, cwd: str) -> Judged:
        effect = Runs(part.words, part.cwd)
        of_mode = self.otherwise(effect)
        elsewhere = part.words[0] == "git" and part.cwd != cwd
        if isinstance(of_mode, Allow) and (elsewhere or not PASS_ON.issuperset(part.wrappers)):
            of_mode = Ask((f"{part.text}: not what it would be by itself",))
        rules = tuple(
            rule
            for rule in self.rules
            if (rule.covers_part(part) if rule.decision == "allow" else rule.covers(effect, ""))
        )
        in_force = [rule for rule in rules if not self._is_suspended(rule)]
        verdict = strictest(*(rule.verdict(of_mode) for rule in in_force)) if in_force else of_mode
        return Judged(part.text, of_mode if isinstance(of_mode, Deny) else verdict, rules)

    def _judged_redirections(self, found: Analysis) -> list[Judged]:
        judged = []
        for redirection in found.redirections:
            if redirection.target is None:
                judged.append(Judged("> ?", Ask(("where a redirection leads is not known",), 5)))
            elif redirection.target != "/dev/null":
                path = self.real(redirection.target)
                effect = Writes(path) if redirection.writes else Reads(path)
                one = self.judged(effect)
                judged.append(replace(one, shown=f"{'>' if redirection.writes else '<'} {path}"))
        return judged

    def _is_suspended(self, rule: Rule) -> bool:
        return self._why_suspended(rule) is not None

    def _why_suspended(self, rule: Rule) -> str | None:
        if not rule.learned or rule.decision != "allow":
            return None
        return self.suspended or (_UNCONFINED if self.unconfined and rule.id and rule.kind == "run" else None)

    def _noted(self, verdict: Verdict, covering: Iterable[Rule]) -> Verdict:
        """That a learned rule would have allowed it, and why it does not."""
        whys = [why for rule in covering if (why := self._why_suspended(rule))]
        if not isinstance(verdict, Ask) or not whys:
            return verdict
        return replace(verdict, reasons=tuple(dict.fromkeys((*verdict.reasons, *whys))))


def strictest(*verdicts: Verdict) -> Verdict:
    """Deny before Ask before Allow; of several Asks the riskiest, with the reasons of all."""
    asks = [verdict for verdict in verdicts if isinstance(verdict, Ask)]
    worst = max(verdicts, key=lambda verdict: _STRICTNESS[type(verdict)])
    if isinstance(worst, Ask):
        reasons = dict.fromkeys(reason for ask in asks for reason in ask.reasons)
        return Ask(tuple(reasons), max(ask.risk for ask in asks))
    return worst


def _named(parts: Iterable[Judged]) -> Iterable[str]:
    return (part.verdict.rule for part in parts if isinstance(part.verdict, Allow) and part.verdict.rule)
