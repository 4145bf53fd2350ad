"""The models that can be named: those of the catalogue, those that a setting names, and those of servers on this machine."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from codi.protocol.messages import Level
from codi.protocol.network import Hear, nobody
from codi.providers.addresses import base_for
from codi.providers.catalog import Catalog
from codi.providers.choice import LocalServer
from codi.providers.presets import Preset, preset_of
from codi.providers.provider import Abilities, ModelEntry, Prices


class ModelRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A model as a list shows it. Prices are US dollars per million tokens, None while unknown. `key_variable` names where
    the key is or should be; `key_present` is true as well where none is needed."""

    model: str
    provider: str
    id: str
    name: str
    window: int
    window_assumed: bool
    max_output: int
    abilities: tuple[str, ...]
    thinking: tuple[Level, ...]
    price: Prices | None
    key_needed: bool
    key_present: bool
    key_variable: str | None
    local: bool
    deprecated: str
    default: bool


class ServiceRow(Struct, frozen=True, rename="camel", kw_only=True):
    """A service as a list shows it. `key` names the variables, `ready` says that it can be asked."""

    name: str
    api: str
    base_url: str
    key: str
    ready: bool
    local: bool


class ModelList:
    """`env` is where keys and addresses are looked for; `logins` are the services for which a key or login is kept."""

    def __init__(
        self,
        env: Mapping[str, str],
        services: Mapping[str, Preset],
        catalog: Catalog,
        *,
        logins: Collection[str] = (),
        offline: bool = False,
        hear: Hear = nobody,
    ) -> None:
        self._env = env
        self._services = services
        self._catalog = catalog
        self._logins = logins
        self._offline = offline
        self._hear = hear

    async def rows(self, *, provider: str = "", local: bool = False, default: str = "") -> list[ModelRow]:
        """The models of one provider, or of all; with `local`, of the servers on this machine that answer. `default` is the
        model that is asked when nobody names one. Raises UsageError where there is no such provider."""
        if provider:
            preset_of(provider, self._services)
        names = [provider] if provider else list(self._services)
        servers = await self._servers([name for name in names if self._services[name].local])
        entries = [self._catalog.entry(server.service, id) for server in servers for id in server.models]
        if not local:
            entries = [*(entry for name in names for entry in self._known(name, named=bool(provider))), *entries]
        of_model = {f"{entry.service}/{entry.id}": entry for entry in entries}
        return [self._row(model, entry, is_default=model == default) for model, entry in of_model.items()]

    def services(self) -> list[ServiceRow]:
        """All of them, in the order in which they are preferred."""
        return [
            ServiceRow(
                name=name,
                api=preset.api,
                base_url=preset.rerouted(self._env) or preset.base_url,
                key=" or ".join(preset.keys) if preset.needs_key else "none",
                ready=not preset.needs_key or self.has_key(name),
                local=preset.local,
            )
            for name, preset in self._services.items()
        ]

    def has_key(self, service: str) -> bool:
        preset = self._services[service]
        return bool(preset.key_variable(self._env) or preset.key_command) or service in self._logins

    def _known(self, service: str, *, named: bool) -> Iterator[ModelEntry]:
        """What is known without asking. A service that serves another's models shows them only if it is asked for."""
        preset = self._services[service]
        if not preset.local and (named or service not in self._catalog.serving_anothers()):
            yield from self._catalog.entries(service)
        for id in dict.fromkeys((preset.model, *preset.models)):
            if id and (named or not preset.local) and self._catalog.find(service, id) is None:
                yield self._catalog.entry(service, id)

    async def _servers(self, names: Sequence[str]) -> list[LocalServer]:
        asked = [
            (name, base_for(self._services[name].api, name, self._services[name].address(self._env))) for name in names
        ]
        if not asked:
            return []
        from codi.providers.local_servers import reachable  # with two formats, for lists alone

        return await reachable(asked, offline=self._offline, hear=self._hear)

    def _row(self, model: str, entry: ModelEntry, *, is_default: bool) -> ModelRow:
        preset = self._services[entry.service]
        variable = preset.key_variable(self._env)
        needed = preset.needs_key and not preset.rerouted(self._env)
        return ModelRow(
            model=model,
            provider=entry.service,
            id=entry.id,
            name=entry.name,
            window=entry.window,
            window_assumed=entry.assumed,
            max_output=entry.max_output,
            abilities=tuple(name for name in Abilities.__struct_fields__ if getattr(entry.abilities, name)),
            thinking=entry.thinking_levels,
            price=entry.prices,
            key_needed=needed,
            key_present=not needed or self.has_key(entry.service),
            key_variable=variable or next(iter(preset.keys), None),
            local=preset.local,
            deprecated=entry.deprecated,
            default=is_default,
        )
