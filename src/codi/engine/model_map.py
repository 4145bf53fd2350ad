"""The model map: models under names of the person's own, and which of them serves a task, a role, or in place of another."""

from typing import Any

import msgspec
from msgspec import Struct

from codi.engine.model_map_files import Tables
from codi.protocol.errors import ConfigError
from codi.protocol.messages import Level
from codi.providers.choice import LEVELS

TASKS = ("fast", "code", "complex", "summarize", "title", "vision", "embeddings", "review")


class NamedModel(Struct, frozen=True, kw_only=True):
    """[models.NAME]. What else stands there is the catalogue's: window, price, abilities."""

    provider: str = ""
    model: str = ""
    base_url: str = ""
    max_output: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    thinking: Level | None = None
    description: str = ""

    @property
    def longest(self) -> int | None:
        return self.max_output or self.max_tokens


class Found(Struct, frozen=True):
    """A model by its name in the map; `level` is what was said behind it."""

    name: str
    model: NamedModel
    level: Level | None = None

    @property
    def wanted(self) -> str:
        """As it is named where the map is not known."""
        id = self.model.model or self.name
        return f"{self.model.provider}/{id}" if self.model.provider else id


class ModelMap(Struct, frozen=True):
    """`tasks` and the chains of `fallbacks` name models of the map, or models as `--model` names them."""

    models: dict[str, NamedModel] = {}
    tasks: dict[str, str] = {}
    roles: dict[str, dict[str, str]] = {}
    fallbacks: dict[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, tables: Tables) -> "ModelMap":
        """Raises ConfigError for a model that says nonsense."""
        models = {name: _named(name, row) for name, row in tables.models.items()}
        return cls(models, tables.tasks, tables.roles, tables.fallbacks)

    def find(self, text: str) -> Found | None:
        """The model that is called so, alone or with `:thinking` behind; None where the map does not know it."""
        if text in self.models:
            return Found(text, self.models[text]) if self._leads_on(text) else None
        name, _, level = text.rpartition(":")
        if name in self.models and level in LEVELS and self._leads_on(name):
            return Found(name, self.models[name], next(known for known in LEVELS if known == level))
        return None

    def entry(self, name: str) -> tuple[NamedModel | None, tuple[str, ...]]:
        """All that the map says of a model that is called so: what it is, and who stands in for it."""
        return self.models.get(name), tuple(self.fallbacks.get(name, ()))

    def for_task(self, *tasks: str) -> str:
        """The model of the first of these tasks that has one; empty where none has."""
        return next((self.tasks[task] for task in tasks if task in self.tasks), "")

    def for_role(self, role: str, provider: str) -> str:
        """The model of a role, with this provider or by default; a task or model of that name serves as well. Empty where nothing
        is called so."""
        row = self.roles.get(role, {})
        return (
            row.get(provider) or row.get("default") or self.tasks.get(role, "") or (role if role in self.models else "")
        )

    def _leads_on(self, name: str) -> bool:
        """Whether it is a name, and not an id of which only something is to be known."""
        row = self.models[name]
        return bool(row.model and row.model != name) or bool(row.provider)


def _named(name: str, row: dict[str, Any]) -> NamedModel:
    try:
        return msgspec.convert(row, NamedModel)
    except msgspec.ValidationError as error:
        raise ConfigError(f"models.{name}: {error}", hint=f"Correct [models.{name}].") from error
