"""Having the person decide: what they are asked about an act, and what their answer makes of it."""

import msgspec
from anyio import to_thread
from msgspec.structs import replace

from codi.agent.act import Act
from codi.agent.approvals import Approvals
from codi.agent.binding import MISFIT
from codi.agent.cover import Cover
from codi.agent.judging import ANOTHER_WAY, Judging
from codi.agent.learning import Offers
from codi.agent.previews import preview_of
from codi.agent.record import Record
from codi.agent.trying import Tried, Trying
from codi.protocol.effects import Allow, Ask, Deny, Effect, Runs
from codi.protocol.events import ApprovalAsked, PolicyChosen
from codi.protocol.messages import ToolCall
from codi.tools.tool import ToolFailed
from codi.workspace.workspace import Workspace

NOT_STARTED = "Not executed: the user stopped the turn."
CHANGED = "Nothing of it was kept: the user wants other arguments, {}. Send the call again with these."
DENIED = "The user denied this call."
NOBODY = "No one can approve this in non-interactive mode; {} needs --allow {}."
DANGEROUS = 8
"""The risk from which a person is asked even about what they typed themselves."""


class Asking:
    """Over `judging`, whose verdict it is that somebody has to be asked."""

    def __init__(
        self, judging: Judging, approvals: Approvals, workspace: Workspace, record: Record, cover: Cover
    ) -> None:
        self._judging = judging
        self._approvals = approvals
        self._workspace = workspace
        self._record = record
        self._cover = cover

    async def ask(self, act: Act, to_come: int = 0) -> bool:
        """Ask the person; False if the answer is to stop the turn. `to_come` is how many others will be asked about after it."""
        assert act.resolved is not None and isinstance(act.verdict, Ask)
        asked, offers = self._question(
            act.canonical,
            act.effects,
            act.verdict,
            mapped=act.mapped,
            undo_cover=self._cover.told(act.resolved.action.effects()),
            preview=await preview_of(act.resolved.action, act.effects, self._workspace),
        )
        act.binding = asked.binding
        answer = await self._approvals.ask(replace(asked, to_come=to_come), offers)
        if answer.abort:
            return False
        if isinstance(answer.verdict, Deny):
            act.settle(self._denial(act, answer.verdict), is_error=True)
            return True
        if answer.rule:
            self._record.keep(PolicyChosen(self._judging.policy.mode, rule_added=answer.rule))
        if answer.changed is not None:
            try:
                act.resolved = self._judging.meant(act.tool, answer.changed)
            except ToolFailed as failure:
                act.settle(str(failure), is_error=True)
                return True
            await self._judging.judge(act)
            act.binding = self._judging.binding(act.canonical, act.effects)
            if isinstance(act.verdict, Ask) and act.verdict.risk >= DANGEROUS:
                return await self.ask(act, to_come)
        return True

    async def may_become_true(self, act: Act, tried: Tried) -> bool:
        """Whether what a command changed on an overlay may. Of what was allowed before it ran only changes are asked about."""
        asks = isinstance(act.verdict, Ask) and act.binding is None
        if not tried.trial.changes and not asks:
            return True
        assert act.resolved is not None
        verdict = act.verdict if asks and isinstance(act.verdict, Ask) else Ask()
        lines = [effect.line for effect in act.effects if isinstance(effect, Runs)]
        asked, offers = self._question(
            act.canonical,
            act.effects,
            Ask((*verdict.reasons, tried.reason), max(verdict.risk, tried.risk)),
            mapped=act.mapped,
            undo_cover=self._cover.told(act.resolved.action.effects()),
            preview="\n".join([*lines, await to_thread.run_sync(tried.text)]),
        )
        act.answer = await self._approvals.ask(replace(asked, binding=tried.bound_to(asked.binding)), offers)
        if act.answer.rule:
            self._record.keep(PolicyChosen(self._judging.policy.mode, rule_added=act.answer.rule))
        return isinstance(act.answer.verdict, Allow) and not act.answer.abort and act.answer.changed is None

    def why_not_kept(self, act: Act, trying: Trying) -> str:
        """Why nothing that a command changed became true, for the model; empty where it did."""
        answer = act.answer
        if answer is None:
            return trying.why_not
        if answer.abort:
            return NOT_STARTED
        if isinstance(answer.verdict, Deny):
            return self._denial(act, answer.verdict)
        if answer.changed is not None:
            return CHANGED.format(msgspec.json.encode(answer.changed).decode())
        return trying.why_not

    async def why_not(self, call: ToolCall, effects: tuple[Effect, ...]) -> str | None:
        """Have something judged that no tool does, and asked about where the policy says so; None if it is allowed."""
        if any(isinstance(effect, Runs) for effect in effects) and (why := await self._judging.confining.refusal()):
            return why
        verdict = self._judging.learned.judge(effects, tool=call.name)
        if isinstance(verdict, Ask):
            answer = await self._approvals.ask(*self._question(call, effects, verdict))
            if answer.rule and isinstance(answer.verdict, Allow):
                self._record.keep(PolicyChosen(self._judging.policy.mode, rule_added=answer.rule))
            verdict = answer.verdict
        return (verdict.reason or "it was not allowed") if isinstance(verdict, Deny) else None

    def _question(
        self,
        call: ToolCall,
        effects: tuple[Effect, ...],
        ask: Ask,
        *,
        mapped: str | None = None,
        undo_cover: str = "",
        preview: str | None = None,
    ) -> tuple[ApprovalAsked, Offers]:
        """What the person is asked, bound to what would run, and the rules that they could keep."""
        offers = self._approvals.learning.offers(effects, self._judging.learned, call.name, ask.risk)
        asked = ApprovalAsked(
            tool_call_id=call.id,
            tool_name=call.name,
            arguments=call.arguments,
            effects=effects,
            risk=ask.risk,
            reasons=ask.reasons,
            sandbox_level=self._approvals.sandbox_level,
            undo_cover=undo_cover,
            preview=preview,
            offers=offers.rules,
            mapped_from=mapped,
            suggested=offers.suggested,
            binding=self._judging.binding(call, effects),
        )
        return asked, offers

    def _denial(self, act: Act, verdict: Deny) -> str:
        if verdict.by == "nobody":
            return NOBODY.format(act.tool, repr(self._approvals.needed(act.effects) or act.tool))
        if verdict.reason == MISFIT:
            return f"Not executed: {MISFIT}."
        return " ".join(part for part in (DENIED, verdict.reason, ANOTHER_WAY) if part)
