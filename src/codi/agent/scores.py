"""How much each message of a conversation matters, where not all can stay.

Pure: the same messages give the same numbers. What makes a message matter is how new it is, whether what it brought up is spoken
of later, whether the person stressed it, whether something was done with it, and whether it is about the code at hand.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from codi.protocol.messages import Message

SHORTEST_NAME = 4
"""Characters: what is shorter is a word of every text."""

# Compiled when they are first used, which few conversations come to.
_NAME = r"[A-Za-z_][\w./-]{3,}"
_TELLING = r"[a-z0-9][A-Z]|\w[._/]\w|[A-Za-z_]\d"
_EMPHASIS = r"(?i)\b(?:important|must|never|always|only|remember|critical|note that|make sure|do not|don't)\b|!"
_CODE = r"[{}();=]|```|\b(?:def|class|return|import|function|const)\b"
_SPOKEN, _SHOWN = 4000, 400
_MANY = 5


def scores(messages: Sequence[Message], recent: Collection[str] = ()) -> list[float]:
    """From 0 to 1. `recent` are the files that are worked on."""
    count = len(messages)
    texts = [_text(message) for message in messages]
    names = [names_in(text) for text in texts]
    later = _spoken_of_later(messages, names)
    found = []
    for at, message in enumerate(messages):
        by_person = message.role == "user" and not message.tool_results
        emphasis = (1.0 if re.search(_EMPHASIS, texts[at]) else 0.5) if by_person else 0.0
        action = 1.0 if message.tool_calls else 0.7 if message.tool_results else 0.0
        code = 1.0 if not names[at].isdisjoint(recent) else 0.5 if re.search(_CODE, texts[at]) else 0.0
        found.append(
            0.25 * math.exp(-(count - 1 - at) / (count / 2))
            + 0.15 * min(later[at] / _MANY, 1.0)
            + 0.25 * emphasis
            + 0.20 * action
            + 0.15 * code
        )
    return found


def names_in(text: str) -> set[str]:
    """Paths and names that a text speaks of: what no word of a language looks like."""
    found = set()
    for word in set(re.findall(_NAME, text)):
        if word.isalpha() and word[1:].islower():
            continue  # nearly all are such, and need no closer look
        name = word.rstrip("./-")
        if len(name) >= SHORTEST_NAME and re.search(_TELLING, name):
            found.add(name)
    return found


def _spoken_of_later(messages: Sequence[Message], names: Sequence[set[str]]) -> list[int]:
    """Of each message, how often person and model speak later of what it brought up. What a tool printed speaks of nothing."""
    counts = [0] * len(messages)
    ahead: Counter[str] = Counter()
    first = {name: at for at in range(len(names) - 1, -1, -1) for name in names[at]}
    for at in range(len(messages) - 1, -1, -1):
        counts[at] = sum(ahead[name] for name in names[at] if first[name] == at)
        if not messages[at].tool_results:
            ahead.update(names[at])
    return counts


def _text(message: Message) -> str:
    return "\n".join(_texts(message))


def _texts(message: Message) -> Iterator[str]:
    yield message.text[:_SPOKEN]
    for call in message.tool_calls:
        yield from (str(value)[:_SHOWN] for value in call.arguments.values())
    for result in message.tool_results:
        yield result.text[:_SHOWN]
