"""Which host and port an address of the web means, without loading an HTTP library."""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class NoEndpoint(ValueError):
    """`str(error)` says why an address cannot be reached over HTTP."""


def endpoint_of(url: str) -> tuple[str, int]:
    """Host, in lower case and without brackets, and port. Raises NoEndpoint."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NoEndpoint(f"{url} is no valid URL: {error}") from error
    if parts.scheme not in _PORTS:
        raise NoEndpoint(f"{url} is no http or https URL.")
    if not host or any(character <= " " for character in url):
        raise NoEndpoint(f"{url} is no valid URL.")
    if parts.username is not None or parts.password is not None:
        raise NoEndpoint(f"{host}: a URL with a name or password is not fetched.")
    return host.rstrip("."), _PORTS[parts.scheme] if port is None else port
