"""Which key or login goes to a model: what this start names, the environment, a command, the stores, in this order."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from codi.credentials.copilot import CopilotToken
from codi.credentials.environment import EnvironmentKey
from codi.credentials.kept_key import KeptKey
from codi.credentials.login import Login
from codi.credentials.oauth.issuers import Issuer, issuer_of, issuers
from codi.credentials.passphrase import Ask
from codi.credentials.safe import Safe
from codi.credentials.source import SourceKey
from codi.engine.settings import Settings
from codi.protocol.network import Hear, nobody
from codi.providers.choice import Choice, key_missing
from codi.providers.presets import presets
from codi.providers.provider import Credential

_COPILOT = "github-copilot"


class Logins:
    """`ask` asks the person for the passphrase of the encrypted file; None where nobody can be asked."""

    def __init__(
        self, home: str, settings: Settings, env: Mapping[str, str], ask: Ask | None = None, hear: Hear = nobody
    ) -> None:
        self._safe = Safe(home, env, ask)
        self._settings = settings
        self._env = env
        self._hear = hear

    def services(self) -> list[str]:
        """Those for which something is kept."""
        return self._safe.services()

    def credential(self, choice: Choice, api_key: str | None = None) -> Credential:
        """`api_key` is the source that `--api-key` names. Raises CredentialError where there is none, and one is needed."""
        found = self._found(choice, api_key)
        if choice.service != _COPILOT:
            return found
        issuer = issuers(self._settings.auth.providers)[_COPILOT]
        is_own = issuer.exchange_url == issuers({})[_COPILOT].exchange_url
        if is_own and not is_at_home(choice):
            return found  # GitHub's token is GitHub's; another service has its own
        return CopilotToken(found, issuer.exchange_url, lambda: self._exchange(issuer))

    def _found(self, choice: Choice, api_key: str | None) -> Credential:
        if api_key:
            return SourceKey(api_key)
        if choice.key_variable and self._env.get(choice.key_variable, "").strip():
            return EnvironmentKey(choice.key_variable)
        if choice.key_command:
            return SourceKey(f"!{choice.key_command}")
        label = self._safe.label(choice.service)
        if label is None and choice.key_variable:
            label = self._safe.unlisted(choice.service)
        if label is None:
            if choice.key_variable:
                raise key_missing(choice.service, [choice.key_variable])
            return EnvironmentKey()
        # Whoever is asked is asked now, before a frontend has the terminal.
        kept = self._safe.get(label) if self._safe.must_ask(label) else None
        if label.kind == "key":
            return KeptKey(self._safe, label, kept)
        return Login(self._safe, label, lambda: self._exchange_with(choice.service), kept)

    def _exchange_with(self, service: str) -> Any:
        return self._exchange(issuer_of(service, issuers(self._settings.auth.providers)))

    def _exchange(self, issuer: Issuer) -> Any:
        # Its HTTP library is loaded when a token is renewed, and not with each start.
        exchange = import_module("codi.credentials.oauth.exchange").Exchange
        return exchange(issuer, self._env, offline=self._settings.network.offline, hear=self._hear)


def is_at_home(choice: Choice) -> bool:
    """Whether a service is asked where it is for everybody, and nobody led it elsewhere."""
    own = presets().get(choice.service)
    return own is not None and urlsplit(own.base_url).hostname == urlsplit(choice.base_url).hostname
