"""The answer to `GET /models`: which models a service serves, and what it tells of them.

OpenAI tells the ids alone; many servers add how long a conversation may be, each under a name of its own.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from codi.protocol.errors import MalformedAnswer
from codi.providers.provider import ModelEntry


class _Upstream(Struct):
    context_length: int | None = None
    max_completion_tokens: int | None = None


class _Listed(Struct):
    id: str
    name: str | None = None
    context_length: int | None = None  # OpenRouter, Together, Fireworks
    max_model_len: int | None = None  # vLLM
    context_window: int | None = None  # Groq
    max_context_length: int | None = None  # Mistral, LM Studio
    loaded_context_length: int | None = None  # LM Studio, as it was loaded
    max_completion_tokens: int | None = None  # Groq
    top_provider: _Upstream | None = None  # OpenRouter


class _Listing(Struct):
    data: list[_Listed]


class _Generation(Struct):
    n_ctx: int | None = None


class _Told(Struct):
    data: list[_Listed] = []
    default_generation_settings: _Generation | None = None  # llama.cpp


_decode_told = msgspec.json.Decoder(_Told, strict=False).decode
_decode = msgspec.json.Decoder(_Listing | list[_Listed], strict=False).decode  # Together sends the bare list


def entries_of(body: bytes, service: str) -> list[ModelEntry]:
    """The models in the order of the service. A window that is not told is assumed."""
    try:
        listing = _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedAnswer(
            f"{service} answered something that is no list of models: {error}",
            hint="Check the base URL; most end in /v1.",
        ) from error
    return [_entry(listed, service) for listed in (listing.data if isinstance(listing, _Listing) else listing)]


def window_in(body: bytes, model: str) -> int | None:
    """What a local server says of a model's window: in a list of models, where one that is alone in it is meant by any name, or in
    the properties that llama.cpp tells of itself. None where nothing is said."""
    try:
        told = _decode_told(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if told.default_generation_settings:
        return told.default_generation_settings.n_ctx
    listed = [each for each in told.data if each.id == model] or (told.data if len(told.data) == 1 else [])
    return (listed[0].loaded_context_length or _window(listed[0])) if listed else None


def _window(listed: _Listed) -> int | None:
    return listed.context_length or listed.max_model_len or listed.context_window or listed.max_context_length


def _entry(listed: _Listed, service: str) -> ModelEntry:
    upstream = listed.top_provider or _Upstream()
    window = _window(listed) or upstream.context_length
    max_output = listed.max_completion_tokens or upstream.max_completion_tokens
    entry = ModelEntry(id=listed.id, service=service, name=listed.name or "", assumed=not window)
    if window:
        entry = replace(entry, window=window)
    return replace(entry, max_output=max_output) if max_output else entry
