"""The scripted model in process is a provider like any other: deltas that add up to one reply, or an error."""

import json
import subprocess
import sys

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.protocol.errors import (
    ContextOverflow,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    NotFound,
    Overloaded,
    RateLimited,
    ServerFailed,
    StreamCut,
)
from codi.protocol.events import TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Message, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.player import ScriptUnmet
from codi.providers.provider import Reply, Request
from codi.providers.script import script_of
from codi.providers.scripted import Scripted, scripted

ASKED = Request(system=("Be brief.",), messages=(user("hi"),))


def parts_of(provider, request=ASKED):
    async def drain():
        return [part async for part in provider.stream(request)]

    return anyio.run(drain)


def play(*steps, request=ASKED):
    return parts_of(Scripted(script_of(list(steps))), request)


def test_deltas_add_up_to_the_reply():
    *deltas, reply = play(
        {
            "thinking": "I think.",
            "text": "Hello there.",
            "chunk": 3,
            "calls": [{"name": "read", "id": "c", "arguments": {"path": "a"}}],
        }
    )
    assert "".join(d.text for d in deltas if isinstance(d, ThinkingDelta)) == "I think."
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "Hello there."
    calls = [delta for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert json.loads("".join(delta.text for delta in calls)) == {"path": "a"}
    assert (calls[0].id, calls[0].name, calls[0].index) == ("c", "read", 2)
    thinking, text, call = reply.message.blocks
    assert isinstance(thinking, Thinking) and thinking.signature
    assert (text, call) == (Text("Hello there."), ToolCall("c", "read", {"path": "a"}))
    assert reply.stop == "tool_calls"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.integers(1, 7))
def test_texts_of_an_index_concatenate_to_its_block(text, thinking, chunk):
    *deltas, reply = play({"text": text, "thinking": thinking, "chunk": chunk})
    grown = {}
    for delta in deltas:
        grown[delta.index] = grown.get(delta.index, "") + delta.text
    said = [block.text for block in reply.message.blocks]
    assert grown == dict(enumerate(said))
    assert reply.message.text == text


def test_cut_arguments_are_a_call_that_must_not_run():
    *_, reply = play({"calls": [{"name": "write", "arguments": {"path": "a"}}], "fault": "length"})
    (call,) = reply.message.tool_calls
    assert call.defect and reply.stop == "length"


def test_the_script_sees_results_tools_and_model():
    spec = ToolSpec("read", "Read.", {"type": "object"})
    call = ToolCall("c1", "read", {})
    messages = (user("go"), Message("assistant", (call,)), Message("user", (ToolResult("c1", (Text("found 7"),)),)))
    request = Request(system=("S",), messages=messages, tools=(spec,))
    expect = {
        "message": "found",
        "first": "go",
        "tools": ["read"],
        "model": "scripted",
        "results": ["7"],
        "system": "S",
    }
    assert play({"expect": expect, "text": "ok"}, request=request)[-1].message.text == "ok"
    with pytest.raises(ScriptUnmet, match="tools with: edit"):
        play({"expect": {"tools": ["edit"]}, "text": "ok"}, request=request)


def test_usage_is_estimated_or_dictated():
    *_, reply = play({"text": "x" * 41})
    assert reply.usage.output == 11 and reply.usage.input > 0 and not reply.usage.estimated
    *_, reply = play({"text": "x", "usage": {"input": 5, "output": 7, "cache_read": 3}})
    assert (reply.usage.input, reply.usage.output, reply.usage.cache_read) == (5, 7, 3)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 429, "retry_after": 2}, RateLimited),
        ({"kind": "status", "at": 529}, Overloaded),
        ({"kind": "status"}, ServerFailed),
        ({"kind": "status", "status": 401}, CredentialError),
        ({"kind": "status", "status": 404}, NotFound),
        ({"kind": "status", "status": 400, "type": "context"}, ContextOverflow),
        ({"kind": "error_event"}, Overloaded),
        ({"kind": "refuse"}, NetworkError),
        ({"kind": "reset"}, NetworkError),
        ({"kind": "cut", "at": 3}, StreamCut),
        ({"kind": "unfinished", "at": 3}, StreamCut),
        ({"kind": "stall", "seconds": 0.01}, IdleTimeout),
        ({"kind": "garbage"}, MalformedAnswer),
        ({"kind": "html"}, MalformedAnswer),
    ],
)
def test_each_fault_is_the_error_that_an_adapter_would_raise(fault, error):
    provider = Scripted(script_of([{"text": "Hello", "fault": fault}]))
    with pytest.raises(error) as raised:
        parts_of(provider)
    assert raised.value.hint
    assert parts_of(provider)[-1].message.text == "Hello"


def test_what_came_before_the_cut_was_shown():
    provider = Scripted(script_of([{"text": "Hello there", "chunk": 1, "fault": {"kind": "cut", "at": 5}}]))
    seen = []

    async def drain():
        async for part in provider.stream(ASKED):
            seen.append(part)

    with pytest.raises(StreamCut):
        anyio.run(drain)
    assert "".join(part.text for part in seen) == "Hello"
    assert not any(isinstance(part, Reply) for part in seen)


def test_requests_are_kept_and_logged(tmp_path):
    provider = Scripted(script_of([{"text": "a"}]), log=str(tmp_path / "log.jsonl"))
    parts_of(provider)
    assert provider.requests == [ASKED]
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["system"] == ["Be brief."]


def test_a_script_is_played_from_its_path(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"model": "mine", "steps": [{"text": "a"}]}')
    provider = scripted(str(path))
    assert (provider.model.id, provider.origin.provider) == (str(path), "scripted")
    assert anyio.run(provider.models) == [provider.model]


def test_yaml_is_loaded_for_yaml_alone():
    code = (
        'import sys; from codi.providers.script import decode_script; decode_script(\'[{"text": "a"}]\'); '
        "assert 'yaml' not in sys.modules; decode_script('- text: a'); assert 'yaml' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
