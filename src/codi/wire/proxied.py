"""Requests through the proxies that the environment names, by the large HTTP library, which knows all their kinds."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from ssl import SSLContext

import httpx2

from codi.protocol.network import Errand
from codi.wire.counted import count
from codi.wire.direct import Address
from codi.wire.mishaps import CutOff, NotConnected, NotSent, NotUnpacked, ProxyRefused


class ProxiedResponse:
    def __init__(self, response: httpx2.Response) -> None:
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body, unpacked. Raises CutOff and NotUnpacked."""
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except httpx2.DecodingError as error:
            raise NotUnpacked(str(error)) from error
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            raise CutOff(str(error) or type(error).__name__) from error

    async def aclose(self) -> None:
        await self._response.aclose()


class Proxied:
    """As `Direct`. Raises ValueError or ImportError for a proxy that cannot be spoken to."""

    def __init__(self, certificates: SSLContext, errand: Errand, *, connect_s: float, keep_s: float) -> None:
        client = httpx2.AsyncClient(
            verify=certificates,
            timeout=httpx2.Timeout(None, connect=connect_s),
            limits=httpx2.Limits(max_keepalive_connections=20, keepalive_expiry=keep_s),
        )
        self._client = count(client, errand)

    async def send(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> ProxiedResponse:
        """The answer as soon as its head is there. Raises NotSent."""
        request = self._client.build_request(method, address.url, content=body, headers=dict(headers))
        with _told():
            return ProxiedResponse(await self._client.send(request, stream=True))

    async def aclose(self) -> None:
        await self._client.aclose()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except httpx2.ProxyError as error:
        raise ProxyRefused(str(error)) from error
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise NotConnected(str(error), was_late=isinstance(error, httpx2.ConnectTimeout)) from error
    except httpx2.TransportError as error:
        raise NotSent(str(error)) from error
