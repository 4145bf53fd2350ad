"""The event stream: what each line is, in which order, and that it is the order of the format it follows."""

import json
from typing import Any

import pytest

from conftest import SHARED, Codi, call, says

OUTSIDE = SHARED / "fixtures" / "v3-streams" / "json_mode.jsonl"


def shape(lines: list[dict[str, Any]]) -> list[str]:
    """The order of events, each run of updates of one kind as one."""
    told: list[str] = []
    for line in lines:
        kind = line["type"]
        if kind == "message_update":
            kind = line["assistantMessageEvent"]["type"]
        if kind in ("message_start", "message_end"):
            kind += f" {line['message']['role']}"
        if kind.endswith(("_delta", "_update")) and told and told[-1] == kind:
            continue
        told.append(kind)
    return told


@pytest.mark.outside
@pytest.mark.skipif(not OUTSIDE.exists(), reason="the recorded streams are not beside the project")
def test_the_order_of_events_is_that_of_the_established_stream(codi: Codi, lab):
    theirs = shape([json.loads(line) for line in OUTSIDE.read_text().splitlines()])
    lab(
        [
            says(
                "Listing.",
                call("shell", command="for i in 1 2 3; do echo tick $i; sleep 0.2; done"),
                thinking="I should.",
            ),
            says("Three ticks.", thinking="done now"),
        ],
        "ollama",
    )
    ours = shape(codi.stream("tick please", "-y", "--thinking", "high").lines)
    own = {"agent_settled", "result", "snapshot_taken", "evidence", "claim", "approval_asked", "approval_given", "toolcall_delta", "model_changed",
           "thinking_level_changed"}  # fmt: skip
    assert [kind for kind in ours if kind not in own] == [kind for kind in theirs if kind not in own]


def test_each_message_is_told_once_as_it_is_kept(codi: Codi, lab):
    lab([says("I look.", call("list"), call("read", path="a")), says("Done.")])
    (codi.cwd / "a").write_text("a")
    run = codi.stream("go")
    kept = [line["message"] for line in codi.session() if line["type"] == "message"]
    assert [line["message"] for line in run.of_type("message_end")] == kept
    assert run.of_type("agent_end")[0]["messages"] == kept
    turns = run.of_type("turn_end")
    assert [turn["message"] for turn in turns] == [message for message in kept if message["role"] == "assistant"]
    assert [len(turn["toolResults"]) for turn in turns] == [2, 0]
    header = run.lines[0]
    assert header == {name: codi.session()[0][name] for name in header}
    assert (header["version"], header["cwd"]) == (3, str(codi.cwd))


def test_deltas_make_the_message(codi: Codi, lab):
    lab([says("Once upon a time. " * 30, call("write", path="x", content="y" * 100)), says("Done.")])
    run = codi.stream("go", "-y")
    said: dict[tuple[str, int], str] = {}
    for line in run.of_type("message_update"):
        event = line["assistantMessageEvent"]
        if event["type"] == "text_start":
            said[event["type"], event["contentIndex"]] = ""
        if event["type"] == "text_delta":
            said["text_start", event["contentIndex"]] += event["delta"]
        if event["type"] == "text_end":
            assert said["text_start", event["contentIndex"]] == event["content"]
        assert "partial" not in event
    ends = [line["assistantMessageEvent"] for line in run.of_type("message_update")]
    (called,) = [end["toolCall"] for end in ends if end["type"] == "toolcall_end"]
    assert called["arguments"] == {"path": "x", "content": "y" * 100}


def test_the_stream_is_linear_in_what_was_said(codi: Codi, lab):
    sizes = []
    for copies in (200, 400, 800):
        lab([says("word ", copies=copies, chunk=20)])
        sizes.append(len(codi.stream("talk").out))
    first, second = sizes[1] - sizes[0], sizes[2] - sizes[1]
    assert second / first == pytest.approx(2, rel=0.1)


def test_results_are_told_in_the_order_of_the_calls_and_ends_as_they_come(codi: Codi, lab):
    (codi.cwd / "a").write_text("a")
    lab([says("", call("shell", command="sleep 0.2"), call("read", path="a"), call("list")), says("Done.")])
    run = codi.stream("go", "-y")
    assert [line["toolCallId"] for line in run.of_type("tool_execution_start")]
    results = [
        line["message"]["toolName"] for line in run.of_type("message_end") if line["message"]["role"] == "toolResult"
    ]
    assert results == ["shell", "read", "list"]
    assert {line["toolName"] for line in run.of_type("tool_execution_end")} == {"shell", "read", "list"}


def test_an_approval_is_asked_and_given_in_the_stream(codi: Codi, lab):
    lab([says("", call("shell", command="touch x")), says("Done.")])
    run = codi.stream("go")
    (asked,), (given,) = run.of_type("approval_asked"), run.of_type("approval_given")
    assert (
        asked["args"] == {"command": "touch x"} and asked["toolName"] == "shell" and asked["offers"] == ["run(touch x)"]
    )
    assert given["toolCallId"] == asked["toolCallId"] and (given["decision"], given["by"]) == ("deny", "nobody")
