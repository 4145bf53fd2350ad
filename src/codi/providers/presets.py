"""The services that codi knows by name, and those that a person adds under `[providers.NAME]`.

A preset is data: everything that a service does differently stands in its row, before it is code.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct

from codi.protocol.errors import ConfigError, UsageError
from codi.providers.settings import Api, ServiceSettings
from codi.providers.shipped import shipped

SERVICE_OF: dict[str, str] = {
    "anthropic": "anthropic",
    "openai-chat": "openai",
    "openai-responses": "openai",
    "google": "google",
    "ollama": "ollama",
    "azure": "azure",
}
"""The service that is meant when a wire format is named in its place."""

_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")


class Preset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service. `keys` are the variables that may hold its key, the first set one counts; `url_variables` and
    `<NAME>_BASE_URL` say where else it is; `hosts` are further host names by which its addresses are known."""

    name: str = ""
    api: Api = "openai-chat"
    base_url: str = ""
    keys: tuple[str, ...] = ()
    key_optional: bool = False
    key_command: str = msgspec.field(default="", name="key_cmd")
    local: bool = False
    model: str = ""
    models: tuple[str, ...] = ()
    url_variables: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    compat: dict[str, Any] = {}
    compat_by_vendor: dict[str, dict[str, Any]] = {}
    """Further switches for the models of one vendor, where ids are `vendor/name`."""

    @property
    def needs_key(self) -> bool:
        return bool(self.keys or self.key_command) and not self.key_optional

    def compat_for(self, model: str) -> dict[str, Any]:
        return {**self.compat_by_vendor.get(model.partition("/")[0], {}), **self.compat}

    def key_variable(self, env: Mapping[str, str]) -> str | None:
        """The variable that holds the key, or None where none is set."""
        return next((name for name in self.keys if env.get(name)), None)

    def rerouted(self, env: Mapping[str, str]) -> str:
        """The address that the environment names in place of the preset's own; empty where it names none."""
        names = (*self.url_variables, f"{self.name.upper().replace('-', '_')}_BASE_URL")
        return next((env[name].strip() for name in names if env.get(name, "").strip()), "")

    def is_led_elsewhere(self, env: Mapping[str, str]) -> bool:
        """Whether the environment leads away from an address that the service has of its own."""
        return bool(self.rerouted(env)) and "{" not in self.base_url

    def address(self, env: Mapping[str, str]) -> str:
        """Where the service is. Raises ConfigError, naming the variable, where the address needs one that is not set."""
        if named := self.rerouted(env):
            return named
        missing = [name for name in _VARIABLE.findall(self.base_url) if not env.get(name, "").strip()]
        if missing or not self.base_url:
            wanted = " or ".join(dict.fromkeys((*self.url_variables, *missing))) if self.url_variables else ""
            wanted = wanted or " and ".join(missing) or f"providers.{self.name}.base_url"
            raise ConfigError(
                f"the address of {self.name} needs {wanted}, which is not set",
                hint=f"Set {wanted}, or pass --base-url URL.",
            )
        return _VARIABLE.sub(lambda match: env[match[1]].strip(), self.base_url)


def presets(own: Mapping[str, Any] | None = None) -> dict[str, Preset]:
    """All services, in the order in which their keys are looked for; `own` is the table `[providers]`. Raises ConfigError."""
    known = dict(_shipped())
    for name, row in (own or {}).items():
        said = _said(name, row)
        if said.enabled is False:
            known.pop(name, None)
        else:
            known[name] = _joined(name, said, known.get(name))
    return known


def preset_of(name: str, known: Mapping[str, Preset]) -> Preset:
    """The preset of that name; UsageError with the nearest names where there is none."""
    if name in known:
        return known[name]
    from difflib import get_close_matches  # only for those who mistype

    near = get_close_matches(name, known, n=3, cutoff=0.4)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f'unknown provider "{name}"', hint=f"{meant} Known are: {', '.join(known)}.".strip())


@functools.cache
def _shipped() -> dict[str, Preset]:
    return {name: msgspec.convert({**row, "name": name}, Preset) for name, row in shipped("presets").items()}


def _said(name: str, row: Any) -> ServiceSettings:
    try:
        return msgspec.convert(row, ServiceSettings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"providers.{name}: {error}", hint=_near_key(row)) from error


def _joined(name: str, said: ServiceSettings, preset: Preset | None) -> Preset:
    changes: dict[str, Any] = {
        field: value
        for field in ("api", "headers", "key_cmd", "models")
        if (value := getattr(said, field)) is not msgspec.UNSET
    }
    if "key_cmd" in changes:
        changes["key_command"] = changes.pop("key_cmd")
    if "models" in changes:
        changes["models"] = tuple(changes["models"])
        if changes["models"] and not (preset and preset.model):
            changes["model"] = changes["models"][0]
    if said.key_env is not msgspec.UNSET:
        changes["keys"] = (said.key_env,) if isinstance(said.key_env, str) else tuple(said.key_env)
    if said.compat is not msgspec.UNSET:
        changes["compat"] = {**(preset.compat if preset else {}), **said.compat}
    if said.base_url is not msgspec.UNSET:
        changes["base_url"] = said.base_url
        # Another place than the service's own may well ask for no key; one that was named is needed.
        changes["key_optional"] = said.key_env is msgspec.UNSET
    if preset is None and "base_url" not in changes:
        raise ConfigError(
            f"providers.{name}: base_url is missing",
            hint=f'Add base_url = "https://…" to [providers.{name}], or use the name of a service that codi knows.',
        )
    return msgspec.structs.replace(preset or Preset(name=name), **changes)


def _near_key(row: Any) -> str:
    keys = [field.encode_name for field in msgspec.structs.fields(ServiceSettings)]
    apis = ", ".join(get_args(Api))
    for key in row if isinstance(row, dict) else ():
        if key not in keys:
            from difflib import get_close_matches  # only for those who mistype

            near = get_close_matches(key, keys, n=1, cutoff=0.0)
            return f"{key} is no key of a provider - did you mean {near[0]}?"
    return f"Known keys are {', '.join(keys)}; api is one of {apis}."
