"""The tables of the model map, from the settings and from the files that hold nothing else.

`codi-models.yaml` lies in a trusted project, `models.yaml` in codi's home; both in the form of Codi's model maps, whose roles are called
`model-roles` and whose tasks may be tables. What the settings say counts more.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from codi.engine.places import Places
from codi.engine.settings import Settings

Table = dict[str, Any]
MAPS = ("codi-models.yaml", "codi-models.yml")
"""Those of a project, beside `.codi`."""
_OWN = ("models.yaml", "models.yml")
_FOREIGN = {"maxTokens": "max_output", "baseUrl": "base_url", "maxIterations": "max_iterations"}


class Tables(Struct, frozen=True):
    """As they are written, tasks as the names of their models. `files` are those that were read, `untrusted` the names of those of
    the project that were not."""

    models: Table = {}
    tasks: Table = {}
    roles: Table = {}
    commands: Table = {}
    fallbacks: Table = {}
    pipelines: Table = {}
    files: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()


def files_of(places: Places) -> list[str]:
    """Where model maps may lie that are no part of the settings."""
    return [os.path.join(places.home, name) for name in _OWN] + [os.path.join(places.root, name) for name in MAPS]


def tables_of(settings: Settings, places: Places, trusts: Callable[[str, bytes], bool]) -> Tables:
    """`trusts` says of a project's file, by its name and content, whether it may be read. Raises ConfigError for a file that cannot be."""
    gathered: dict[str, Table] = {name: {} for name in Tables.__struct_fields__ if name not in ("files", "untrusted")}
    found: list[str] = []
    untrusted: list[str] = []
    for path in files_of(places):
        if not os.path.isfile(path):
            continue
        from codi.engine import config_files  # YAML is read where there is some

        content, name = config_files.content_of(path), os.path.basename(path)
        if name in MAPS and not trusts(name, content):
            untrusted.append(name)
            continue
        found.append(path)
        for of, table in _normal(config_files.parsed(path, content).tree).items():
            gathered[of] |= table
    for name in gathered:
        gathered[name] |= getattr(settings, name)
    return Tables(**gathered, files=tuple(found), untrusted=tuple(untrusted))


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
