"""A title for a conversation, found beside it by a small model, which delays nothing and may fail."""

import re
from collections.abc import Awaitable, Callable, Sequence

from codi.agent.record import Record
from codi.protocol.errors import CodiError
from codi.protocol.events import Entry, MessageAdded, TitleGiven
from codi.protocol.messages import user
from codi.providers.provider import Provider, Request, complete

LONGEST = 60
_SHOWN_CHARS = 500
_MOST_OUTPUT = 200
_ORDER = (
    "You name conversations. Answer with a title of at most 60 characters for the conversation that you are shown, in the "
    "language of its first message, on one line, without quotes and without a full stop. Answer nothing else."
)

Ask = Callable[[], Awaitable[Provider]]


class Titles:
    """`models` make the models to ask, in order; where none of them finds a title it is the first words of the prompt."""

    def __init__(self, record: Record, models: Sequence[Ask]) -> None:
        self._record = record
        self._models = models

    @property
    def is_wanted(self) -> bool:
        """Whether there is an answer, and no title yet that a person or a model gave."""
        path = self._record.session.path()
        given = [entry.fact for entry in path if isinstance(entry.fact, TitleGiven)]
        if any(fact.by != "first-words" for fact in given if fact.name not in _words_of(given)):
            return False
        return _said(path, "assistant") != ""

    async def find(self) -> None:
        """Find one and keep it, unless the person gave one meanwhile."""
        path = self._record.session.path()
        prompt, answer = _said(path, "user"), _said(path, "assistant")
        given = TitleGiven(title_of(prompt), by="first-words")
        for make in self._models:
            try:
                provider = await make()
                reply = await complete(provider, _request(prompt, answer))
            except CodiError:
                continue
            if text := title_of(reply.message.text):
                origin = provider.origin
                given = TitleGiven(text, by="model", model=f"{origin.provider}/{origin.model}")
                break
        if given.name and self.is_wanted:
            self._record.keep(given)
            self._record.keep(TitleGiven(given.name))


def title_of(text: str) -> str:
    """The first line that says something, without quotes, marks and a final dot, cut at a word."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = re.sub(r"^(#+\s*|title:\s*|\*\*)+", "", line, flags=re.IGNORECASE)
    line = " ".join(line.strip("*_`\"'“”„«»‘’ ").rstrip(".。 ").split())
    if len(line) <= LONGEST:
        return line
    cut = line[:LONGEST].rpartition(" ")[0] or line[:LONGEST]
    return cut.rstrip(" ,;:-–")


def _request(prompt: str, answer: str) -> Request:
    told = f"<message>\n{prompt[:_SHOWN_CHARS]}\n</message>\n<answer>\n{answer[:_SHOWN_CHARS]}\n</answer>"
    return Request(system=(_ORDER,), messages=(user(told),), max_output=_MOST_OUTPUT, cache="none", purpose="title")


def _said(path: Sequence[Entry], role: str) -> str:
    """What one side said first."""
    for entry in path:
        if isinstance(entry.fact, MessageAdded) and entry.fact.message.role == role and entry.fact.message.text.strip():
            return entry.fact.message.text
    return ""


def _words_of(given: Sequence[TitleGiven]) -> set[str]:
    return {fact.name for fact in given if fact.by == "first-words"}
