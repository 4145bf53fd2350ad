"""Reaching the web for a model, and nothing that is not public.

A page may name any address, and a name may lead anywhere, also to somewhere else the next moment. So a name is resolved
once, all its addresses are looked at, and the connection is made to one of those that were looked at. Proxies of the environment
are not used: they would resolve the name anew.
"""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from socket import gaierror

import httpx2
from anyio import getaddrinfo

from codi.protocol.network import Errand
from codi.wire.counted import count_transport
from codi.workspace.addresses import is_public
from codi.workspace.endpoints import NoEndpoint, endpoint_of
from codi.workspace.workspace import Fetched, Unreachable

_CONNECT_S = 10.0
_AGENT = "Mozilla/5.0 (compatible; codi)"


_NO_ERRAND = Errand("web", "the model")


async def fetch(
    url: str,
    *,
    headers: Mapping[str, str],
    most_bytes: int,
    allow_private: Sequence[str] = (),
    errand: Errand = _NO_ERRAND,
) -> Fetched:
    """One GET, and who keeps account of the errand is told of each connection. Raises Unreachable."""
    try:
        host, port = endpoint_of(url)
    except NoEndpoint as error:
        raise Unreachable(str(error)) from error
    try:
        addresses = await checked_addresses(host, port, allow_private)
    except Unreachable as refusal:
        errand.refused(host, port, str(refusal))
        raise
    failure: Exception | None = None
    for address in addresses:
        try:
            return await _got(url, host, address, headers, most_bytes, errand)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            failure = error
        except httpx2.InvalidURL as error:
            raise Unreachable(f"{url} is no valid URL: {error}") from error
        except httpx2.HTTPError as error:
            raise Unreachable(f"{host} gave no answer: {_reason(error)}") from error
    raise Unreachable(f"{host} cannot be reached: {_reason(failure)}") from failure


async def checked_addresses(host: str, port: int, allow_private: Sequence[str]) -> list[str]:
    """All addresses of a host. Raises Unreachable when one of them is not public, unless its host is allowed all the same."""
    try:
        found = await getaddrinfo(host, port, type=1)
    except (gaierror, UnicodeError) as error:
        raise Unreachable(f"{host} has no address: {_reason(error)}") from error
    addresses = list(dict.fromkeys(str(place[0]) for _, _, _, _, place in found))
    if host in allow_private or f"{host}:{port}" in allow_private:
        return addresses
    for address in addresses:
        if not is_public(address):
            raise Unreachable(
                f"Refused: {host} is at {address}, which is no public address. The person can allow a host of their own with "
                "the setting web.allow_private."
            )
    return addresses


async def _got(
    url: str, host: str, address: str, headers: Mapping[str, str], most_bytes: int, errand: Errand
) -> Fetched:
    given = {"user-agent": _AGENT, "accept": "text/html,application/json,text/*;q=0.9,*/*;q=0.5", **headers}
    async with httpx2.AsyncClient(
        transport=_Transport(host, address, errand), timeout=httpx2.Timeout(None, connect=_CONNECT_S), trust_env=False
    ) as client:
        async with client.stream("GET", url, headers=given, follow_redirects=False) as response:
            body, is_cut = await _read(response.aiter_bytes(), most_bytes)
            said = response.headers.get("content-length", "")
            return Fetched(
                url=url,
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=body,
                is_cut=is_cut,
                size=int(said) if said.isdecimal() else None,
            )


async def _read(chunks: AsyncIterator[bytes], most_bytes: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > most_bytes:
            return bytes(body[:most_bytes]), True
    return bytes(body), False


class _Transport(httpx2.AsyncBaseTransport):
    """Leads every request to one address, whatever the name resolves to by now. The certificate is still the name's."""

    def __init__(self, host: str, address: str, errand: Errand) -> None:
        self._host = host
        self._address = address
        inner = httpx2.AsyncHTTPTransport(verify=_certificates(), trust_env=False)
        self._inner = count_transport(inner, errand, host=host)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        request.url = request.url.copy_with(host=self._address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _certificates() -> ssl.SSLContext:
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise Unreachable(
            f"The certificates cannot be read: {error}. SSL_CERT_FILE or SSL_CERT_DIR are wrong."
        ) from error


def _reason(error: Exception | None) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "it took too long"
    return str(error) or type(error).__name__
