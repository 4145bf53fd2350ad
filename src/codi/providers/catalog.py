"""What is known of models: windows, abilities, prices. And what a request cost.

An id means a model exactly, by an alias that the catalogue declares, or by a date that it declares. Never by a common
beginning: `gpt-4.1` is not `gpt-4`, and the price of the one is not the price of the other.
"""

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from codi.protocol.errors import ConfigError
from codi.protocol.messages import Cost, Level, Usage
from codi.providers.presets import presets
from codi.providers.provider import Abilities, ModelEntry, Prices, Tier
from codi.providers.shipped import shipped

HOSTED_WINDOW = 128_000
"""Tokens that a hosted model is assumed to take when nobody told."""
LOCAL_WINDOW = 8_192
"""The same for a local server, which would cut a longer prompt without a word."""

FREE = Prices(0.0, 0.0)

_DATES = {"YYYYMMDD": r"-\d{8}", "YYYY-MM-DD": r"-\d{4}-\d{2}-\d{2}"}

Ability = Literal["tools", "vision", "thinking", "caching", "strict", "parallel"]


class _Price(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cache price that is left out is the input price: a cached token was never free because nobody wrote it down."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None

    def five(self) -> tuple[float, float, float, float, float]:
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        return self.input, self.output, read, write, write if self.cache_write_1h is None else self.cache_write_1h


class _TierPrice(_Price, frozen=True, forbid_unknown_fields=True, kw_only=True):
    above: int


class _Row(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model as `models.toml` writes it, the shipped one and the person's own alike."""

    name: str = ""
    window: int | None = None
    max_output: int | None = None
    abilities: tuple[Ability, ...] | None = None
    thinking: tuple[Level, ...] = ()
    adaptive: bool = False
    aliases: tuple[str, ...] = ()
    dated: Literal["", "YYYYMMDD", "YYYY-MM-DD"] = ""
    price: _Price | None = None
    tiers: tuple[_TierPrice, ...] = ()
    knowledge: str = ""
    deprecated: str = ""
    tokenizer: str = ""


class _Named(Struct, frozen=True, kw_only=True):
    """What `[models.NAME]` of the configuration says about the model itself; the rest of it is for others."""

    provider: str = ""
    model: str = ""
    window: int | None = None
    max_output: int | None = None
    max_tokens: int | None = None
    abilities: tuple[Ability, ...] | None = None
    price: _Price | None = None
    tokenizer: str = ""


_SEEING = frozenset({"anthropic", "google", "openai", "azure"})
"""Services all of whose present models take images, so that one which nobody described will too."""


class Catalog:
    """Models by service and id. A service's table is read when it is first asked for."""

    def __init__(self, own: Mapping[str, Mapping[str, _Row]], overrides: Sequence[_Named]) -> None:
        self._own = own
        self._overrides = overrides
        self._tables: dict[str, dict[str, tuple[ModelEntry, _Row]]] = {}

    @classmethod
    def load(cls, user_file: str | None = None, overrides: Mapping[str, Any] | None = None) -> "Catalog":
        """The shipped catalogue, over it the person's file where it exists, over both the table `[models]` of the
        configuration. Raises ConfigError, naming file and model."""
        try:
            named = [msgspec.convert({"model": name, **row}, _Named) for name, row in (overrides or {}).items()]
        except msgspec.ValidationError as error:
            raise ConfigError(f"[models]: {error}", hint="Correct the table [models.NAME].") from error
        return cls(_own_rows(user_file), named)

    @property
    def as_of(self) -> str:
        """The day on which the shipped prices were looked up."""
        return str(_models()["as_of"])

    def services(self) -> list[str]:
        """The services of which any model is known."""
        return list(dict.fromkeys((*_shipped_services(), *self._own)))

    def serving_anothers(self) -> Collection[str]:
        """The services that serve another service's models."""
        return frozenset(_models()["same"])

    def entries(self, service: str | None = None) -> list[ModelEntry]:
        """All models known, or those of one service."""
        return [
            self._overridden(entry)
            for name in ([service] if service else self.services())
            for entry, _ in self._table(name).values()
        ]

    def find(self, service: str, id: str) -> ModelEntry | None:
        """The model of exactly this id, else by a declared alias, else by a declared date. The entry bears the id asked for."""
        table = self._table(service)
        if id in table:
            return self._overridden(table[id][0])
        for entry, row in table.values():
            if id in row.aliases:
                return self._overridden(msgspec.structs.replace(entry, id=id))
        for known, (entry, row) in table.items():
            if row.dated and id.startswith(known) and re.fullmatch(_DATES[row.dated], id[len(known) :]):
                return self._overridden(msgspec.structs.replace(entry, id=id))
        return None

    def entry(self, service: str, id: str) -> ModelEntry:
        """The model, or for an id that nobody described an entry whose window is assumed and whose price is unknown."""
        if found := self.find(service, id):
            return found
        local = _is_local(service)
        window = LOCAL_WINDOW if local else HOSTED_WINDOW
        unknown = ModelEntry(
            id=id,
            service=service,
            window=window,
            max_output=min(window, 32_000),
            abilities=Abilities(vision=service in _SEEING),
            prices=FREE if local else None,
            assumed=True,
        )
        return self._overridden(unknown)

    def near(self, id: str, service: str | None = None) -> list[str]:
        """The three names nearest to one that is not there; with their service unless one is given."""
        twice = {} if service else _models()["same"]
        names = {
            (entry.id if service else f"{entry.service}/{entry.id}"): entry.id
            for entry in self.entries(service)
            if entry.service not in twice
        }
        wanted = id.rpartition("/")[2] if not service else id
        from difflib import SequenceMatcher  # only for those who mistype

        order = sorted(names, key=lambda name: -SequenceMatcher(None, wanted, names[name]).ratio())
        return order[:3]

    def matching(self, text: str, services: Iterable[str]) -> list[ModelEntry]:
        """The models whose id or name contains the text, whatever the case and the signs between the words."""
        wanted = _plain(text)
        return [
            entry
            for service in services
            for entry in self.entries(service)
            if wanted in _plain(entry.id) or wanted in _plain(entry.name)
        ]

    def _table(self, service: str) -> dict[str, tuple[ModelEntry, _Row]]:
        if service not in self._tables:
            rows = {**_shipped(service), **self._own.get(service, {})}
            self._tables[service] = {id: (_entry(service, id, row), row) for id, row in rows.items()}
        return self._tables[service]

    def _overridden(self, entry: ModelEntry) -> ModelEntry:
        for named in self._overrides:
            if named.model != entry.id or not _is_meant(named.provider, entry.service):
                continue
            max_output = named.max_output or named.max_tokens
            entry = msgspec.structs.replace(
                entry,
                window=named.window or entry.window,
                assumed=entry.assumed and named.window is None,
                max_output=max_output or entry.max_output,
                abilities=entry.abilities if named.abilities is None else _abilities(named.abilities),
                prices=Prices(*named.price.five()) if named.price else entry.prices,
                tokenizer=named.tokenizer or entry.tokenizer,
            )
        return entry


def cost(usage: Usage, prices: Prices | None) -> Cost | None:
    """What a request cost, in US dollars; None while the price is unknown, which is never 0."""
    if prices is None:
        return None
    prompt = usage.input + usage.cache_read + usage.cache_write
    passed = [tier for tier in prices.tiers if prompt > tier.above]
    at: Prices | Tier = max(passed, key=lambda tier: tier.above) if passed else prices
    written_5m = usage.cache_write - usage.cache_write_1h
    return Cost(
        input=usage.input * at.input / 1e6,
        output=usage.output * at.output / 1e6,
        cache_read=usage.cache_read * at.cache_read / 1e6,
        cache_write=(written_5m * at.cache_write + usage.cache_write_1h * at.cache_write_1h) / 1e6,
    )


def _entry(service: str, id: str, row: _Row) -> ModelEntry:
    local = _is_local(service)
    window = row.window or (LOCAL_WINDOW if local else HOSTED_WINDOW)
    abilities = Abilities()
    if row.abilities is not None:
        abilities = _abilities(row.abilities)
    if row.thinking and not abilities.thinking:
        abilities = msgspec.structs.replace(abilities, thinking=True)
    prices = FREE if local else None
    if row.price:
        tiers = tuple(Tier(tier.above, *tier.five()) for tier in row.tiers)
        prices = Prices(*row.price.five(), tiers)
    return ModelEntry(
        id=id,
        service=service,
        name=row.name,
        window=window,
        max_output=row.max_output or min(window, 32_000),
        abilities=abilities,
        thinking_levels=row.thinking,
        adaptive_thinking=row.adaptive,
        prices=prices,
        assumed=row.window is None,
        aliases=row.aliases,
        knowledge=row.knowledge,
        deprecated=row.deprecated,
        tokenizer=row.tokenizer,
    )


def _abilities(named: Collection[Ability]) -> Abilities:
    return Abilities(**{name: name in named for name in Abilities.__struct_fields__})


def _is_meant(provider: str, service: str) -> bool:
    """Whether who names this provider means the service; a wire format alone is OpenAI's unless an address says otherwise."""
    return provider in ("", service) or (provider in ("openai-chat", "openai-responses") and service == "openai")


def _is_local(service: str) -> bool:
    preset = presets().get(service)
    return preset is not None and preset.local


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@functools.cache
def _models() -> dict[str, Any]:
    return shipped("models")


@functools.cache
def _shipped_services() -> tuple[str, ...]:
    tables = (name for name, table in _models().items() if isinstance(table, dict) and name != "same")
    return tuple(dict.fromkeys((*tables, *_models()["same"])))


@functools.cache
def _shipped(service: str) -> dict[str, _Row]:
    rows = _models().get(_models()["same"].get(service, service), {})
    return {id: msgspec.convert(row, _Row) for id, row in rows.items()}


def _own_rows(path: str | None) -> dict[str, dict[str, _Row]]:
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
        import tomllib  # for the few who have a table of their own

        tables = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", hint="Correct the file, or move it away.") from error
    own: dict[str, dict[str, _Row]] = {}
    for service, rows in tables.items():
        if not isinstance(rows, dict):  # `as_of` and whatever else a file says of itself
            continue
        for id, row in rows.items():
            try:
                shipped = _shipped(service).get(id)
                said = msgspec.convert(row, _Row)
            except msgspec.ValidationError as error:
                raise ConfigError(
                    f"{path}: {service}.{id}: {error}", hint=f"Correct [{service}.{id}] there."
                ) from error
            own.setdefault(service, {})[id] = _over(shipped, said, row) if shipped else said
    return own


def _over(shipped: _Row, said: _Row, row: Mapping[str, Any]) -> _Row:
    """The shipped row with what the person's row says; a new price leaves no old tiers behind."""
    changes = {name: getattr(said, name) for name in row}
    if "price" in changes and "tiers" not in changes:
        changes["tiers"] = ()
    return msgspec.structs.replace(shipped, **changes)
