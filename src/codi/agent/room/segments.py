"""Of what a request is made, piece by piece, so that it can be said why a service read it anew and not from its cache."""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct, json

from codi.agent.counting import Counter, tokens_of
from codi.protocol.events import (
    CacheMiss,
    CompactionUndone,
    ContextCompacted,
    Entry,
    LeafMoved,
    RequestSent,
    ResultsPruned,
    ResultsRestored,
    Segment,
    ThinkingChosen,
)
from codi.protocol.messages import Usage
from codi.providers.provider import Request

_PARTS = re.compile(r"\n\n(?=<[a-z_]+>\n)")
_FILES = re.compile(r"(?=<project_instructions path=)")
_PATH = re.compile(r"<project_instructions path=[\"']?([^\"'>\n]+)")
_TAG = re.compile(r"<([a-z_]+)>")
_TTL_S = {"none": 300.0, "short": 300.0, "long": 3600.0}
_LEAST_MISS = 1024
_SHARE = 0.10


class _Known(Struct, frozen=True):
    holder: object
    sha256: str


class Segments:
    """Hashes what is new in each request, and compares it with the request before. `path` is that of a session that goes on."""

    def __init__(self, counter: Counter, path: Iterable[Entry] = ()) -> None:
        self._counter = counter
        self._known: dict[int, _Known] = {}
        self._systems: dict[int, tuple[str, list[Segment]]] = {}
        self._before: RequestSent | None = None
        self._detailed: RequestSent | None = None
        self._at = 0.0
        self._caches = False
        for entry in path:
            if isinstance(entry.fact, RequestSent) and entry.fact.purpose == "turn":
                self._take(entry.fact, entry.at)
                self._caches = self._caches or bool(entry.fact.cache_read)

    def of(
        self, request: Request, usage: Usage, model: str, step: int, since: Sequence[Entry], now: float
    ) -> RequestSent:
        """What is kept of a request that was answered. `since` is what was kept since the one before it."""
        head, body = self.head(request), self.body(request)
        before, detailed = self._before, self._detailed
        same_head = detailed is not None and head_of(detailed.segments) == head
        told_head = _summed(head) if same_head else head
        shared = _shared(before, body)
        told = [*told_head, *([_joined("messages", body[:shared])] if shared else []), *body[shared:]]
        miss = None
        self._caches = self._caches or bool(usage.cache_read or usage.cache_write)
        if before is not None and self._caches and not usage.estimated:
            # Estimates are held against what the service counts, by what it counted of this request.
            real, estimate = usage.input + usage.cache_read + usage.cache_write, _sum(head) + _sum(body)
            kept = round(_total(before) * real / max(estimate, 1))
            lost = kept - usage.cache_read
            if lost > max(_LEAST_MISS, _SHARE * kept):
                miss = self._explained(head, body, request, model, since, now, lost)
        sent = RequestSent(
            step=step,
            segments=tuple(told),
            tokens=_sum(head) + _sum(body),
            model=model,
            cache_read=None if usage.estimated else usage.cache_read,
            miss=miss,
        )
        self._take(sent, now)
        return sent

    def head(self, request: Request) -> list[Segment]:
        """The pieces of the system prompt, and the tools."""
        return [*self._system(request.system), *self._tools(request)]

    def body(self, request: Request) -> list[Segment]:
        """The messages."""
        return [
            Segment(f"message:{number}", self._hash_of_message(message), self._counter.message(message))
            for number, message in enumerate(request.messages, 1)
        ]

    def _take(self, sent: RequestSent, at: float) -> None:
        self._before, self._at = sent, at
        if not any(segment.name == "system" for segment in sent.segments):
            self._detailed = sent

    def _explained(
        self,
        head: Sequence[Segment],
        body: Sequence[Segment],
        request: Request,
        model: str,
        since: Sequence[Entry],
        now: float,
        lost: int,
    ) -> CacheMiss:
        before, detailed = self._before, self._detailed
        assert before is not None
        if before.model != model:
            return CacheMiss("system", "model or provider changed", lost)
        old_head = head_of(detailed.segments) if detailed is not None else []
        if old_head and old_head != list(head):
            return _changed_head(old_head, head, lost)
        facts = [entry.fact for entry in since]
        different = _first_different(before, body)
        if different is not None:
            causes: tuple[tuple[tuple[type, ...], str], ...] = (
                ((ContextCompacted, CompactionUndone), "compaction"),
                ((ResultsPruned, ResultsRestored), "prune"),
                ((LeafMoved,), "another branch"),
            )
            cause = next((said for kinds, said in causes if any(isinstance(fact, kinds) for fact in facts)), "")
            return CacheMiss(different, cause or "the conversation changed", lost)
        if any(isinstance(fact, ThinkingChosen) for fact in facts):
            return CacheMiss("messages", "thinking level", lost)
        age_s = now - self._at
        if age_s > _TTL_S[request.cache]:
            return CacheMiss("messages", f"expired ({age_s / 60:.0f} min)", lost)
        return CacheMiss("messages", "provider gave none", lost)

    def _system(self, system: Sequence[str]) -> Iterator[Segment]:
        for text in system:
            known = self._systems.get(id(text))
            if known is None:
                known = self._systems[id(text)] = (text, list(_pieces(text)))
            yield from known[1]

    def _tools(self, request: Request) -> Iterator[Segment]:
        for tool in request.tools:
            yield Segment(f"tool:{tool.name}", self._hash(tool), self._counter.tools([tool]))

    def _hash_of_message(self, message: Any) -> str:
        known = self._known.get(id(message))
        if known is None:
            joined = message.role + "".join(self._hash(block) for block in message.blocks)
            known = self._known[id(message)] = _Known(message, _sha(joined.encode()))
        return known.sha256

    def _hash(self, thing: Any) -> str:
        known = self._known.get(id(thing))
        if known is None:
            # Held on to, so that no other thing can come to have its identity.
            known = self._known[id(thing)] = _Known(thing, _sha(json.encode(thing, order="deterministic")))
        return known.sha256


def _pieces(system: str) -> Iterator[Segment]:
    for part in _PARTS.split(system):
        for piece in _FILES.split(part) if "<project_instructions path=" in part else [part]:
            if piece:
                yield Segment(f"system:{_name_of(piece)}", _sha(piece.encode()), tokens_of(piece))


def text_in(request: Request, name: str) -> str:
    """The text of a piece of the system prompt; "" for any other segment."""
    pieces = [piece for text in request.system for part in _PARTS.split(text) for piece in _FILES.split(part) if piece]
    return next((piece for piece in pieces if f"system:{_name_of(piece)}" == name), "")


def _sha(content: bytes) -> str:
    return sha256(content).hexdigest()


def _total(sent: RequestSent) -> int:
    return _sum(sent.segments)


def _sum(segments: Iterable[Segment]) -> int:
    return sum(segment.tokens for segment in segments)


def _name_of(piece: str) -> str:
    if found := _PATH.match(piece):
        return found[1]
    found = _TAG.match(piece)
    return found[1] if found else "text"


def head_of(segments: Iterable[Segment]) -> list[Segment]:
    """Of what was kept the pieces before the messages; none where they were those of the request before."""
    return [segment for segment in segments if segment.name.startswith(("system:", "tool:"))]


def _summed(head: Sequence[Segment]) -> list[Segment]:
    system = [segment for segment in head if segment.name.startswith("system:")]
    tools = [segment for segment in head if segment.name.startswith("tool:")]
    return [_whole("system", system), *([_whole("tools", tools)] if tools else [])]


def _whole(name: str, segments: Sequence[Segment]) -> Segment:
    joined = "".join(segment.sha256 for segment in segments)
    return Segment(name, _sha(joined.encode()), sum(segment.tokens for segment in segments))


def _joined(name: str, segments: Sequence[Segment]) -> Segment:
    return _whole(f"{name}:1-{len(segments)}", segments)


def _groups(before: RequestSent) -> Iterator[tuple[Segment, int]]:
    """The messages of an earlier request as they were kept, each with how many it stands for."""
    for segment in before.segments:
        name, _, numbers = segment.name.partition(":")
        if name == "messages":
            yield segment, int(numbers.rpartition("-")[2])
        elif name == "message":
            yield segment, 1


def _shared(before: RequestSent | None, body: Sequence[Segment]) -> int:
    """How many messages are those of the request before."""
    return matched(before, body)[0] if before is not None else 0


def _first_different(before: RequestSent, body: Sequence[Segment]) -> str | None:
    return matched(before, body)[1]


def matched(before: RequestSent, body: Sequence[Segment]) -> tuple[int, str | None]:
    """How many of the first messages are those of a request that was kept, and the name of what is not."""
    at = 0
    for segment, count in _groups(before):
        now = body[at : at + count]
        sha = _joined("messages", now).sha256 if segment.name.startswith("messages:") else now[0].sha256 if now else ""
        if len(now) < count or sha != segment.sha256:
            return at, segment.name
        at += count
    return at, None


def _changed_head(old: Sequence[Segment], new: Sequence[Segment], lost: int) -> CacheMiss:
    known, now = {each.name: each.sha256 for each in old}, {each.name: each.sha256 for each in new}
    names = list(dict.fromkeys([*known, *now]))
    changed = [name for name in names if known.get(name) != now.get(name)]
    if not changed:
        return CacheMiss(new[0].name if new else "system", "system prompt changed", lost)
    first = next((name for name in changed if name.startswith("system:") and name != "system:tools"), "")
    tools = [name for name in changed if name.startswith("tool:")]
    if tools and (not first or first == "system:rules"):
        said = []
        for what, of in (("added", now), ("removed", known)):
            other = known if of is now else now
            said += [f"{what} {name.removeprefix('tool:')}" for name in tools if name in of and name not in other]
        said += [f"changed {name.removeprefix('tool:')}" for name in tools if name in known and name in now]
        return CacheMiss(tools[0], f"tool list changed ({', '.join(said)})", lost)
    first = first or changed[0]
    place = first.removeprefix("system:")
    return CacheMiss(first, f"system prompt changed ({'file ' if place.startswith('/') else ''}{place})", lost)
