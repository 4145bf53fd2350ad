"""Which model answers: what was asked for, else what the environment offers.

Pure functions over what they are handed. The one look outside, whether a local server answers, is handed in.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from msgspec import Struct

from codi.protocol.errors import CredentialError, NetworkError, NotFound, UsageError
from codi.protocol.messages import Level
from codi.providers.addresses import base_for, detect, is_near
from codi.providers.catalog import Catalog
from codi.providers.presets import SERVICE_OF, Preset, preset_of, presets
from codi.providers.provider import ModelEntry
from codi.providers.settings import Api
from codi.providers.wanted import Wanted

LEVELS: tuple[Level, ...] = get_args(Level)

_AZURE = ("AZURE_OPENAI_API_VERSION", "AZURE_OPENAI_DEPLOYMENT_NAME_MAP")

_WIRES_ONLY = ("openai-chat", "openai-responses")
"""Wire formats whose names are no service's, so that an id that begins with one can mean nothing else."""


class ModelName(Struct, frozen=True):
    """`[service/]id[:thinking]`, taken apart. `service` may name a wire format in its place."""

    service: str | None
    id: str
    thinking: Level | None = None


class LocalServer(Struct, frozen=True):
    """A server on this machine that answered, and the models it has."""

    service: str
    base_url: str
    models: tuple[str, ...]


Probe = Callable[[Sequence[tuple[str, str]]], Sequence[LocalServer]]
"""Asks servers, given as (service, base URL), all at once and for 250 ms; tells of those that answered, in that order."""


class Choice(Struct, frozen=True, kw_only=True):
    """The model that answers and the way to it. `key_variable` names where the key is or should be; None where none is
    needed. The id of the scripted model is its script's path. `warning` is something the person should hear once."""

    service: str
    model_id: str
    api: Api | Literal["scripted"]
    base_url: str
    key_variable: str | None = None
    key_command: str = ""
    reason: str = ""
    thinking: Level | None = None
    headers: dict[str, str] = {}
    compat: dict[str, Any] = {}
    variables: dict[str, str] = {}
    """What else of the environment the adapter reads; only Azure's does."""
    warning: str = ""
    name: str = ""
    """What the model map calls it, where it was named so."""

    @property
    def model(self) -> str:
        return f"{self.service}/{self.model_id}"


def parse_model(text: str, services: Collection[str] | None = None) -> ModelName:
    """Ids may hold slashes and colons: a beginning counts as a service, and an end as a level, only where it is one."""
    known = presets() if services is None else services
    id, thinking = _without_level(text)
    head, slash, tail = id.partition("/")
    if slash and tail and (head.lower() in known or head.lower() in SERVICE_OF):
        return ModelName(head.lower(), tail, thinking)
    return ModelName(None, id, thinking)


def _without_level(text: str) -> tuple[str, Level | None]:
    id = text.strip()
    head, colon, tail = id.rpartition(":")
    if colon and head and tail.lower() in LEVELS:
        return head, cast(Level, tail.lower())
    return id, None


def smart_default(
    env: Mapping[str, str],
    *,
    model: str | None = None,
    provider: str | None = None,
    base_url: str | None = None,
    layers: Sequence[tuple[str, Wanted]] = (),
    known: Mapping[str, Preset] | None = None,
    catalog: Catalog | None = None,
    logins: Collection[str] = (),
    probe: Probe | None = None,
) -> Choice:
    """The model to use: what is named here, then what the layers of the configuration say, the nearest first and each under
    its name, then the first service with a key in `env`, then a local server. `logins` are the services for which a login is
    kept. Raises UsageError for what does not exist, ConfigError for an address that is not complete, CredentialError where
    there is nothing to talk to."""
    search = _Search(
        env,
        presets() if known is None else known,
        catalog or Catalog.load(),
        frozenset(logins),
        probe or (lambda servers: ()),
    )
    return search.choice([("the command line", Wanted(model, provider, base_url)), *layers])


def key_missing(service: str, variables: Iterable[str]) -> CredentialError:
    """A service that wants a key, and none is there."""
    names = " or ".join(variables) or f"a key for {service}"
    return CredentialError(
        f"{service} needs a key: {names} is not set", hint=f"Set {names}, or run `codi auth login {service}`."
    )


class _Said(Struct, frozen=True):
    """A value and the layer that says it; a smaller rank counts more."""

    value: str
    rank: int
    where: str


class _Search:
    def __init__(
        self,
        env: Mapping[str, str],
        known: Mapping[str, Preset],
        catalog: Catalog,
        logins: frozenset[str],
        probe: Probe,
    ) -> None:
        self._env = env
        self._known = known
        self._catalog = catalog
        self._logins = logins
        self._probe = probe

    def choice(self, layers: Sequence[tuple[str, Wanted]]) -> Choice:
        model = _first(layers, "model")
        provider = _first(layers, "provider")
        url = _first(layers, "base_url")
        name = parse_model(model.value, self._known) if model else None
        if provider and name and model and model.rank < provider.rank and name.service:
            provider = None  # who says `service/id` nearer to the request means that service
        if url and name and model and name.service and model.rank < url.rank:
            service = self._named(name)[0]
            if not (self._belongs(url, service, layers) and detect(url.value, self._known) in (service, "openai-chat")):
                url = None  # it leads to another service than the one that was named nearer
        if provider:
            wire = provider.value.lower()
            service = SERVICE_OF.get(wire, wire) if wire not in self._known else wire
            preset_of(service, self._known)
            id = self._id_for(wire, service, name, model, provider)
            why = f"{provider.where} names the provider"
            address = url.value if url and self._belongs(url, service, layers) else ""
            return self._made(service, id, wire, address, name if id else None, why)
        if url:
            found = detect(url.value, self._known, answers=self._answers(url.value))
            why = f"{url.where} names the address"
            # A service that serves many vendors' models has ids that begin with the names of other services.
            if name and name.service and (found == "openai-chat" or name.service in (found, *_WIRES_ONLY)):
                return self._made(*self._named(name), url.value, name, why)
            id = _without_level(model.value)[0] if model else ""
            return self._made(SERVICE_OF.get(found, found), id, found, url.value, name, why)
        if name and model and name.service:
            return self._made(*self._named(name), "", name, f"{model.where} names the model")
        if name and model and name.id:
            return self._bare(name, f"{model.where} names the model")
        return self._offered()

    def _named(self, name: ModelName) -> tuple[str, str, str]:
        wire = name.service or ""
        return (wire if wire in self._known else SERVICE_OF[wire]), name.id, wire

    def _id_for(self, wire: str, service: str, name: ModelName | None, model: _Said | None, provider: _Said) -> str:
        """The id that was named together with the provider, or at a nearer layer; one from afar counts only if it fits."""
        if name is None or model is None:
            return ""
        if name.service in (wire, service):
            return name.id
        whole = _without_level(model.value)[0]
        if model.rank <= provider.rank or self._catalog.find(service, whole):
            return whole
        return ""

    def _belongs(self, url: _Said, service: str, layers: Sequence[tuple[str, Wanted]]) -> bool:
        """An address counts for every service, except that one written beside a provider is that provider's."""
        beside = layers[url.rank][1].provider
        return not beside or SERVICE_OF.get(beside.lower(), beside.lower()) == service

    def _bare(self, name: ModelName, why: str) -> Choice:
        """An id without a service: who serves it, first of all among those that can be asked."""
        ready = self._ready()
        others = [service for service in self._catalog.services() if service in self._known and service not in ready]
        led_elsewhere = [service for service in ready if self._is_elsewhere(service)]
        service = self._serving(name.id, ready)
        if service is None and ready[:1] == led_elsewhere[:1]:
            # Who leads a service elsewhere knows better than a catalogue what is served there.
            service = next(iter(ready), None)
        if service:
            return self._made(service, name.id, service, "", name, why)
        if entry := self._meant(name.id, ready):
            return self._made(entry.service, entry.id, entry.service, "", name, why)
        servers = () if ready else self._local()
        for server in servers:
            if name.id in server.models:
                return self._made(server.service, name.id, server.service, server.base_url, name, why)
        if service := next(iter(led_elsewhere), None) or self._serving(name.id, others):
            return self._made(service, name.id, service, "", name, why)
        if entry := self._meant(name.id, others):
            return self._made(entry.service, entry.id, entry.service, "", name, why)
        for server in servers:
            return self._made(server.service, name.id, server.service, server.base_url, name, why)
        if "/" in name.id:
            preset_of(name.id.partition("/")[0], self._known)
        near = ", ".join(self._catalog.near(name.id))
        raise UsageError(f'model "{name.id}" not found (nearest: {near})', hint="codi models")

    def _serving(self, id: str, services: Iterable[str]) -> str | None:
        return next((service for service in services if self._catalog.find(service, id)), None)

    def _meant(self, text: str, services: Sequence[str]) -> ModelEntry | None:
        """The one model whose name holds the text; UsageError where there are several."""
        found = self._catalog.matching(text, services)
        if len(found) > 1:
            names = ", ".join(f"{entry.service}/{entry.id}" for entry in found[:12])
            raise UsageError(f'model "{text}" is ambiguous', hint=f"Name one of {names}.")
        return found[0] if found else None

    def _is_elsewhere(self, service: str) -> bool:
        return self._known[service].local or bool(self._known[service].rerouted(self._env))

    def _offered(self) -> Choice:
        for service in self._ready():
            preset = self._known[service]
            variable = preset.key_variable(self._env)
            if variable:
                why = f"{variable} is set"
            elif preset.key_command:
                why = f"key_cmd of {service} is set"
            elif service in self._logins:
                why = f"a key or login of {service} is kept"
            else:
                why = f"the address of {service} is set"
            if preset.local or preset.model or service == "azure":
                return self._made(service, "", service, "", None, why)
        if servers := self._local():
            server = next((server for server in servers if server.models), servers[0])
            why = f"{server.service} answers at {server.base_url}"
            if server.models:
                return self._made(server.service, server.models[0], server.service, server.base_url, None, why)
        raise CredentialError(
            "no model to talk to: no key is set, and no local server with a model answers",
            hint="Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, AZURE_OPENAI_API_KEY or OPENROUTER_API_KEY, "
            "or start a local server (ollama serve). `codi demo` shows codi without any of them.",
        )

    def _ready(self) -> list[str]:
        """The services that can be asked, in the order in which they are preferred: those with a key, then those that are led
        elsewhere and need none."""
        keyed = [
            name
            for name, preset in self._known.items()
            if preset.key_variable(self._env) or preset.key_command or name in self._logins
        ]
        led = [name for name, preset in self._known.items() if name not in keyed and preset.is_led_elsewhere(self._env)]
        return keyed + led

    def _local(self) -> Sequence[LocalServer]:
        return self._probe(
            [
                (name, base_for(preset.api, name, preset.address(self._env)))
                for name, preset in self._known.items()
                if preset.local
            ]
        )

    def _answers(self, url: str) -> Callable[[str], bool]:
        return lambda address: bool(self._probe([("openai-chat", address.removesuffix("/models"))]))

    def _made(self, service: str, id: str, wire: str, address: str, name: ModelName | None, why: str) -> Choice:
        preset = preset_of(service, self._known)
        moved = address or preset.rerouted(self._env)
        api = cast(Api, wire) if wire in SERVICE_OF and wire != service else preset.api
        base = base_for(api, service, moved or preset.address(self._env))
        if service == "openai" and wire == "openai" and api == "openai-responses" and not _is_openai(base):
            api = "openai-chat"  # few servers beside OpenAI's own speak the newer format
            base = base_for(api, service, base)
        variable = preset.key_variable(self._env)
        if (
            variable is None
            and preset.needs_key
            and preset.keys
            and not (address or preset.is_led_elsewhere(self._env))
        ):
            variable = preset.keys[0]
        id = id or self._default_model(service, preset, base)
        return Choice(
            service=service,
            model_id=id,
            api=api,
            base_url=base,
            key_variable=variable,
            key_command=preset.key_command,
            reason=why,
            thinking=name.thinking if name else None,
            headers=preset.headers,
            compat=preset.compat_for(id),
            variables={name: self._env[name] for name in _AZURE if name in self._env} if api == "azure" else {},
            warning=_warning(base),
        )

    def _default_model(self, service: str, preset: Preset, base: str) -> str:
        if service == "azure":
            mapped = self._env.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "").partition("=")[0].strip()
            return mapped or preset.model
        if preset.model:
            return preset.model
        servers = self._probe([(service, base)])
        for server in servers:
            for served in server.models:
                return served
        if servers:
            pull = "ollama pull NAME" if preset.api == "ollama" else f"Name one: --model {service}/ID"
            raise NotFound(f"{service} at {base} has no model", hint=pull)
        if service == "ollama":
            raise NetworkError("Ollama is not running: ollama serve", hint="start it with: ollama serve")
        if preset.local:
            raise NetworkError(
                f"{service} does not answer at {base}, or has no model",
                hint=f"Start it, or name a model: --model {service}/ID",
            )
        raise UsageError(f"which model of {service}?", hint=f"Name one: --model {service}/ID")


def _first(layers: Sequence[tuple[str, Wanted]], what: str) -> _Said | None:
    for rank, (where, wanted) in enumerate(layers):
        if value := (getattr(wanted, what) or "").strip():
            return _Said(value, rank, where)
    return None


def _warning(base: str) -> str:
    if not base.startswith("http://") or is_near(base):
        return ""
    return f"{base} is not encrypted: everybody on the way can read the conversation and the key"


def _is_openai(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")
