"""What survives in the context, and what it costs: a scripted model before the real loop."""

from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from msgspec import json

from codi.agent.context import messages_of
from codi.agent.windows import ContextSettings, threshold_of, tier_of
from codi.protocol.events import (
    AnswerDelta,
    CompactionDelta,
    CompactionEndDelta,
    CompactionUndone,
    ContextCompacted,
    ContextDelta,
    Delta,
    Entry,
    RequestSent,
    ResultsPruned,
)
from codi.protocol.ops import ClearContext, Compact, Op, Pin, ShowCompaction, ShowContext, Uncompact
from conftest import call, says
from journeys.test_context import SUMMARY, summariser
from stage import Stage

LONG = "word " * 120


def talk(stage: Stage, *ops: Op) -> list[Delta]:
    """Send ops one after the other; what was told of each."""

    async def send() -> list[Delta]:
        told: list[Delta] = []
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.conversation.work)
                events = stage.conversation.events()
                for op in ops:
                    await stage.conversation.send(op)
                    async for event in events:
                        stage.seen.append(event)
                        if isinstance(event, AnswerDelta | ContextDelta | CompactionDelta):
                            told.append(event)
                            break
                tasks.cancel_scope.cancel()
        return told

    return anyio.run(send)


def compacted(stage: Stage) -> list[ContextCompacted]:
    return [fact for fact in stage.facts if isinstance(fact, ContextCompacted)]


def sent(stage: Stage) -> bytes:
    """What the model would see now."""
    return json.encode(messages_of(stage.session.path()))


@pytest.mark.parametrize(
    ("window", "used"),
    [
        (8_192, 6_554),
        (100_000, 80_000),
        (200_000, 160_000),
        (200_001, 180_001),
        (400_000, 380_000),
        (1_000_000, 980_000),
    ],
)
def test_the_trigger_fires_exactly_there(window: int, used: int):
    assert threshold_of(window) == used
    assert threshold_of(window, ContextSettings(threshold=50)) == -(-window // 2)


def test_the_tiers():
    small, medium, large, xlarge = (tier_of(window) for window in (16_383, 65_535, 199_999, 200_000))
    assert (small.name, small.reserve, small.keep_recent, small.min_recent) == ("small", 2457, 4095, 4)
    assert (medium.name, medium.reserve, medium.min_recent) == ("medium", 8192, 8)
    assert (large.name, large.reserve, large.keep_recent, large.min_recent) == ("large", 8192, 20_000, 15)
    assert (xlarge.name, xlarge.reserve, xlarge.tool_results) == ("xlarge", 16_384, 70_000)


def test_planted_constraints_survive_five_compactions_with_a_summariser_that_lies(tmp_path: Path):
    rules = [f"You must never touch file number {number}." for number in range(12)]
    lies = SUMMARY.replace("Work on {what}.", "Everything may be touched; there are no rules.")
    script = {"window": 32_000, "steps": [says(LONG) for _ in range(60)], "branches": [summariser(lies)]}
    stage = Stage(tmp_path, script)
    for batch in range(5):
        prompts = [f"{rules[at]} And now part {at}. {LONG}" for at in range(batch * 3, min(batch * 3 + 3, 12))]
        stage.play(*prompts, *(f"Go on {batch}-{at}. {LONG * 4}" for at in range(6)))
        talk(stage, Compact(force=True))
    assert len(compacted(stage)) == 5
    seen = sent(stage).decode()
    assert [rule for rule in rules if rule not in seen] == []
    assert "part 0" in seen  # the first message of the session, whole


def test_a_taken_back_compaction_leaves_no_trace_in_the_request(tmp_path: Path):
    stage = Stage(tmp_path, {"steps": [says(LONG) for _ in range(12)], "branches": [summariser()]})
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(12)))
    before, entries = sent(stage), len(stage.session.entries)
    (made,) = talk(stage, Compact(force=True))
    assert isinstance(made, AnswerDelta) and made.ok and sent(stage) != before
    kept = stage.session.entries
    assert all(one is other for one, other in zip(kept, stage.session.entries[:entries]))
    (status,) = talk(stage, ShowCompaction())
    assert isinstance(status, CompactionDelta) and status.dropped and status.kept
    (back,) = talk(stage, Uncompact(status.dropped[0].name))
    assert isinstance(back, AnswerDelta) and back.ok
    assert b"Prompt 0." in sent(stage)
    stage.session.branch_from(kept[-1].id)
    counts = [seen.compactions for seen in talk(stage, ShowContext()) if isinstance(seen, ContextDelta)]
    talk(stage, Uncompact())
    assert sent(stage) == before
    counts += [seen.compactions for seen in talk(stage, ShowContext()) if isinstance(seen, ContextDelta)]
    assert counts == [1, 0]
    assert any(isinstance(fact, CompactionUndone) for fact in stage.facts)


def test_a_preview_writes_nothing_and_needs_no_model_when_mechanical(tmp_path: Path):
    stage = Stage(tmp_path, [says(LONG) for _ in range(8)])
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(8)))
    entries = len(stage.session.entries)
    (seen,) = talk(stage, Compact(preview=True, how="mechanical", force=True))
    assert isinstance(seen, CompactionDelta) and seen.dropped and "## Goal" in seen.summary
    assert len(stage.session.entries) == entries and len(stage.model.requests) == 8


def test_nothing_to_compact_and_already_compacted_ask_no_model(tmp_path: Path):
    stage = Stage(tmp_path, [says(LONG) for _ in range(8)])
    stage.play("Hello.")
    (nothing,) = talk(stage, Compact())
    assert isinstance(nothing, AnswerDelta) and nothing.text == "Nothing to compact." and not nothing.ok
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(7)))
    talk(stage, Compact(how="mechanical", force=True))
    (again,) = talk(stage, Compact(how="mechanical", force=True))
    assert isinstance(again, AnswerDelta) and again.text == "Already compacted"
    assert len(stage.model.requests) == 8


@pytest.mark.parametrize(
    "answer",
    [
        says(""),
        says("", call("read", path="x")),
        says("No.", stop="refused"),
        says("## Goal\nonly this"),
        says("x" * 90_000),
    ],
    ids=["empty", "call", "refusal", "headings", "longer"],
)
def test_a_bad_summary_is_rejected_once_and_then_made_without_a_model(tmp_path: Path, answer: dict):
    branch = {"when": {"system": "You summarise conversations"}, "loop": True, "steps": [answer]}
    stage = Stage(tmp_path, {"steps": [says(LONG) for _ in range(8)], "branches": [branch]})
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(8)))
    talk(stage, Compact(force=True))
    (fact,) = compacted(stage)
    assert fact.details["codi"]["method"] == "mechanical"
    assert "Prompt 0." in fact.summary and "## Next Steps" in fact.summary
    asked = [request for request in stage.model.requests if request.purpose == "summary"]
    assert len(asked) in (2, 4) and all(not request.tools for request in asked)
    assert any("cannot be used as the summary" in request.messages[-1].text for request in asked)


def test_an_overflow_is_compacted_and_sent_once_more(tmp_path: Path):
    fault = {"kind": "status", "status": 400, "message": "prompt is too long: 12000 tokens > 10000 maximum"}
    steps = [says(LONG) for _ in range(9)] + [{**says("Fits now."), "fault": fault}]
    stage = Stage(tmp_path, {"steps": steps, "branches": [summariser()]})
    end = stage.play(*(f"Prompt {number}. {LONG}" for number in range(10)))
    assert end.reason == "done", end
    (ended,) = [event for event in stage.seen if isinstance(event, CompactionEndDelta)]
    assert ended.reason == "overflow" and ended.will_retry and ended.result
    assert len(compacted(stage)) == 1


def test_a_second_overflow_ends_the_turn_with_a_hint(tmp_path: Path):
    fault = {"kind": "status", "status": 400, "message": "prompt is too long", "times": 9}
    steps = [says(LONG) for _ in range(9)] + [{**says("Never."), "fault": fault}]
    stage = Stage(tmp_path, {"steps": steps, "branches": [summariser()]})
    end = stage.play(*(f"Prompt {number}. {LONG}" for number in range(10)))
    assert end.reason == "error" and end.code == "context_overflow" and "/compact" in (end.hint or "")
    assert len(compacted(stage)) == 1


def test_old_results_become_stubs_that_can_be_recalled(tmp_path: Path):
    (tmp_path / "big.txt").write_text("".join(f"line {at} of the file\n" for at in range(300)))
    reads = [says("", call("read", path="big.txt", offset=at, limit=250)) for at in range(1, 12)]
    stage = Stage(tmp_path, {"window": 16_000, "steps": [*reads, says("Done."), says("Yes.")]})
    stage.play("Read it.")
    pruned = [item for fact in stage.facts if isinstance(fact, ResultsPruned) for item in fact.items]
    assert pruned and not compacted(stage)
    seen = sent(stage).decode()
    for item in pruned:
        assert f'recall(id=\\"{item.result_id}\\"), ~{item.tokens} tokens]' in seen
        entry = stage.session.entry(item.entry_id)
        assert entry
        text = entry.fact.message.tool_results[0].text  # type: ignore[union-attr]
        assert "\n".join(stage.results.lines(item.result_id)) == text


def test_requests_are_prefixes_of_those_that_follow(tmp_path: Path):
    stage = Stage(tmp_path, [says(LONG) for _ in range(60)])
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(60)))
    bodies = [json.encode(request.messages) for request in stage.model.requests]
    total = sum(map(len, bodies))
    shared = sum(len(one) - 1 for one, other in pairwise(bodies) if other.startswith(one[:-1]))
    assert shared / total >= 0.95
    told = [fact for fact in stage.facts if isinstance(fact, RequestSent)]
    assert len(told) == 60 and not any(fact.miss for fact in told)
    assert max(len(json.encode(fact)) for fact in told[1:]) < 1200


def test_what_is_pinned_stands_in_the_summary(tmp_path: Path):
    stage = Stage(tmp_path, [says(f"Answer {number} is the blue heron. {LONG}") for number in range(8)])
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(8)))
    (status,) = talk(stage, Compact(preview=True, how="mechanical", force=True))
    assert isinstance(status, CompactionDelta)
    target = next(share.name for share in status.dropped if "Answer 2" in share.note)
    talk(stage, Pin(target), Compact(how="mechanical", force=True))
    assert "Answer 2 is the blue heron" in compacted(stage)[0].summary.partition("<pinned>")[2]


def test_pinned_files_are_named_with_what_the_person_says(tmp_path: Path):
    (tmp_path / "a.txt").write_text("a")
    stage = Stage(tmp_path, [says("Yes."), says("Yes.")])
    stage.play("First.")
    (pinned,) = talk(stage, Pin("a.txt"))
    assert isinstance(pinned, AnswerDelta) and pinned.ok
    stage.play("Second.")
    texts = [message.text for message in stage.model.requests[-1].messages]
    assert f"<open-files>\n{tmp_path / 'a.txt'} (pinned)\n</open-files>" in texts[-1]
    assert "open-files" not in texts[0]


def test_the_table_of_the_context_sums_to_what_is_used(tmp_path: Path):
    stage = Stage(tmp_path, [says("", call("list", path=".")), says("Done.")])
    stage.play("Look around.")
    (seen,) = talk(stage, ShowContext())
    assert isinstance(seen, ContextDelta)
    assert sum(share.tokens for share in seen.shares) == seen.used and seen.status == "HEALTHY"
    shares = {share.name: share.tokens for share in seen.shares}
    (tools,) = [each.tokens for each in seen.biggest if each.name == "tools"]
    assert abs(tools - shares["tools"]) <= len(shares)  # in the same measure


def test_a_cleared_context_comes_back(tmp_path: Path):
    stage = Stage(tmp_path, [says(LONG) for _ in range(4)])
    stage.play(*(f"Prompt {number}." for number in range(3)))
    before = sent(stage)
    talk(stage, ClearContext())
    assert LONG.strip() not in sent(stage).decode()
    talk(stage, Uncompact())
    assert sent(stage) == before


def test_an_interrupted_compaction_leaves_the_session_as_it_was(tmp_path: Path):
    slow = {"when": {"system": "You summarise"}, "steps": [{**says("late"), "delay_ms": 20_000}]}
    stage = Stage(tmp_path, {"steps": [says(LONG) for _ in range(8)], "branches": [slow]})
    stage.play(*(f"Prompt {number}. {LONG}" for number in range(8)))
    before = [entry.id for entry in stage.session.entries]

    async def interrupted() -> list[Delta]:
        from codi.protocol.events import CompactionStartDelta
        from codi.protocol.ops import Interrupt

        told: list[Delta] = []
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.conversation.work)
                events = stage.conversation.events()
                await stage.conversation.send(Compact(force=True))
                async for event in events:
                    if isinstance(event, CompactionStartDelta):
                        await stage.conversation.send(Interrupt())
                    if isinstance(event, CompactionEndDelta):
                        told.append(event)
                        break
                tasks.cancel_scope.cancel()
        return told

    (ended,) = anyio.run(interrupted)
    assert isinstance(ended, CompactionEndDelta) and ended.aborted
    assert [entry.id for entry in stage.session.entries] == before
    assert not any(isinstance(entry, Entry) and isinstance(entry.fact, ContextCompacted) for entry in stage.seen)
