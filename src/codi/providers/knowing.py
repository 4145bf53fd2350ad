"""What is known of a provider's model, as exactly as it can be."""

from collections.abc import Awaitable, Callable

from codi.providers.provider import ModelEntry, Provider


async def known_model(provider: Provider) -> ModelEntry:
    """The provider's model as exactly as it can be known: a local server is asked for the window that is only assumed."""
    ask: Callable[[], Awaitable[ModelEntry]] | None = getattr(provider, "ask", None)
    return await ask() if ask else provider.model
