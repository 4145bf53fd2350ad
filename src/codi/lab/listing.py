"""What services tell of their models, each in its own words."""

from collections.abc import Callable, Sequence
from typing import Any

from codi.lab.http1 import HttpRequest, plain_of
from codi.lab.prefix_cache import tokens_of

_Listing = Callable[[Sequence[str], int], dict[str, Any]]
_Telling = Callable[[str, int], dict[str, Any]]

_RELEASED = "2026-01-15T00:00:00Z"
_CREATED = 1768435200


def openai(models: Sequence[str], window: int) -> dict[str, Any]:
    return {"object": "list", "data": [openai_model(model, window) for model in models]}


def openai_model(model: str, window: int) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "lab", "context_length": window}


def anthropic(models: Sequence[str], window: int) -> dict[str, Any]:
    entries = [anthropic_model(model, window) for model in models]
    return {"data": entries, "has_more": False, "first_id": models[0], "last_id": models[-1]}


def anthropic_model(model: str, window: int) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model,
        "display_name": model,
        "created_at": _RELEASED,
        "max_input_tokens": window,
        "max_tokens": 64_000,
    }


def google(models: Sequence[str], window: int) -> dict[str, Any]:
    return {"models": [google_model(model, window) for model in models]}


def google_model(model: str, window: int) -> dict[str, Any]:
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": model,
        "inputTokenLimit": window,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }


def ollama_tags(models: Sequence[str]) -> dict[str, Any]:
    details = {
        "format": "gguf",
        "family": "lab",
        "families": ["lab"],
        "parameter_size": "8B",
        "quantization_level": "Q4",
    }
    return {
        "models": [
            {"name": model, "model": model, "modified_at": _RELEASED, "size": 1, "digest": "0" * 64, "details": details}
            for model in models
        ]
    }


def ollama_show(window: int, *, takes_tools: bool) -> dict[str, Any]:
    return {
        "license": "",
        "modelfile": "",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": {"format": "gguf", "family": "lab", "families": ["lab"], "parameter_size": "8B"},
        "model_info": {"general.architecture": "lab", "lab.context_length": window},
        "capabilities": ["completion", *(["tools"] if takes_tools else []), "thinking", "vision"],
        "modified_at": _RELEASED,
    }


def tokenized(request: HttpRequest) -> dict[str, Any] | None:
    """The tokens of a text, as llama.cpp and vLLM tell them of a field each calls by its own name; None for anything else."""
    body = plain_of(request.body)
    if not isinstance(body, dict) or not isinstance(text := body.get("content", body.get("prompt")), str):
        return None
    size = tokens_of(text.encode())
    tokens = list(range(size))
    return {"tokens": tokens} if "content" in body else {"tokens": tokens, "count": size, "max_model_len": 8192}


def llamacpp_props(window: int) -> dict[str, Any]:
    return {"default_generation_settings": {"n_ctx": window, "params": {}}, "total_slots": 1, "chat_template": ""}


def answer_to(
    request: HttpRequest, models: Sequence[str], window: int, *, takes_tools: bool = True
) -> dict[str, Any] | None:
    """What a request other than a question to the model is told; None if there is no such thing."""
    path = request.path.rstrip("/")
    if request.method == "POST" and path.endswith("/tokenize"):
        return tokenized(request)
    if request.method == "POST":
        return ollama_show(window, takes_tools=takes_tools) if path.endswith("/api/show") else None
    if request.method not in ("GET", "HEAD"):
        return None
    if path.endswith("/api/tags"):
        return ollama_tags(models)
    if path == "/props":
        return llamacpp_props(window)
    if path.endswith("/api/version"):
        return {"version": "0.14.0"}
    listed, _, model = path.rpartition("/models")
    if not listed and not path.startswith("/models"):
        return None
    told_as = _listings(request)
    return told_as[1](model[1:], window) if model else told_as[0](models, window)


def _listings(request: HttpRequest) -> tuple[_Listing, _Telling]:
    if "/v1beta" in request.path or "x-goog-api-key" in request.headers:
        return google, google_model
    if "anthropic-version" in request.headers:
        return anthropic, anthropic_model
    return openai, openai_model
