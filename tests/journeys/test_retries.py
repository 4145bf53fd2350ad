"""What may pass is tried again, what will not is not, and every hint has an action."""

import json
import time

import pytest
from test_ends import SLOW

from conftest import Codi, Run, call, says

EASE = "[retry]\ntries = 3\nbase_s = 0.01\n"


def asked(server) -> int:
    return len([request for request in server.requests if request.format])


@pytest.mark.parametrize("wait", [1, "date:2", "ms:600"])
def test_a_service_that_asks_to_wait_is_waited_for(codi: Codi, lab, wait):
    server = lab([says("There.", fault={"kind": "status", "status": 429, "retry_after": wait})])
    began = time.monotonic()
    run = codi.stream("hi")
    took = time.monotonic() - began
    assert run.status == 0 and run.result["answer"] == "There." and asked(server) == 2
    (start,) = run.of_type("auto_retry_start")
    wanted = {1: 1.0, "date:2": 2.0, "ms:600": 0.6}[wait]
    between = server.requests[1].at - server.requests[0].at
    assert wanted * 0.9 - (1 if wait == "date:2" else 0) <= between <= wanted * 1.1 + 0.15
    assert start["delayMs"] / 1000 == pytest.approx(wanted, abs=1.05 if wait == "date:2" else 0.1)
    assert took < 5 and run.result["stats"]["waitMs"] >= 500
    assert [line["customType"] for line in codi.session() if line["type"] == "custom"].count("codi/retry") == 1


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses", "google"])
@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_service_in_trouble_is_asked_again(codi: Codi, lab, wire, status):
    codi.set_up(EASE)
    server = lab([says("There.", fault={"kind": "status", "status": status, "times": 2})], wire)
    assert codi.json("hi").result["answer"] == "There." and asked(server) == 3


def test_an_overload_inside_of_a_stream_is_asked_again(codi: Codi, lab):
    codi.set_up(EASE)
    step = says("word " * 50, call("shell", command="echo x >> log"))
    fault = {"kind": "error_event", "type": "overloaded_error", "at": 900}
    server = lab([{**step, "fault": fault}, says("Done.")])
    run = codi.json("hi", "-y")
    assert run.status == 0 and run.result["answer"] == "Done." and asked(server) == 3
    assert (codi.cwd / "log").read_text() == "x\n"


def test_the_final_text_after_a_cut_equals_that_of_a_clean_run(codi: Codi, lab):
    codi.set_up(EASE)
    text = "All is well that ends well. " * 20
    lab([says(text, fault={"kind": "cut", "at": 1200, "times": 2})])
    broken = codi("-p", "hi")
    lab([says(text)])
    assert broken.out == codi("-p", "hi").out == text + "\n"


FAILURES = [
    (400, "bad request", "bad_request", 1),
    (401, "", "credential", 1),
    (403, "", "credential", 1),
    (413, "too large", "context_overflow", 1),
    (422, "unprocessable", "bad_request", 1),
    (408, "", "server_failed", 3),
    (409, "", "", 3),
    (425, "", "", 3),
    (429, "", "rate_limited", 3),
    (500, "", "server_failed", 3),
    (502, "", "server_failed", 3),
    (504, "", "server_failed", 3),
    (529, "", "overloaded", 3),
]


@pytest.mark.parametrize(("status", "message", "code", "requests"), FAILURES)
def test_each_failure_is_tried_as_often_as_it_may_help_and_hints_at_an_action(
    codi: Codi, lab, status, message, code, requests
):
    codi.set_up(EASE)
    server = lab([{"fault": {"kind": "status", "status": status, "message": message, "times": 0}}])
    run = codi.json("hi")
    assert run.status == 1 and asked(server) == requests, run
    assert acts(run)
    if code:
        assert run.result["error"]["code"] == code


@pytest.mark.parametrize("kind", ["reset", "garbage", "html", "json_in_stream", "bad_utf8", "gzip"])
def test_a_broken_line_is_an_error_with_a_hint(codi: Codi, lab, kind):
    codi.set_up(EASE)
    lab([says("word " * 100, fault={"kind": kind, "times": 0, "at": 300})])
    run = codi.json("hi")
    if kind == "bad_utf8":
        assert run.status == 0  # one character is lost, and no more
        return
    assert run.status == 1 and acts(run), run


def test_a_conversation_that_is_too_long_says_what_to_do(codi: Codi, lab):
    lab([{"fault": {"kind": "status", "status": 400, "message": "prompt is too long: 250000 tokens > 200000 maximum"}}])
    run = codi.json("hi")
    assert run.status == 1 and run.result["error"]["code"] == "context_overflow" and "/compact" in run.err


def acts(run: Run) -> bool:
    """The hint says what to do."""
    hint = run.err.rpartition("hint: ")[2].lower()
    return any(
        word in hint
        for word in ("try", "set", "put", "check", "run", "wait", "start", "choose", "see", "correct", "shorten", "ask")
    )


def test_a_silence_is_told_at_half_of_its_time_and_ended_at_the_whole(codi: Codi, lab):
    codi.set_up(
        "[retry]\ntries = 1\n[providers.anthropic.timeouts]\nidle_s = 2\nfirst_byte_s = 2\nthinking_first_byte_s = 2\n"
    )
    lab([says("word " * 100, fault={"kind": "stall", "at": 1500, "seconds": 30, "times": 0})])
    run = codi.stream("hi")
    assert run.status == 1 and run.result["error"]["code"] == "idle_timeout"
    (warning,) = run.of_type("warning")
    assert warning["message"] == "waiting for anthropic (1 s)" and "2 s" in warning["hint"]


def test_a_wait_ends_at_once_when_it_is_interrupted(codi: Codi, lab):
    lab([{"fault": {"kind": "status", "status": 429, "retry_after": 60, "times": 0}}])
    running = codi.start("hi")
    running.wait_for("auto_retry_start")
    began = time.monotonic()
    running.signal(2)
    assert running.end().status == 130
    assert time.monotonic() - began < 2


def test_the_first_characters_come_before_the_last(codi: Codi, lab):
    server = lab([SLOW])
    running = codi.start("talk")
    running.wait_for("message_update", holding="word")
    assert server.requests[0].ended == ""
    running.signal(2)
    assert running.end().status == 130
    assert "word" in json.dumps([line for line in codi.session() if line["type"] == "message"][-1])


FALLING_BACK = '[model]\nfallbacks = ["openai-chat/second", "nowhere/third"]\n[retry]\ntries = 2\nbase_s = 0.01\n'


def customs(codi: Codi, kind: str) -> list[dict]:
    return [line["data"] for line in codi.session() if line.get("customType") == kind]


@pytest.mark.parametrize("status", [401, 429, 500])
def test_another_model_stands_in_and_the_first_is_asked_again_in_the_next_turn(codi: Codi, lab, status):
    codi.set_up(FALLING_BACK)
    second = lab({"loop": True, "steps": [says("I stand in.")]}, "openai-chat")
    first = lab(
        [says("never", fault={"kind": "status", "status": status, "times": 2 - (status == 401)}), says("Back.")]
    )
    run = codi.stream("hi", "again")
    assert run.status == 0 and run.result["answer"] == "never", run
    warnings = [line["message"] for line in run.of_type("warning") if "going on with openai/second" in line["message"]]
    assert len(warnings) == 1 and asked(second) == 1
    assert [(line["provider"], line["modelId"]) for line in run.of_type("model_changed")] == [
        ("openai", "second"), ("anthropic", "x"),
    ]  # fmt: skip
    told = customs(codi, "codi/model")
    assert [(one["why"], one.get("from")) for one in told] == [
        ("chosen", None), ("fallback", "anthropic/x"), ("chosen", "openai/second"),
    ]  # fmt: skip
    assert asked(first) == (2 if status == 401 else 3)


def test_a_session_whose_last_turn_fell_back_goes_on_with_its_own_model(codi: Codi, lab):
    codi.set_up(FALLING_BACK)
    lab({"loop": True, "steps": [says("I stand in.")]}, "openai-chat")
    lab([says("never", fault={"kind": "status", "status": 500, "times": 0})])
    assert codi.json("hi").result["model"]["id"] == "second"
    first = lab([says("Back.")])
    del codi.env["CODI_MODEL"]
    assert codi.json("-c", "again").result["answer"] == "Back." and asked(first) == 1


def test_after_five_failures_the_broken_one_is_not_asked(codi: Codi, lab):
    codi.set_up('[model]\nfallbacks = ["openai-chat/second"]\n[retry]\ntries = 5\nbase_s = 0.001\n')
    second = lab({"loop": True, "steps": [says("I stand in.")]}, "openai-chat")
    broken = lab([says("never", fault={"kind": "status", "status": 503, "times": 0})])
    run = codi.json("one", "two", "three")
    assert run.status == 0 and (asked(broken), asked(second)) == (5, 3)
    assert any("left alone until" in warning for warning in run.result["warnings"])


def test_without_another_model_the_broken_one_is_told_at_once(codi: Codi, lab, terminals):
    codi.set_up("[retry]\ntries = 5\nbase_s = 0.001\n")
    broken = lab([says("never", fault={"kind": "status", "status": 503, "times": 0})])
    talk = terminals("one")
    talk.wait_for("1 step")
    talk.type("two\r")
    talk.wait_for("failed 5 times in a row and is left alone until", "choose another model with /model")
    assert asked(broken) == 5


def test_a_turn_is_tried_again_only_so_often(codi: Codi, lab):
    codi.set_up("[retry]\ntries = 5\nbase_s = 0.001\nper_turn = 3\n")
    fault = {"kind": "status", "status": 529, "times": 2}
    server = lab([says("", call("list"), fault=fault), says("Done.", fault=fault)])
    run = codi.json("go")
    assert run.status == 1 and run.result["stats"]["retries"] == 3 and asked(server) == 5


def test_a_usage_limit_tells_the_time(codi: Codi, lab):
    lab([says("Later.", fault={"kind": "status", "status": 429, "retry_after": 1200, "times": 0})])
    run = codi.json("hi")
    assert run.status == 1 and run.result["error"]["code"] == "quota_exhausted"
    assert "free again in 20 min, at " in run.result["error"]["hint"] and "20 min" in run.result["error"]["hint"]


def limited(retry_after: int) -> dict:
    return says("Later.", fault={"kind": "status", "status": 429, "retry_after": retry_after, "times": 1})


def test_where_somebody_is_a_usage_limit_pauses_the_turn_and_costs_none_of_its_time(codi: Codi, lab, terminals):
    codi.set_up("[retry]\npause_over_s = 0\n")
    server = lab([says("", call("write", path="x", content="1")), limited(2)])
    talk = terminals("-y", "--max-time", "1.9")
    talk.wait_for("codi 0")
    talk.type("go" + "\r")
    talk.wait_for("! it is over: the turn is paused until", "Later.")
    talk.wait_for("2 steps,")
    assert asked(server) == 3 and (codi.cwd / "x").read_text() == "1"


def test_a_pause_is_stopped_and_all_of_it_is_kept(codi: Codi, lab, terminals):
    server = lab([says("", call("write", path="x", content="1")), limited(1200)])
    talk = terminals("-y")
    talk.wait_for("codi 0")
    talk.type("go" + "\r")
    talk.wait_for("the turn is paused until", "for 20 min")
    talk.type("\x1b")
    talk.wait_for("interrupted")
    talk.type("and now?" + "\r")
    talk.wait_for("Later.", "1 step,")
    assert asked(server) == 3 and [each["role"] for each in server.requests[-1].json["messages"]][:3] == [
        "user",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize("also", [False, True])
def test_a_refusal_goes_to_another_model_only_where_that_is_wanted(codi: Codi, lab, also):
    codi.set_up(f'[model]\nfallbacks = ["openai-chat/second"]\nfallback_on_refusal = {str(also).lower()}\n')
    second = lab({"loop": True, "steps": [says("I stand in.")]}, "openai-chat")
    blocked = [says("", stop="refused", raw_stop="SAFETY")]
    lab(blocked, "google")
    run = codi.json("hi")
    assert (run.status, asked(second)) == (0, int(also)), run
