"""What a service keeps of a conversation is used, and when it is not, the right cause is named."""

import json
from pathlib import Path

import pytest
from test_context import summariser

from conftest import Codi, call, says

WORDS = "word " * 100


def requests_of(codi: Codi) -> list[dict]:
    """As `codi usage --cache` tells them, of the newest session."""
    run = codi("usage", "--cache", "--json")
    assert run.status == 0, run
    return [json.loads(line) for line in run.out.splitlines()]


def causes(codi: Codi) -> list[str | None]:
    return [each["miss"] and each["miss"]["cause"] for each in requests_of(codi)]


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses", "google"])
def test_of_sixty_turns_95_percent_are_read_from_the_cache(codi: Codi, lab, wire: str):
    lab({"window": 200_000, "loop": True, "steps": [says(f"Yes. {WORDS}")]}, wire)
    run = codi.json(*(f"Prompt {number}. {WORDS}" for number in range(60)), timeout=120)
    usage = run.result["usage"]
    sent = usage["input"] + usage["cacheRead"] + usage["cacheWrite"]
    assert run.status == 0 and usage["cacheRead"] >= 0.95 * sent, usage
    assert causes(codi) == [None] * 60


def test_each_miss_is_named_by_its_cause(codi: Codi, lab, folder: Path):
    """Every change that can be brought about, each followed by a request that is no miss."""
    notes = folder / "AGENTS.md"
    notes.write_text("Be brief. " + "x " * 900)
    lab({"window": 200_000, "loop": True, "steps": [says("Yes.")]})

    def ask(*words: str) -> None:
        assert codi("-p", "-c", f"more {WORDS}", *words).status == 0
        assert codi("-p", "-c", f"and more {WORDS}", *words).status == 0

    base = ("--tools", "read,grep")
    codi("-p", f"begin {WORDS * 20}", *base)
    ask(*base)
    ask("--tools", "read,grep,write")
    ask("--tools", "read")
    notes.write_text("Be long. " + "y " * 900)
    ask("--tools", "read")
    ask("--tools", "read", "--model", "anthropic/other")
    assert causes(codi) == [
        *(None, None, None),
        *("tool list changed (added write)", None),
        *("tool list changed (removed write, removed grep)", None),
        *(f"system prompt changed (file {notes})", None),
        *("model or provider changed", None),
    ]
    table = codi("usage", "--cache").out
    assert "tool list changed (added write)" in table and "tool:write" in table


def test_a_prune_and_a_compaction_are_named_as_causes(codi: Codi, lab, folder: Path):
    (folder / "big.txt").write_text("".join(f"line {at} of the file, number {at}\n" for at in range(400)))
    reads = [says("", call("read", path="big.txt", offset=1 + at, limit=200)) for at in range(14)]
    steps = [*reads, says("Done."), *(says(f"Yes. {WORDS * 4}") for _ in range(30))]
    lab({"window": 20_000, "steps": steps, "branches": [summariser()]}, "openai-chat")
    prompts = [f"Prompt {number}. {WORDS * 4}" for number in range(16)]
    assert codi.json("read it", *prompts, "--context-window", "20000").status == 0

    entries = codi.session()
    made: list[str | None] = []
    since = None
    for entry in entries:
        kind = entry.get("customType")
        if kind == "codi/prune":
            since = since or "prune"
        if entry["type"] == "compaction":
            since = "compaction"
        if kind == "codi/request" and entry["data"].get("purpose", "turn") == "turn":
            made.append(since)
            since = None
    assert causes(codi) == made and {"prune", "compaction"} <= set(made)
