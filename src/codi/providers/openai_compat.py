"""How a server that speaks OpenAI's chat format differs from OpenAI itself.

Dozens of services speak this format, each with its own gaps. What differs is said here as data, so that a new service
is a line in a preset and not a branch in the code.
"""

from typing import Any, Literal

from msgspec import Struct


class Compat(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The switches of one service or model. The defaults suit a server of which nothing is known: it is sent only what
    practically all of them accept."""

    store: bool = False
    """Send `store: false`, so that the service keeps no copy of the conversation."""
    developer_role: bool = False
    """The instructions of a model that reasons are told by `developer` instead of `system`."""
    reasoning_effort: bool = True
    """Send the thinking level as `reasoning_effort` to a model that reasons."""
    usage_in_stream: bool = True
    """Ask for usage at the end of the stream. A server that refuses is asked again without it."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens", "by_model"] = "max_tokens"
    """`by_model`: max_completion_tokens for models that reason, max_tokens for all others."""
    tool_result_name: bool = False
    """Results carry the name of their tool."""
    assistant_after_tool_result: bool = False
    """A user message may not follow a tool message directly; a short assistant message is put between."""
    thinking_as_text: bool = False
    """The model's own earlier thinking goes back as plain text in `<thinking>` tags."""
    reasoning_replay: bool = False
    """The model's own earlier thinking goes back in the field in which it came."""
    thinking_format: Literal["openai", "openrouter", "deepseek", "zai", "qwen"] = "openai"
    """By which parameter thinking is switched on and off."""
    cache_control_format: Literal["anthropic"] | None = None
    """Mark what the cache should keep as Anthropic does: the instructions, the tools, and the conversation so far."""
    strict: bool = False
    """Tools whose schema allows it are declared strict."""
    temperature_fixed: bool | Literal["thinking"] = False
    """The service sets temperature and top_p itself and refuses to be told: for all models, or for those that reason."""
    prompt_cache_key: bool = False
    """Send the session's id, so that requests of one session meet the same cache."""
    long_cache: bool = False
    """Ask for `prompt_cache_retention: 24h` where the request wants a long cache."""
    parallel_tool_calls: bool = False
    """Say that several calls at once are welcome, where the model can do that."""
    id_format: Literal["openai", "mistral"] = "openai"
    """Which ids of tool calls are legal: up to 40 characters, or exactly 9 letters and digits."""
    stop_limit: int | None = None
    """How many stop sequences are accepted; the first ones are sent."""
    tokenize: Literal["content", "prompt"] | None = None
    """The server counts tokens at `/tokenize`, beside its versioned path, in a field of this name."""
    tells_window: str | None = None
    """The server says how long a conversation may be: at this path beside its versioned one, or, as where this is empty, in its list
    of models. It is asked where that is only assumed."""
    routing: dict[str, Any] | None = None
    """OpenRouter's `provider` object: which of its upstream services may serve the request."""

    @classmethod
    def of_openai(cls) -> "Compat":
        """What api.openai.com itself accepts."""
        return cls(
            store=True,
            developer_role=True,
            max_tokens_field="by_model",
            strict=True,
            temperature_fixed="thinking",
            prompt_cache_key=True,
            long_cache=True,
            parallel_tool_calls=True,
            stop_limit=4,
        )
