"""A summary that no model wrote: facts alone, in an order in which they can be read."""

from collections.abc import Sequence

from codi.agent.scores import scores
from codi.protocol.events import Entry, EvidenceGathered, MessageAdded, TodoItem
from codi.protocol.messages import Message, ToolCall, ToolResult

_MOST_LINES = 40
_LINE = 200


def digest_of(entries: Sequence[Entry], todos: Sequence[TodoItem], previous: str, most_characters: int) -> str:
    """At most so many characters; of what was said that which matters most, of all else the newest."""
    calls: dict[str, ToolCall] = {}
    commands: list[str] = []
    asked: list[str] = []
    said: list[tuple[Message, str]] = []
    error = ""
    for entry in entries:
        match entry.fact:
            case MessageAdded(message=Message(role="assistant") as message):
                calls.update((call.id, call) for call in message.tool_calls)
                if first := _first_line(message.text):
                    said.append((message, f"- {first}"))
            case MessageAdded(message=Message(blocks=(ToolResult() as result, *_))):
                call = calls.get(result.call_id)
                if call is not None and isinstance(command := call.arguments.get("command"), str):
                    commands.append(f"- {_first_line(command)}: {_outcome(result)}")
                if result.is_error:
                    error = _first_line(result.text)
            case MessageAdded(message=Message(role="user") as message):
                if first := _first_line(message.text):
                    asked.append(f"- {first}")
            case EvidenceGathered() as evidence:
                commands.append(f"- {_first_line(evidence.command)}: exit code {evidence.exit_code}")
    done = [f"- [x] {item.content}" for item in todos if item.status == "completed"]
    doing = [f"- [ ] {item.content}" for item in todos if item.status == "in_progress"]
    waiting = [f"- [ ] {item.content}" for item in todos if item.status == "pending"]
    sections = {
        "Goal": asked[:1] or ["- see the person's messages below"],
        "Constraints & Preferences": ["- see the person's messages below"],
        "Progress": ["### Done", *done, *_most_of(said), "### In Progress", *doing, "### Blocked"],
        "Key Decisions": ["- none that were written down"],
        "Failed Approaches": [f"- last error: {error}"] if error else ["- none that are known"],
        "Next Steps": waiting or ["- go on with what was asked last"],
        "Critical Context": [
            "This summary was made without a model: it holds facts alone.",
            *(["Commands that ran:", *commands[-_MOST_LINES:]] if commands else []),
            *([f"Asked: {len(asked)} times, last:", asked[-1]] if len(asked) > 1 else []),
        ],
    }
    text = "\n\n".join(f"## {heading}\n" + "\n".join(lines) for heading, lines in sections.items())
    if previous:
        text = f"{_cut(previous, most_characters // 2)}\n\n---\n\n{text}"
    return _cut(text, most_characters)


def _most_of(said: Sequence[tuple[Message, str]]) -> list[str]:
    """The lines of the messages that matter most, in their order."""
    matters = scores([message for message, _ in said]) if len(said) > _MOST_LINES else [1.0] * len(said)
    least = sorted(matters, reverse=True)[:_MOST_LINES][-1:]
    return [line for (_, line), score in zip(said, matters, strict=True) if score >= least[0]][-_MOST_LINES:]


def _outcome(result: ToolResult) -> str:
    code = (result.details or {}).get("exitCode")
    if code is None:
        return "failed" if result.is_error else "exit code 0"
    return f"exit code {code}"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _LINE else line[:_LINE] + "..."


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = max(most // 2 - 30, 20)
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
