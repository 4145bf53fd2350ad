"""Laws of choosing what goes: pairs stay whole, what stays fits, the same goes in and the same comes out."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.agent.compaction.cut import cut_of, is_message
from codi.agent.compaction.plan import plan_of
from codi.agent.compaction.verbatim import constraints_in
from codi.agent.context import message_of, messages_of
from codi.agent.counting import Counter, tokens_of
from codi.agent.memories import Memories
from codi.agent.named_files import Files
from codi.agent.room.pruning import candidates, chosen
from codi.agent.working_set import Pins, working_set
from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import (
    ContextCompacted,
    Entry,
    Fact,
    MessageAdded,
    Pruned,
    ReplyFacts,
    ResultsPruned,
)
from codi.protocol.messages import Message, Text, ToolCall, ToolResult, Usage, user
from codi.protocol.tooling import ToolSpec
from stage import next_messages, refusals

TOOLS = (ToolSpec("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}}),)
SHARED = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[2].parent / "shared"))

sizes = st.integers(1, 900)


@st.composite
def paths(draw: st.DrawFn) -> list[Entry]:
    """Turns of a prompt, steps with calls that are all answered, and an answer."""
    facts: list[Fact] = []
    for turn in range(draw(st.integers(1, 6))):
        facts.append(MessageAdded(user("p" * draw(sizes))))
        for step in range(draw(st.integers(0, 4))):
            count = draw(st.integers(1, 3))
            calls = tuple(ToolCall(f"{turn}-{step}-{at}", "read", {"path": f"f{at}"}) for at in range(count))
            facts.append(MessageAdded(Message("assistant", calls), ReplyFacts(stop="toolUse", usage=Usage())))
            facts += [
                MessageAdded(Message("user", (ToolResult(call.id, (Text("r " * draw(sizes)),), tool="read"),)))
                for call in calls
            ]
        facts.append(
            MessageAdded(Message("assistant", (Text("a" * draw(sizes)),)), ReplyFacts(stop="stop", usage=Usage()))
        )
    return [Entry(f"{at:08x}", f"{at - 1:08x}" if at else None, float(at), fact) for at, fact in enumerate(facts)]


def count(entry: Entry) -> int:
    message = message_of(entry)
    return Counter().message(message) if message else 0


@given(paths(), st.integers(1, 2000), st.integers(0, 6))
@settings(max_examples=120, deadline=None)
def test_a_cut_keeps_pairs_whole_and_the_newest(path: list[Entry], keep: int, least: int):
    cut = cut_of(path, count, keep, min_recent=least)
    assert cut == cut_of(path, count, keep, min_recent=least)
    if cut is None:
        return
    plan = plan_of(path, cut)
    kept, dropped = list(plan.kept), [*plan.history, *plan.prefix]
    assert dropped + kept == path and any(map(is_message, dropped))
    assert sum(map(is_message, kept)) >= least
    asked = {call.id for entry in kept for call in entry.fact.message.tool_calls}  # type: ignore[union-attr]
    answered = {result.call_id for entry in kept for result in entry.fact.message.tool_results}  # type: ignore[union-attr]
    assert asked == answered
    fact = ContextCompacted(summary="s", first_kept=plan.first_kept, tokens_before=1)
    messages = messages_of([*path, Entry("ffffffff", path[-1].id, 1.0, fact)])
    assert messages[0].role == "user"


@given(paths(), st.integers(1, 2000), st.integers(0, 6))
@settings(max_examples=20, deadline=None)
def test_what_is_left_after_a_cut_and_a_prune_is_taken_by_every_service(path: list[Entry], keep: int, least: int):
    found = candidates(path, count, {}, Pins(), working_set(path))
    items = tuple(Pruned(each.entry.id, "read_0123456789ab", each.tokens, "read") for each in found)
    cut = cut_of(path, count, keep, min_recent=least)
    facts: list[Fact] = [ResultsPruned(items)]
    if cut is not None:
        facts.append(ContextCompacted(summary="s", first_kept=plan_of(path, cut).first_kept, tokens_before=1))
    after = [Entry(f"f{at:07x}", None, 1.0, fact) for at, fact in enumerate(facts)]
    assert refusals(next_messages([*path, *after]), TOOLS) == {}


@given(paths(), st.integers(0, 3000), st.integers(0, 800))
@settings(max_examples=80, deadline=None)
def test_a_prune_takes_old_results_alone_and_gains_enough_or_nothing(path: list[Entry], wanted: int, least: int):
    found = candidates(path, count, {}, Pins(), working_set(path))
    assert all(each.tokens > 500 for each in found)
    last_steps = [at for at, entry in enumerate(path) if entry.fact.message.role == "assistant"][-2:]  # type: ignore[union-attr]
    assert all(path.index(each.entry) < last_steps[0] for each in found)
    taken = chosen(found, wanted, least)
    assert not taken or sum(each.gain for each in taken) >= least


@given(st.text())
@settings(deadline=None)
def test_nothing_counts_0_and_prose_is_a_quarter(text: str):
    assert (tokens_of(text) > 0) == bool(text)
    words = "plain words of prose and nothing else " * 20
    assert tokens_of(words) == -(-len(words) // 4)
    assert tokens_of("漢字" * 10) == 20


def test_sentences_that_demand_are_found():
    text = "Please look. You must never push. It is fine!\n1. Use tabs\nDo not rename files; only add. Thanks."
    assert constraints_in(text) == ["You must never push.", "1. Use tabs", "Do not rename files; only add."]


def test_memories_are_kept_merged_refused_and_forgotten(tmp_path: Path):
    memories = Memories(
        str(tmp_path / "home"),
        str(tmp_path),
        is_secret=lambda text: "sk-" in text,
        today=lambda: "2026-11-20",
        max_kb=1,
    )
    one = memories.remember("Tabs, never spaces.", category="style", scope="user")
    again = memories.remember("tabs never spaces", scope="user")
    assert again.id == one.id and again.category == "style" and len(memories.all()) == 1
    with pytest.raises(UsageError, match="secret"):
        memories.remember("the key is sk-123")
    with pytest.raises(UsageError, match="300"):
        memories.remember("x" * 301)
    file = tmp_path / ".codi" / "memories.md"
    memories.remember("The tests run with make.")
    file.write_text("# what is this\n" + file.read_text())
    memories.remember("The port is 8080.")
    assert file.read_text().startswith("# what is this\n") and len(memories.all("port")) == 1
    changed = memories.edit(memories.all("port")[0].id, "The port is 9090.")
    assert changed.fact == "The port is 9090."
    assert memories.told().index("tabs never") < memories.told().index("9090")
    with pytest.raises(SessionError, match="no room"):
        for number in range(20):
            memories.remember(f"{number} different words number{number} here{number} there{number} " + "y" * 200)
    memories.forget(memories.matching("9090"))
    assert memories.all("9090") == [] and file.read_text().startswith("# what is this\n")
    memories.set_profile("name", "Ada")
    memories.set_profile("editor", "vi")
    memories.set_profile("avoid", "emoji, jargon")
    assert memories.profile() == {"name": "Ada", "preferences": {"editor": "vi"}, "avoid": ["emoji", "jargon"]}
    assert "prefers editor: vi" in memories.told()


@pytest.mark.outside
@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded sessions beside the project")
def test_cuts_are_those_of_the_established_program():
    from codi.sessions.files import reading_of

    entries = reading_of(str(SHARED / "fixtures" / "v3-sessions" / "autocompact.session.jsonl")).entries
    places = [at for at, entry in enumerate(entries) if isinstance(entry.fact, ContextCompacted)]
    for at in places:
        fact = entries[at].fact
        assert isinstance(fact, ContextCompacted)
        found = {keep: cut for keep in range(100, 3000, 50) if (cut := cut_of(entries[:at], count, keep)) is not None}
        fitting = [cut for cut in found.values() if entries[cut.first_kept].id == fact.first_kept]
        assert fitting, f"no setting cuts at {fact.first_kept}"
        plan = plan_of(entries[:at], fitting[0])
        files = Files()
        if plan.earlier:
            files.take_over(plan.earlier)
        files.take([*plan.history, *plan.prefix])
        assert {"readFiles": files.read, "modifiedFiles": files.changed} == fact.details
        assert fitting[0].turn is not None and "split turn" in fact.summary
