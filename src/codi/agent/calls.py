"""The one place where a call becomes an act: resolved, judged, asked about, scheduled, run under a grant, and kept.

Whoever has a call to make comes here: the loop, a person by `codi tool call`, a program from outside. So there is one
policy, one order and one record.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from logging import getLogger
from traceback import format_exception
from uuid import uuid4

import anyio
from msgspec.structs import replace

from codi.agent.act import Act
from codi.agent.approvals import Approvals
from codi.agent.asking import DANGEROUS, NOT_STARTED, Asking
from codi.agent.binding import MISFIT
from codi.agent.cover import Cover, NotKept
from codi.agent.evidence.witness import Witness
from codi.agent.judging import Judging
from codi.agent.record import Record
from codi.agent.scheduling import collide, only_reads
from codi.agent.trying import Trying
from codi.agent.veiling import changed
from codi.policy.policy import Policy
from codi.protocol.effects import Allow, Ask, Effect, Runs, Writes
from codi.protocol.events import CallEndDelta, CallIntended, CallStartDelta, FilesChanged, MessageAdded, ToolProgress
from codi.protocol.messages import Message, ToolCall, ToolResult
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.tools.toolbox import Resolved, Toolbox
from codi.workspace.grant import Grant
from codi.workspace.workspace import UndeclaredEffect, Workspace

logger = getLogger(__name__)

ONE_AT_A_TIME = "Only one call at a time; send it again."
_PARTIAL_CHARS = 20_000

Remark = Callable[[ToolCall, ToolResult, bool], str | None]
"""What to add to a result: given the call, its result, and whether the tool failed."""


class Calls:
    """`approvals` is where answers are brought. At most `parallel` actions run side by side; of one reply no more than the first
    `at_once` calls are run, all where it is None. `cover` keeps what they change; without one nothing can be taken back."""

    def __init__(
        self,
        toolbox: Toolbox,
        workspace: Workspace,
        policy: Policy,
        approvals: Approvals,
        record: Record,
        cover: Cover | None = None,
    ) -> None:
        self.workspace = workspace
        self.approvals = approvals
        self.witness = Witness(workspace)
        self.parallel = 8
        self.at_once: int | None = None
        self.touched: list[Effect] = []
        """The effects of what was begun in the last step."""
        self._record = record
        self._cover = cover or Cover(None, workspace, record)
        self.judging = Judging(toolbox, workspace, policy, approvals, record, self._cover)
        self.asking = Asking(self.judging, approvals, workspace, record, self._cover)

    @property
    def toolbox(self) -> Toolbox:
        """What can be called now."""
        return self.judging.toolbox

    async def run(self, calls: Sequence[ToolCall], remark: Remark | None = None) -> bool:
        """Run the calls of a step; each gets exactly one result, kept in the order of the calls, whatever ends it early.
        False if the person stopped the turn."""
        self.touched = []
        acts = [Act(call) for call in calls]
        ready, slots = anyio.Event(), anyio.CapacityLimiter(self.parallel)
        kept = 0

        def keep_results(*, of_all: bool = False) -> None:
            nonlocal kept
            while kept < len(acts) and (of_all or acts[kept].result):
                self._keep_result(acts[kept], remark)
                kept += 1

        async def run(act: Act, earlier: Sequence[Act]) -> None:
            if not (isinstance(act.verdict, Allow) and only_reads(act.effects)):
                await ready.wait()
            for other in earlier:
                if not other.result and collide(other.effects, act.effects):
                    await other.done.wait()
            if not act.result:
                async with slots:
                    await self._perform(act)
            keep_results()
            if act.stops_turn:
                tasks.cancel_scope.cancel()

        for at, act in enumerate(acts):
            if self.at_once is not None and at >= self.at_once:
                act.settle(ONE_AT_A_TIME, is_error=True)
            else:
                await self.judging.resolve(act)
        try:
            await self.judging.review(acts)
            async with anyio.create_task_group() as tasks:
                for at, act in enumerate(acts):
                    tasks.start_soon(run, act, acts[:at])
                # Questions come one at a time, before anything with an effect starts; what only reads is not held up.
                asked = [act for act in acts if isinstance(act.verdict, Ask) and not act.result]
                asked = [act for act in asked if not self.judging.is_tried_first(act)]
                for to_come, act in reversed(list(enumerate(reversed(asked)))):
                    if not await self.asking.ask(act, to_come):
                        tasks.cancel_scope.cancel()
                        return False
                ready.set()
        finally:
            keep_results(of_all=True)
        return not any(act.stops_turn for act in acts)

    async def run_by_hand(self, call: ToolCall) -> None:
        """Run one call that no model made. Who makes a call by hand has looked at the file: the guard that stands between a
        model and what it has not read is not meant for them."""
        self.approvals.begin_turn()
        with suppress(ToolFailed, OSError):
            effects = tuple(self.judging.meant(call.name, call.arguments).action.effects())
            for effect in () if self.judging.impossible(self.workspace.resolved(effects)) else effects:
                if isinstance(effect, Writes) and self.workspace.stamp(effect.path) is None:
                    self.workspace.saw(effect.path, await self.workspace.read(effect.path))
        await self.run([call])

    async def run_own(self, call: ToolCall, action: Action, heard: Callable[[str], None]) -> ToolOutput | str:
        """Run a command that the person typed: what would merely be asked about needs no answer. A text says why it did not
        run."""
        act = Act(call)
        act.resolved = Resolved(None, call.name, call.arguments, action)
        await self.judging.judge(act)
        if (
            isinstance(act.verdict, Ask)
            and act.verdict.risk >= DANGEROUS
            and not act.result
            and not await self.asking.ask(act)
        ):
            return NOT_STARTED
        if act.result:
            return act.result.text
        trying = self._trying(act)
        try:
            async with self._cover.around(call, action.effects()) as act.kept:
                output = await act.resolved.action.run(self._grant(act, heard, trying))
            if trying and (why := self.asking.why_not_kept(act, trying)):
                return why
        except NotKept as trouble:
            return f"Not executed: {trouble}"
        except OSError as trouble:
            return f"Cannot run it: {trouble.strerror or trouble}"
        finally:
            for fact in act.kept.facts if act.kept else ():
                self._record.keep(fact)
        return self._veiled(act, output if isinstance(output, ToolOutput) else ToolOutput(text=output))

    async def _perform(self, act: Act) -> None:
        """Run the action under a grant of its effects. No exception of a tool leaves here."""
        assert act.resolved is not None
        call = act.canonical
        if act.binding and act.binding != self.judging.binding(
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
            if trying and (why := self.asking.why_not_kept(act, trying)):
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

    def _grant(self, act: Act, heard: Callable[[str], None], trying: Trying | None) -> Grant:
        """What is proven to only look is held to it, and in modes that change nothing everything is."""
        looks = all(self.judging.looks(effect) for effect in act.effects if isinstance(effect, Runs))
        return Grant(self.workspace, act.effects, heard, looks=looks, keeping=trying)

    def _trying(self, act: Act) -> Trying | None:
        """Who decides on what the commands of a call change; None where it becomes true as they do it."""
        if not self.judging.confining.shows_first:
            return None
        return Trying(partial(self.asking.may_become_true, act), self.workspace.shown)

    async def _witnessed(self, act: Act, output: ToolOutput) -> ToolOutput:
        """The output, with the evidence that it gives of the workspace as it now is."""
        assert act.started is not None
        evidence = await self.witness.of(act.effects, output, round((time.monotonic() - act.started) * 1000))
        return replace(output, facts=(*output.facts, *evidence)) if evidence else output

    def _veiled(self, act: Act, output: ToolOutput) -> ToolOutput:
        """The output as it comes from outside, where what looks like a placeholder is none of ours. What is recalled was
        veiled when it was put aside."""
        vault = self._record.vault
        if vault is None:
            return output
        vault.look_around()
        veil = vault.veil if act.tool == "recall" else vault.veil_foreign
        text = veil(output.text)
        return output if text is output.text else replace(output, text=text, details=changed(output.details, veil))

    def _internal_error(self, act: Act, bug: BaseException) -> str:
        number = uuid4().hex[:8]
        told = self._record.shown("".join(format_exception(bug)))
        logger.error("internal error %s in tool %s\n%s", number, act.tool, told)
        return f"Internal error in {act.tool} (logged as {number})."

    def _keep_result(self, act: Act, remark: Remark | None) -> None:
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
