"""What one side said: text, thinking, images, tool calls and the results of calls.

There are two roles and they alternate; results travel back in a user message. The blocks are
their own wire format: encoded with msgspec they read as the blocks of a version 3 session file.
"""

from typing import Any, Literal

from msgspec import Struct, field

Level = Literal["off", "minimal", "low", "medium", "high", "xhigh"]
"""How long the model may think before it answers."""


class Text(Struct, frozen=True, tag="text", tag_field="type", omit_defaults=True):
    text: str
    signature: str | None = field(default=None, name="textSignature")


class Thinking(Struct, frozen=True, tag="thinking", tag_field="type", omit_defaults=True):
    """Thought before the answer. `signature` is the service's seal: it goes back unchanged to the model that
    set it, and never to another. A `redacted` block has no text; all of it is in the seal."""

    text: str = field(name="thinking")
    signature: str | None = field(default=None, name="thinkingSignature")
    redacted: bool = False


class Image(Struct, frozen=True, tag="image", tag_field="type"):
    """`data` is base64; the media type is that of the bytes, not of a file's name."""

    data: str
    media_type: str = field(name="mimeType")


class ToolCall(Struct, frozen=True, tag="toolCall", tag_field="type", omit_defaults=True):
    id: str
    name: str
    arguments: dict[str, Any]
    signature: str | None = field(default=None, name="thoughtSignature")
    defect: str | None = None
    """Why the call must not run: its argument text was no complete JSON object. None for a sound call."""


class ToolResult(Struct, frozen=True, tag="toolResult", tag_field="type", omit_defaults=True):
    """The answer to one call. `details` is for frontends and never sent to a model."""

    call_id: str = field(name="toolCallId")
    content: tuple[Text | Image, ...]
    is_error: bool = field(default=False, name="isError")
    tool: str = field(default="", name="toolName")
    details: dict[str, Any] | None = None
    duration_ms: int | None = field(default=None, name="durationMs")

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.content if isinstance(block, Text))


Block = Text | Thinking | Image | ToolCall | ToolResult


class Origin(Struct, frozen=True):
    """The model that wrote a message, and through which wire format."""

    api: str
    provider: str
    model: str


class Message(Struct, frozen=True):
    """One side's contribution. `origin` is known for what a model wrote, and None for all else."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]
    origin: Origin | None = None

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks if isinstance(block, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))

    @property
    def tool_results(self) -> tuple[ToolResult, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolResult))


class Cost(Struct, frozen=True, rename="camel"):
    """US dollars."""

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0

    @property
    def total(self) -> float:
        return self.input + self.output + self.cache_read + self.cache_write


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one request. `input` excludes what came from the cache; `cache_write_1h` is a part of `cache_write`,
    `thinking` a part of `output`. `cost` is None while the price is unknown: unknown is never 0."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    thinking: int = 0
    estimated: bool = False
    cost: Cost | None = None

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


def user(text: str, *images: Image) -> Message:
    """A message of the person."""
    return Message("user", (Text(text), *images))


def result(call: ToolCall, text: str, *, is_error: bool = False) -> ToolResult:
    """A result that is one text."""
    return ToolResult(call.id, (Text(text),), is_error=is_error, tool=call.name)
