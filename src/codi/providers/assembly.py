"""From a choice to a provider that can be asked.

The adapters are named, not imported: the HTTP library behind them costs more than all that is needed to print a version.
"""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, Protocol

import msgspec

from codi.protocol.errors import ConfigError
from codi.protocol.messages import Origin
from codi.protocol.network import Hear, nobody
from codi.providers.choice import Choice
from codi.providers.deferred import Deferred
from codi.providers.provider import Credential, ModelEntry, Provider
from codi.providers.settings import Api
from codi.providers.timeouts import USUAL, Timeouts

ADAPTERS: dict[Api, str] = {
    "anthropic": "codi.providers.anthropic:Anthropic",
    "openai-chat": "codi.providers.openai_chat:OpenAIChat",
    "openai-responses": "codi.providers.openai_responses:OpenAIResponses",
    "google": "codi.providers.google:Google",
    "ollama": "codi.providers.ollama:Ollama",
    "azure": "codi.providers.azure:Azure",
}


ORIGINS: dict[str, str] = {
    "anthropic": "anthropic-messages",
    "openai-chat": "openai-completions",
    "openai-responses": "openai-responses",
    "google": "google-generative-ai",
}
"""How a format is named in a session; which one Azure speaks depends on the address."""


class Line(Protocol):
    """An open line to a service: connections that are kept."""

    async def aclose(self) -> None: ...


class Connections:
    """The transports of one run, one for each address: models of one service share their connections, and a model that is
    left and chosen again finds them open. `offline` ones lead nowhere but to this machine. All of them share one
    `tape`; `hear` is told of each connection."""

    def __init__(self, *, offline: bool = False, record: str = "", replay: str = "", hear: Hear = nobody) -> None:
        self._offline = offline
        self._hear = hear
        self._tape: Any = None
        if record or replay:
            tapes = import_module("codi.providers.tape")
            self._tape = tapes.Recording(record) if record else tapes.Replay(replay)
        self._opened: dict[Any, Any] = {}

    def to(self, base_url: str, service: str, timeouts: Timeouts, headers: Mapping[str, str]) -> Any:
        """The transport to an address, made when it is first asked for."""
        address = (base_url, service, timeouts, tuple(sorted(headers.items())))
        if address not in self._opened:
            transport = import_module("codi.providers.transport")
            self._opened[address] = transport.Transport(
                base_url,
                service=service,
                timeouts=timeouts,
                headers=headers,
                offline=self._offline,
                tape=self._tape,
                hear=self._hear,
            )
        return self._opened[address]

    async def __aenter__(self) -> "Connections":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close them all."""
        for transport in self._opened.values():
            await transport.aclose()


def timeouts_for(service: str, table: Mapping[str, float]) -> Timeouts:
    """The usual ones with what a person set: seconds by the names of `Timeouts`. Raises ConfigError for other names."""
    timeouts: Timeouts = _settings(Timeouts, table, f"providers.{service}.timeouts")
    return timeouts


def provider_for(
    choice: Choice,
    entry: ModelEntry,
    credential: Credential,
    connections: Connections,
    *,
    timeouts: Timeouts = USUAL,
    handoff: Literal["text", "drop"] = "text",
) -> Provider:
    """The adapter of the choice's wire format, at its address, made when it is first asked. `handoff` says what becomes of another
    model's thinking. Raises ConfigError for settings that the format does not know."""
    if choice.api == "scripted":
        scripted: Provider = import_module("codi.providers.scripted").scripted(choice.model_id)
        return scripted
    base_url = choice.base_url
    extra: dict[str, Any] = {"handoff": handoff}
    if choice.api == "openai-chat":
        extra["compat"] = _compat(choice)
    elif choice.api == "azure":
        azure = import_module("codi.providers.azure")
        address = azure.azure_address({**choice.variables, "AZURE_OPENAI_BASE_URL": base_url}, entry.id)
        base_url, extra["address"] = address.base_url, address
    module, _, name = ADAPTERS[choice.api].partition(":")

    def made() -> Provider:
        line = connections.to(base_url, choice.service, timeouts, choice.headers)
        provider: Provider = getattr(import_module(module), name)(entry, credential, line, **extra)
        return provider

    asks = "compat" in extra and extra["compat"].tells_window is not None
    if (
        choice.api not in ORIGINS or asks
    ):  # Azure's address says which it is, and local servers are asked for their model at once
        return made()
    return Deferred(Origin(ORIGINS[choice.api], entry.service, entry.id), entry, made)


def load_http() -> None:
    """What the first request needs anyway, where there is time for it before."""
    import_module("codi.providers.transport")


def _compat(choice: Choice) -> Any:
    kind = import_module("codi.providers.openai_compat").Compat
    usual = kind.of_openai() if choice.base_url.startswith("https://api.openai.com/") else kind()
    said = _settings(kind, choice.compat, f"providers.{choice.service}.compat")
    return msgspec.structs.replace(usual, **{name: getattr(said, name) for name in choice.compat})


def _settings(kind: Any, table: Mapping[str, Any], where: str) -> Any:
    known = kind.__struct_fields__
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise ConfigError(
                f"{where}.{key}: unknown key - did you mean {near[0]}?", hint=f"Known are {', '.join(known)}."
            )
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", hint="Correct the value.") from error
