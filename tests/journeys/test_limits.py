"""Each limit ends a turn in its own way, with a history that goes on; what is no failure ends nothing."""

import json

import pytest

from conftest import Codi, call, says

PRICED = "anthropic/claude-sonnet-5"


def goes_on(codi: Codi, lab, *words: str) -> None:
    """The next prompt is taken by a strict service, with all that was said before."""
    server = lab([says("On again.")])
    run = codi.json("-c", "and now?", *words)
    assert run.status == 0 and run.result["answer"] == "On again.", run
    assert len(server.requests) == 1


def test_steps_end_with_last_words_without_tools(codi: Codi, lab):
    server = lab([{"repeat": 5, **says("", call("list"))}, says("I listed.")])
    run = codi.stream("go", "--max-turns", "5")
    assert run.status == 124 and run.result["reason"] == "the limit of 5 steps was reached"
    assert run.result["answer"] == "I listed."
    assert "4 of 5 steps used" in run.result["warnings"]
    last = server.requests[-1].json
    assert last["tool_choice"] == {"type": "none"} or "tools" not in last
    goes_on(codi, lab)


def test_a_call_in_the_last_words_is_answered_but_not_run(codi: Codi, lab):
    lab([says("", call("list")), says("", call("write", path="x", content="y"))])
    run = codi.json("go", "--max-turns", "1", "-y")
    assert run.status == 124 and not (codi.cwd / "x").exists()
    assert run.result["toolCalls"][-1]["isError"]
    goes_on(codi, lab)


def test_time_kills_what_runs(codi: Codi, lab):
    lab([says("", call("shell", command="echo started; sleep 30")), says("Done.")])
    run = codi.stream("go", "-y", "--max-time", "1.5")
    assert run.status == 124 and run.result["kind"] == "limit" and "1.5 s" in run.result["reason"]
    assert run.result["stats"]["durationMs"] < 5000
    assert "started" in run.result["toolCalls"][0]["result"]
    goes_on(codi, lab)


def test_time_is_warned_of(codi: Codi, lab):
    server = lab([says("", call("shell", command="sleep 4.1")), says("Done.")])
    run = codi.json("go", "-y", "--max-time", "5")
    assert run.status == 0 and any("5 s of this turn are over" in warning for warning in run.result["warnings"])
    assert "of this turn are over" in json.dumps(server.requests[-1].json["messages"])


def test_cost_is_held_against_its_cap_before_each_request(codi: Codi, lab):
    spent = {"input": 1000, "output": 5000}
    server = lab({"loop": True, "steps": [says("", call("list"), usage=spent)]})
    codi.env["CODI_MODEL"] = PRICED
    run = codi.json("go", "--max-cost", "0.45")
    assert run.status == 124 and run.result["kind"] == "limit", run
    assert (
        run.result["reason"].startswith("Budget reached: $") and "of $0.45 spent; this request could cost $" in run.err
    )
    cost = run.result["usage"]["cost"]["total"]
    assert 0 < cost <= 0.45 and cost == pytest.approx(run.result["stats"]["cost"])
    assert cost == pytest.approx(len(server.requests) * (1000 * 2 + 5000 * 10) / 1e6, abs=0.02)
    goes_on(codi, lab)


def test_a_cap_refuses_a_model_without_a_price(codi: Codi, lab):
    server = lab("hello")
    assert codi.json("hi", "--max-cost", "1").status == 124
    assert server.requests == []
    assert codi.json("hi", "--max-cost", "1", "--max-cost-unknown=ok").status == 0


def test_tokens_have_a_cap_of_their_own(codi: Codi, lab):
    lab({"loop": True, "steps": [says("", call("list"), usage={"input": 20_000, "output": 10})]})
    run = codi.json("go", "--max-tokens", "80000")
    assert run.status == 124 and "of 80000 tokens used" in run.result["reason"]
    goes_on(codi, lab)


def test_tokens_are_warned_of_at_80_percent(codi: Codi, lab):
    codi.set_up("[model]\nmax_output = 100\n")
    look = says("", call("list", limit="{{n}}"), usage={"input": 440, "output": 10, "cache_read": 0, "cache_write": 0})
    server = lab([{"repeat": 9, **look}, says("Done.", usage={"input": 9, "output": 1})])
    run = codi.json("go", "--max-tokens", "5000")
    assert run.status == 0 and run.result["warnings"] == ["4050 of 5000 tokens used"], run
    told = ["of 5000 tokens used" in json.dumps(request.json["messages"]) for request in server.requests]
    assert told == [False] * 9 + [True]


def test_steps_in_which_every_call_fails(codi: Codi, lab):
    steps = [says("", call("read", path=f"missing-{number}")) for number in range(5)]
    server = lab(steps)
    run = codi.json("go")
    assert run.status == 1 and "failed in 5 steps in a row" in run.result["reason"]
    assert "missing-4" in run.err
    assert len(server.requests) == 5
    goes_on(codi, lab)


def test_nine_successes_and_a_failure_never_stop(codi: Codi, lab):
    step = says("", *(call("list", limit=number + 1) for number in range(9)), call("read", path="missing-{{n}}"))
    lab([{"repeat": 6, **step}, says("Done.")])
    assert codi.json("go").status == 0


def test_denials_never_end_the_turn(codi: Codi, lab):
    lab([{"repeat": 7, **says("", call("write", path="x-{{n}}", content="y"))}, says("I may not.")])
    run = codi.json("go")
    assert run.status == 3 and run.result["answer"] == "I may not."
    assert [call["isError"] for call in run.result["toolCalls"]] == [True] * 7


def test_commands_that_fail_never_stop(codi: Codi, lab):
    lab([{"repeat": 7, **says("", call("shell", command="exit {{n}}"))}, says("All failed.")])
    run = codi.json("go", "-y")
    assert run.status == 0
    assert "Command exited with code 7" in run.result["toolCalls"][-1]["result"]


def test_an_identical_failing_call_is_told_at_3_and_ends_at_5(codi: Codi, lab):
    codi.set_up("[agent]\nmax_failed_steps = 50\n")
    server = lab({"loop": True, "steps": [says("", call("read", path="missing"))]})
    run = codi.json("go")
    assert run.status == 1 and len(server.requests) == 5
    results = [call["result"] for call in run.result["toolCalls"]]
    assert ["This exact call failed 3 times." in result for result in results] == [False, False, True, False, False]


def test_a_repeated_call_is_noticed_at_5_and_ends_at_8(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("", call("list"))]})
    run = codi.json("go")
    assert run.status == 1 and len(server.requests) == 8, run
    told = ["change the approach or stop" in call["result"] for call in run.result["toolCalls"]]
    assert told == [False] * 4 + [True] + [False] * 3


def test_a_cycle_of_two_calls_is_noticed(codi: Codi, lab):
    (codi.cwd / "a").write_text("a")
    lab([{"repeat": 3, "steps": [says("", call("list")), says("", call("read", path="a"))]}, says("Done.")])
    run = codi.json("go")
    assert run.status == 0
    assert "change the approach or stop" in run.result["toolCalls"][-1]["result"]


def test_polling_is_no_loop(codi: Codi, lab):
    lab([{"repeat": 12, **says("", call("shell", command="echo x >> log; wc -l < log"))}, says("Twelve.")])
    run = codi.json("go", "-y")
    assert run.status == 0 and not any("change the approach" in call["result"] for call in run.result["toolCalls"])
