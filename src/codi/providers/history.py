"""A conversation as any service accepts it.

A session keeps what happened: crashed calls, empty replies, thinking of another model, pictures for a model that cannot
see. Services want roles that alternate and every call answered. The session is never repaired; it is settled here, where
it is read.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Literal

from codi.protocol.messages import Block, Image, Message, Origin, Text, Thinking, ToolCall, ToolResult
from codi.providers.images import sound

NO_RESULT = "No result: the session was interrupted; the effect of this call is unknown."
NO_IMAGE = "(image omitted: model does not support images)"
NO_FORMAT = "(image omitted: it is no PNG, JPEG, GIF or WebP)"

BEGUN_BEFORE = Message("user", (Text("(The beginning of the conversation is left out.)"),))
"""Stands before a history that begins with the assistant."""

GO_ON = Message("user", (Text("Continue."),))
"""Stands after a history that ends with the assistant, which few services would continue of themselves."""

_ALPHANUMERICS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_LONGEST_NAME = 64
_is_legal_name = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST_NAME}}}").fullmatch
_ILLEGAL_SIGN = re.compile(r"[^A-Za-z0-9_-]")

_log = logging.getLogger(__name__)


def identity(call_id: str) -> str:
    return call_id


def id_form(longest: int, *, shortest: int = 1, punctuation: str = "_-") -> Callable[[str], str]:
    """A `legal_id` for services that want ids of `shortest` to `longest` letters, digits and `punctuation`. A legal id stays as
    it is; any other becomes a digest of itself, so that the same id always becomes the same."""
    legal = re.compile(f"[A-Za-z0-9{re.escape(punctuation)}]{{{shortest},{longest}}}").fullmatch
    length = min(longest, 24)

    def in_form(call_id: str) -> str:
        if legal(call_id):
            return call_id
        number = int.from_bytes(blake2b(call_id.encode("utf-8", "surrogatepass"), digest_size=24).digest())
        digits = []
        for _ in range(length):
            number, digit = divmod(number, len(_ALPHANUMERICS))
            digits.append(_ALPHANUMERICS[digit])
        return "".join(digits)

    return in_form


def legal_name(name: str) -> str:
    """A tool's name as every service accepts it. A model can call what does not exist by any name at all."""
    return name if _is_legal_name(name) else _ILLEGAL_SIGN.sub("_", name)[:_LONGEST_NAME] or "_"


def settled(
    messages: Sequence[Message],
    *,
    origin: Origin,
    vision: bool,
    handoff: Literal["text", "drop"] = "text",
    legal_id: Callable[[str], str] = identity,
    sealed_only: bool = False,
    sealed_texts: bool = True,
) -> list[Message]:
    """The messages for the model `origin`: roles alternate and begin and end with the user, nothing is empty, every call is
    directly answered once in the order of the calls, results stand before what else the user says.

    Thinking and signatures of another model never stay: its thinking becomes text or is dropped by `handoff`. With
    `sealed_only` own thinking without a signature, as a broken reply leaves it, is treated like another model's.
    Without `sealed_texts` the service seals thinking alone, and a text that is nothing but a seal is nothing.
    `legal_id` gives a call id the form that the service wants; two calls of a history never get the same.

    A history of which nothing is left becomes one message that asks to go on; no messages stay none.
    """
    out: list[Message] = []
    ids = _Ids(legal_id)
    for role, blocks, author in _runs(messages, origin, vision, handoff, sealed_only, sealed_texts):
        if role == "assistant":
            _say(out, ids.named(blocks), author)
        else:
            _tell(out, _answered(ids, blocks))
    if ids.open_calls:
        _tell(out, _answered(ids, []))
    if messages and (not out or out[-1].role == "assistant"):
        out.append(GO_ON)
    return out


class _Ids:
    """The calls that wait for their results, and the ids that were given so far."""

    def __init__(self, legal_id: Callable[[str], str]) -> None:
        self._legal_id = legal_id
        self._used: set[str] = set()
        self.open_calls: list[tuple[str, ToolCall]] = []

    def named(self, blocks: list[Block]) -> list[Block]:
        named: list[Block] = []
        for block in blocks:
            if isinstance(block, ToolCall):
                name = legal_name(block.name)
                call = ToolCall(self._free(block.id), name, block.arguments, block.signature, block.defect)
                self.open_calls.append((block.id, call))
                named.append(call)
            else:
                named.append(block)
        return named

    def _free(self, call_id: str) -> str:
        legal = self._legal_id(call_id)
        count = 1
        while legal in self._used:  # the model said the same id twice
            count += 1
            legal = self._legal_id(f"{count}_{call_id}")
        self._used.add(legal)
        return legal


def _runs(
    messages: Sequence[Message],
    origin: Origin,
    vision: bool,
    handoff: Literal["text", "drop"],
    sealed_only: bool,
    sealed_texts: bool,
) -> Iterator[tuple[str, list[Block], Origin | None]]:
    """What is left of the messages, those of one role in a row taken together. What the user said may be nothing: it still
    ends the assistant's run."""
    role, blocks, author = "", list[Block](), None
    for message in messages:
        if message.role == "assistant":
            left = list(_said(message, origin, handoff, sealed_only, sealed_texts))
            if not left:
                continue
        else:
            left = list(_heard(message.blocks, vision))
        if message.role == role:
            blocks += left
            continue
        if role:
            yield role, blocks, author
        role, blocks, author = message.role, left, message.origin
    if role:
        yield role, blocks, author


def _said(
    message: Message, origin: Origin, handoff: Literal["text", "drop"], sealed_only: bool, sealed_texts: bool
) -> Iterator[Block]:
    own = message.origin is origin or message.origin == origin
    for block in message.blocks:
        match block:
            case Text(text, signature):
                if own and signature and sealed_texts:
                    yield block
                elif text and not text.isspace():
                    yield block if signature is None else Text(text)
            case Thinking(text, signature, redacted):
                if own and (signature or (text and not redacted and not sealed_only)):
                    yield block
                elif handoff == "text" and not redacted and text and not text.isspace():
                    yield Text(f"<thinking>{text}</thinking>")
            case ToolCall():
                if own or block.signature is None:
                    yield block
                else:
                    yield ToolCall(block.id, block.name, block.arguments, None, block.defect)
            case Image():
                yield Text(NO_IMAGE)  # no service takes one from its own side


def _heard(blocks: Iterable[Block], vision: bool) -> Iterator[Block]:
    for block in blocks:
        match block:
            case ToolResult():
                yield ToolResult(block.call_id, tuple(_shown(block.content, vision)), block.is_error, block.tool)
            case Text() | Image():
                yield from _shown((block,), vision)


def _shown(blocks: Iterable[Text | Image], vision: bool) -> Iterator[Text | Image]:
    for block in blocks:
        if isinstance(block, Image):
            yield (sound(block) or Text(NO_FORMAT)) if vision else Text(NO_IMAGE)
        elif block.text and not block.text.isspace():
            yield block if block.signature is None else Text(block.text)


def _answered(ids: _Ids, heard: list[Block]) -> list[Block]:
    """One result for each open call, in their order, then what else was said."""
    results: dict[str, list[ToolResult]] = {}
    words: list[Block] = []
    for block in heard:
        if isinstance(block, ToolResult):
            results.setdefault(block.call_id, []).append(block)
        else:
            words.append(block)
    answers: list[Block] = []
    for call_id, call in ids.open_calls:
        if found := results.get(call_id):
            result = found.pop(0)
            answers.append(ToolResult(call.id, result.content, result.is_error, call.name))
        else:
            answers.append(ToolResult(call.id, (Text(NO_RESULT),), True, call.name))
    ids.open_calls.clear()
    for call_id, left in results.items():
        if left:
            _log.debug("dropped %d results for %r, which no call asks for", len(left), call_id)
    return answers + words


def _say(out: list[Message], blocks: list[Block], author: Origin | None) -> None:
    if not out:
        out.append(BEGUN_BEFORE)
    if out[-1].role == "assistant":  # what stood between them was nothing
        before = out.pop()
        out.append(Message("assistant", (*before.blocks, *blocks), before.origin))
    else:
        out.append(Message("assistant", tuple(blocks), author))


def _tell(out: list[Message], blocks: list[Block]) -> None:
    if not blocks:
        return
    if out and out[-1].role == "user":
        out.append(Message("user", (*out.pop().blocks, *blocks)))
    else:
        out.append(Message("user", tuple(blocks)))
