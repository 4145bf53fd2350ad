"""Asking the person, and waiting for the answer.

One question stands at a time, in the order of the calls. An answer reaches its question by the id of the call, and holds for
what was shown and nothing else. What was answered in a turn is not asked again in it.
"""

import time

import anyio
from msgspec.structs import replace

from codi.agent.binding import MISFIT
from codi.agent.learning import Learning, Offers
from codi.agent.record import Record
from codi.credentials.vault import NotHeld
from codi.policy.exec_rules import ExecRule
from codi.policy.offers import offered_rule
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Deny, Effect
from codi.protocol.errors import CodiError
from codi.protocol.events import ApprovalAsked, ApprovalGiven, RuleTriedDelta, StatusDelta
from codi.protocol.ops import Answer

_ANSWERED_BEFORE = "answered before in this turn"


class Approvals:
    """`unanswered` says whether a needed permission was denied because nobody could be asked."""

    def __init__(self, record: Record, territory: Territory, learning: Learning | None = None) -> None:
        self.unanswered = False
        self.waited_s = 0.0
        self.learning = learning or Learning(territory)
        self.learning.veil = record.shown
        self.sandbox_level = 1
        self._record = record
        self.territory = territory
        self._open: ApprovalAsked | None = None
        self._answered = anyio.Event()
        self._answer: Answer | None = None
        self._earlier: dict[str, Answer] = {}

    def begin_turn(self) -> None:
        self.unanswered = False
        self._earlier.clear()
        for warning in self.learning.begin_turn():
            self._record.tell(StatusDelta(kind="warning", text=warning))

    async def ask(self, asked: ApprovalAsked, offers: Offers) -> Answer:
        """Keep the question, show it, and wait until it is answered."""
        if earlier := self._earlier.get(asked.binding):
            self._keep(asked, earlier, None, _ANSWERED_BEFORE)
            return earlier
        self._open, self._answered, self._answer = asked, anyio.Event(), None
        self._record.keep(asked)
        began = time.monotonic()
        try:
            await self._answered.wait()
        finally:
            self.waited_s += time.monotonic() - began
            self._open = None
        answer = self._answer
        assert answer is not None
        if answer.binding not in (None, asked.binding):
            answer = Answer(asked.tool_call_id, Deny(MISFIT, by="person"), abort=answer.abort)
        self.unanswered = self.unanswered or answer.verdict.by == "nobody"
        kept = self._learned(asked, offers, answer)
        if kept is None:
            answer = replace(answer, rule=None)
        self._keep(asked, answer, kept)
        if not answer.abort and answer.changed is None:
            self._earlier[asked.binding] = replace(answer, rule=None)
        return answer

    def answer(self, answer: Answer) -> bool:
        """Bring an answer to the open question; False if that call is not being asked about."""
        if self._open is None or self._open.tool_call_id != answer.call_id or self._answer is not None:
            return False
        self._answer = answer
        self._answered.set()
        return True

    def try_rule(self, text: str) -> None:
        """Tell what a rule would do, were it given with the answer."""
        asked = self._open
        if asked is None:
            self._record.tell(RuleTriedDelta(text, problem="nothing is being asked"))
        else:
            self._record.tell(self._tried(self._restored(text), asked))

    def needed(self, effects: tuple[Effect, ...]) -> str | None:
        """A rule that would have allowed these effects, as `--allow` takes it."""
        offers = (offered_rule(effect, self.territory) for effect in effects)
        return next((offer for offer in offers if offer), None)

    def _restored(self, rule: str) -> str:
        """A rule as it fits the call, of which the person saw placeholders."""
        try:
            return self._record.vault.restore(rule) if self._record.vault else rule
        except NotHeld:
            return rule

    def _tried(self, text: str, asked: ApprovalAsked) -> RuleTriedDelta:
        return self.learning.tried(text, asked.effects, asked.tool_name, self._record.session.path())

    def _learned(self, asked: ApprovalAsked, offers: Offers, answer: Answer) -> ExecRule | None:
        """Count the answer, or keep the rule that came with it; the rule."""
        if not isinstance(answer.verdict, Allow) or answer.abort:
            return None
        try:
            if answer.rule is None:
                if answer.verdict.by == "person" and answer.changed is None:
                    self.learning.allowed(offers, refused=answer.refused)
                return None
            text = self._restored(answer.rule)
            tried = self._tried(text, asked)
            rule = self.learning.keep(text, answer.remember, asked)
        except CodiError as error:
            self._record.tell(StatusDelta(kind="warning", text=f"no rule is kept: {error}", hint=error.hint))
            return None
        self._record.tell(replace(tried, id=rule.id))
        return rule

    def _keep(self, asked: ApprovalAsked, answer: Answer, rule: ExecRule | None, note: str | None = None) -> None:
        verdict = answer.verdict
        said = (verdict.reason or None) if isinstance(verdict, Deny) else None
        self._record.keep(
            ApprovalGiven(
                tool_call_id=asked.tool_call_id,
                decision="abort" if answer.abort else "allow" if isinstance(verdict, Allow) else "deny",
                by=verdict.by if verdict.by in ("nobody", "mode") else "person",
                tool_name=asked.tool_name,
                effects=asked.effects,
                who=answer.who,
                rule_id=(rule.id or answer.rule) if rule else None,
                remember=answer.remember if rule else None,
                changed=answer.changed,
                text=note or said,
            ),
            sync=True,
        )
