"""Why a model stopped, in the words of each service, and what becomes of the turn."""

import json

import pytest

from conftest import Codi, call, says

WIRES = ("anthropic", "openai-chat", "openai-responses", "google", "ollama")

REFUSED = {
    "anthropic": ["refusal"],
    "openai-chat": ["content_filter"],
    "google": ["SAFETY", "RECITATION", "PROHIBITED_CONTENT"],
}


@pytest.mark.parametrize(("wire", "word"), [(wire, word) for wire, words in REFUSED.items() for word in words])
def test_what_is_refused_or_filtered_is_shown_and_ends_the_turn(codi: Codi, lab, wire, word):
    lab([says("I would rather", raw_stop=word)], wire)
    run = codi.json("go")
    assert (run.status, run.result["kind"], run.result["answer"]) == (0, "done", "I would rather"), run
    kept = [line["message"] for line in codi.session() if line["type"] == "message"][-1]
    assert (kept["stopReason"], kept["rawStopReason"]) == ("stop", word)


@pytest.mark.parametrize("wire", WIRES)
def test_the_end_of_the_output_is_never_the_end_of_the_turn(codi: Codi, lab, wire):
    server = lab([says("One, ", stop="length"), says("two.")], wire)
    run = codi.json("count")
    assert run.status == 0 and len([request for request in server.requests if request.path != "/api/show"]) == 2, run
    kept = [line["message"] for line in codi.session() if line.get("message", {}).get("role") == "assistant"]
    assert [message["stopReason"] for message in kept] == ["length", "stop"]
    lab({"loop": True, "steps": [says("More, ", stop="length")]}, wire)
    run = codi.json("count")
    assert (run.status, run.result["kind"]) == (1, "error")


@pytest.mark.parametrize("wire", WIRES)
def test_a_whole_call_at_the_end_of_the_output_is_not_run_either(codi: Codi, lab, wire):
    lab([says("", call("write", path="x", content="y"), stop="length"), says("Sorry.")], wire)
    run = codi.json("go", "-y")
    (cut,) = run.result["toolCalls"]
    assert cut["isError"] and "was not executed: the response hit the output limit" in cut["result"], run
    assert not (codi.cwd / "x").exists()


def test_a_paused_reply_is_sent_back_to_be_continued_five_times_and_no_more(codi: Codi, lab):
    server = lab([{"repeat": 3, **says("Still at it. ", raw_stop="pause_turn")}, says("Done.")])
    run = codi.json("go")
    assert run.status == 0 and run.result["answer"] == "Done." and len(server.requests) == 4
    assert [message["role"] for message in server.requests[1].json["messages"]][:2] == ["user", "assistant"]
    server = lab({"loop": True, "steps": [says("Still at it. ", raw_stop="pause_turn")]})
    run = codi.json("go")
    assert run.result["kind"] == "error" and "paused" in run.result["reason"] and len(server.requests) == 6


@pytest.mark.parametrize("wire", WIRES)
def test_an_unknown_word_ends_the_turn_as_it_is(codi: Codi, lab, wire):
    word = "OTHER" if wire == "google" else "something_new"
    if wire == "openai-responses":
        pytest.skip("the format ends by the type of its last event and has no word of its own")
    lab([says("So be it.", raw_stop=word)], wire)
    run = codi.json("go")
    assert run.status == 0 and run.result["answer"] == "So be it.", run


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_split_at_every_byte_says_the_same(codi: Codi, lab, wire):
    text = "naïve – 日本語 😀 fin"
    lab([says(text, call("list"), fault={"kind": "split"}), says(text, fault={"kind": "split"})], wire)
    assert codi("-p", "say it").out == text + "\n"


def test_the_text_of_a_native_model_is_no_call(codi: Codi, lab):
    tempting = 'I would do\n```json\n{"name": "write", "arguments": {"path": "x", "content": "y"}}\n```\n'
    tempting += '<tool_call>{"name": "write", "arguments": {"path": "x", "content": "y"}}</tool_call>'
    lab([says(tempting)])
    run = codi.json("go", "-y")
    assert run.status == 0 and run.result["toolCalls"] == [] and run.result["answer"] == tempting
    assert not (codi.cwd / "x").exists()


def test_each_class_of_token_has_its_price(codi: Codi, lab):
    codi.set_up(
        "[models.m]\nprovider = 'anthropic'\nmodel = 'x'\nprice = {input = 10, output = 100, cache_read = 1, cache_write = 20}\n"
    )
    spent = {"input": 1000, "output": 100, "cache_read": 50_000, "cache_write": 2000}
    lab([says("", call("list"), usage=spent), says("Done.", usage=spent)])
    run = codi.json("go")
    assert run.result["usage"]["cost"] == {
        "input": pytest.approx(0.02), "output": pytest.approx(0.02), "cacheRead": pytest.approx(0.1),
        "cacheWrite": pytest.approx(0.08), "total": pytest.approx(0.22),
    }  # fmt: skip
    assert run.result["stats"]["cost"] == pytest.approx(0.22)
    kept = [line["message"]["usage"] for line in codi.session() if line.get("message", {}).get("role") == "assistant"]
    assert sum(usage["cost"]["total"] for usage in kept) == pytest.approx(0.22)
    assert not any("costUnknown" in usage for usage in kept)
    (row,) = [json.loads(line) for line in codi("sessions", "--json").out.splitlines()]
    assert row["cost"] == pytest.approx(0.22) and row["tokens"] == 2 * sum(spent.values())


def test_missing_usage_is_estimated_and_said_to_be(codi: Codi, lab):
    lab([says("word " * 100, usage="none")])
    usage = codi.json("go").result["usage"]
    assert usage["estimated"] is True and usage["output"] > 50 and usage["input"] > 100
