"""Facts of every kind: one plain example each, and strategies that make up others."""

from hypothesis import strategies as st
from msgspec import Raw

from codi.protocol.effects import Reaches, Reads, Runs, Writes
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    BranchSummarised,
    CallIntended,
    ChangesUndone,
    CommandShown,
    ContextAdded,
    ContextCompacted,
    Entry,
    FileChange,
    FilesChanged,
    Labelled,
    LeafMoved,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    Noted,
    PolicyChosen,
    ReplyFacts,
    Retried,
    SessionOpened,
    Skipped,
    SnapshotTaken,
    ThinkingChosen,
    TitleGiven,
    TodoItem,
    TodoWritten,
    TurnEnded,
    TurnStarted,
    TurnStats,
    Unknown,
)
from codi.protocol.messages import Cost, Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.sessions.json_lines import encoded
from codi.sessions.version3 import timestamp_of

ORIGIN = Origin("anthropic-messages", "anthropic", "claude")
USAGE = Usage(input=7, output=5, cache_read=3, cache_write=2, thinking=1, cost=Cost(0.5, 0.25, 0.125, 0.0625))


def reply(text="Done.", *calls, usage=USAGE, stop="stop"):
    return MessageAdded(Message("assistant", (Text(text), *calls), ORIGIN), ReplyFacts(stop=stop, usage=usage))


def said(text):
    return MessageAdded(user(text))


def answered(call_id, text="ok"):
    return MessageAdded(Message("user", (ToolResult(call_id, (Text(text),), tool="read"),)))


EXAMPLES = {
    "user": MessageAdded(user("Grüße 🙂\u2028zwei", Image("aGk=", "image/png"))),
    "assistant": MessageAdded(
        Message(
            "assistant",
            (
                Thinking("hm", "seal"),
                Thinking("", "sealed", redacted=True),
                Text("text", "textseal"),
                ToolCall("c1", "read", {"path": "a", "n": [1, None, {"x": 1.5}]}, "thought"),
                ToolCall("c2", "read", {}, defect="cut"),
            ),
            ORIGIN,
        ),
        ReplyFacts(
            stop="toolUse",
            usage=Usage(input=1, output=2, cache_write_1h=3, cache_write=4, estimated=True, cost=Cost(1.0)),
            raw_stop="tool_calls",
            response_id="r1",
            response_model="claude-x",
        ),
    ),
    "failed reply": MessageAdded(
        Message("assistant", (), ORIGIN), ReplyFacts(stop="error", usage=Usage(), error="400 too long")
    ),
    "tool result": MessageAdded(
        Message("user", (ToolResult("c1", (Text("out"), Image("aGk=", "image/png")), True, "read", {"diff": "x"}, 12),))
    ),
    "command": CommandShown(
        command="ls", output="a\n", exit_code=2, cancelled=True, truncated=True, full_output_path="/x", excluded=True
    ),
    "context": ContextAdded(kind="hook", message=user("note"), display=False, details={"a": [1]}),
    "model": ModelChosen("anthropic", "claude"),
    "thinking": ThinkingChosen("xhigh"),
    "compaction": ContextCompacted(
        summary="s", first_kept="0000000a", tokens_before=9, details={"readFiles": ["a"]}, from_hook=False
    ),
    "branch summary": BranchSummarised(from_id="root", summary="s", details=None, from_hook=True),
    "label": Labelled("0000000a", "here"),
    "label taken away": Labelled("0000000a", None),
    "title": TitleGiven("a name"),
    "session": SessionOpened("0.1.0", git={"branch": "main", "head": "abc", "dirty": True}, flags=("--yes",)),
    "turn start": TurnStarted(3),
    "turn end": TurnEnded(
        turn=3, reason="limit", message="m", hint="h", code="limit", stats=TurnStats(steps=2, cost=None, cache_hit=0.5)
    ),
    "intent": CallIntended(
        "c1", "shell", {"command": "ls"}, (Reads("a"), Writes("b", "create"), Runs(("ls", "-l")), Reaches("x.org"))
    ),
    "snapshot": SnapshotTaken(
        id="s3", tree="ab", turn=2, when="after", skipped=(Skipped("big.iso", "larger than 100 MB"),)
    ),
    "undo": ChangesUndone(to="step 3", paths=("a", "b"), redo_of="step 5", conflicts=("b",)),
    "effect": FilesChanged("c1", (FileChange("a", "moved", "00", "11", "b"), FileChange("c", "created", after="22"))),
    "approval asked": ApprovalAsked(
        tool_call_id="c1",
        tool_name="shell",
        arguments={"command": "rm"},
        effects=(Runs("rm"),),
        risk=9,
        reasons=("it deletes",),
        undo_cover="all",
        preview="p",
        offers=("shell(rm)",),
        mapped_from="bash",
    ),
    "approval given": ApprovalGiven(
        tool_call_id="c1", decision="deny", by="person", rule_id="r", remember="project", changed={"a": 1}, text="no"
    ),
    "todo": TodoWritten((TodoItem("a", "in_progress", "doing a"), TodoItem("b", "pending"))),
    "policy": PolicyChosen("plan", "allow shell(ls)", "rule"),
    "model described": ModelDescribed(
        provider="p",
        model_id="m",
        api="x",
        thinking="low",
        window=1,
        max_output=2,
        why="fallback",
        prices={"input": 1.5},
    ),
    "retry": Retried(2, "busy", 500),
    "leaf": LeafMoved("0000000a", "0000000b"),
    "leaf at the beginning": LeafMoved("0000000a", None),
    "note": Noted("plugin", {"any": [1, None, "x"]}),
}

texts = st.text(max_size=30)
names = st.text(min_size=1, max_size=12)
ids = st.integers(0, 2**32 - 1).map(lambda number: f"{number:08x}")
times = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
counts = st.integers(0, 2**40)
optional_texts = st.none() | texts
dollars = st.floats(0, 1e6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(texts, json_values, max_size=3)
text_blocks = st.builds(Text, texts, optional_texts)
images = st.builds(Image, texts, names)
said_blocks = st.lists(text_blocks | images, max_size=3).map(tuple)
reply_blocks = st.lists(
    text_blocks
    | st.builds(Thinking, texts, optional_texts, st.booleans())
    | st.builds(ToolCall, names, names, json_objects, optional_texts, optional_texts),
    max_size=3,
).map(tuple)
costs = st.none() | st.builds(Cost, dollars, dollars, dollars, dollars)
usages = st.builds(
    Usage,
    input=counts,
    output=counts,
    cache_read=counts,
    cache_write=counts,
    cache_write_1h=counts,
    thinking=counts,
    estimated=st.booleans(),
    cost=costs,
)
replies = st.builds(
    ReplyFacts,
    stop=st.sampled_from(["stop", "length", "toolUse", "error", "aborted"]),
    usage=usages,
    raw_stop=optional_texts,
    response_id=optional_texts,
    response_model=optional_texts,
    error=optional_texts,
)
results = st.builds(ToolResult, names, said_blocks, st.booleans(), texts, st.none() | json_objects, st.none() | counts)
messages = (
    st.builds(MessageAdded, st.builds(Message, st.just("user"), said_blocks))
    | st.builds(MessageAdded, results.map(lambda result: Message("user", (result,))))
    | st.builds(
        MessageAdded,
        st.builds(Message, st.just("assistant"), reply_blocks, st.builds(Origin, names, names, names)),
        replies,
    )
)
effects = st.lists(
    st.builds(Reads, texts)
    | st.builds(Runs, texts | st.lists(texts, max_size=2).map(tuple))
    | st.builds(Reaches, texts),
    max_size=3,
).map(tuple)
facts = st.one_of(
    st.sampled_from(list(EXAMPLES.values())),
    messages,
    st.builds(
        CommandShown,
        command=texts,
        output=texts,
        exit_code=st.none() | st.integers(0, 255),
        cancelled=st.booleans(),
        truncated=st.booleans(),
        full_output_path=optional_texts,
        excluded=st.booleans(),
    ),
    st.builds(
        ContextAdded,
        kind=texts,
        message=st.builds(Message, st.just("user"), said_blocks),
        display=st.booleans(),
        details=json_values,
    ),
    st.builds(ContextCompacted, summary=texts, first_kept=ids, tokens_before=counts, details=json_values),
    st.builds(TitleGiven, texts),
    st.builds(CallIntended, names, names, json_objects, effects),
    st.builds(Noted, texts, json_values),
    st.builds(LeafMoved, st.none() | ids, st.none() | ids),
)


@st.composite
def unknown_entries(draw):
    id, parent, at = draw(ids), draw(st.none() | ids), draw(times)

    line = {
        "type": "x_" + draw(names),
        "id": id,
        "parentId": parent,
        "timestamp": timestamp_of(at),
        "x": draw(json_values),
    }
    return Entry(id, parent, at, Unknown(Raw(encoded(line))))


entries = st.builds(Entry, ids, st.none() | ids, times, facts) | unknown_entries()


@st.composite
def trees(draw):
    """Entries as a session appends them: ids of their own, parents that were there before."""
    kept = []
    for number, fact in enumerate(draw(st.lists(facts, max_size=8))):
        parent = draw(st.sampled_from([None, *(entry.id for entry in kept)]))
        kept.append(Entry(f"{number + 1:08x}", parent, 1000.0 + number, fact))
    return kept
