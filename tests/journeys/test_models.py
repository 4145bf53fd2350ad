"""Who thinks may change; what one model thought goes back to it sealed as it was, and to others as text."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import ADDRESSES, Codi, call, says

THINKING = {
    "anthropic": "anthropic/claude-opus-4-8",
    "openai-responses": "openai-responses/gpt-5",
    "google": "google/gemini-3-pro-preview",
    "openai-chat": "openai-chat/x",
    "ollama": "ollama/x",
}
STEPS = [
    says("I look.", call("list"), call("list", limit=3), thinking="There must be files."),
    says("Seen.", thinking="There are none."),
]


def blocks(body: Any, kind: str) -> Iterator[dict[str, Any]]:
    """All objects of this type in a body."""
    if isinstance(body, dict):
        if body.get("type") == kind:
            yield body
        body = list(body.values())
    if isinstance(body, list):
        for each in body:
            yield from blocks(each, kind)


def test_signed_thinking_goes_back_unchanged(codi: Codi, lab):
    server = lab({"loop": True, "steps": STEPS})
    codi.env["CODI_MODEL"] = THINKING["anthropic"]
    assert codi("-p", "look", "again", "--thinking", "high").status == 0
    thoughts = list(blocks(server.requests[-1].json["messages"], "thinking"))
    assert [thought["thinking"] for thought in thoughts] == [
        "There must be files.",
        "There are none.",
        "There must be files.",
    ]
    assert all(thought["signature"] for thought in thoughts)


def test_encrypted_reasoning_goes_back_unchanged(codi: Codi, lab):
    server = lab({"loop": True, "steps": STEPS}, "openai-responses")
    codi.env["CODI_MODEL"] = THINKING["openai-responses"]
    assert codi("-p", "look", "again", "--thinking", "high").status == 0
    assert [bool(item["encrypted_content"]) for item in blocks(server.requests[-1].json["input"], "reasoning")] == [
        True
    ] * 3


ROUND = [
    *list(zip(THINKING, [*THINKING][1:] + [*THINKING][:1], strict=True)),
    ("anthropic", "google"),
    ("google", "openai-responses"),
]


@pytest.mark.parametrize(("first", "second"), ROUND)
def test_a_conversation_moves_from_one_service_to_another_and_back(codi: Codi, lab, first, second):
    before = lab({"loop": True, "steps": STEPS}, first)
    after = lab({"loop": True, "steps": STEPS}, second, used=False)
    env = codi.env | {"CODI_MODEL": THINKING[first]}
    address, key = ADDRESSES[second]
    there = env | {address: after.url, key or "X": "k"}
    assert codi("-p", "look", "--thinking", "high", env=env).status == 0
    run = codi.json("-c", "again", "-m", THINKING[second], "--thinking", "high", env=there)
    assert run.status == 0, run
    assert not after.violations
    assert "There must be files." in after.requests[-1].body.decode() or second == first or "google" in (first, second)
    run = codi.json("-c", "back", "-m", THINKING[first], "--thinking", "high", env=env)
    assert run.status == 0, run
    assert not before.violations


def test_the_model_that_answered_is_told(codi: Codi, lab):
    lab("hello")
    result = codi.json("hi", "-m", "anthropic/claude-opus-4-8:high").result
    assert result["model"] == {"provider": "anthropic", "id": "claude-opus-4-8", "thinking": "high"}


@pytest.mark.parametrize("way", ["variable", "flag"])
def test_a_script_plays_the_model_without_a_network(codi: Codi, way):
    script = codi.cwd / "script.yaml"
    script.write_text("steps:\n  - calls: [{name: write, arguments: {path: x, content: 'y'}}]\n  - text: Written.\n")
    words, env = ([], {"CODI_SCRIPT": str(script)}) if way == "variable" else (["-m", f"scripted/{script}"], {})
    run = codi.json("go", "-y", *words, env=env)
    assert run.status == 0 and run.result["answer"] == "Written." and (codi.cwd / "x").read_text() == "y"
    assert run.result["model"]["provider"] == "scripted" and run.result["usage"]["cost"]["total"] == 0
    again = codi.json("-c", "go", "-y", *words, env=env)
    assert again.result["sessionId"] == run.result["sessionId"] and again.result["answer"] == "Written."


def test_a_script_that_is_not_there(codi: Codi):
    run = codi("-p", "go", "-m", "scripted/missing.yaml")
    assert run.status == 2 and "missing.yaml" in run.err and "hint: " in run.err


def test_a_large_local_model_is_offered_all_tools(codi: Codi, lab):
    server = lab("hello", "ollama")
    assert codi("-p", "hi").status == 0
    names = [tool["function"]["name"] for tool in server.requests[-1].json["tools"]]
    assert "apply_patch" in names and json.dumps(server.requests[-1].json["options"]["num_ctx"])
