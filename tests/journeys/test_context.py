"""The context of a conversation stays within the model's window, through the installed program."""

import json
from pathlib import Path

from tests.conftest import Codi, call, says

SUMMARY = """\
## Goal
Work on {what}.
## Constraints & Preferences
None.
## Progress
### Done
### In Progress
### Blocked
## Key Decisions
None.
## Failed Approaches
None.
## Next Steps
1. Go on.
## Critical Context
None."""
SUMMARISES = {"system": "You summarise conversations"}


def summariser(text: str = SUMMARY) -> dict:
    return {"when": SUMMARISES, "loop": True, "steps": [{"text": text}]}


def turns_of(server) -> list[dict]:
    """The bodies of all requests but those for a summary."""
    asked = [request.json for request in server.requests if request.method == "POST"]
    return [body for body in asked if "You summarise conversations" not in json.dumps(body)[:4000]]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def customs(entries: list[dict], kind: str) -> list[dict]:
    return [entry["data"] for entry in entries if entry.get("customType") == kind]


def test_sixty_big_results_in_one_turn_go_through_a_small_window(codi: Codi, lab, folder: Path):
    for number in range(60):
        (folder / f"f{number}.txt").write_text("".join(f"line {at} of file {number} says so\n" for at in range(200)))
    steps = [says("", call("read", path=f"f{number}.txt")) for number in range(60)]
    script = {"window": 8192, "steps": [*steps, says("All read.")], "branches": [summariser()]}
    server = lab(script, "openai-chat")

    run = codi.stream("read them all", "--context-window", "8192", "--max-turns", "100", timeout=120)

    assert run.status == 0 and run.result["answer"] == "All read."
    assert run.result["stats"]["toolCalls"] == 60
    ended = run.of_type("compaction_end")
    assert ended and all(line["reason"] == "threshold" and not line["aborted"] for line in ended)
    assert len(run.of_type("compaction_start")) == len(ended)
    asked = turns_of(server)
    assert len(asked) == 61 and all("read them all" in json.dumps(body) for body in asked)


def test_two_hundred_turns_never_pass_the_window(codi: Codi, lab):
    steps = [says(f"Answer {number}: " + "word " * 60) for number in range(200)]
    server = lab({"window": 8192, "steps": steps, "branches": [summariser()]}, "openai-chat")
    prompts = [f"Prompt {number}: " + "please " * 40 for number in range(200)]

    run = codi.json(*prompts, "--context-window", "8192", timeout=300)

    assert run.status == 0 and run.result["answer"].startswith("Answer 199")
    turns = turns_of(server)
    assert len(turns) == 200 < len(server.requests)
    for number, body in enumerate(turns):
        assert "<role>" in str(body["messages"][0]["content"])
        assert f"Prompt {number}:" in str(body["messages"][-1]["content"])
    assert "Prompt 0:" in str(turns[-1]["messages"][1]["content"])
