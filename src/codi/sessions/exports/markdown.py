"""A session as Markdown: a heading for each turn, calls folded, what changed as fenced diffs."""

import re
from collections.abc import Iterator, Sequence

from msgspec.json import encode, format

from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextCompacted,
    Entry,
    MessageAdded,
    ModelChosen,
)
from codi.protocol.messages import Image, Message, Text, ToolCall, ToolResult
from codi.sessions.exports.taken import Taken

_RUN = re.compile(r"`{3,}")


def markdown_of(taken: Taken) -> str:
    results = {
        result.call_id: result
        for entry in taken.entries
        if isinstance(entry.fact, MessageAdded)
        for result in entry.fact.message.tool_results
    }
    head = [f"# {taken.title}", f"- session: `{taken.header.get('id')}`\n- directory: `{taken.header.get('cwd')}`"]
    return "\n\n".join([*head, *_parts(taken.entries, results)]) + "\n"


def _parts(entries: Sequence[Entry], results: dict[str, ToolResult]) -> Iterator[str]:
    turn = 0
    for entry in entries:
        match entry.fact:
            case MessageAdded(Message("assistant") as message, reply):
                for block in message.blocks:
                    if isinstance(block, Text) and block.text.strip():
                        yield block.text.strip()
                    elif isinstance(block, ToolCall):
                        yield _call(block, results.get(block.id))
                if reply and reply.error:
                    yield f"*{reply.stop}: {reply.error}*"
            case MessageAdded(message) if not message.tool_results:
                turn += 1
                yield f"## Turn {turn}"
                yield "\n".join(f"> {line}".rstrip() for line in message.text.splitlines()) or ">"
                if images := sum(isinstance(block, Image) for block in message.blocks):
                    yield f"*{images} image{'' if images == 1 else 's'}*"
            case CommandShown(command=command, output=output):
                yield fenced(f"$ {command}\n{output}".rstrip(), "console")
            case ContextCompacted(summary=summary):
                yield _folded("compacted", summary)
            case BranchSummarised(summary=summary):
                yield _folded("summary of a branch", summary)
            case ModelChosen(provider, model):
                yield f"*model: {provider}/{model}*"


def _call(call: ToolCall, result: ToolResult | None) -> str:
    what = next((value for value in call.arguments.values() if isinstance(value, str)), "")
    sign = "·" if result is None else "✗" if result.is_error else "✓"
    parts = [fenced(format(encode(call.arguments), indent=2).decode(), "json")]
    if result:
        diff = (result.details or {}).get("diff")
        parts += [fenced(diff, "diff")] if isinstance(diff, str) and diff else []
        parts += [fenced(result.text)] if result.text.strip() else []
    return _folded(f"{sign} {call.name} {' '.join(what.split())[:100]}".strip(), "\n\n".join(parts))


def _folded(summary: str, text: str) -> str:
    shown = summary.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<details>\n<summary>{shown}</summary>\n\n{text}\n\n</details>"


def fenced(text: str, language: str = "") -> str:
    """A block of code whose fence is longer than any in it."""
    longest = max((len(run) for run in _RUN.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
