"""A fact becomes a line and the same fact again; what other programs write is read, and what nobody knows is kept."""

import json
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_facts import EXAMPLES, entries, json_values

from codi.protocol.events import (
    BranchSummarised,
    ContextCompacted,
    Entry,
    Labelled,
    MessageAdded,
    ModelChosen,
    SessionOpened,
    ThinkingChosen,
    TitleGiven,
    TurnEnded,
    Unknown,
)
from codi.protocol.messages import Text
from codi.sessions.version3 import entry_of, header_line, header_of, line_of, seconds_of, timestamp_of

BASE = {"id": "0000000a", "parentId": None, "timestamp": "2026-11-20T08:56:01.903Z"}


def read(**fields):
    return entry_of(json.dumps(BASE | fields).encode())


def written(fact, at=1.5):
    return json.loads(line_of(Entry("0000000a", None, at, fact)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_fact_is_read_as_it_was_written(name):
    entry = Entry("0000000a", "0000000b", 1795165144.011, EXAMPLES[name])
    line = line_of(entry)

    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert entry_of(line[:-1]) == entry


def as_javascript(value):
    """What stands there once JavaScript has read it."""
    if isinstance(value, dict):
        return {name: as_javascript(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_javascript(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_line_that_another_program_wrote_anew_keeps_its_sum(name):
    entry = Entry("0000000a", "0000000b", 1795165144.011, EXAMPLES[name])
    line = line_of(entry)
    anew = json.dumps(as_javascript(json.loads(line)), ensure_ascii=False, separators=(",", ":")).encode()
    assert b"_c" in anew and entry_of(anew) == entry


@settings(max_examples=150, deadline=None)
@given(entries)
def test_decoding_undoes_encoding(entry):
    assert entry_of(line_of(entry)[:-1]) == entry


@settings(max_examples=100, deadline=None)
@given(entries)
def test_foreign_spacing_and_order_tell_the_same(entry):
    line = json.loads(line_of(entry))
    line.pop("_c", None)
    shuffled = dict(reversed(line.items()))
    read = entry_of(json.dumps(shuffled).encode())

    assert read is not None
    if isinstance(entry.fact, Unknown):
        assert (read.id, read.parent, read.at) == (entry.id, entry.parent, entry.at)
    else:
        assert read == entry


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "parentId", "timestamp", "message", "customType", "data", "_c"]), json_values
    )
)
def test_odd_shapes_are_never_an_error(fields):
    line = json.dumps({"type": "message"} | fields).encode()
    read = entry_of(line)

    assert read is None or isinstance(read, Entry)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(EXAMPLES.values())), st.data())
def test_a_value_of_another_kind_is_never_an_error(fact, data):
    line = written(fact)
    del line["_c"]
    inner = line["message"] if "message" in line and data.draw(st.booleans()) else line
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(json_values)

    read = entry_of(json.dumps(line).encode())

    assert read is None or isinstance(read, Entry)


def test_keys_come_in_order_and_the_check_sum_last():
    line = line_of(Entry("0000000a", None, 0.001, EXAMPLES["user"]))[:-1]

    assert list(json.loads(line))[:4] == ["type", "id", "parentId", "timestamp"]
    assert list(json.loads(line))[-1] == "_c"
    bare = line[: line.rindex(b',"_c"')] + b"}"
    assert json.loads(line)["_c"] == f"{crc32(bare):08x}"
    assert "Grüße 🙂\u2028zwei".encode() in line


def test_a_line_with_another_check_sum_is_no_entry():
    line = line_of(Entry("0000000a", None, 1.0, TitleGiven("a name")))[:-1]

    assert entry_of(line.replace(b"a name", b"b name")) is None
    moved = json.loads(line)
    moved = {"_c": moved.pop("_c")} | moved
    assert entry_of(json.dumps(moved).encode()) == entry_of(line)
    assert entry_of(json.dumps(moved | {"name": "b"}).encode()) is None


def test_a_reply_without_a_price_says_so():
    usage = written(EXAMPLES["failed reply"])["message"]["usage"]

    assert usage["costUnknown"] is True
    assert set(usage["cost"].values()) == {0}
    assert "costUnknown" not in written(EXAMPLES["assistant"])["message"]["usage"]


def test_messages_are_written_in_the_words_of_version_3():
    assistant = written(EXAMPLES["assistant"])["message"]
    result = written(EXAMPLES["tool result"])["message"]

    assert list(assistant)[:8] == ["role", "content", "api", "provider", "model", "usage", "stopReason", "timestamp"]
    assert {"rawStopReason", "responseId", "responseModel"} < set(assistant)
    assert [block["type"] for block in assistant["content"]] == ["thinking", "thinking", "text", "toolCall", "toolCall"]
    assert assistant["timestamp"] == 1500
    assert result["role"] == "toolResult" and result["isError"] is True and result["toolCallId"] == "c1"
    assert written(MessageAdded(EXAMPLES["tool result"].message))["message"]["details"] == {"diff": "x"}


def test_no_literal_form_of_others_is_written():
    foreign = {"tool_use_id", "is_error", "media_type", "parent_session", "level", "model_change_id", "removed_count"}
    tags = {"ToolUse", "tool_use", "ModelChange", "ThinkingLevelChange", "BranchSummary"}

    def names(value):
        if isinstance(value, dict):
            yield from value
            yield value.get("type")
            for inner in value.values():
                yield from names(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from names(inner)

    for fact in EXAMPLES.values():
        found = set(names(written(fact)))
        assert not found & (foreign | tags)


def test_own_facts_are_custom_entries_that_tell_all_of_their_data():
    opened = written(SessionOpened("0.1.0"))
    ended = written(TurnEnded(turn=1, reason="done"))

    assert opened["type"] == "custom" and opened["customType"] == "codi/session"
    assert opened["data"] == {"codi": "0.1.0", "schema": 1, "flags": []}
    assert ended["data"]["stats"]["cost"] is None and ended["data"]["stats"]["toolCalls"] == 0
    assert "message" not in ended["data"]
    assert written(EXAMPLES["leaf at the beginning"])["data"] == {"from": "0000000a", "to": None}
    assert written(EXAMPLES["effect"])["data"]["changes"][0]["from"] == "b"


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        ({"type": "ModelChange", "provider": "p", "model": "m"}, ModelChosen("p", "m")),
        ({"type": "modelChange", "provider": "p", "model_id": "m"}, ModelChosen("p", "m")),
        ({"type": "ThinkingLevelChange", "level": "high"}, ThinkingChosen("high")),
        ({"type": "thinking_level_change", "thinkingLevel": "max"}, ThinkingChosen("xhigh")),
        ({"type": "BranchSummary", "from_id": "x", "summary": "s"}, BranchSummarised(from_id="x", summary="s")),
        ({"type": "branch_summary", "summary": "s"}, BranchSummarised(from_id="root", summary="s")),
        (
            {"type": "Compaction", "summary": "s", "first_kept_entry_id": "x", "removed_count": 2},
            ContextCompacted(summary="s", first_kept="x", tokens_before=0),
        ),
        ({"type": "label", "targetId": "x", "label": ""}, Labelled("x", None)),
        ({"type": "session_info"}, TitleGiven("")),
        (
            {"type": "custom", "customType": "codi/title", "data": {"title": "t", "by": "model"}},
            TitleGiven("t", "model"),
        ),
        (
            {"type": "custom", "customType": "codi/turn_end", "data": {"turn": 1, "reason": "done", "new": 1}},
            TurnEnded(turn=1, reason="done"),
        ),
    ],
)
def test_literal_forms_are_read(fields, fact):
    assert read(**fields).fact == fact


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "x_new", "what": 1},
        {"type": "custom", "customType": "other/thing", "data": 1},
        {"type": "custom", "customType": "codi/evidence", "data": {}},
        {"type": "custom", "customType": "codi/turn_end", "data": {"turn": 1, "reason": "of a later version"}},
        {"type": "message", "message": {"role": "system", "content": "x"}},
        {"type": "message", "message": None},
        {"type": "thinking_level_change", "thinkingLevel": "deep"},
    ],
)
def test_what_is_not_understood_is_kept_byte_for_byte(fields):
    line = json.dumps(BASE | fields, indent=None, separators=(" ,", ":  ")).encode()
    entry = entry_of(line)

    assert isinstance(entry.fact, Unknown) and entry.id == "0000000a" and entry.at == seconds_of(BASE["timestamp"])
    assert line_of(entry) == line + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"{}",
        b'{"id":"x"}',
        b"\0\0",
        b'{"type":"custom","customType":"x","data":NaN}',
        b'"\xff"',
        b"[" * 200_000,
        b'{"type":"session","id":"x"}',
    ],
)
def test_what_is_no_entry(line):
    assert entry_of(line) is None


def test_half_a_surrogate_pair_is_read_as_unknown_character():
    entry = entry_of(
        b'{"type":"session_info","id":"a","parentId":null,"timestamp":"2026-01-01T00:00:00.000Z","name":"x\\ud83d"}'
    )

    assert entry.fact == TitleGiven("x\ufffd")


def test_half_a_surrogate_pair_can_be_written():
    line = line_of(Entry("0000000a", None, 1.0, TitleGiven("x\udcff")))

    assert entry_of(line[:-1]).fact == TitleGiven("x\ufffd")


def test_a_header_keeps_what_it_was_told():
    told = b'{"type":"session","version":3,"id":"x","timestamp":"t","cwd":"/a\\udcff","parent_session":"/p","more":1}'
    header = header_of(told)

    assert (header.version, header.id, header.cwd, header.parent_session) == (3, "x", "/a\udcff", "/p")
    assert header_of(header_line(header)[:-1]) == header


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"type":"session"}', b'{"type":"session","id":7}', b'{"type":"message","id":"x"}', b"x"]
)
def test_what_is_no_header(line):
    assert header_of(line) is None


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_stamp_keeps_the_millisecond(ms):
    assert seconds_of(timestamp_of(ms / 1000)) == ms / 1000


def test_missing_times_come_from_the_message():
    entry = entry_of(
        b'{"type":"message","id":"a","parentId":null,"message":{"role":"user","content":"x","timestamp":1500}}'
    )

    assert entry.at == 1.5 and entry.fact.message.blocks == (Text("x"),)
