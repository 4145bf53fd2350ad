"""The tables of the model map, from the settings and from the files that hold nothing else.

`codi-models.yaml` lies in a trusted project, `models.yaml` in codi's home; both in the form of Codi's model maps, whose roles are called
`model-roles` and whose tasks may be tables. What the settings say counts more.
"""

import os
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from codi.engine.places import Places
from codi.engine.settings import Settings

Table = dict[str, Any]
_FOREIGN = {"maxTokens": "max_output", "baseUrl": "base_url", "maxIterations": "max_iterations"}


class Tables(Struct, frozen=True):
    """As they are written, tasks as the names of their models. `files` are those that were read."""

    models: Table = {}
    tasks: Table = {}
    roles: Table = {}
    commands: Table = {}
    fallbacks: Table = {}
    pipelines: Table = {}
    files: tuple[str, ...] = ()


def tables_of(settings: Settings, places: Places, *, trusted: bool) -> Tables:
    """Raises ConfigError for a file that cannot be read."""
    paths = [os.path.join(places.home, name) for name in ("models.yaml", "models.yml")]
    if trusted:
        paths += [os.path.join(places.root, name) for name in ("codi-models.yaml", "codi-models.yml")]
    found = [path for path in paths if os.path.isfile(path)]
    gathered: dict[str, Table] = {name: {} for name in Tables.__struct_fields__ if name != "files"}
    for path in found:
        from codi.engine import config_files  # YAML is read where there is some

        for name, table in _normal(config_files.read(path).tree).items():
            gathered[name] |= table
    for name in gathered:
        gathered[name] |= getattr(settings, name)
    return Tables(**gathered, files=tuple(found))


def _normal(tree: Mapping[str, Any]) -> dict[str, Table]:
    roles = tree.get("roles") or tree.get("model-roles") or {}
    tables = {name: dict(tree.get(name) or {}) for name in ("models", "tasks", "commands", "fallbacks", "pipelines")}
    tables["models"] = {name: _renamed(row) for name, row in tables["models"].items()}
    tables["tasks"] = {
        name: row.get("model", "") if isinstance(row, Mapping) else row for name, row in tables["tasks"].items()
    }
    tables["commands"] = {
        name: {key: value for key, value in row.items() if key != "description"}
        if isinstance(row, Mapping)
        else {"model": row}
        for name, row in tables["commands"].items()
    }
    tables["roles"] = {
        name: _renamed(row) if isinstance(row, Mapping) else {"default": row} for name, row in dict(roles).items()
    }
    for name, pipeline in tables["pipelines"].items():
        steps = [_renamed(step) for step in pipeline.get("steps") or ()]
        tables["pipelines"][name] = {**_renamed(pipeline), "steps": steps}
    return tables


def _renamed(row: Mapping[str, Any]) -> Table:
    return {_FOREIGN.get(name, name): value for name, value in row.items()}
