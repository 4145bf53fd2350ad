"""Which model servers run on this machine: all are asked at once, and none is waited for long."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import anyio

from codi.protocol.errors import CodiError
from codi.protocol.network import Hear, nobody
from codi.providers.choice import LocalServer
from codi.providers.ollama_format import names_of
from codi.providers.openai_models import entries_of

PATIENCE_S = 0.25


async def reachable(
    servers: Sequence[tuple[str, str]], *, within_s: float = PATIENCE_S, offline: bool = False, hear: Hear = nobody
) -> list[LocalServer]:
    """Of the servers, given as (service, base URL), those that list their models in time, in the order given. `offline`: only
    servers that really run on this machine are asked."""
    found: dict[int, LocalServer] = {}

    if not servers:
        return []
    # The HTTP library behind it is not needed where nobody is asked. It is loaded before the time runs.
    make = import_module("codi.providers.transport").Transport

    async def ask(at: int, service: str, base_url: str) -> None:
        transport = make(base_url, service=service, offline=offline, hear=hear, purpose="local server")
        try:
            found[at] = LocalServer(service, base_url, await _models(service, transport))
        except CodiError:
            return  # nobody there, or somebody else
        finally:
            with anyio.CancelScope(shield=True):
                await transport.aclose()

    with anyio.move_on_after(within_s):
        async with anyio.create_task_group() as tasks:
            for at, (service, base_url) in enumerate(servers):
                tasks.start_soon(ask, at, service, base_url)
    return [found[at] for at in sorted(found)]


async def _models(service: str, transport: Any) -> tuple[str, ...]:
    if service == "ollama":
        return tuple(names_of(await transport.get("/api/tags", {}), service))
    return tuple(entry.id for entry in entries_of(await transport.get("/models", {}), service))
