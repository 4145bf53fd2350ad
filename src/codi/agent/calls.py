"""The one place where a call becomes an act: resolved, judged, asked about, scheduled, run under a grant, and kept.

Whoever has a call to make comes here: the loop, a person by `codi tool call`, a program from outside. So there is one
policy, one order and one record.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from logging import getLogger
from traceback import format_exception
from typing import Any
from uuid import uuid4

import anyio
import msgspec
from anyio import to_thread
from msgspec.structs import replace

from codi.agent.approvals import Approvals
from codi.agent.binding import MISFIT, binding_of
from codi.agent.confining import Confining
from codi.agent.cover import Cover, Kept, NotKept
from codi.agent.evidence.witness import Witness
from codi.agent.learning import Offers
from codi.agent.previews import preview_of
from codi.agent.record import Record
from codi.agent.reviewer import Reviewer
from codi.agent.scheduling import collide, only_reads
from codi.agent.trying import Tried, Trying
from codi.agent.veiling import changed
from codi.credentials.vault import NotHeld
from codi.policy.looking import only_looks
from codi.policy.modes import on
from codi.policy.policy import Policy
from codi.protocol.effects import Allow, Ask, Deny, Effect, Reads, Runs, Verdict, Writes
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallEndDelta,
    CallIntended,
    CallStartDelta,
    FilesChanged,
    MessageAdded,
    PolicyChosen,
    ToolProgress,
)
from codi.protocol.messages import Message, Text, ToolCall, ToolResult
from codi.protocol.ops import Answer
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.tools.toolbox import Resolved, Toolbox
from codi.workspace.grant import Grant
from codi.workspace.paths import why_impossible
from codi.workspace.workspace import FileFacts, UndeclaredEffect, Workspace

logger = getLogger(__name__)

NOT_STARTED = "Not executed: the user stopped the turn."
ONE_AT_A_TIME = "Only one call at a time; send it again."
DENIED = "The user denied this call."
CHANGED = "Nothing of it was kept: the user wants other arguments, {}. Send the call again with these."
ANOTHER_WAY = "Do not repeat it; choose another way or ask."
NOT_HELD = (
    "Nothing was run: {} stands for a secret that codi no longer holds, since no session keeps one. Read the file or run the "
    "command again that it came from, and use the placeholder that is shown there. Never guess one."
)
NOBODY = "No one can approve this in non-interactive mode; {} needs --allow {}."
_PARTIAL_CHARS = 20_000
_RISK_OF_NO_UNDO = 6
DANGEROUS = 8
"""The risk from which a person is asked even about what they typed themselves."""
_RISK_OF_READ_ONLY = 5
_MOST_NAMED = 5
_ONLY_A_PERSON = 8

Remark = Callable[[ToolCall, ToolResult, bool], str | None]
"""What to add to a result: given the call, its result, and whether the tool failed."""


class _Act:
    """One call on its way to its result."""

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.resolved: Resolved | None = None
        self.effects: tuple[Effect, ...] = ()
        self.verdict: Verdict = Allow()
        self.binding: str | None = None
        """What was approved; None where nobody was asked."""
        self.heard = ""
        self.kept: Kept | None = None
        self.started: float | None = None
        self.result: ToolResult | None = None
        self.output: ToolOutput | None = None
        self.failed = False
        self.answer: Answer | None = None
        """What was said to the changes that it made on an overlay."""
        self.done = anyio.Event()

    @property
    def tool(self) -> str:
        return self.resolved.name if self.resolved else self.call.name

    @property
    def mapped(self) -> str | None:
        return self.resolved.mapped if self.resolved else None

    @property
    def canonical(self) -> ToolCall:
        arguments = self.resolved.arguments if self.resolved else self.call.arguments
        return ToolCall(self.call.id, self.tool, arguments)

    def settle(self, *content: object, is_error: bool = False, failed: bool = False) -> None:
        """Give the call its result, once."""
        took = None if self.started is None else round((time.monotonic() - self.started) * 1000)
        blocks = tuple(Text(part) if isinstance(part, str) else part for part in content)
        details = self.output.details if self.output else None
        self.result = ToolResult(self.call.id, blocks, is_error, self.tool, details, took)  # type: ignore[arg-type]
        self.failed = failed
        self.done.set()


class Calls:
    """`policy` may be exchanged between steps; `approvals` is where answers are brought. At most `parallel` actions run side
    by side; of one reply no more than the first `at_once` calls are run, all where it is None. `cover` keeps what they change;
    without one nothing can be taken back. `reviewer` gives a second opinion; `environment` are the variables that commands get."""

    def __init__(
        self,
        toolbox: Toolbox,
        workspace: Workspace,
        policy: Policy,
        approvals: Approvals,
        record: Record,
        cover: Cover | None = None,
    ) -> None:
        self.toolbox = toolbox
        self.policy = policy
        self.approvals = approvals
        self.witness = Witness(workspace)
        self.workspace = workspace
        self._record = record
        self._cover = cover or Cover(None, workspace, record)
        self.reviewer: Reviewer | None = None
        self.environment: Mapping[str, str] = {}
        self.parallel = 8
        self.at_once: int | None = None
        self.confining = Confining(None, record)
        self.touched: list[Effect] = []
        """The effects of what was begun in the last step."""

    async def run_by_hand(self, call: ToolCall) -> None:
        """Run one call that no model made. Who makes a call by hand has looked at the file: the guard that stands between a
        model and what it has not read is not meant for them."""
        self.approvals.begin_turn()
        with suppress(ToolFailed, OSError):
            effects = tuple(self._resolved(call.name, call.arguments).action.effects())
            for effect in () if self._impossible(self.workspace.resolved(effects)) else effects:
                if isinstance(effect, Writes) and self.workspace.stamp(effect.path) is None:
                    self.workspace.saw(effect.path, await self.workspace.read(effect.path))
        await self.run([call])

    async def run_own(self, call: ToolCall, action: Action, heard: Callable[[str], None]) -> ToolOutput | str:
        """Run a command that the person typed: what would merely be asked about needs no answer. A text says why it did not
        run."""
        act = _Act(call)
        act.resolved = Resolved(None, call.name, call.arguments, action)
        await self._judge(act)
        if (
            isinstance(act.verdict, Ask)
            and act.verdict.risk >= DANGEROUS
            and not act.result
            and not await self._ask(act)
        ):
            return NOT_STARTED
        if act.result:
            return act.result.text
        try:
            async with self._cover.around(call, action.effects()) as act.kept:
                trying = self._trying(act)
                output = await act.resolved.action.run(self._grant(act, heard, trying))
            if why := self._not_kept(act, trying):
                return why
        except NotKept as trouble:
            return f"Not executed: {trouble}"
        except OSError as trouble:
            return f"Cannot run it: {trouble.strerror or trouble}"
        finally:
            for fact in act.kept.facts if act.kept else ():
                self._record.keep(fact)
        return self._veiled(act, output if isinstance(output, ToolOutput) else ToolOutput(text=output))

    async def run(self, calls: Sequence[ToolCall], remark: Remark | None = None) -> bool:
        """Run the calls of a step; each gets exactly one result, kept in the order of the calls, whatever ends it early.
        False if the person stopped the turn."""
        self.touched = []
        acts = [_Act(call) for call in calls]
        ready, slots = anyio.Event(), anyio.CapacityLimiter(self.parallel)
        kept = 0

        def keep_results(*, of_all: bool = False) -> None:
            nonlocal kept
            while kept < len(acts) and (of_all or acts[kept].result):
                self._keep_result(acts[kept], remark)
                kept += 1

        async def run(act: _Act, earlier: Sequence[_Act]) -> None:
            if not (isinstance(act.verdict, Allow) and only_reads(act.effects)):
                await ready.wait()
            for other in earlier:
                if not other.result and collide(other.effects, act.effects):
                    await other.done.wait()
            if not act.result:
                async with slots:
                    await self._perform(act)
            keep_results()
            if act.answer and act.answer.abort:
                tasks.cancel_scope.cancel()

        for at, act in enumerate(acts):
            if self.at_once is not None and at >= self.at_once:
                act.settle(ONE_AT_A_TIME, is_error=True)
            else:
                await self._resolve(act)
        try:
            await self._review(acts)
            async with anyio.create_task_group() as tasks:
                for at, act in enumerate(acts):
                    tasks.start_soon(run, act, acts[:at])
                # Questions come one at a time, before anything with an effect starts; what only reads is not held up.
                for act in acts:
                    asks = isinstance(act.verdict, Ask) and not act.result and not self._is_tried_first(act)
                    if asks and not await self._ask(act):
                        tasks.cancel_scope.cancel()
                        return False
                ready.set()
        finally:
            keep_results(of_all=True)
        return not any(act.answer and act.answer.abort for act in acts)

    async def _resolve(self, act: _Act) -> None:
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
            act.resolved = self._resolved(act.call.name, act.call.arguments)
        except ToolFailed as failure:
            act.settle(str(failure), is_error=True, failed=True)
            return
        await self._judge(act)

    def _resolved(self, name: str, arguments: dict[str, Any]) -> Resolved:
        """What a call means, with the secrets in place of their placeholders: they stand nowhere but in the action that runs,
        for whatever is kept or told of it is veiled again. Raises ToolFailed."""
        if vault := self._record.vault:
            try:
                arguments = changed(arguments, vault.restore)
            except NotHeld as unknown:
                raise ToolFailed(NOT_HELD.format(unknown.name)) from unknown
        return self.toolbox.resolve(name, arguments)

    async def _judge(self, act: _Act) -> None:
        assert act.resolved is not None
        act.effects = self.workspace.resolved(tuple(act.resolved.action.effects()))
        if impossible := self._impossible(act.effects):
            act.settle(impossible, is_error=True, failed=True)
            return
        if any(isinstance(effect, Runs) for effect in act.effects):
            if why := await self.confining.refusal():
                act.settle(f"Not executed: {why}", is_error=True, failed=True)
                return
            if self.confining.holds and not self.approvals.territory.confined:
                self.approvals.territory = replace(self.approvals.territory, confined=True)
                self.policy = on(self.approvals.territory, self.policy)
            self.approvals.sandbox_level = self.confining.level
        act.verdict = self._policy.judge(act.effects, tool=act.tool)
        if not isinstance(act.verdict, Ask):
            self.approvals.learning.decided(act.verdict.rule)
        if isinstance(act.verdict, Allow) and (why := self._cover.refusal(act.resolved.action.effects())):
            act.verdict = Ask((f"cannot be undone: {why}",), risk=_RISK_OF_NO_UNDO)
        elif act.verdict == Allow() and self.policy.mode != "full-access" and (names := self._read_only(act.effects)):
            act.verdict = Ask((f"{', '.join(names[:_MOST_NAMED])} is read-only",), risk=_RISK_OF_READ_ONLY)
        if self.confining.no_preview and any(
            not self._looks(effect) for effect in act.effects if isinstance(effect, Runs)
        ):
            act.verdict = _unseen(act.verdict, self.confining.no_preview)
        if isinstance(act.verdict, Deny):
            self._deny(act, act.verdict)

    def _deny(self, act: _Act, verdict: Deny) -> None:
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

    @property
    def _policy(self) -> Policy:
        """The policy with what was learned."""
        return self.approvals.learning.applied(self.policy, confined=self.approvals.territory.confined)

    async def _review(self, acts: Sequence[_Act]) -> None:
        """Have another model look at what is about to be done, where one is set up for that."""
        reviewer = self.reviewer
        if reviewer is None:
            return

        async def review(act: _Act) -> None:
            act.verdict = await reviewer.raised(act.canonical, act.effects, act.verdict)
            if isinstance(act.verdict, Deny):
                self._deny(act, act.verdict)

        async with anyio.create_task_group() as tasks:
            for act in acts:
                if not act.result and reviewer.sees(act.tool, act.effects):
                    tasks.start_soon(review, act)

    def _impossible(self, effects: Iterable[Effect]) -> str | None:
        """That an effect is on something that cannot be, whoever would allow it."""
        for effect in effects:
            match effect:
                case Reads(path) | Writes(path) | Runs(cwd=path):
                    if why := why_impossible(path):
                        return f"Nothing was done: no file can have the path {self.workspace.shown(path)}: {why}."
            if isinstance(effect, Runs) and "\0" in effect.line:
                return "Nothing was done: a command holds no NUL character."
        return None

    def _read_only(self, effects: Sequence[Effect]) -> list[str]:
        """The files that would be written although nobody may write them."""
        names = []
        for effect in effects:
            with suppress(OSError):  # the tool will meet the same, and say it
                if isinstance(effect, Writes) and _is_read_only(self.workspace.facts(effect.path)):
                    names.append(self.workspace.shown(effect.path))
        return names

    async def _ask(self, act: _Act) -> bool:
        """Ask the person; False if the answer is to stop the turn."""
        assert act.resolved is not None and isinstance(act.verdict, Ask)
        asked, offers = self._question(
            act.canonical,
            act.effects,
            act.verdict,
            mapped=act.mapped,
            undo_cover=self._cover.told(act.resolved.action.effects()),
            preview=await preview_of(act.resolved.action, act.effects, self.workspace),
        )
        act.binding = asked.binding
        answer = await self.approvals.ask(asked, offers)
        if answer.abort:
            return False
        if isinstance(answer.verdict, Deny):
            act.settle(self._denial(act, answer.verdict), is_error=True)
            return True
        if answer.rule:
            self._record.keep(PolicyChosen(self.policy.mode, rule_added=answer.rule))
        if answer.changed is not None:
            try:
                act.resolved = self._resolved(act.tool, answer.changed)
            except ToolFailed as failure:
                act.settle(str(failure), is_error=True)
                return True
            await self._judge(act)
            act.binding = self._binding(act.canonical, act.effects)
            if isinstance(act.verdict, Ask) and act.verdict.risk >= _ONLY_A_PERSON:
                return await self._ask(act)
        return True

    def _is_tried_first(self, act: _Act) -> bool:
        """Whether a command that is to be asked about may run before that: on an overlay and without any network nothing of it is
        true, and nobody hears of it, before the answer."""
        return (
            self.confining.shows_first
            and self.confining.reaches_nothing
            and all(isinstance(effect, Runs) for effect in act.effects)
        )

    async def _decided(self, act: _Act, tried: Tried) -> bool:
        """Whether what a command changed on an overlay may become true."""
        verdict = act.verdict if isinstance(act.verdict, Ask) and not act.binding else Ask(risk=tried.risk)
        if not tried.trial.changes and verdict is not act.verdict:
            return True
        assert act.resolved is not None
        asked, offers = self._question(
            act.canonical,
            act.effects,
            replace(verdict, reasons=(*verdict.reasons, tried.reason), risk=max(verdict.risk, tried.risk)),
            mapped=act.mapped,
            undo_cover=self._cover.told(act.resolved.action.effects()),
            preview="\n".join([*self._lines_of(act), await to_thread.run_sync(tried.text)]),
        )
        bound = sha256(f"{asked.binding}|{tried.digest}".encode()).hexdigest()
        act.answer = await self.approvals.ask(replace(asked, binding=bound), offers)
        if act.answer.rule:
            self._record.keep(PolicyChosen(self.policy.mode, rule_added=act.answer.rule))
        return isinstance(act.answer.verdict, Allow) and not act.answer.abort and act.answer.changed is None

    def _lines_of(self, act: _Act) -> Iterable[str]:
        return (effect.line for effect in act.effects if isinstance(effect, Runs))

    async def why_not(self, call: ToolCall, effects: tuple[Effect, ...]) -> str | None:
        """Have something judged that no tool does, and asked about where the policy says so; None if it is allowed."""
        if any(isinstance(effect, Runs) for effect in effects) and (why := await self.confining.refusal()):
            return why
        verdict = self._policy.judge(effects, tool=call.name)
        if isinstance(verdict, Ask):
            answer = await self.approvals.ask(*self._question(call, effects, verdict))
            if answer.rule and isinstance(answer.verdict, Allow):
                self._record.keep(PolicyChosen(self.policy.mode, rule_added=answer.rule))
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
        offers = self.approvals.learning.offers(effects, self._policy, call.name, ask.risk)
        asked = ApprovalAsked(
            tool_call_id=call.id,
            tool_name=call.name,
            arguments=call.arguments,
            effects=effects,
            risk=ask.risk,
            reasons=ask.reasons,
            sandbox_level=self.approvals.sandbox_level,
            undo_cover=undo_cover,
            preview=preview,
            offers=offers.rules,
            mapped_from=mapped,
            suggested=offers.suggested,
            binding=self._binding(call, effects),
        )
        return asked, offers

    def _binding(self, call: ToolCall, effects: Sequence[Effect]) -> str:
        return binding_of(call, effects, self.workspace.root, self.environment, self.approvals.sandbox_level)

    def _denial(self, act: _Act, verdict: Deny) -> str:
        if verdict.by == "nobody":
            return NOBODY.format(act.tool, repr(self.approvals.needed(act.effects) or act.tool))
        if verdict.reason == MISFIT:
            return f"Not executed: {MISFIT}."
        return " ".join(part for part in (DENIED, verdict.reason, ANOTHER_WAY) if part)

    async def _perform(self, act: _Act) -> None:
        """Run the action under a grant of its effects. No exception of a tool leaves here."""
        assert act.resolved is not None
        call = act.canonical
        if act.binding and act.binding != self._binding(
            call, self.workspace.resolved(tuple(act.resolved.action.effects()))
        ):
            act.settle(f"Not executed: {MISFIT}. What it would touch has changed since.", is_error=True, failed=True)
            return
        self._record.tell(CallStartDelta(call.id, call.name, call.arguments))
        if not only_reads(act.effects):
            self._record.keep(CallIntended(call.id, call.name, call.arguments, act.effects), sync=True)
            if self._record.unsaved:
                act.settle(f"Not executed: {self._record.unsaved} Free some space first.", is_error=True, failed=True)
                return
        act.started = time.monotonic()
        self.touched += act.effects

        def heard(text: str) -> None:
            act.heard = (act.heard + text)[-_PARTIAL_CHARS:]
            self._record.tell(ToolProgress(call.id, text))

        trying = self._trying(act)
        try:
            async with self._cover.around(call, act.resolved.action.effects()) as act.kept:
                output = await act.resolved.action.run(self._grant(act, heard, trying))
            if why := self._not_kept(act, trying):
                raise ToolFailed(why)
            act.output = await self._witnessed(
                act, self._veiled(act, output if isinstance(output, ToolOutput) else ToolOutput(text=output))
            )
        except NotKept as trouble:
            act.settle(f"Not executed: {trouble}", is_error=True, failed=True)
        except ToolFailed as failure:
            act.output = self._veiled(act, ToolOutput(text=str(failure), details=failure.details))
            act.settle(act.output.text, is_error=True, failed=True)
        except anyio.get_cancelled_exc_class():
            took = time.monotonic() - act.started
            act.settle(f"Interrupted by the user after {took:.1f} s; partial output:\n{act.heard}", is_error=True)
            raise
        except UndeclaredEffect as bug:
            act.settle(self._internal_error(act, bug), is_error=True, failed=True)
        except Exception as bug:  # noqa: BLE001 - a tool's bug is told to the model as a failure, and to us in the log
            act.settle(self._internal_error(act, bug), is_error=True, failed=True)
        else:
            text = f"{act.mapped}\n{act.output.text}" if act.mapped else act.output.text
            act.settle(text, *act.output.images, is_error=act.output.is_error)
        assert act.result is not None
        if act.output:
            self.approvals.learning.entered(act.effects, act.tool)
        self._record.tell(CallEndDelta(act.result))

    def _veiled(self, act: _Act, output: ToolOutput) -> ToolOutput:
        """The output as it comes from outside, where what looks like a placeholder is none of ours. What is recalled was
        veiled when it was put aside."""
        vault = self._record.vault
        if vault is None:
            return output
        vault.look_around()
        veil = vault.veil if act.tool == "recall" else vault.veil_foreign
        text = veil(output.text)
        return output if text is output.text else replace(output, text=text, details=changed(output.details, veil))

    def _grant(self, act: _Act, heard: Callable[[str], None], trying: Trying | None) -> Grant:
        """What is proven to only look is held to it, and in modes that change nothing everything is."""
        looks = all(self._looks(effect) for effect in act.effects if isinstance(effect, Runs))
        return Grant(self.workspace, act.effects, heard, looks=looks, keeping=trying)

    def _looks(self, command: Runs) -> bool:
        return self.policy.mode in ("plan", "read-only") or only_looks(command, self.approvals.territory)

    def _trying(self, act: _Act) -> Trying | None:
        """Who decides on what the commands of a call change; None where it becomes true as they do it."""
        return Trying(partial(self._decided, act), self.workspace.shown) if self.confining.shows_first else None

    def _not_kept(self, act: _Act, trying: Trying | None) -> str:
        """Why nothing that the commands changed became true, for the model; empty where it did."""
        if act.answer is None or trying is None:
            return ""
        answer = act.answer
        if answer.abort:
            return NOT_STARTED
        if isinstance(answer.verdict, Deny):
            return self._denial(act, answer.verdict)
        return trying.why_not or (
            "" if answer.changed is None else CHANGED.format(msgspec.json.encode(answer.changed).decode())
        )

    async def _witnessed(self, act: _Act, output: ToolOutput) -> ToolOutput:
        """The output, with the evidence that it gives of the workspace as it now is."""
        assert act.started is not None
        evidence = await self.witness.of(act.effects, output, round((time.monotonic() - act.started) * 1000))
        return replace(output, facts=(*output.facts, *evidence)) if evidence else output

    def _internal_error(self, act: _Act, bug: BaseException) -> str:
        number = uuid4().hex[:8]
        told = self._record.shown("".join(format_exception(bug)))
        logger.error("internal error %s in tool %s\n%s", number, act.tool, told)
        return f"Internal error in {act.tool} (logged as {number})."

    def _keep_result(self, act: _Act, remark: Remark | None) -> None:
        if act.result is None:
            act.settle(NOT_STARTED, is_error=True)
        assert act.result is not None
        changes = act.kept.facts if act.kept else ()
        if not act.kept and act.output and act.output.changes:
            changes = (FilesChanged(act.call.id, act.output.changes),)
        for fact in (*changes, *(act.output.facts if act.output else ())):
            self._record.keep(fact)
        said = remark(act.canonical, act.result, act.failed) if remark else None
        if said:
            act.settle(*act.result.content, said, is_error=act.result.is_error)
        self._record.keep(MessageAdded(Message("user", (act.result,))), sync=not only_reads(act.effects))


def _unseen(verdict: Verdict, why: str) -> Verdict:
    """A command of which nobody can see beforehand what it does, where that is wanted, is asked about."""
    reason = f"no preview is possible here: {why}"
    match verdict:
        case Allow():
            return Ask((reason,), risk=_RISK_OF_READ_ONLY)
        case Ask(reasons, risk):
            return Ask((*reasons, reason), risk)
    return verdict


def _is_read_only(facts: FileFacts) -> bool:
    return facts.kind == "file" and not facts.mode & 0o222
