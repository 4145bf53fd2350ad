"""How many tokens something is, before a service has told: by its characters, and by what kind of text they are.

A model's own count is always better; this one is never 0, and every part of a request counts.
"""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from msgspec import DecodeError, json

from codi.protocol.messages import Block, Image, Message, Text, Thinking, ToolCall, ToolResult
from codi.protocol.tooling import ToolSpec

PROSE, CODE, JSON = 4.0, 3.0, 3.5
"""Characters a token, by kind of text."""

MESSAGE, TOOL = 4, 10
"""Tokens around each message, and around each tool's schema."""

IMAGE = 1200
"""Of an image whose size cannot be read."""

FRAMES: dict[str, tuple[int, int]] = {"anthropic-messages": (346, 28)}
"""Tokens that a service itself adds where there are tools, and where the model is to think, by the name of its format.
(Source: Anthropic's table of system prompts for tool use; the other as replies tell it.)"""

_PIXELS_A_TOKEN = 750
_MARKS = re.compile(r"[{}()\[\];=<>_/\\|&*+#$@\"'`:,.]")
_SAMPLE = 2000
_CODE_SHARE = 0.085


def tokens_of(text: str) -> int:
    """Rounded up. Of Chinese, Japanese and Korean each character is a token."""
    if not text:
        return 0
    length = len(text)
    if text.isascii():
        return -int(-length // _characters_a_token(text))
    wide = len(_wide().findall(text))
    rest = length - wide
    return wide + (-int(-rest // _characters_a_token(text)) if rest else 0)


@cache
def _wide() -> re.Pattern[str]:
    """Chinese, Japanese and Korean. Made when a text first needs it, for it takes longer than all else here."""
    return re.compile(
        "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
    )


def _characters_a_token(text: str) -> float:
    if len(text) < 16:
        return PROSE
    start = text[:_SAMPLE]
    if start[0] in "{[" and text.rstrip()[-1:] in ("}", "]") and _is_json(text):
        return JSON
    return CODE if len(_MARKS.findall(start)) > _CODE_SHARE * len(start) else PROSE


def _is_json(text: str) -> bool:
    if len(text) > _SAMPLE:
        return '":' in text[:_SAMPLE] or text[1:2] in '{["'
    try:
        json.decode(text)
    except (DecodeError, RecursionError):
        return False
    return True


def json_tokens(value: Any) -> int:
    return -int(-len(json.encode(value)) // JSON)


def image_tokens(image: Image) -> int:
    """By its size in pixels."""
    if size := pixels_of(image):
        return max(1, -(-size[0] * size[1] // _PIXELS_A_TOKEN))
    return IMAGE


def pixels_of(image: Image) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, JPEG or WebP, read from its first bytes."""
    try:
        head = a2b_base64(image.data[: 4 * (len(image.data[:65536]) // 4)])
    except (NotBase64, ValueError):
        return None
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head[8:15] == b"WEBPVP8" and len(head) >= 30:
        if head[15:16] == b"X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        if head[15:16] == b" ":
            return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return _jpeg_pixels(head) if head.startswith(b"\xff\xd8") else None


def _jpeg_pixels(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None


def framing(api: str, *, tools: bool, thinking: bool) -> int:
    """What the service of this format adds to a request by itself."""
    of_tools, of_thinking = FRAMES.get(api, (0, 0))
    return of_tools * tools + of_thinking * thinking


class Counter:
    """Each block is counted once: it never changes, and is known again by being the same object. By a model's `tokenizer`, else by
    estimate."""

    def __init__(self, tokenizer: Callable[[str], int] | None = None) -> None:
        self._known: dict[int, tuple[object, int]] = {}
        self._tokenizer = tokenizer

    def block(self, block: Block) -> int:
        known = self._known.get(id(block))
        if known is None:
            # Held on to, so that no other block can come to have its identity.
            known = self._known[id(block)] = (block, self._block(block))
        return known[1]

    def message(self, message: Message) -> int:
        known = self._known
        total = MESSAGE
        for block in message.blocks:
            entry = known.get(id(block))
            total += entry[1] if entry is not None else self.block(block)
        return total

    def messages(self, messages: Iterable[Message]) -> int:
        return sum(map(self.message, messages))

    def system(self, system: Sequence[str], tools: Sequence[ToolSpec]) -> int:
        return self.texts(system) + self.tools(tools)

    def texts(self, texts: Sequence[str]) -> int:
        return sum(self._of(text, self._text) for text in texts)

    def tools(self, tools: Sequence[ToolSpec]) -> int:
        return sum(self._of(tool, self._tool) for tool in tools)

    def _block(self, block: Block) -> int:
        match block:
            case Text(text=text):
                return self._text(text)
            case Thinking(text=text):
                return self._text(text) or 1
            case Image():
                return image_tokens(block)
            case ToolCall(name=name, arguments=arguments):
                return self._text(name) + self._json(arguments)
            case ToolResult(content=content):
                return sum(map(self._block, content)) or 1

    def _tool(self, tool: ToolSpec) -> int:
        return self._json(tool) + TOOL

    def _text(self, text: str) -> int:
        return self._tokenizer(text) if self._tokenizer else tokens_of(text)

    def _json(self, value: Any) -> int:
        return self._tokenizer(json.encode(value).decode()) if self._tokenizer else json_tokens(value)

    def _of(self, thing: Any, count: Any) -> int:
        known = self._known.get(id(thing))
        if known is None:
            known = self._known[id(thing)] = (thing, count(thing))
        return known[1]
