"""What may be spent, by all who spend of one purse: each request is reserved at its worst before it is sent, and settled when
it is known what it took.
"""

from collections.abc import AsyncGenerator, AsyncIterator

from msgspec import Struct

from codi.protocol.errors import LimitReached
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Image, Text, Thinking, ToolCall, ToolResult, Usage
from codi.providers.around import Around
from codi.providers.catalog import cost
from codi.providers.provider import ModelEntry, Provider, Reply, Request

_CHARS_PER_TOKEN = 3
_LIKELY_CHARS = 4
_TOKENS_OF_IMAGE = 1600
_TOKENS_OF_FRAME = 8
_USUAL_OUTPUT = 32_000


class Reserved(Struct):
    cost: float
    tokens: int


class Budget:
    """`max_cost` in US dollars, None for no limit; `unknown` allows models without a price all the same. One budget serves any
    number of conversations at once: nothing is sent that could pass a limit together with all that is under way."""

    def __init__(self, max_cost: float | None = None, max_tokens: int | None = None, *, unknown: bool = False) -> None:
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        self.unknown = unknown
        self.spent = 0.0
        self.tokens = 0
        self.reserved = Reserved(0.0, 0)
        self._told: set[str] = set()

    @property
    def holds(self) -> bool:
        return self.max_cost is not None or self.max_tokens is not None

    def limit(self, max_cost: float | None) -> None:
        """Another limit from now on."""
        self.max_cost = max_cost
        self._told.discard("cost")

    def reserve(self, model: ModelEntry, expected: Usage, tokens: int) -> Reserved:
        """Set aside what a request may cost at worst, and the tokens that it will rather take. Raises LimitReached where not
        enough is left."""
        price = 0.0
        if self.max_cost is not None:
            price = self._price(model, expected)
            if self.spent + self.reserved.cost + price > self.max_cost:
                raise LimitReached(
                    f"Budget reached: ${self.spent:.4f} of ${self.max_cost:.2f} spent; "
                    f"this request could cost ${price:.4f}.",
                    hint="Raise --max-cost.",
                    limit="cost",
                )
        used = self.tokens + self.reserved.tokens
        if self.max_tokens is not None and used + tokens > self.max_tokens:
            raise LimitReached(
                f"Budget reached: {self.tokens} of {self.max_tokens} tokens used; this request could use {tokens}.",
                hint="Raise --max-tokens, or start a new session with less context.",
                limit="tokens",
            )
        aside = Reserved(price, tokens)
        self.reserved.cost += aside.cost
        self.reserved.tokens += aside.tokens
        return aside

    def settle(self, aside: Reserved, model: ModelEntry, usage: Usage) -> None:
        """What was set aside became this. Of a price that is unknown nothing can be counted."""
        self.reserved.cost -= aside.cost
        self.reserved.tokens -= aside.tokens
        self.tokens += usage.total
        paid = cost(usage, model.prices)
        self.spent += paid.total if paid else 0.0

    def warning(self) -> str | None:
        """That most of it is gone, once for each limit."""
        if self.max_cost is not None and self.spent >= 0.8 * self.max_cost and "cost" not in self._told:
            self._told.add("cost")
            return f"${self.spent:.4f} of ${self.max_cost:.2f} spent"
        if self.max_tokens is not None and self.tokens >= 0.8 * self.max_tokens and "tokens" not in self._told:
            self._told.add("tokens")
            return f"{self.tokens} of {self.max_tokens} tokens used"
        return None

    def _price(self, model: ModelEntry, expected: Usage) -> float:
        # At worst all of the input is written to the cache, which some services price above the input itself.
        written = Usage(cache_write=expected.input, cache_write_1h=expected.input, output=expected.output)
        prices = [cost(usage, model.prices) for usage in (expected, written)]
        if prices[0] is None:
            if self.unknown:
                return 0.0
            raise LimitReached(
                "the price of this model is unknown, so a cost limit cannot hold",
                hint="Choose a model with a known price, or say --max-cost-unknown=ok.",
                limit="cost",
            )
        return max(price.total for price in prices if price)


class Budgeted(Around):
    """A provider that asks the budget before each request. What an answer that broke off has taken is estimated."""

    def __init__(self, provider: Provider, budget: Budget) -> None:
        super().__init__(provider)
        self._budget = budget
        self._last = 0

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        expected = self._worst(request) if self._budget.holds else Usage()
        known = self._last or sum(map(len, request.system)) // _LIKELY_CHARS
        aside = self._budget.reserve(self.model, expected, known + expected.output)
        heard, usage, begun = 0, None, False
        parts = self._provider.stream(request)
        try:
            async for part in parts:
                if isinstance(part, Reply):
                    usage = part.usage
                    if request.purpose == "turn":
                        self._last = usage.total
                elif not isinstance(part, StatusDelta):
                    begun = True
                    heard += len(getattr(part, "text", ""))
                yield part
        finally:
            if usage is None:
                usage = Usage(input=expected.input, output=heard // _CHARS_PER_TOKEN) if begun else Usage()
            self._budget.settle(aside, self.model, usage)
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()

    def _worst(self, request: Request) -> Usage:
        """A full answer to what is sent, of which the service has counted a part already."""
        output = request.max_output or min(self.model.max_output, _USUAL_OUTPUT)
        return Usage(input=max(tokens_of(request), self._last), output=output, estimated=True)


def tokens_of(request: Request) -> int:
    """How many tokens a request has, rather too many than too few."""
    chars, frames, images = sum(map(len, request.system)), 0, 0
    for tool in request.tools:
        chars += len(tool.name) + len(tool.description) + len(str(tool.parameters))
        frames += 1
    for message in request.messages:
        for block in message.blocks:
            frames += 1
            match block:
                case Text(text) | Thinking(text):
                    chars += len(text)
                case ToolCall():
                    chars += len(block.name) + len(str(block.arguments))
                case ToolResult():
                    chars += len(block.text)
                    images += sum(isinstance(part, Image) for part in block.content)
                case Image():
                    images += 1
    return chars // _CHARS_PER_TOKEN + frames * _TOKENS_OF_FRAME + images * _TOKENS_OF_IMAGE
