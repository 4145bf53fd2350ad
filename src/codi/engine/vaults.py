"""The vault of a session, with all that this start knows to be secret."""

import os
from collections.abc import Iterable, Mapping

from codi.agent.record import VAULT
from codi.credentials.detectors import Detectors
from codi.credentials.fingerprints import Fingerprints
from codi.credentials.settings import SecretsSettings
from codi.credentials.sources import DotEnv, secrets_in
from codi.credentials.vault import Vault
from codi.engine.places import Places, codi_home
from codi.engine.settings import Settings
from codi.protocol.errors import CodiError
from codi.protocol.events import Entry, Noted


def vault_for(places: Places, settings: Settings, env: Mapping[str, str], entries: Iterable[Entry]) -> Vault | None:
    """None where it is switched off. Raises ConfigError for detectors that make no sense."""
    said = settings.secrets
    if said.vault == "off":
        return None
    return _with_all_known(_vault(places, said, env, veils=said.vault == "on"), settings, entries)


def vault_that_veils(places: Places, settings: Settings, env: Mapping[str, str], entries: Iterable[Entry]) -> Vault:
    """The same whatever is switched off: for what leaves this machine."""
    return _with_all_known(_vault(places, settings.secrets, env, veils=True), settings, entries)


def _with_all_known(vault: Vault, settings: Settings, entries: Iterable[Entry]) -> Vault:
    said = settings.secrets
    given = [settings.shell.env, *(service.headers or {} for service in settings.providers.values())]
    for variables in given:
        for name, value in secrets_in(variables, said.names):
            vault.know(name, value)
    for entry in entries:
        if isinstance(entry.fact, Noted) and entry.fact.plugin == VAULT and isinstance(entry.fact.data, dict):
            vault.remember(entry.fact.data)
    return vault


def without_secrets(text: str) -> str:
    """A text of a start that failed, for a log or a screen: of no session, and whatever the settings say."""
    try:
        places = Places.at()
    except CodiError:  # perhaps that is why it failed
        places = Places("/", "/", codi_home())
    return _vault(places, SecretsSettings(), os.environ, veils=True).veil(text)


def _vault(places: Places, said: SecretsSettings, env: Mapping[str, str], *, veils: bool) -> Vault:
    files = DotEnv((places.cwd, places.root), said.names)
    digest = Fingerprints(os.path.join(places.home, "vault.key")).of
    vault = Vault(Detectors(said.detectors), digest, news=files.news, veils=veils)
    for name, value in secrets_in(dict(sorted(env.items())), said.names):
        vault.know(name, value)
    vault.look_around()
    return vault
