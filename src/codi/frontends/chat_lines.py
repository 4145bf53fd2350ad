"""A conversation as lines that only ever follow each other: every line begins with a word that says what it is.

So it can be read aloud and sent through a pipe; nothing is told by colour or by where it stands.
"""

import sys
from collections.abc import Sequence

from codi.frontends.proof import Proof
from codi.frontends.sanitiser import visible, visible_output
from codi.protocol.events import (
    BisectDelta,
    CallEndDelta,
    CallStartDelta,
    CommandShown,
    Entry,
    Event,
    MessageAdded,
    ModelChosen,
    PolicyChosen,
    QueueDelta,
    StatusDelta,
    TextDelta,
    ThinkingChosen,
    TitleGiven,
    ToolProgress,
    TurnEnded,
)
from codi.protocol.messages import Message

_MOST_TITLE = 200
_MOST_FAILURE = 400
_RECALLED = 4
"""Messages of a conversation that goes on which are shown again."""


class ChatLines:
    """Prints what is heard. A text that streams stays on its line until something else is printed."""

    def __init__(self) -> None:
        self._proof = Proof()
        self._is_open = False
        """Whether the last line has not been ended."""
        self._speaks = False
        self._heard_output = False
        self._calls: dict[str, str] = {}

    def say(self, text: str) -> None:
        """A line of its own, or several."""
        self._end_line()
        self._speaks = False
        print(visible(text), flush=True)

    def error(self, text: str, hint: str | None = "") -> None:
        self.say(f"error: {text}" + (f"\nhint: {hint}" if hint else ""))

    def ask(self, question: str) -> None:
        """The words before what a person types: they stay on the line."""
        self._end_line()
        self._speaks = False
        print(visible(question), end="", flush=True)
        self._is_open = True

    def answered(self, line: str, *, echo: bool) -> None:
        """The person ended the line; a pipe shows nothing of what they said, so it is repeated."""
        if echo:
            print(visible(line), flush=True)
        self._is_open = False

    def hear(self, event: Event) -> None:
        self._proof.hear(event)
        match event:
            case TextDelta(text):
                self._stream(text)
            case ToolProgress(text=text):
                self._heard_output = True
                self._add(visible_output(text))
            case CallStartDelta(call_id, tool, arguments):
                what = next((str(value) for value in arguments.values()), "")
                self._calls[call_id] = title = " ".join(f"{tool} {what}".split())[:_MOST_TITLE]
                self.say(f"tool: {title}")
            case CallEndDelta(result):
                self._heard_output = False
                title = self._calls.pop(result.call_id, result.tool or "call")
                failure = " ".join(result.text.split())[:_MOST_FAILURE]
                self.say(f"tool: {title} failed: {failure}" if result.is_error else f"tool: {title} done")
            case StatusDelta(kind="retry" | "warning" | "fallback", text=text, hint=hint):
                self.say(f"warning: {text}" + (f"\nhint: {hint}" if hint else ""))
            case StatusDelta(kind="waiting", text=text):
                self.say(f"waiting: {text}")
            case QueueDelta(steering, follow_up):
                for kind, items in (("steer", steering), ("next", follow_up)):
                    for item in items:
                        self.say(f"waits ({kind}): {item.text}")
            case BisectDelta(done=False, said=said, steps=steps):
                self.say(f"{said} after step {steps[-1].step}: {steps[-1].tool} {steps[-1].what}")
            case Entry(fact=CommandShown() as shown):
                self._tell_command(shown)
            case Entry(fact=ModelChosen(provider, model_id)):
                self.say(f"model: {provider}/{model_id}")
            case Entry(fact=PolicyChosen(mode)):
                self.say(f"mode: {mode}")
            case Entry(fact=ThinkingChosen(level)):
                self.say(f"thinking: {level}")
            case Entry(fact=TitleGiven(name)) if name:
                self.say(f"name: {name}")
            case Entry(fact=TurnEnded() as ended):
                self._tell_end(ended)

    def recall(self, path: Sequence[Entry]) -> None:
        """What was said last in a conversation that goes on."""
        said = [f"{who}: {text}" for entry in path if (who := _speaker(entry)) and (text := _text(entry))]
        if len(said) > _RECALLED:
            self.say(f"({len(said) - _RECALLED} earlier messages)")
        for line in said[-_RECALLED:]:
            self.say(line)

    def remember(self, event: Event) -> None:
        """An event of the past, which is not shown."""
        self._proof.hear(event)

    def _stream(self, text: str) -> None:
        if not self._speaks:
            self._end_line()
            text = f"codi: {text}"
        self._speaks = True
        self._add(visible(text))

    def _add(self, text: str) -> None:
        if text:
            print(text, end="", flush=True)
            self._is_open = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._is_open:
            print(flush=True)
            self._is_open = False

    def _tell_command(self, shown: CommandShown) -> None:
        if not self._heard_output:
            self._add(visible_output(shown.output))
        self._heard_output = False
        if shown.cancelled or shown.exit_code:
            self.say("interrupted" if shown.cancelled else f"exit status {shown.exit_code}")
        self._end_line()

    def _tell_end(self, ended: TurnEnded) -> None:
        stats = ended.stats
        steps = f"{stats.steps} step{'' if stats.steps == 1 else 's'}"
        cost = ", price unknown" if stats.cost is None else f", ${stats.cost:.4f}"
        for mark in self._proof.marks():
            self.say(mark)
        self.say(f"[{steps}, {stats.total_tokens} tokens{cost}]")
        if ended.message:
            self.say(f"{ended.reason}: {ended.message}\nhint: {ended.hint}")
        elif ended.reason == "interrupted":
            self.say("interrupted")
        sys.stdout.flush()


def _speaker(entry: Entry) -> str:
    match entry.fact:
        case MessageAdded(Message("user") as message) if not message.tool_results:
            return "You"
        case MessageAdded(Message("assistant")):
            return "codi"
    return ""


def _text(entry: Entry) -> str:
    return entry.fact.message.text.strip() if isinstance(entry.fact, MessageAdded) else ""
