"""Nobody thinks: for a host that only runs tools by hand."""

from collections.abc import AsyncIterator, Sequence

from codi.protocol.errors import CredentialError
from codi.protocol.events import Delta
from codi.protocol.messages import Origin
from codi.providers.provider import ModelEntry, Reply, Request


class Nobody:
    """A provider that answers no request."""

    origin = Origin("", "", "")
    model = ModelEntry(id="", service="")

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        raise CredentialError("this conversation has no model", hint="Open one that has: codi -p 'what to do'.")
        yield  # a stream, though it never begins

    async def models(self) -> Sequence[ModelEntry]:
        return ()

    async def count(self, request: Request) -> int | None:
        return None
