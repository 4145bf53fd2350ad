"""A reply that did not come to its end is no reply, and a call that did not come whole is never run."""

import json

import pytest

from conftest import Codi, call, says

CUT = (
    'Tool call "write" was not executed: the response hit the output limit, so its arguments may be truncated. '
    "Send it again complete, in smaller pieces (write the first part, then append with insert_lines)."
)
WRITE = call("write", path="long.txt", content="word " * 50)
EASE = "[retry]\ntries = 3\nbase_s = 0.01\n"
WIRES = ("anthropic", "openai-chat", "openai-responses", "google", "ollama")


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
def test_a_call_cut_by_the_output_limit_is_not_run(codi: Codi, lab, wire):
    server = lab([says("", WRITE, fault={"kind": "length"}), says("", WRITE), says("Done.")], wire)
    run = codi.json("go", "-y")
    assert run.status == 0, run
    cut, whole = run.result["toolCalls"]
    assert cut["isError"] and cut["result"] == CUT
    assert not whole["isError"] and (codi.cwd / "long.txt").read_text() == "word " * 50
    assert len(server.requests) == 3


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
def test_a_call_that_is_cut_although_the_reply_says_it_ended_is_not_run(codi: Codi, lab, wire):
    lab([says("", WRITE, fault={"kind": "truncate"}), says("", WRITE), says("Done.")], wire)
    run = codi.json("go", "-y")
    assert run.status == 0, run
    cut, whole = run.result["toolCalls"]
    assert cut["isError"] and not whole["isError"]


def test_after_two_cut_replies_the_model_may_say_more_and_after_three_the_turn_ends(codi: Codi, lab):
    codi.set_up("[model]\nmax_output = 1000\n")
    server = lab({"loop": True, "steps": [says("", WRITE, fault={"kind": "length", "times": 0})]})
    run = codi.json("go", "-y")
    assert run.status == 1 and run.result["kind"] == "error" and "output limit" in run.result["reason"]
    limits = [request.json["max_tokens"] for request in server.requests]
    assert limits[:2] == [1000, 1000] and limits[2] > 1000 and len(limits) == 3
    assert not (codi.cwd / "long.txt").exists()


def test_a_cut_answer_is_continued_twice_then_given_up(codi: Codi, lab):
    server = lab([says("One, ", stop="length"), says("two, ", stop="length"), says("three.")])
    run = codi.json("count")
    assert run.status == 0 and run.result["answer"] == "three."
    assert len(server.requests) == 3
    lab({"loop": True, "steps": [says("More, ", stop="length")]})
    run = codi.json("count")
    assert run.status == 1 and "output limit" in run.result["reason"]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", ["cut", "unfinished"])
def test_a_cut_stream_is_asked_for_again_and_each_call_runs_once(codi: Codi, lab, wire, kind):
    codi.set_up(EASE)
    fault = {"kind": kind, "at": 700, "times": 2}
    server = lab([says("I begin. " * 20, call("shell", command="echo x >> log"), fault=fault), says("Done.")], wire)
    run = codi.stream("go", "-y")
    assert run.status == 0, run
    assert (codi.cwd / "log").read_text() == "x\n"
    assert len([request for request in server.requests if request.format]) == 4
    assert run.result["stats"]["retries"] == 2
    starts = run.of_type("auto_retry_start")
    assert [(start["attempt"], start["maxAttempts"]) for start in starts] == [(1, 3), (2, 3)]
    assert run.of_type("auto_retry_end")[0]["success"] is True
    assert len(run.of_type("tool_execution_start")) == 1


def test_a_stream_that_stays_cut_is_an_error_and_no_answer(codi: Codi, lab):
    codi.set_up(EASE)
    server = lab([{"text": "I begin. " * 20, "fault": {"kind": "cut", "at": 1500, "times": 0}}])
    run = codi.stream("go")
    assert run.status == 1 and run.result["error"]["code"] == "stream_cut"
    assert len(server.requests) == 3
    assert run.of_type("auto_retry_end")[-1]["success"] is False
    kept = [line["message"] for line in codi.session() if line["type"] == "message"][-1]
    assert kept["stopReason"] == "error" and kept["errorMessage"]
    assert "I begin." in json.dumps(kept["content"])


def test_an_empty_reply_is_nudged_once(codi: Codi, lab):
    server = lab([{"text": ""}, says("Here I am.")])
    assert codi.json("go").result["answer"] == "Here I am."
    assert len(server.requests) == 2
    lab({"loop": True, "steps": [{"text": ""}]})
    run = codi.json("go")
    assert run.status == 1 and run.result["reason"] == "The model sent an empty reply."
