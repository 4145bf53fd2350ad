"""Where services are: addresses as people write them, and which service an address belongs to."""

import ipaddress
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from codi.protocol.errors import ConfigError
from codi.providers.presets import Preset
from codi.providers.settings import Api

OLLAMA_PORT = 11434

_PORTS = {1234: "lmstudio", 8080: "llamacpp", 8000: "vllm"}
"""Where local servers of OpenAI's format listen unless told otherwise."""

_ENDS: dict[Api, tuple[str, ...]] = {
    "anthropic": (),  # which tells from the end of the address what is still to be added
    "openai-chat": ("/chat/completions",),
    "openai-responses": ("/responses",),
    "google": ("/v1beta/models", "/v1beta"),
    "ollama": ("/api/chat", "/api", "/v1"),
    "azure": (),  # whose own address may end in any of these
}
"""What people copy along with an address, and the adapter adds itself."""


def ollama_address(text: str) -> str:
    """The base URL that `OLLAMA_HOST` means: a host, host:port, :port or URL. An address to listen on everywhere, such as
    0.0.0.0, is spoken to on this machine. Raises ConfigError for what is none of these."""
    said = text.strip().strip("\"'")
    scheme, has_scheme, rest = said.partition("://")
    if not has_scheme:
        scheme, rest = "http", said
    if scheme not in ("http", "https"):
        raise _no_address(text)
    rest, slash, path = rest.partition("/")
    if rest.count(":") > 1 and not rest.startswith("["):  # an IPv6 address without its brackets has no port
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port
    except ValueError as error:
        raise _no_address(text) from error
    host = parts.hostname or "127.0.0.1"
    if any(sign in host for sign in " \t@?#"):
        raise _no_address(text)
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    if port is None:
        # With a scheme the usual port of the scheme is meant, as Ollama's own client reads it.
        port = {"http": 80, "https": 443}[scheme] if has_scheme and not _is_loopback(host) else OLLAMA_PORT
    shown = f"[{host}]" if ":" in host else host
    usual = (scheme, port) in (("http", 80), ("https", 443))
    base = f"{scheme}://{shown}" + ("" if usual else f":{port}")
    return base + (slash + path if path.strip("/") else "").rstrip("/")


def detect(base_url: str, known: Mapping[str, Preset], *, answers: Callable[[str], bool] | None = None) -> str:
    """The service behind an address, by its host, its port, or the end of its path; `openai-chat` for an unknown one.
    `answers` is asked whether `GET url` is served where only a port speaks for a local server."""
    parts = urlsplit(with_scheme(base_url))
    host = (parts.hostname or "").lower()
    labels = host.split(".")
    if host == "api.anthropic.com":
        return "anthropic"
    if host.endswith((".openai.azure.com", ".services.ai.azure.com")):
        return "azure"
    if host.endswith("googleapis.com") and any("generativelanguage" in x or "aiplatform" in x for x in labels):
        return "google"
    for name, preset in known.items():
        own = urlsplit(preset.base_url).hostname if not preset.local else None
        if host and (host == own or host in preset.hosts):
            return name
    port = _port(parts.netloc)
    if port == OLLAMA_PORT:
        return "ollama"
    if parts.path.rstrip("/").endswith("/messages"):
        return "anthropic"
    if port in _PORTS and (answers is None or answers(f"{parts.scheme}://{parts.netloc}/v1/models")):
        return _PORTS[port]
    return "openai-chat"


def base_for(api: Api, service: str, address: str) -> str:
    """The address as the adapter of that wire format wants it: with a scheme, without what it adds itself."""
    if service == "ollama":
        address = ollama_address(address)
    base = with_scheme(address.strip()).rstrip("/")
    for end in _ENDS[api]:
        if base.endswith(end):
            base = base[: -len(end)].rstrip("/")
            break
    if service in _PORTS.values() and not urlsplit(base).path:
        base += "/v1"
    return base


def with_scheme(address: str) -> str:
    """The address as a URL: machines without a dot or with an address of this network are not spoken to by TLS."""
    if "://" in address:
        return address
    host = urlsplit(f"//{address}").hostname or ""
    return ("https://" if "." in host and not is_near(f"http://{host}") else "http://") + address


def is_near(url: str) -> bool:
    """Whether a URL leads to this machine or its own network."""
    host = urlsplit(url).hostname or ""
    if "." not in host and ":" not in host:
        return True
    if host.endswith((".localhost", ".local", ".internal", ".lan")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_link_local


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # such as 127.example.org, which is anywhere


def _port(netloc: str) -> int | None:
    _, _, port = netloc.rpartition(":")
    return int(port) if port.isdecimal() else None


def _no_address(text: str) -> ConfigError:
    return ConfigError(
        f"OLLAMA_HOST is no address: {text!r}", hint="Set it to a host, host:port or URL, such as 127.0.0.1:11434."
    )
