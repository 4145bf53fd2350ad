"""What a call means, and what the policy says of it.

A call that means nothing, cannot be done or is forbidden has its result here; of every other one the verdict says whether
somebody has to be asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
from msgspec.structs import replace

from codi.agent.act import Act
from codi.agent.approvals import Approvals
from codi.agent.binding import binding_of
from codi.agent.confining import Confining
from codi.agent.cover import Cover
from codi.agent.record import Record
from codi.agent.reviewer import Reviewer
from codi.agent.veiling import changed
from codi.credentials.vault import NotHeld
from codi.policy.looking import only_looks
from codi.policy.modes import on
from codi.policy.policy import Policy
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reaches, Reads, Runs, Verdict, Writes
from codi.protocol.events import ApprovalGiven
from codi.protocol.messages import ToolCall
from codi.tools.tool import ToolFailed
from codi.tools.toolbox import Resolved, Toolbox
from codi.workspace.paths import why_impossible
from codi.workspace.workspace import FileFacts, Workspace

ANOTHER_WAY = "Do not repeat it; choose another way or ask."
NOT_HELD = (
    "Nothing was run: {} stands for a secret that codi no longer holds, since no session keeps one. Read the file or run the "
    "command again that it came from, and use the placeholder that is shown there. Never guess one."
)
_RISK_OF_NO_UNDO = 6
_RISK_OF_NO_PREVIEW = 5
_ALL_HOSTS = Reaches("*", 0, "whatever the command reaches")
_OPEN_NETWORK = "it has the network of this machine (sandbox.network = host)"
_RISK_OF_READ_ONLY = 5
_MOST_NAMED = 5


class Judging:
    """`policy` may be exchanged between steps. `reviewer` gives a second opinion; `confining` says what commands are confined
    to; `environment` are the variables that they get."""

    def __init__(
        self,
        toolbox: Toolbox,
        workspace: Workspace,
        policy: Policy,
        approvals: Approvals,
        record: Record,
        cover: Cover,
    ) -> None:
        self.toolbox = toolbox
        self.policy = policy
        self.reviewer: Reviewer | None = None
        self.confining = Confining(None, record)
        self.environment: Mapping[str, str] = {}
        self._workspace = workspace
        self._approvals = approvals
        self._record = record
        self._cover = cover

    @property
    def learned(self) -> Policy:
        """The policy with what was learned."""
        return self._approvals.learning.applied(self.policy, confined=self._approvals.territory.confined)

    async def resolve(self, act: Act) -> None:
        """From what the model typed to what would be done, and the policy's word on it."""
        if act.call.defect:
            act.settle(
                f'The arguments of tool call "{act.call.name}" are not valid JSON: {act.call.defect}. Nothing was run. '
                "Send the call again with complete arguments.",
                is_error=True,
                failed=True,
            )
            return
        try:
            act.resolved = self.meant(act.call.name, act.call.arguments)
        except ToolFailed as failure:
            act.settle(str(failure), is_error=True, failed=True)
            return
        await self.judge(act)

    def meant(self, name: str, arguments: dict[str, Any]) -> Resolved:
        """What a call means, with the secrets in place of their placeholders: they stand nowhere but in the action that runs,
        for whatever is kept or told of it is veiled again. Raises ToolFailed."""
        if vault := self._record.vault:
            try:
                arguments = changed(arguments, vault.restore)
            except NotHeld as unknown:
                raise ToolFailed(NOT_HELD.format(unknown.name)) from unknown
        return self.toolbox.resolve(name, arguments)

    async def judge(self, act: Act) -> None:
        assert act.resolved is not None
        act.effects = self._workspace.resolved(tuple(act.resolved.action.effects()))
        if impossible := self.impossible(act.effects):
            act.settle(impossible, is_error=True, failed=True)
            return
        if any(isinstance(effect, Runs) for effect in act.effects):
            if why := await self.confining.refusal():
                act.settle(f"Not executed: {why}", is_error=True, failed=True)
                return
            if self.confining.holds is not self._approvals.territory.confined:
                self._approvals.territory = replace(self._approvals.territory, confined=self.confining.holds)
                self.policy = on(self._approvals.territory, self.policy)
            self._approvals.sandbox_level = self.confining.level
        act.verdict = self.learned.judge(act.effects, tool=act.tool)
        if not isinstance(act.verdict, Ask):
            self._approvals.learning.decided(act.verdict.rule)
        if isinstance(act.verdict, Allow) and (why := self._cover.refusal(act.resolved.action.effects())):
            act.verdict = Ask((f"cannot be undone: {why}",), risk=_RISK_OF_NO_UNDO)
        elif act.verdict == Allow() and self.policy.mode != "full-access" and (names := self._read_only(act.effects)):
            act.verdict = Ask((f"{', '.join(names[:_MOST_NAMED])} is read-only",), risk=_RISK_OF_READ_ONLY)
        if any(isinstance(effect, Runs) and not self.looks(effect) for effect in act.effects):
            act.verdict = self._with_what_is_not_held(act.verdict)
        if isinstance(act.verdict, Deny):
            self._deny(act, act.verdict)

    def looks(self, command: Runs) -> bool:
        """Whether a command can change nothing: it is proven to only look, or the mode lets none do more."""
        return self.policy.mode in ("plan", "read-only") or only_looks(command, self._approvals.territory)

    def is_tried_first(self, act: Act) -> bool:
        """Whether a command that is to be asked about may run before that: on an overlay and without any network nothing of it is
        true, and nobody hears of it, before the answer."""
        held = self.confining.shows_first and self.confining.network == "none"
        return held and all(isinstance(effect, Runs) for effect in act.effects)

    def _with_what_is_not_held(self, verdict: Verdict) -> Verdict:
        """The verdict on a command that does more than look, where the sandbox does less than one would think."""
        if self.confining.no_preview:
            verdict = _asked_too(
                verdict, f"no preview is possible here: {self.confining.no_preview}", _RISK_OF_NO_PREVIEW
            )
        if self.confining.holds and self.confining.network == "host":
            match self.learned.judge((_ALL_HOSTS,)):
                case Ask(risk=risk):
                    verdict = _asked_too(verdict, _OPEN_NETWORK, risk)
                case Deny() as denied:
                    verdict = verdict if isinstance(verdict, Deny) else denied
        return verdict

    async def review(self, acts: Sequence[Act]) -> None:
        """Have another model look at what is about to be done, where one is set up for that."""
        reviewer = self.reviewer
        if reviewer is None:
            return

        async def review(act: Act) -> None:
            act.verdict = await reviewer.raised(act.canonical, act.effects, act.verdict)
            if isinstance(act.verdict, Deny):
                self._deny(act, act.verdict)

        async with anyio.create_task_group() as tasks:
            for act in acts:
                if not act.result and reviewer.sees(act.tool, act.effects):
                    tasks.start_soon(review, act)

    def _deny(self, act: Act, verdict: Deny) -> None:
        """Nobody is asked: a rule, the mode or the second opinion forbids it."""
        self._record.keep(
            ApprovalGiven(
                tool_call_id=act.call.id,
                decision="deny",
                by=verdict.by,
                tool_name=act.tool,
                effects=act.effects,
                rule_id=verdict.rule,
                text=verdict.reason,
            )
        )
        act.settle(f"This call is not allowed: {verdict.reason}. {ANOTHER_WAY}", is_error=True)

    def impossible(self, effects: Iterable[Effect]) -> str | None:
        """That an effect is on something that cannot be, whoever would allow it."""
        for effect in effects:
            match effect:
                case Reads(path) | Writes(path) | Runs(cwd=path):
                    if why := why_impossible(path):
                        return f"Nothing was done: no file can have the path {self._workspace.shown(path)}: {why}."
            if isinstance(effect, Runs) and "\0" in effect.line:
                return "Nothing was done: a command holds no NUL character."
        return None

    def _read_only(self, effects: Sequence[Effect]) -> list[str]:
        """The files that would be written although nobody may write them."""
        names = []
        for effect in effects:
            with suppress(OSError):  # the tool will meet the same, and say it
                if isinstance(effect, Writes) and _is_read_only(self._workspace.facts(effect.path)):
                    names.append(self._workspace.shown(effect.path))
        return names

    def binding(self, call: ToolCall, effects: Sequence[Effect]) -> str:
        return binding_of(call, effects, self._workspace.root, self.environment, self._approvals.sandbox_level)


def _asked_too(verdict: Verdict, reason: str, risk: int) -> Verdict:
    match verdict:
        case Allow():
            return Ask((reason,), risk)
        case Ask():
            return Ask((*verdict.reasons, reason), max(verdict.risk, risk))
    return verdict


def _is_read_only(facts: FileFacts) -> bool:
    return facts.kind == "file" and not facts.mode & 0o222
