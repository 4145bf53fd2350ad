"""Who gives out logins: the services whose addresses are public, and those that a person adds."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct, structs

from codi.credentials.settings import IssuerSettings
from codi.protocol.errors import ConfigError, CredentialError

LOOPBACK = ("127.0.0.1", "::1", "localhost")

ALIASES = {"github": "github-models", "copilot": "github-copilot", "gemini": "google", "claude": "anthropic"}
"""What people call a service whose login it is."""


class Issuer(Struct, frozen=True, kw_only=True):
    """The public side of a login. `terms` is what a person should know before it starts. `more` goes with the authorisation
    request; `json_body` says that the token endpoint wants JSON."""

    name: str
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    client_id: str = ""
    client_secret_env: str = ""
    scopes: tuple[str, ...] = ()
    issuer: str = ""
    exchange_url: str = ""
    more: dict[str, str] = {}
    json_body: bool = False
    terms: str = ""

    def is_named(self, issuer: str) -> bool:
        """Whether an answer that names its issuer so is from this one: by the name that was set, else by the address."""
        if self.issuer:
            return issuer == self.issuer
        return _origin(issuer) == _origin(self.authorize_url)


# The identities under which the services' own programs log in are not codi's to use: whoever logs in brings an application of
# their own, registered with the service.
_KNOWN = (
    Issuer(
        name="anthropic",
        authorize_url="https://claude.ai/oauth/authorize",
        token_url="https://console.anthropic.com/v1/oauth/token",
        scopes=("org:create_api_key", "user:profile", "user:inference"),
        more={"code": "true"},
        json_body=True,
        terms="Anthropic's terms do not allow the login of a Claude subscription in programs other than its own; "
        "a key from console.anthropic.com has no such limit.",
    ),
    Issuer(
        name="openai",
        authorize_url="https://auth.openai.com/oauth/authorize",
        token_url="https://auth.openai.com/oauth/token",
        scopes=("openid", "profile", "email", "offline_access"),
        more={"id_token_add_organizations": "true"},
        terms="The login of a ChatGPT account is made for OpenAI's own programs; look at its terms, or use a key from "
        "platform.openai.com.",
    ),
    Issuer(
        name="google",
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        device_url="https://oauth2.googleapis.com/device/code",
        scopes=("https://www.googleapis.com/auth/cloud-platform",),
        # Without them Google gives nothing with which a login could be renewed.
        more={"access_type": "offline", "prompt": "consent"},
    ),
    Issuer(
        name="github-models",
        authorize_url="https://github.com/login/oauth/authorize",
        token_url="https://github.com/login/oauth/access_token",
        device_url="https://github.com/login/device/code",
        scopes=("read:user",),
    ),
    Issuer(
        name="github-copilot",
        authorize_url="https://github.com/login/oauth/authorize",
        token_url="https://github.com/login/oauth/access_token",
        device_url="https://github.com/login/device/code",
        scopes=("read:user",),
        exchange_url="https://api.github.com/copilot_internal/v2/token",
        terms="GitHub's terms name the programs in which Copilot may be used; look whether yours allow another.",
    ),
)


def issuers(own: Mapping[str, IssuerSettings]) -> dict[str, Issuer]:
    """By the name of the service; `own` is the table `[auth.providers]`. Raises ConfigError for an address that is none."""
    known = {issuer.name: issuer for issuer in _KNOWN}
    for name, said in own.items():
        service = ALIASES.get(name, name)
        known[service] = _joined(known.get(service, Issuer(name=service)), said)
    return known


def issuer_of(name: str, known: Mapping[str, Issuer]) -> Issuer:
    """Raises CredentialError where nothing can be logged in to, saying what is missing."""
    issuer = known.get(name)
    instead = f"or keep a key: codi auth login {name} --key-stdin"
    if issuer is None or not issuer.token_url:
        raise CredentialError(
            f"codi knows no login for {name}", hint=f"Describe it under [auth.providers.{name}], {instead}"
        )
    if not issuer.client_id:
        raise CredentialError(
            f"the login to {name} needs a client id: codi has none of its own for it",
            hint=f"Register an application with the service and set auth.providers.{name}.client_id, {instead}",
        )
    return issuer


def is_near(url: str) -> bool:
    """Whether it leads to this machine."""
    return urlsplit(url).hostname in LOOPBACK


def leads_safely(url: str) -> bool:
    """Whether what is sent there can be read by nobody on the way."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _joined(issuer: Issuer, said: IssuerSettings) -> Issuer:
    changes = {name: value for name in IssuerSettings.__struct_fields__ if (value := getattr(said, name))}
    for name, value in changes.items():
        if name.endswith("_url") and not leads_safely(value):
            raise ConfigError(
                f"auth.providers.{issuer.name}.{name}: {value} is no https:// address", hint="Correct it."
            )
    if "token_url" in changes:
        # What the service does differently belongs to its own address.
        issuer = structs.replace(issuer, json_body=False, more={}, terms="")
    return structs.replace(issuer, **changes)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None, None
