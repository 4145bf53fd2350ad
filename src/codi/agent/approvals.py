"""Asking the person, and waiting for the answer.

One question stands at a time, in the order of the calls. An answer reaches its question by the id of the call.
"""

import time

import anyio

from codi.agent.record import Record
from codi.policy.offers import offered_rule
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Effect
from codi.protocol.events import ApprovalAsked, ApprovalGiven
from codi.protocol.messages import ToolCall
from codi.protocol.ops import Answer


class Approvals:
    """`unanswered` says whether a needed permission was denied because nobody could be asked."""

    def __init__(self, record: Record, territory: Territory) -> None:
        self.unanswered = False
        self.waited_s = 0.0
        self.sandbox_level = 1
        self._record = record
        self.territory = territory
        self._open: str | None = None
        self._answered = anyio.Event()
        self._answer: Answer | None = None

    async def ask(
        self,
        call: ToolCall,
        effects: tuple[Effect, ...],
        ask: Ask,
        *,
        mapped: str | None = None,
        undo_cover: str = "",
        preview: str | None = None,
    ) -> Answer:
        """Keep the question, show it, and wait until it is answered."""
        self._open, self._answered, self._answer = call.id, anyio.Event(), None
        self._record.keep(
            ApprovalAsked(
                tool_call_id=call.id,
                tool_name=call.name,
                arguments=call.arguments,
                effects=effects,
                risk=ask.risk,
                reasons=ask.reasons,
                sandbox_level=self.sandbox_level,
                undo_cover=undo_cover,
                preview=preview,
                offers=self.offers(effects),
                mapped_from=mapped,
            )
        )
        began = time.monotonic()
        try:
            await self._answered.wait()
        finally:
            self.waited_s += time.monotonic() - began
        answer = self._answer
        assert answer is not None
        self._open = None
        verdict = answer.verdict
        self.unanswered = self.unanswered or verdict.by == "nobody"
        self._record.keep(
            ApprovalGiven(
                tool_call_id=call.id,
                decision="abort" if answer.abort else "allow" if isinstance(verdict, Allow) else "deny",
                by="nobody" if verdict.by == "nobody" else "person",
                tool_name=call.name,
                effects=effects,
                rule_id=answer.rule,
                remember="session" if answer.rule else None,
                changed=answer.changed,
                text=(verdict.reason or None) if isinstance(verdict, Deny) else None,
            ),
            sync=True,
        )
        return answer

    def answer(self, answer: Answer) -> bool:
        """Bring an answer to the open question; False if that call is not being asked about."""
        if self._open != answer.call_id or self._answer is not None:
            return False
        self._answer = answer
        self._answered.set()
        return True

    def offers(self, effects: tuple[Effect, ...]) -> tuple[str, ...]:
        """Rules that would have allowed these effects."""
        offers = (offered_rule(effect, self.territory) for effect in effects)
        return tuple(dict.fromkeys(offer for offer in offers if offer))
