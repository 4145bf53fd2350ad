"""Whatever a session holds, Gemini and Ollama are sent what they accept, and lose nothing of what they said themselves."""

import json

from hypothesis import given, settings
from hypothesis import strategies as some
from test_history import HERE, histories, legal

from codi.protocol.messages import Message, Text, Thinking, ToolCall
from codi.providers import google_format, ollama_format
from codi.providers.history import settled
from conftest import SOAK


def google_refusal(contents):
    """Why Gemini would not take it; empty if it would."""
    waiting = []
    for at, content in enumerate(contents):
        if content["role"] != ("user", "model")[at % 2]:
            return f"role {content['role']} at {at}"
        parts = content["parts"]
        if not parts or any(part.get("text") == "" and "thoughtSignature" not in part for part in parts):
            return f"content {at} is empty"
        responses = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if [(one["id"], one["name"]) for one in responses] != waiting:
            return f"content {at} answers {responses}, {waiting} waited"
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        waiting = [(call["id"], call["name"]) for call in calls]
    return "" if len(contents) % 2 or not contents else "it ends with the model"


def ollama_refusal(messages):
    """Why a strict template would not take it; empty if it would."""
    waiting = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if not waiting or waiting.pop(0) != message["tool_name"]:
                return f"message {at} answers no call"
            continue
        if waiting:
            return f"message {at} leaves {waiting} unanswered"
        waiting = [call["function"]["name"] for call in message.get("tool_calls", ())]
        if message["role"] == "user" and not message["content"]:
            return f"message {at} is empty"
    return f"{waiting} are unanswered" if waiting else ""


@given(histories)
@settings(max_examples=10_000 if SOAK else 300, deadline=None)
def test_every_history_is_acceptable_to_gemini(history):
    made = settled(history, origin=HERE, vision=True, legal_id=legal)
    contents = [json.loads(wire) for message in made for wire in google_format.encoded(message, with_ids=True)]
    assert google_refusal(contents) == ""


@given(histories)
@settings(max_examples=10_000 if SOAK else 300, deadline=None)
def test_every_history_is_acceptable_to_ollama(history):
    made = settled(history, origin=HERE, vision=True)
    assert ollama_refusal([json.loads(wire) for message in made for wire in ollama_format.encoded(message)]) == ""


words = some.text(min_size=1, max_size=6)
seals = some.none() | some.text("abc", min_size=1, max_size=3)
calls = some.builds(ToolCall, some.uuids().map(str), words, some.dictionaries(words, words | some.integers()), seals)


@given(some.lists(some.builds(Text, words, seals) | some.builds(Thinking, words, seals) | calls, max_size=6))
def test_what_gemini_said_it_is_told_again_to_the_letter(blocks):
    (wire,) = google_format.encoded(Message("assistant", tuple(blocks)), with_ids=True)
    chunk = {"candidates": [{"content": json.loads(wire), "finishReason": "STOP"}]}
    answer = google_format.Answer("google", b"")
    list(answer.add(json.dumps(chunk).encode()))
    assert joined(answer.blocks()) == joined(blocks)


@given(
    some.lists(some.builds(ToolCall, some.just(""), words, some.dictionaries(words, words)), max_size=3), words, words
)
def test_what_ollama_said_it_is_told_again(called, thought, said):
    (wire,) = ollama_format.encoded(Message("assistant", (Thinking(thought), Text(said), *called)))
    answer = ollama_format.Answer("ollama", b"")
    list(answer.add(json.dumps({"message": json.loads(wire), "done": True, "done_reason": "stop"}).encode()))
    first, second, *rest = answer.blocks()
    assert (first, second) == (Thinking(thought), Text(said))
    assert [(call.name, call.arguments) for call in rest] == [(call.name, call.arguments) for call in called]


def joined(blocks):
    """Texts of one kind that follow each other unsealed are one text."""
    made = []
    for block in blocks:
        last = made[-1] if made else None
        same = type(last) is type(block) and not isinstance(block, ToolCall)
        if same and last.signature is None and block.signature is None:
            made[-1] = type(block)(last.text + block.text)
        else:
            made.append(block)
    return made
