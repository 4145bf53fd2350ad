"""Windows that are too small for something: the conversation goes on, or one error says what to do."""

import json

import pytest
from test_context import SUMMARISES, SUMMARY, summariser, turns_of

from conftest import Codi, call, says

WORDS = "word " * 300
SMALL = ("--context-window", "14000")


def talk(codi: Codi, lab, branch: dict, *words: str, prompts: int = 16):
    steps = [says(f"Yes. {WORDS}") for _ in range(prompts)]
    server = lab({"window": 14_000, "steps": steps, "branches": [branch]}, "openai-chat")
    run = codi.stream(*(f"Prompt {number}. {WORDS}" for number in range(prompts)), *SMALL, *words, timeout=90)
    assert run.status == 0 and run.result["answer"].startswith("Yes.")
    assert len(turns_of(server)) == prompts
    return run, server


def methods(run) -> set[str]:
    return {line["result"]["details"]["codi"]["method"] for line in run.of_type("compaction_end")}


@pytest.mark.parametrize(
    "step",
    [
        says("", fault={"kind": "status", "status": 500, "times": 0}),
        says("", fault={"kind": "status", "status": 400, "message": "prompt is too long: 9 > 8 maximum", "times": 0}),
        says("", fault={"kind": "status", "status": 401, "times": 0}),
        says("x" * 60_000),
        says("", call("read", path="x")),
        says("I cannot help with that.", stop="refused"),
        says(SUMMARY, stop="length"),
    ],
    ids=["fails", "overflows", "no key", "longer", "calls", "refuses", "cut"],
)
def test_whatever_a_summariser_does_the_conversation_goes_on(codi: Codi, lab, step: dict):
    codi.set_up("[retry]\ntries = 2\nbase_s = 0.001\n")
    run, server = talk(codi, lab, {"when": SUMMARISES, "loop": True, "steps": [step]})
    assert methods(run) == {"mechanical"}
    assert any("summarised without a model" in line["message"] for line in run.of_type("warning"))
    assert "Prompt 0." in json.dumps(turns_of(server)[-1]["messages"])


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses", "google", "ollama"])
def test_a_message_that_is_longer_than_the_window_is_cut_and_never_sent_whole(codi: Codi, lab, wire: str):
    server = lab({"window": 14_000, "steps": [says("Read."), says("And again.")], "branches": [summariser()]}, wire)
    long = "The beginning. " + "word " * 30_000 + " The end."
    assert codi("-p", "Read this.", *SMALL, stdin=long, timeout=60).out == "Read.\n"
    assert codi("-p", "-c", "And now?", *SMALL).out == "And again.\n"
    told = str(turns_of(server)[0])
    assert "The beginning." in told and "The end." in told and "are left out here" in told


def test_a_result_that_is_longer_than_the_window_is_cut(codi: Codi, lab):
    (codi.cwd / "long.txt").write_text("word " * 100_000)
    steps = [says("", call("shell", command="cat long.txt")), says("Seen.")]
    lab({"window": 14_000, "steps": steps, "branches": [summariser()]}, "openai-chat")
    run = codi.json("look", *SMALL, "--permission-mode", "full-access")
    assert run.status == 0 and run.result["answer"] == "Seen.", run


def test_a_window_too_small_for_the_system_prompt_is_one_error_with_the_biggest_part(codi: Codi, lab):
    server = lab([says("Never.")])
    run = codi("-p", "hi", "--context-window", "2000")
    assert run.status == 2 and not server.requests, run
    (error, hint) = run.err.strip().splitlines()
    assert error.startswith("error: system prompt and tools have ~") and "of the window of 2000" in error
    assert hint.startswith("hint: The biggest part is ") and "larger window" in hint


def test_instructions_that_are_too_long_for_a_small_window_are_cut_with_a_notice(codi: Codi, lab):
    (codi.cwd / "AGENTS.md").write_text("Be brief. " * 3000)
    lab({"window": 9000, "steps": [says("Yes.")]}, "openai-chat")
    run = codi.json("hi", "--context-window", "9000")
    assert run.status == 0 and run.result["answer"] == "Yes."
    assert any("AGENTS.md is sent in part" in warning for warning in run.result["warnings"])


def test_a_model_that_nobody_knows_is_corrected_by_its_first_overflow(codi: Codi, lab):
    """It is assumed to take more than it does; the service tells, and the rest of the conversation keeps to that."""
    steps = [says(f"Yes. {WORDS}") for _ in range(30)]
    server = lab({"window": 12_000, "steps": steps, "branches": [summariser()]}, "openai-chat")
    refusals = server.violations
    run = codi.stream(*(f"Prompt {number}. {WORDS}" for number in range(30)), timeout=90)
    assert run.status == 0 and run.result["answer"].startswith("Yes."), run
    overflows = [line for line in run.of_type("compaction_end") if line["reason"] == "overflow"]
    assert len(overflows) == 1 == len(refusals)
    refusals.clear()  # the first overflow is what this is about


@pytest.mark.parametrize("message", ["rate limit: too many tokens per minute", "maximum tokens per day exceeded"])
def test_a_limit_of_the_rate_is_no_overflow(codi: Codi, lab, message: str):
    codi.set_up("[retry]\nbase_s = 0.001\n")
    fault = {"kind": "status", "status": 429, "message": message, "times": 1}
    server = lab([says("Yes.", fault=fault)], "openai-chat")
    run = codi.stream(f"Hello. {WORDS}", *SMALL)
    assert run.status == 0 and len(server.requests) == 2 and not run.of_type("compaction_start")


def test_a_model_that_falls_silent_in_a_full_window_is_told_less(codi: Codi, lab):
    steps = [says(f"Yes. {WORDS}") for _ in range(9)] + [says(""), says(""), says("I can speak again.")]
    server = lab({"window": 14_000, "steps": steps, "branches": [summariser()]}, "openai-chat")
    run = codi.stream(*(f"Prompt {number}. {WORDS}" for number in range(10)), *SMALL)
    assert run.status == 0 and run.result["answer"] == "I can speak again.", run
    assert methods(run) == {"mechanical"}
    silent, told = turns_of(server)[-2:]
    assert len(json.dumps(told)) < len(json.dumps(silent))
