"""What the person said, word for word, so that no summary can lose it: newest messages whole, of older ones each sentence
that forbids or demands something."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from codi.agent.counting import tokens_of
from codi.protocol.events import Entry, MessageAdded
from codi.protocol.messages import Message

MOST_TOKENS = 20_000
SHARE = 0.10
_FIRST_SHARE = 0.25
_QUOTES_SHARE = 0.20

_DEMANDS = re.compile(
    r"\b(?:must|never|always|only|do not|don't|mustn't|shall not|not allowed|required?|forbidden)\b", re.IGNORECASE
)
_NUMBERED = re.compile(r"^\s*(?:\d+[.)]|[-*]\s*\d+[.)]|rule \d+)\s*\S", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=\S)")


class Said(Struct, frozen=True):
    """One message of the person, and the entry that holds it."""

    entry_id: str
    text: str


class Constraint(Struct, frozen=True):
    entry_id: str
    text: str


def said_by_person(path: Iterable[Entry]) -> list[Said]:
    """Since the session began, in order."""
    said = []
    for entry in path:
        match entry.fact:
            case MessageAdded(message=Message(role="user") as message) if not message.tool_results:
                if message.text.strip():
                    said.append(Said(entry.id, message.text.strip()))
    return said


def constraints_in(text: str) -> list[str]:
    """Sentences and lines that demand or forbid something, and numbered rules."""
    found = []
    for line in text.splitlines():
        if _NUMBERED.match(line):
            found.append(line.strip())
            continue
        found += [sentence.strip() for sentence in _SENTENCES.split(line) if _DEMANDS.search(sentence)]
    return list(dict.fromkeys(found))


def user_messages(said: Sequence[Said], window: int) -> tuple[str, list[Constraint]]:
    """What is told of them, and the constraints that are quoted from those which are not told whole."""
    if not said:
        return "", []
    most = int(min(MOST_TOKENS, SHARE * window))
    first, rest = said[0], said[1:]
    told_first, is_whole = _first(first.text, int(_FIRST_SHARE * window))
    left = most - tokens_of(told_first)
    newest: list[str] = []
    at = len(rest)
    while at and (tokens := tokens_of(rest[at - 1].text)) <= left:
        left -= tokens
        at -= 1
        newest.append(_tagged(rest[at]))
    quoted = _constraints([*([] if is_whole else [first]), *rest[:at]], int(_QUOTES_SHARE * window))
    quotes = [f'- "{quote.text}" ({quote.entry_id})' for quote in quoted]
    parts = [_tagged(Said(first.entry_id, told_first))]
    if quotes:
        parts.append("Of older messages, word for word:\n" + "\n".join(quotes))
    return "\n\n".join([*parts, *reversed(newest)]), quoted


def constraints_of(said: Sequence[Said]) -> list[Constraint]:
    return _constraints(said, 1_000_000)


def _constraints(said: Sequence[Said], most_tokens: int) -> list[Constraint]:
    found: dict[str, Constraint] = {}
    for message in said:
        for text in constraints_in(message.text):
            found.setdefault(text, Constraint(message.entry_id, text))
    kept: list[Constraint] = []
    for quote in reversed(found.values()):
        most_tokens -= tokens_of(quote.text)
        if most_tokens < 0:
            break
        kept.append(quote)
    return kept[::-1]


def _first(text: str, most_tokens: int) -> tuple[str, bool]:
    if tokens_of(text) <= most_tokens:
        return text, True
    half = max(most_tokens * 3 // 2, 200)
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}", False


def _tagged(said: Said) -> str:
    return f"[{said.entry_id}] {said.text}"
