"""A provider for models without native tools: the tools are described in words, and calls are read from the answer's text.

It stands around a provider and looks like one. As long as the model takes tools itself, its text is never read as a call, and
nothing is loaded that could. It is taken to have none when its provider says so, or once a service has refused a request
for its tools.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, MutableSet, Sequence
from contextlib import aclosing
from importlib import import_module
from typing import Any, Literal

from msgspec import json
from msgspec.structs import replace

from codi.agent.instructions import Part, prompt_of
from codi.protocol.errors import ToolsUnsupported
from codi.protocol.events import Delta, StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Text, Thinking, ToolCall
from codi.protocol.tooling import ToolSpec
from codi.providers.history import settled
from codi.providers.knowing import known_model
from codi.providers.provider import ModelEntry, Provider, Reply, Request
from codi.tools.toolbox import Toolbox

_DIALECTS = "codi.agent.dialects."

_MARKS = ("<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]")
"""With these a model begins to repeat in its text what it calls natively."""

_NORMAL = ("end", "stop_sequence", "tool_calls")


class TextCalls:
    """`provider` without native tools, if `native` is False or it turns out so; `refused` are the models, by service and id,
    of which that is known, and is added to. `handoff` says what becomes of another model's thinking."""

    def __init__(
        self,
        provider: Provider,
        toolbox: Toolbox,
        refused: MutableSet[str],
        *,
        native: bool = True,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.origin = provider.origin
        self._provider = provider
        self._toolbox = toolbox
        self._refused = refused
        self._native = native
        self._handoff = handoff
        self._words: Any = None

    @property
    def model(self) -> ModelEntry:
        entry = self._provider.model
        if self._takes_tools(entry):
            return entry
        return replace(entry, abilities=replace(entry.abilities, tools=False, parallel=False, strict=False))

    async def ask(self) -> ModelEntry:
        """The model as exactly as its provider can know it."""
        await known_model(self._provider)
        return self.model

    async def models(self) -> Sequence[ModelEntry]:
        return await self._provider.models()

    async def count(self, request: Request) -> int | None:
        if request.tools and not self._takes_tools(self._provider.model):
            return None  # what would be sent then are words of codi
        return await self._provider.count(request)

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        if request.tools and not self._takes_tools(await known_model(self._provider)):
            parts = self._in_text(request)
        elif request.tools:
            parts = self._natively(request)
        else:
            parts = _generator(self._provider.stream(request))
        async with aclosing(parts):
            async for part in parts:
                yield part

    def _takes_tools(self, entry: ModelEntry) -> bool:
        return self._native and entry.abilities.tools and f"{entry.service}/{entry.id}" not in self._refused

    async def _natively(self, request: Request) -> AsyncGenerator[Delta | Reply, None]:
        try:
            held = _Held()
            async with aclosing(_generator(self._provider.stream(request))) as parts:
                async for part in parts:
                    if isinstance(part, Reply):
                        reply, texts = self._without_copies(part, held)
                        for left in held.rest(texts):
                            yield left
                        yield reply
                    elif isinstance(part, TextDelta):
                        if shown := held.add(part):
                            yield shown
                    else:
                        if isinstance(part, ToolCallDelta | ThinkingDelta):
                            for ended in held.flushed():
                                yield ended
                        elif isinstance(part, StatusDelta) and part.kind == "retry":
                            held = _Held()
                        yield part
            return
        except ToolsUnsupported:
            entry = self._provider.model
            self._refused.add(f"{entry.service}/{entry.id}")
        told = f"{entry.id} takes no tools: they are described in words, and its calls are read from its text"
        yield StatusDelta(kind="warning", text=told)
        async with aclosing(self._in_text(request)) as parts:
            async for part in parts:
                yield part

    def _without_copies(self, reply: Reply, held: "_Held") -> tuple[Reply, dict[int, str]]:
        """The reply without text that says once more what it calls, and its texts by their places before."""
        blocks = reply.message.blocks
        texts = {index: block.text for index, block in enumerate(blocks) if isinstance(block, Text)}
        calls = reply.message.tool_calls
        if not calls or not any(call.name in text for call in calls for text in texts.values()):
            return reply, texts
        made = [(self._toolbox.canonical(call.name), call.arguments) for call in calls]
        read = import_module(_DIALECTS + "reading").read
        for index, text in texts.items():
            found = read(text, self._vocabulary(), whole=True)
            said = [(self._toolbox.canonical(call.name), call.arguments) for call in found.calls]
            if said and all(call in made for call in said):
                texts[index] = held.going_on(index, text, found.shown)
        kept = tuple(
            replace(block, text=texts[index]) if isinstance(block, Text) else block
            for index, block in enumerate(blocks)
            if texts.get(index, "a block that is no text")
        )
        return replace(reply, message=replace(reply.message, blocks=kept)), texts

    async def _in_text(self, request: Request) -> AsyncGenerator[Delta | Reply, None]:
        writing = import_module(_DIALECTS + "writing")
        history = settled(request.messages, origin=self.origin, vision=True, handoff=self._handoff)
        told = replace(
            request,
            system=(*request.system, prompt_of([tools_in_words(request.tools)])),
            messages=writing.as_text(history),
            tools=(),
            tool_choice="auto",
        )
        heard = _Heard(self._vocabulary())
        async with aclosing(_generator(self._provider.stream(told))) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    results = [result.text for message in request.messages for result in message.tool_results]
                    reply = heard.understood(part, results, request)
                    for delta in heard.left:
                        yield delta
                    yield reply
                elif isinstance(part, TextDelta | ThinkingDelta):
                    for delta in heard.add(part):
                        yield delta
                else:
                    if isinstance(part, StatusDelta) and part.kind == "retry":
                        heard = _Heard(self._vocabulary())
                    yield part

    def _vocabulary(self) -> Any:
        if self._words is None:
            self._words = import_module(_DIALECTS + "vocabulary").Vocabulary(self._toolbox)
        return self._words


def tools_in_words(tools: Sequence[ToolSpec]) -> Part:
    """What is added to the system prompt for a model without native tools."""
    part: Part = import_module(_DIALECTS + "writing").format_part(tools)
    return part


class _Heard:
    """A reply in text mode as it comes: what is shown of it while it grows, and what it means in the end."""

    def __init__(self, words: Any) -> None:
        self._words = words
        self._growing = import_module(_DIALECTS + "growing").Growing
        self._texts: dict[int, Any] = {}
        self._places: dict[tuple[int, str], int] = {}
        self.left: list[Delta] = []
        """What of an understood reply was not shown yet."""

    def add(self, delta: TextDelta | ThinkingDelta) -> Iterator[Delta]:
        if isinstance(delta, ThinkingDelta):
            yield self._shown(delta.index, "native", delta.text)
            return
        if delta.index not in self._texts:
            self._texts[delta.index] = self._growing(self._words)
        for kind, text in self._texts[delta.index].add(delta.text):
            yield self._shown(delta.index, kind, text)

    def understood(self, reply: Reply, results: Sequence[str], request: Request) -> Reply:
        """The reply with the calls that its text means."""
        reading, writing = import_module(_DIALECTS + "reading"), import_module(_DIALECTS + "writing")
        blocks: list[Block] = []
        calls: list[ToolCall] = []
        fault = ""
        for index, block in enumerate(reply.message.blocks):
            if not isinstance(block, Text):
                blocks.append(block)
                continue
            found = reading.read(block.text, self._words, whole=reply.stop in _NORMAL, results=results)
            growing = self._texts.get(index) or self._growing(self._words)
            self.left += (self._shown(index, kind, text) for kind, text in growing.rest(found))
            if found.thought:
                blocks.append(Thinking(found.thought))
            if found.shown:
                blocks.append(Text(found.shown))
            calls += (ToolCall(writing.id_for(call.dialect), call.name, call.arguments) for call in found.calls)
            if found.cut is not None:
                calls.append(ToolCall(writing.id_for("hermes"), found.cut or "tool_call", {}, defect="it was cut off"))
            fault = fault or found.fault
        for call in calls:
            place = len(blocks)
            blocks.append(call)
            text = json.encode(call.arguments).decode()
            self.left.append(ToolCallDelta(index=place, id=call.id, name=call.name, text=text))
        return replace(
            reply,
            message=replace(reply.message, blocks=tuple(blocks)),
            stop="tool_calls" if calls and reply.stop in _NORMAL else reply.stop,
            complaint=writing.correction(fault, request.tools) if fault and not calls else "",
        )

    def _shown(self, index: int, kind: str, text: str) -> Delta:
        # Places are given in the order in which the blocks begin to be seen: one that shows nothing has none.
        place = self._places.setdefault((index, kind), len(self._places))
        return TextDelta(text, place) if kind == "text" else ThinkingDelta(text, place)


class _Held:
    """Texts of a native reply as they come, each up to where a copy of a call may begin."""

    def __init__(self) -> None:
        self._pending: dict[int, str] = {}
        self._shown: dict[int, int] = {}
        self._stopped: set[int] = set()

    def add(self, delta: TextDelta) -> TextDelta | None:
        """What may be shown of it now."""
        if delta.index in self._stopped:
            return None
        text = self._pending.get(delta.index, "") + delta.text
        end = len(text)
        if "<" in text or "[" in text:
            found = [place for mark in _MARKS if (place := text.find(mark)) >= 0]
            if found:
                self._stopped.add(delta.index)
            end = min(found) if found else end - _begun(text)
        self._pending[delta.index] = text[end:]
        self._shown[delta.index] = self._shown.get(delta.index, 0) + end
        return TextDelta(text[:end], delta.index) if end else None

    def flushed(self) -> Iterator[TextDelta]:
        """What is pending of texts that came to their end, and is not the beginning of a copy."""
        for index, text in self._pending.items():
            if text and index not in self._stopped:
                self._shown[index] += len(text)
                self._pending[index] = ""
                yield TextDelta(text, index)

    def going_on(self, index: int, text: str, left: str) -> str:
        """What is `left` of a text when its copies are taken out, going on from what was shown of it, spaces and all."""
        shown = text[: self._shown.get(index, 0)]
        begun = shown.rstrip()
        return shown + left[len(begun) :].lstrip() if left.startswith(begun) else left

    def rest(self, texts: Mapping[int, str]) -> Iterator[TextDelta]:
        """What was held back of the texts, as the reply has them in the end."""
        for index, shown in self._shown.items():
            if left := texts.get(index, "")[shown:]:
                yield TextDelta(left, index)


def _begun(text: str) -> int:
    return max((size for mark in _MARKS for size in range(1, len(mark)) if text.endswith(mark[:size])), default=0)


def _generator(parts: AsyncIterator[Delta | Reply]) -> AsyncGenerator[Delta | Reply, None]:
    """The stream of a provider, which in truth is a generator and can be closed."""
    assert isinstance(parts, AsyncGenerator)
    return parts
