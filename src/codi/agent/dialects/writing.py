"""What a model without native tools is told: its tools, the form of a call, what it called, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from codi.agent.dialects.spoken import DIALECTS, Dialect, Spoken
from codi.agent.instructions import Part
from codi.protocol.messages import Block, Image, Message, Text, ToolCall, ToolResult
from codi.protocol.tooling import ToolSpec

FORM = '<tool_call>{"name": ..., "arguments": {...}}</tool_call>'

_PROMPT = """\
You call a tool by writing the call into your reply. There is exactly one form:

<tool_call>
{{"name": "NAME", "arguments": {{"PARAMETER": VALUE}}}}
</tool_call>

In short: {form}. The call stands alone on its lines, not in a code block, and is complete JSON: line breaks inside strings \
are written \\n. Stop after the call; its result comes with the next message. Without a call your reply is the final answer.

Tools, with their parameters:

{tools}"""

_CORRECTION = """\
Your tool call was not run: {fault}
Hint: {hint}
Write the call again in exactly this form, alone on its lines:
<tool_call>
{{"name": "NAME", "arguments": {{"PARAMETER": VALUE}}}}
</tool_call>"""

_HINT = "one JSON object with the tool's name and an object of its arguments; the tools are: {}."
_CUT = "(The tool call {} was cut off here.)"

_json = msgspec.json.Encoder().encode


def format_part(tools: Sequence[ToolSpec]) -> Part:
    """The part of the system prompt that stands in for native tools."""
    text = _PROMPT.format(form=FORM, tools="\n\n".join(map(_described, tools)))
    return Part("tool_format", text, "built in, for a model that takes no tools")


def correction(fault: str, tools: Sequence[ToolSpec]) -> str:
    """What a model is told whose call could not be read."""
    return _CORRECTION.format(fault=fault, hint=_HINT.format(", ".join(tool.name for tool in tools)))


def id_for(dialect: Dialect) -> str:
    """An id for a call that has none. Its first digit says how the call was written, so that a resumed session answers it in
    the same way."""
    return f"text_{DIALECTS.index(dialect):x}{uuid4().hex[:7]}"


def dialect_of(call_id: str) -> Dialect:
    """How a call was written; for one that was never text the form that is taught."""
    digit = call_id.removeprefix("text_")[:1]
    place = int(digit, 16) if call_id.startswith("text_") and digit in "01234567" and digit else 0
    return DIALECTS[place]


def as_text(messages: Sequence[Message]) -> list[Message]:
    """The messages without calls and results: both are text as the model would write and read it. Every call must have its
    result in the message behind it."""
    return [
        Message(message.role, tuple(_in_words(message.blocks)), message.origin)
        if message.tool_calls or message.tool_results
        else message
        for message in messages
    ]


def call_text(call: Spoken) -> str:
    """A call in its dialect."""
    whole = _json({"name": call.name, "arguments": call.arguments}).decode()
    match call.dialect:
        case "hermes":
            return f"<tool_call>\n{whole}\n</tool_call>"
        case "json":
            return whole
        case "function":
            inside = "".join(f"<parameter={key}>\n{_plain(value)}\n</parameter>\n" for key, value in _of(call))
            return f"<function={call.name}>\n{inside}</function>"
        case "xml":
            inside = "".join(f"<{key}>{_in_tags(value)}</{key}>\n" for key, value in _of(call))
            return f"<{call.name}>\n{inside}</{call.name}>"
        case "dsml":
            inside = "".join(
                f'<｜DSML｜parameter name="{key}" string="{str(isinstance(value, str)).lower()}">{_plain(value)}'
                "</｜DSML｜parameter>\n"
                for key, value in _of(call)
            )
            around = f'<｜DSML｜invoke name="{call.name}">\n{inside}</｜DSML｜invoke>'
            return f"<｜DSML｜function_calls>\n{around}\n</｜DSML｜function_calls>"
        case "mistral":
            return f"[TOOL_CALLS][{whole}]"
        case "python_tag":
            return "<|python_tag|>" + _json({"name": call.name, "parameters": call.arguments}).decode()
        case "tool_code":
            inside = ", ".join(f"{key}={value!r}" for key, value in _of(call))
            return f"```tool_code\n{call.name}({inside})\n```"


def result_text(result: ToolResult) -> str:
    """A result as models that write the dialect of its call are used to read it."""
    text = result.text
    match dialect_of(result.call_id):
        case "json":
            return _json({"name": result.tool, "result": text}).decode()
        case "xml":
            return f"[{result.tool}] Result:\n{text}"
        case "dsml":
            return f"<function_results>\n<result>{text}</result>\n</function_results>"
        case "mistral":
            return f"[TOOL_RESULTS]{_json({'name': result.tool, 'content': text}).decode()}[/TOOL_RESULTS]"
        case "python_tag":
            return f"Result of {result.tool}:\n{text}"
        case "tool_code":
            return f"```tool_output\n{text}\n```"
        case _:
            return f'<tool_response name="{result.tool}">\n{text}\n</tool_response>'


def _in_words(blocks: Sequence[Block]) -> Iterator[Block]:
    images: list[Image] = []
    for run, words in _runs(blocks):
        if words is not None:
            if images and not isinstance(words, Image):
                yield from images
                images.clear()
            yield words
            continue
        texts = []
        for block in run:
            if isinstance(block, ToolCall):
                spoken = Spoken(block.name, block.arguments, dialect_of(block.id))
                texts.append(_CUT.format(block.name) if block.defect else call_text(spoken))
            else:
                shown = [part for part in block.content if isinstance(part, Image)]
                texts.append(result_text(block) + ("\n(image follows)" if shown else ""))
                images += shown
        yield Text("\n\n".join(texts))
    yield from images


def _runs(blocks: Sequence[Block]) -> Iterator[tuple[list[ToolCall | ToolResult], Block | None]]:
    """Calls and results that stand side by side, taken together; any other block alone."""
    run: list[ToolCall | ToolResult] = []
    for block in blocks:
        if isinstance(block, ToolCall | ToolResult):
            run.append(block)
            continue
        if run:
            yield run, None
            run = []
        yield [], block
    if run:
        yield run, None


def _of(call: Spoken) -> list[tuple[str, Any]]:
    return list(call.arguments.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value).decode()


def _in_tags(value: Any) -> str:
    text = _plain(value)
    return f"\n{text}\n" if "\n" in text else text


def _described(tool: ToolSpec) -> str:
    properties = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    lines = [f"{tool.name}: {tool.description.strip()}"]
    for name, schema in properties.items():
        facts = [_type_of(schema), *(["required"] if name in required else [])]
        if schema.get("default") is not None:
            facts.append(f"default {_json(schema['default']).decode()}")
        about = f": {schema['description']}" if schema.get("description") else ""
        lines.append(f"  - {name} ({', '.join(facts)}){about}")
    return "\n".join(lines)


def _type_of(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_type_of, schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(_json(value).decode() for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_type_of(schema.get('items') or {})}"
        case "object" if schema.get("properties"):
            required = schema.get("required", ())
            fields = (
                f"{name}{'' if name in required else '?'}: {_type_of(part)}"
                for name, part in schema["properties"].items()
            )
            return "{" + ", ".join(fields) + "}"
        case str(name):
            return name
    return "any value"
