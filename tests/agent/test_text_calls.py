"""The provider around a provider that calls tools by text: what it asks, what it shows, what it understands."""

import subprocess
import sys

import anyio
import pytest
from call_texts import recoverable, toolbox
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from codi.agent.text_calls import TextCalls
from codi.protocol.errors import BadRequest, ToolsUnsupported
from codi.protocol.events import StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall, ToolResult, user
from codi.providers.history import NO_RESULT
from codi.providers.provider import Reply, Request
from codi.providers.script import script_of
from codi.providers.scripted import Scripted

TOOLBOX = toolbox()
READ = '<tool_call>{"name": "read", "arguments": {"path": "x"}}</tool_call>'
TEXTS = [text for _, text, _ in recoverable()]


def without_tools(*steps, **more):
    model = Scripted(script_of(list(steps)))
    model.model = replace(model.model, abilities=replace(model.model.abilities, tools=False))
    return model, TextCalls(model, TOOLBOX, set(), **more)


def request(*messages, **more):
    return Request(system=("Be codi.",), messages=messages or (user("look"),), tools=TOOLBOX.specs, **more)


def parts_of(provider, asked=None):
    async def ask():
        return [part async for part in provider.stream(asked or request())]

    return anyio.run(ask)


def told(parts):
    """The blocks that the deltas make, by their places."""
    blocks = {}
    for part in parts:
        if isinstance(part, TextDelta | ThinkingDelta):
            kind = "text" if isinstance(part, TextDelta) else "thinking"
            before = blocks.setdefault(part.index, (kind, ""))
            assert before[0] == kind
            blocks[part.index] = (kind, before[1] + part.text)
        elif isinstance(part, ToolCallDelta):
            blocks.setdefault(part.index, ("call", part.id))
    return [blocks[index] for index in sorted(blocks)]


def kinds(message):
    plain = {Text: lambda block: ("text", block.text), Thinking: lambda block: ("thinking", block.text)}
    return [plain.get(type(block), lambda block: ("call", block.id))(block) for block in message.blocks]


@given(st.sampled_from(TEXTS), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_deltas_concatenate_to_the_blocks_of_the_reply(text, chunk):
    _, provider = without_tools({"text": text, "chunk": chunk, "thinking": "Hm."})
    *deltas, reply = parts_of(provider, request(thinking="low"))

    assert isinstance(reply, Reply) and bool(reply.message.tool_calls) == (not reply.complaint)
    assert reply.stop == ("end" if reply.complaint else "tool_calls")
    assert told(deltas) == kinds(reply.message)


def test_the_model_is_told_of_tools_in_words_and_asked_without_any():
    model, provider = without_tools({"text": "Done."})
    parts_of(provider)

    (asked,) = model.requests
    assert asked.tools == () and asked.system[0] == "Be codi." and "<tool_format>" in asked.system[1]
    for spec in TOOLBOX.specs:
        assert f"\n{spec.name}: " in asked.system[1]


def test_calls_and_results_become_text_in_the_dialect_of_the_call():
    history = (
        user("look"),
        Message("assistant", (Text("I look."), ToolCall("text_20000001", "read", {"path": "x"}))),
        Message("user", (ToolResult("text_20000001", (Text("old pond"),), tool="read"), Text("Go on."))),
        Message("assistant", (ToolCall("toolu_1", "list", {}), ToolCall("toolu_2", "read", {"path": "y"}))),
        Message("user", (ToolResult("toolu_2", (Text("frog"), Image("iVBORw0KGgo=", "image/png")), tool="read"),)),
    )
    model, provider = without_tools({"text": "Done."})
    parts_of(provider, request(*history))

    said = model.requests[0].messages
    assert not any(message.tool_calls or message.tool_results for message in said)
    assert said[1].text == "I look.<read>\n<path>x</path>\n</read>"
    assert [block.text for block in said[2].blocks] == ["[read] Result:\nold pond", "Go on."]
    assert said[3].text.count("<tool_call>") == 2
    results, picture = said[4].blocks
    assert NO_RESULT in results.text and results.text.index(NO_RESULT) < results.text.index("frog")
    assert isinstance(picture, Image) and "(image follows)" in results.text


def test_what_was_shown_of_a_broken_answer_is_forgotten():
    class Twice(Scripted):
        async def stream(self, request):
            yield TextDelta("I look")
            yield StatusDelta(kind="retry", text="again")
            async for part in super().stream(request):
                yield part

    model = Twice(script_of([{"text": f"I look again.\n\n{READ}"}]))
    parts = parts_of(TextCalls(model, TOOLBOX, set(), native=False))
    at = next(at for at, part in enumerate(parts) if isinstance(part, StatusDelta))

    assert told(parts[at + 1 : -1])[0] == ("text", "I look again.") == kinds(parts[-1].message)[0]


def test_a_native_reply_passes_as_it_is():
    steps = [{"text": f"I would write {{x}} or [y]:\n\n{READ}\n\nSo it is.", "chunk": 2}]
    model = Scripted(script_of(steps))
    *deltas, reply = parts_of(TextCalls(model, TOOLBOX, set()))

    assert reply.message.tool_calls == () and READ in reply.message.text and model.requests[0].tools
    assert told(deltas) == kinds(reply.message)


def test_a_copy_of_a_native_call_is_neither_kept_nor_shown():
    steps = [{"text": f"I look.\n\n{READ}", "chunk": 2, "calls": [{"name": "read", "arguments": {"path": "x"}}]}]
    *deltas, reply = parts_of(TextCalls(Scripted(script_of(steps)), TOOLBOX, set()))

    assert len(reply.message.tool_calls) == 1 and reply.message.text.strip() == "I look."
    assert told(deltas) == kinds(reply.message)


def test_other_text_beside_a_native_call_stays():
    other = READ.replace('"x"', '"y"')
    steps = [{"text": f"I look.\n\n{other}", "calls": [{"name": "read", "arguments": {"path": "x"}}]}]
    *_, reply = parts_of(TextCalls(Scripted(script_of(steps)), TOOLBOX, set()))

    assert reply.message.text == f"I look.\n\n{other}"


class Refusing(Scripted):
    """Refuses requests with tools."""

    def __init__(self, error, *steps):
        super().__init__(script_of(list(steps)))
        self.error = error
        self.asked = 0

    async def stream(self, request):
        self.asked += 1
        if request.tools:
            raise self.error
        async for part in super().stream(request):
            yield part


def test_refused_tools_are_remembered_for_the_model():
    model = Refusing(ToolsUnsupported("no tools", hint="none"), {"text": READ}, {"text": "Done."}, {"text": "Done."})
    refused = set()
    provider = TextCalls(model, TOOLBOX, refused)
    first = parts_of(provider)
    parts_of(provider)
    parts_of(TextCalls(model, TOOLBOX, refused))

    assert first[-1].message.tool_calls and any(isinstance(part, StatusDelta) for part in first)
    assert model.asked == 4 and not provider.model.abilities.tools


def test_other_refusals_are_what_they_are():
    with pytest.raises(BadRequest):
        parts_of(TextCalls(Refusing(BadRequest("bad", hint="none"), {"text": "Done."}), TOOLBOX, set()))


def test_a_native_model_loads_no_dialect():
    program = """
import sys, anyio
from codi.agent.text_calls import TextCalls
from codi.protocol.messages import user
from codi.protocol.tooling import ToolSpec
from codi.providers.provider import Request, complete
from codi.providers.script import script_of
from codi.providers.scripted import Scripted
from codi.tools.toolbox import Toolbox
tool = ToolSpec("look", "Look.", {"type": "object", "properties": {}})
provider = TextCalls(Scripted(script_of([{"text": "Done."}])), Toolbox([]), set())
reply = anyio.run(complete, provider, Request(system=(), messages=(user("look"),), tools=(tool,)))
print(reply.message.text, [name for name in sys.modules if name.startswith("codi.agent.dialects")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Done. []"


def test_the_end_of_a_native_text_does_not_wait_for_the_calls_behind_it():
    steps = [{"text": "I look at <b\n\n", "calls": [{"name": "read", "arguments": {"path": "x"}}]}]
    *deltas, reply = parts_of(TextCalls(Scripted(script_of(steps)), TOOLBOX, set()))

    kinds_in_order = [type(delta) for delta in deltas]
    assert kinds_in_order.index(ToolCallDelta) == len(deltas) - kinds_in_order.count(ToolCallDelta)
    assert told(deltas) == kinds(reply.message)
