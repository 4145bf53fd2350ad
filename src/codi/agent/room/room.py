"""Whether the next request fits into the model's window, and what is done where it does not.

The means in their order: results of tools are pruned, the earlier conversation is summarised, by codi itself where no model
does, and at last the largest messages are cut in their middle. Nothing of it touches an entry: each leaves one of its own.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Literal

import anyio
from msgspec import Struct
from msgspec.structs import replace

from codi.agent.compaction import plan as planning
from codi.agent.compaction.cut import cut_of, is_message, whole_cut
from codi.agent.compaction.plan import Plan
from codi.agent.compaction.serialising import serialised
from codi.agent.compaction.structure import NO_HISTORY, SPLIT
from codi.agent.compaction.summarising import NoSummary, Source, Summary, summary_of
from codi.agent.context import message_of, standing
from codi.agent.counting import pixels_of
from codi.agent.mind import Mind
from codi.agent.record import Record
from codi.agent.room.fill import Fill, name_of
from codi.agent.room.pruning import Candidate, candidates, chosen
from codi.agent.room.pruning import summary_of as line_about
from codi.agent.room.segments import Segments
from codi.agent.stubs import stand_ins, with_stand_in
from codi.agent.windows import (
    LEAST_OUTPUT,
    MOST_OUTPUT,
    USUAL,
    ContextSettings,
    Tier,
    output_limit,
    threshold_of,
    tier_of,
)
from codi.agent.working_set import RECENT, pins, working_set
from codi.protocol.errors import CodiError, ContextOverflow, ProviderError
from codi.protocol.events import (
    CompactionEndDelta,
    CompactionStartDelta,
    CompactionUndone,
    ContextAdded,
    ContextCompacted,
    Entry,
    MessageAdded,
    Occasion,
    Pruned,
    RequestSent,
    ResultsPruned,
    StatusDelta,
)
from codi.protocol.messages import Image, Message, Text, ToolCall, Usage
from codi.providers.provider import Request
from codi.tools.results import Results

PRUNED_TO = 0.60
"""Of the window: pruning alone is enough when it comes down to this."""

GUARDED = 20_000
"""Cached tokens that are not lost without a word."""

LEAST_GAIN = 300
"""Tokens of what is not worth a summary."""

LEAST_PRUNE = 0.10
_OVERFLOW_SHARE = 0.70
_SMALLEST_CUT = 100
_LIMIT_TOLD = (
    re.compile(r"(?:maximum|context|limit|window|max)[^\d]{0,60}?(\d{4,8})\s*(?:tokens|\b)", re.IGNORECASE),
    re.compile(r">\s*(\d{4,8})\s*(?:maximum|max)", re.IGNORECASE),
)

_BARE = re.compile(r"\((?:400|413)\b[^()]*\)$")

Thinkers = Callable[[Mind], Sequence[Mind]]
"""Who may summarise for a conversation with this mind, the best first."""


_NOTHING = Usage()


class NothingToCompact(CodiError):
    """There is nothing that could be said shorter."""

    code = "compact"


class Made(Struct, frozen=True):
    """A compaction that was worked out and not yet kept."""

    plan: Plan
    fact: ContextCompacted
    method: str
    notice: str = ""


class Room:
    """`results` keeps the texts that are taken out; None where nothing can be recalled. `allowed` raises LimitReached before a
    summary that would pass a limit, `spent` hears what summaries cost."""

    def __init__(
        self,
        record: Record,
        settings: ContextSettings = USUAL,
        results: Results | None = None,
        *,
        thinkers: Thinkers = lambda mind: [mind],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.chosen_window: int | None = None
        self.allowed: Callable[[Mind, Usage], None] = lambda mind, usage: None
        self.spent: Callable[[Usage], None] = lambda usage: None
        self._record = record
        self._results = results
        self._thinkers = thinkers
        self._clock = clock
        self.fill = Fill(record)
        path = record.session.path()
        self._segments = Segments(self.fill.counter, path)
        self._limits: dict[tuple[str, str], int] = {}
        self._proved: dict[tuple[str, str], int] = {}
        self._warned = 0
        self._kept_before = 0

    # What there is

    def window(self, mind: Mind) -> int:
        """Tokens that the model takes, as a service, the person or an overflow has told."""
        told = self.chosen_window or max(mind.provider.model.window, self._proved.get(name_of(mind), 0))
        return min(told, self._limits.get(name_of(mind), told))

    def tier(self, mind: Mind) -> Tier:
        return tier_of(self.window(mind), self.settings)

    def limit(self, mind: Mind) -> int:
        """The used tokens from which on room is made."""
        tier = self.tier(mind)
        most = min(threshold_of(tier.window, self.settings), tier.window - tier.reserve)
        return min(most, tier.window - LEAST_OUTPUT - 512) if tier.window > 4 * LEAST_OUTPUT else most

    def messages(self) -> list[Message]:
        return self.fill.messages()

    def used(self, mind: Mind) -> int:
        """Tokens of the next request."""
        return self.fill.used(mind)

    def set_auto(self, auto: bool) -> None:
        """Whether room is made without being asked."""
        self.settings = replace(self.settings, auto_compact=auto)

    def set_compress(self, compress: bool) -> None:
        """Whether long values that recur are shortened on the way to the model."""
        self.settings = replace(self.settings, compress=compress)

    def guard(self, mind: Mind, what: str) -> None:
        """Say what it costs when something makes the service read anew what it has in its cache."""
        for entry in reversed(self._record.session.path()):
            match entry.fact:
                case MessageAdded(message=Message(role="assistant"), reply=reply) if reply and reply.usage.total:
                    cached = reply.usage.cache_read + reply.usage.cache_write
                    if cached > GUARDED:
                        price = mind.price_of(Usage(input=cached))
                        told = f", ${price.total:.4f} to read them anew" if price and price.total else ""
                        self._record.tell(
                            StatusDelta(kind="warning", text=f"{what} breaks {cached} cached tokens{told}")
                        )
                    return

    def open_files(self) -> ContextAdded | None:
        """Where files are pinned: they and those that were used lately, by path, for the end of what the person says."""
        path = self._record.session.path()
        held = pins(path)
        if not held.files:
            return None
        known = {touched.path: touched.at for touched in working_set(path).paths[:RECENT]}
        lines = [f"{name} (pinned{_change(name, known.get(name))})" for name in held.files]
        lines += [f"{name}{_change(name, at)}" for name, at in known.items() if name not in held.files]
        text = "<open-files>\n" + "\n".join(lines) + "\n</open-files>"
        return ContextAdded(kind="codi/open-files", message=Message("user", (Text(text),)), display=False)

    # Before a request

    async def make(self, mind: Mind) -> bool:
        """Make room for the next request where it needs some; True if the conversation was compacted. Raises ContextOverflow
        where nothing helps."""
        used = await self.fill.closely(mind, self.limit(mind))
        if not self._needs_room(mind, used):
            self._warn_of_fill(mind, used)
            return False
        return await self._make_room(mind, used)

    def request(self, mind: Mind, *, more_output: bool = False, tool_choice: str = "auto") -> Request:
        """The next request; its answer may be as long as there is room for."""
        request = mind.request(self.messages(), more_output=more_output, tool_choice=tool_choice)
        wanted = request.max_output or min(mind.provider.model.max_output, MOST_OUTPUT)
        limit = output_limit(wanted, self.window(mind) - self.used(mind))
        return request if limit >= wanted else replace(request, max_output=max(limit, 1))

    async def relieve(self, mind: Mind) -> bool:
        """Compact without a model, where more than half of the window is used and that may be why the model says nothing."""
        if 2 * self.used(mind) <= self.window(mind):
            return False
        try:
            await self.compact(mind, "threshold", how="mechanical")
        except NothingToCompact:
            return False
        return True

    def overran(self, mind: Mind, usage: Usage) -> ContextOverflow | None:
        """The error of a request that went beyond the window without the service saying so."""
        sent = usage.input + usage.cache_read + usage.cache_write
        window = self.window(mind)
        if usage.estimated or sent <= window or mind.provider.model.assumed:
            return None
        return ContextOverflow(
            f"{sent} tokens were sent, and the model's window is {window}",
            hint="Shorten the conversation with /compact, or choose a model with a larger window.",
        )

    def answered(self, mind: Mind, request: Request, usage: Usage, step: int) -> None:
        """A request was answered with this usage."""
        path = self._record.session.path()
        since = path[self._kept_before :]
        name = "/".join(name_of(mind))
        sent = self._segments.of(request, usage, name, step, since, self._clock())
        frame = self.fill.frame(mind)
        self._record.keep(sent := replace(sent, tokens=sent.tokens + frame))
        self._kept_before = len(path)
        if not usage.estimated:
            real = usage.input + usage.cache_read + usage.cache_write
            self.fill.learn(mind, real=real, estimated=sent.tokens)
            model = mind.provider.model
            if model.assumed and real > self.window(mind):
                self._limits.pop(name_of(mind), None)
                self._proved[name_of(mind)] = real + real // 4  # it took more than anybody assumed

    def overflows(self, mind: Mind, error: CodiError) -> bool:
        """Whether a failure means that the request was too long. Then the real limit is remembered."""
        used = self.used(mind)
        if not isinstance(error, ProviderError):
            return False
        # A 400 or 413 that says no more may mean anything.
        is_bare = error.status in (400, 413) and _BARE.search(str(error)) is not None
        if is_bare and used <= _OVERFLOW_SHARE * self.window(mind):
            return False
        if not is_bare and not isinstance(error, ContextOverflow):
            return False
        self.take_limit(
            mind, next((int(found[1]) for each in _LIMIT_TOLD if (found := each.search(str(error)))), None), used
        )
        return True

    def take_limit(self, mind: Mind, told: int | None, used: int) -> None:
        known = self.window(mind)
        limit = told if told and 1024 <= told < known else max(min(known - 1, used) * 9 // 10, 2048)
        self._limits[name_of(mind)] = min(limit, known)

    async def after_overflow(self, mind: Mind) -> bool:
        """Make the conversation shorter than what was refused. Raises ContextOverflow where it cannot be."""
        return await self._make_room(mind, max(self.used(mind), self.limit(mind)), occasion="overflow")

    def _needs_room(self, mind: Mind, used: int) -> bool:
        tier = self.tier(mind)
        if not self.settings.auto_compact:
            return used > tier.window - tier.reserve
        if used >= self.limit(mind):
            return True
        return used > tier.tool_results and self._results_tokens(mind) > tier.tool_results

    def _results_tokens(self, mind: Mind) -> int:
        total = sum(self.fill.counter.block(result) for message in self.messages() for result in message.tool_results)
        return round(total * self.fill.ratio(mind))

    async def _make_room(self, mind: Mind, used: int, occasion: Occasion = "threshold") -> bool:
        tier, limit = self.tier(mind), self.limit(mind)
        if not self.settings.auto_compact:
            raise ContextOverflow(
                f"the conversation has ~{used} tokens of {tier.window}, and compaction is switched off",
                hint="Shorten it with /compact, or set context.auto_compact = true.",
            )
        if used < limit:
            over = self._results_tokens(mind) - tier.tool_results
            self.prune(mind, over + tier.tool_results // 4)
            return False
        enough = min(int(PRUNED_TO * tier.window), limit - 1)
        self.prune(mind, used - enough)
        if self.used(mind) <= enough and occasion != "overflow":
            return False
        compacted = False
        if self.used(mind) >= limit or occasion == "overflow":
            try:
                await self.compact(mind, occasion, will_retry=occasion == "overflow")
                compacted = True
            except NothingToCompact:
                pass
        if self.used(mind) >= limit:
            self._cut_largest(mind, limit)
        if (left := self.used(mind)) >= limit:
            raise ContextOverflow(
                f"what must not be dropped has ~{left} tokens, and the model's window {tier.window}",
                hint="Unpin what is not needed (/unpin), begin a new session, or choose a model with a larger window.",
            )
        return compacted

    def _warn_of_fill(self, mind: Mind, used: int) -> None:
        if self.settings.auto_compact:
            return
        window = self.window(mind)
        for percent in (95, 80):
            if 100 * used >= percent * window and self._warned < percent:
                self._warned = percent
                self._record.tell(
                    StatusDelta(
                        kind="warning",
                        text=f"~{used} of {window} tokens of the context are used ({percent} %)",
                        hint="Shorten the conversation with /compact.",
                    )
                )
                return

    # Pruning

    def prune(self, mind: Mind, wanted: int) -> bool:
        """Take results out of the context that give about `wanted` tokens. False where that would not be worth it."""
        if self._results is None:
            return False
        path = self._record.session.path()
        seen = stand_ins(path)
        found = candidates(standing(path), self._counted(path, mind), seen, pins(path), working_set(path))
        taken = chosen(found, wanted, int(LEAST_PRUNE * self.window(mind)))
        items = [item for each in taken if (item := self._pruned(each)) is not None]
        if items:
            self._record.keep(ResultsPruned(tuple(items)))
        return bool(items)

    def _pruned(self, candidate: Candidate) -> Pruned | None:
        result, call = candidate.result, candidate.call
        text, summary = result.text, line_about(candidate)
        if candidate.images:
            images = [part for part in result.content if isinstance(part, Image)]
            text = "\n".join(f"data:{image.media_type};base64,{image.data}" for image in images)
            size = pixels_of(images[0])
            summary = f"image {size[0]}x{size[1]}" if size else "image"
        result_id = self._kept(result.tool or (call.name if call else "tool"), call, text, is_error=result.is_error)
        if result_id is None:
            return None
        return Pruned(
            entry_id=candidate.entry.id,
            result_id=result_id,
            tokens=candidate.tokens,
            summary=summary,
            image=candidate.images,
        )

    def _kept(self, tool: str, call: ToolCall | None, text: str, *, is_error: bool = False) -> str | None:
        """Where a text can be recalled; None where the disk refuses it."""
        assert self._results is not None
        try:
            return self._results.keep(tool, call.arguments if call else {}, text, is_error=is_error)
        except OSError as error:
            self._record.tell(StatusDelta(kind="warning", text=f"a result could not be put aside: {error.strerror}"))
            return None

    def keep_again(self) -> None:
        """Put those texts aside again that a session speaks of and that are not there, as after a fork."""
        path = self._record.session.path()
        pruned = stand_ins(path)
        if self._results is None or not pruned:
            return
        calls = {
            call.id: call
            for entry in path
            if isinstance(entry.fact, MessageAdded)
            for call in entry.fact.message.tool_calls
        }
        for entry in path:
            item = pruned.get(entry.id)
            if (
                item is None
                or item.image
                or not isinstance(entry.fact, MessageAdded)
                or self._results.path_of(item.result_id)
            ):
                continue
            for result in entry.fact.message.tool_results:
                call = calls.get(result.call_id)
                self._kept(result.tool or (call.name if call else "tool"), call, result.text, is_error=result.is_error)

    def _cut_largest(self, mind: Mind, limit: int) -> None:
        """Leave beginning and end of the largest messages, so that the rest fits."""
        path = self._record.session.path()
        seen, pinned = stand_ins(path), pins(path)
        count = self._counted(path, mind)
        sizes = {
            entry.id: (entry, count(entry))
            for entry in standing(path)
            if is_message(entry) and entry.id not in pinned.entries
        }
        ratio = self.fill.ratio(mind)
        excess = self.used(mind) - limit + 1
        most = _cap_for([tokens for _, tokens in sizes.values()], int(excess / ratio) + 50 * len(sizes) // 4)
        items = []
        for entry, tokens in sizes.values():
            if tokens <= most + 60:
                continue
            if item := self._cut(entry, tokens, max(most, _SMALLEST_CUT), seen.get(entry.id)):
                items.append(item)
        if items:
            self._record.keep(ResultsPruned(tuple(items)))
            self._record.tell(
                StatusDelta(
                    kind="warning",
                    text=f"{len(items)} message{'s' * (len(items) != 1)} had to be cut in the middle to fit into the window",
                )
            )

    def _cut(self, entry: Entry, tokens: int, most: int, seen: Pruned | None) -> Pruned | None:
        message = message_of(entry)
        if message is None or (seen is not None and not seen.keep):
            return None
        text = "\n".join(serialised_whole(message))
        result_id = seen.result_id if seen else None
        if result_id is None and self._results is not None:
            results = message.tool_results
            tool = results[0].tool if results and results[0].tool else message.role
            result_id = self._kept(tool, None, results[0].text if len(results) == 1 else text)
        # Half of what may stay from each end; of dense text fewer characters make a token.
        keep = max(int(most * len(text) / max(tokens, 1) / 2) - 60, 40)
        return Pruned(
            entry_id=entry.id,
            result_id=result_id or "",
            tokens=max(tokens - most, 1),
            summary=f"cut to ~{most} tokens",
            keep=keep,
        )

    def _counted(self, path: Sequence[Entry], mind: Mind) -> Callable[[Entry], int]:
        """Tokens of an entry as the model sees it."""
        seen = stand_ins(path)
        ratio = self.fill.ratio(mind)

        def count(entry: Entry) -> int:
            shown = with_stand_in(entry, seen[entry.id]) if entry.id in seen else entry
            return round(self.fill.count(shown) * ratio)

        return count

    # Compaction

    async def compact(
        self,
        mind: Mind,
        occasion: Occasion,
        *,
        instructions: str = "",
        how: str = "auto",
        force: bool = False,
        will_retry: bool = False,
    ) -> Entry:
        """Summarise the earlier part. Raises NothingToCompact; a failure leaves the session as it was."""
        self.plan(mind, occasion, force=force)
        self._record.tell(CompactionStartDelta(occasion))
        try:
            made = await self.made(mind, occasion, instructions=instructions, how=how, force=force)
        except anyio.get_cancelled_exc_class():
            self._record.tell(CompactionEndDelta(reason=occasion, aborted=True))
            raise
        except CodiError as error:
            self._record.tell(CompactionEndDelta(reason=occasion, error=f"Compaction failed: {error}"))
            raise
        if made.notice and occasion != "manual":
            self._record.tell(StatusDelta(kind="warning", text=made.notice))
        entry = self._record.keep(made.fact, sync=True)
        assert isinstance(entry.fact, ContextCompacted)
        self._record.tell(CompactionEndDelta(reason=occasion, result=entry.fact, will_retry=will_retry))
        return entry

    def plan(self, mind: Mind, occasion: Occasion, *, force: bool = False) -> Plan:
        """What would be said shorter. Raises NothingToCompact."""
        path = self._record.session.path()
        tier = self.tier(mind)
        messages = [at for at, entry in enumerate(path) if is_message(entry)]
        newest = max((at for at, entry in enumerate(path) if isinstance(entry.fact, ContextCompacted)), default=-1)
        if newest >= 0 and not any(at > newest for at in messages):
            last = path[newest]
            if not any(isinstance(e.fact, CompactionUndone) and e.fact.compaction_id == last.id for e in path[newest:]):
                raise NothingToCompact("Already compacted", hint="Say something first.")
        count = self._counted(path, mind)
        if occasion == "manual":
            keep = tier.keep_recent
            if force:
                keep = min(keep, max(sum(map(count, standing(path))) // 4, 1))
            cut = cut_of(path, count, keep, min_recent=0 if force else min(tier.min_recent, 6))
            plan = planning.plan_of(path, cut) if cut else None
        else:
            head = round(self.fill.head(mind) * self.fill.ratio(mind))
            room = self.limit(mind) - head - int(planning.HISTORY_SHARE * tier.reserve) - tier.window // 10
            plan = planning.fitting_plan(path, count, tier, max(room, 1))
            if plan and sum(map(count, plan.dropped)) < LEAST_GAIN:
                plan = None
        if plan is None:
            raise NothingToCompact(
                "Nothing to compact.", hint="There is too little said yet; /compact --force tries all the same."
            )
        return plan

    async def made(
        self, mind: Mind, occasion: Occasion, *, instructions: str = "", how: str = "auto", force: bool = False
    ) -> Made:
        """A compaction as it would be kept. Raises NothingToCompact, and NoSummary where a model was demanded and none answers."""
        plan, tier, before = self.plan(mind, occasion, force=force), self.tier(mind), self.used(mind)
        method, notice, model, usage = "llm", "", None, _NOTHING
        if how == "mechanical" or (how == "auto" and self.settings.strategy == "mechanical"):
            text, method = planning.digest(plan, tier), "mechanical"
        else:
            try:
                summaries = await self._summaries(mind, plan, tier, instructions)
            except NoSummary as failure:
                if how == "llm":
                    raise
                text, method = planning.digest(plan, tier), "mechanical"
                notice = f"the conversation was summarised without a model: {failure}"
            else:
                text, model, usage = _joined(plan, summaries)
        return self._finished(mind, plan, text, method, before, model=model, usage=usage, notice=notice)

    def cleared(self, mind: Mind) -> Made:
        """A compaction with nothing in place of what was said, but for what is held."""
        path = self._record.session.path()
        cut = whole_cut(path)
        if cut is None:
            raise NothingToCompact("Nothing to compact.", hint="Nothing was said yet.")
        return self._finished(mind, planning.plan_of(path, cut), "", "clear", self.used(mind))

    async def _summaries(self, mind: Mind, plan: Plan, tier: Tier, focus: str) -> list[Summary | None]:
        """Of the history and of the beginning of a split turn, side by side."""
        found: list[Summary | None] = [None, None]
        failures: list[CodiError] = []
        minds = self._thinkers(mind)
        history = serialised(plan.history)
        sources: list[Source | None] = [
            Source(
                texts=history,
                previous=plan.previous,
                focus=focus,
                max_output=max(int(planning.HISTORY_SHARE * tier.reserve), 256),
            )
            if history
            else None,
            Source(
                texts=serialised(plan.prefix),
                focus=focus,
                max_output=max(int(planning.PREFIX_SHARE * tier.reserve), 256),
                prefix=True,
            )
            if plan.prefix and any(map(is_message, plan.prefix))
            else None,
        ]

        async def summarise(at: int, source: Source) -> None:
            try:
                found[at] = await summary_of(source, minds, self.allowed, self.paid)
            except CodiError as error:
                failures.append(error)

        async with anyio.create_task_group() as tasks:
            for at, source in enumerate(sources):
                if source is not None:
                    tasks.start_soon(summarise, at, source)
        if failures:
            raise failures[0]
        return found

    def paid(self, mind: Mind, usage: Usage) -> None:
        self.paid_beside("/".join(name_of(mind)), usage, "summary")

    def paid_beside(self, model: str, usage: Usage, purpose: Literal["summary", "review"]) -> None:
        """Keep what a request cost that was no step of the conversation."""
        self.spent(usage)
        tokens = usage.input + usage.cache_read + usage.cache_write
        self._record.keep(RequestSent(step=0, segments=(), tokens=tokens, model=model, purpose=purpose, usage=usage))

    def _finished(
        self,
        mind: Mind,
        plan: Plan,
        text: str,
        method: str,
        before: int,
        *,
        model: str | None = None,
        usage: Usage = _NOTHING,
        notice: str = "",
    ) -> Made:
        path, tier = self._record.session.path(), self.tier(mind)
        pinned, count = pins(path), self._counted(path, mind)
        head = round(self.fill.head(mind) * self.fill.ratio(mind))
        kept = sum(map(count, plan.kept))
        window = tier.window
        for _ in range(4):
            own, _ = planning.own_parts(plan, pinned, window)
            summary = f"{text}{own}".strip()
            after = head + kept + self.fill.counter.message(Message("user", (Text(summary),)))
            if after < self.limit(mind):
                break
            window //= 2
        files = planning.files_of(plan)
        own_facts = {
            "method": method,
            **({"model": model} if model else {}),
            "tokensAfter": after,
            "dropped": [entry.id for entry in plan.dropped],
            "kept": [entry.id for entry in plan.kept if is_message(entry)],
            "ledger": planning.ledger_of(plan),
            "cost": usage.cost.total if usage.cost else None if model else 0.0,
        }
        fact = ContextCompacted(
            summary=summary,
            first_kept=plan.first_kept,
            tokens_before=before,
            details={"readFiles": files.read, "modifiedFiles": files.changed, "codi": own_facts},
            from_hook=False,
        )
        return Made(plan, fact, method, notice)


def _change(path: str, at: float | None) -> str:
    try:
        return ", changed on disk" if at is not None and os.stat(path).st_mtime > at + 1 else ""
    except OSError:
        return ", gone" if os.path.isabs(path) else ""


def serialised_whole(message: Message) -> list[str]:
    """All texts of a message."""
    texts = [block.text for block in message.blocks if isinstance(block, Text)]
    texts += [result.text for result in message.tool_results]
    texts += [str(value) for call in message.tool_calls for value in call.arguments.values()]
    return [text for text in texts if text]


def _joined(plan: Plan, summaries: Sequence[Summary | None]) -> tuple[str, str, Usage]:
    history, prefix = summaries
    text = history.text if history else plan.previous or NO_HISTORY
    if prefix:
        text += SPLIT + prefix.text
    given = [summary for summary in summaries if summary]
    costs = [summary.usage.cost for summary in given]
    cost = costs[0]
    if len(given) == 2 and costs[0] is not None and costs[1] is not None:
        cost = replace(costs[0], input=costs[0].input + costs[1].total)
    return text, given[0].model, Usage(cost=cost)


def _cap_for(sizes: Sequence[int], excess: int) -> int:
    """The largest cap under which the sizes together are less by `excess`."""
    low, high = 0, max(sizes, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(max(size - middle, 0) for size in sizes) >= excess:
            low = middle
        else:
            high = middle - 1
    return low
