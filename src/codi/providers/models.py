"""Models for programs: one line gives a provider that can be asked.

    async with Connections() as connections:
        reply = await complete(anthropic("claude-sonnet-4-5", connections), Request(system=(), messages=[user("Hello")]))

Addresses and keys come from the same variables as codi's own.
"""

import os
from collections.abc import Mapping

from codi.providers.assembly import Connections, provider_for
from codi.providers.catalog import Catalog
from codi.providers.choice import smart_default
from codi.providers.provider import Provider


def from_environment(connections: Connections, model: str = "", *, env: Mapping[str, str] | None = None) -> Provider:
    """The model that `codi` would choose: `model` as `--model` takes it, or what the variables that are set lead to. Raises
    CodiError where there is none. `connections` are the caller's to close."""
    env = os.environ if env is None else env
    choice = smart_default(env, model=model or env.get("CODI_MODEL"), provider=env.get("CODI_PROVIDER"))
    return provider_for(
        choice, Catalog.load().entry(choice.service, choice.model_id), _Key(choice.key_variable, env), connections
    )


def anthropic(model: str, connections: Connections) -> Provider:
    return from_environment(connections, f"anthropic/{model}")


def openai(model: str, connections: Connections) -> Provider:
    return from_environment(connections, f"openai/{model}")


def google(model: str, connections: Connections) -> Provider:
    return from_environment(connections, f"google/{model}")


def ollama(model: str, connections: Connections) -> Provider:
    return from_environment(connections, f"ollama/{model}")


def ollama_at(url: str, model: str, connections: Connections) -> Provider:
    """A model of the Ollama server at an address, in any form that OLLAMA_HOST has."""
    return from_environment(connections, f"ollama/{model}", env={**os.environ, "OLLAMA_HOST": url})


class _Key:
    def __init__(self, variable: str | None, env: Mapping[str, str]) -> None:
        self.source = variable or ""
        self._env = env

    async def secret(self) -> str | None:
        return self._env.get(self.source) or None

    def __repr__(self) -> str:
        return f"_Key({self.source})"
