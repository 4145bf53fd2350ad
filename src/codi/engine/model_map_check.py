"""What is wrong with a model map, each fault with its key."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from codi.engine.model_map import TASKS
from codi.engine.model_map_files import Tables
from codi.engine.pipelines import faults_of, pipeline_of
from codi.protocol.errors import ConfigError

Path = tuple[str, ...]


class MapFault(Struct, frozen=True):
    """`is_error` tells a mistake from what may be meant so."""

    path: Path
    text: str
    is_error: bool = True


def faults_in_map(tables: Tables, providers: Collection[str]) -> list[MapFault]:
    return list(_faults(tables, providers))


def _faults(tables: Tables, providers: Collection[str]) -> Iterator[MapFault]:
    if not tables.models:
        yield MapFault(("models",), "there is no model in the map")
    for name, row in tables.models.items():
        provider, temperature = row.get("provider"), row.get("temperature")
        if provider and provider not in providers:
            yield MapFault(("models", name, "provider"), f"unknown provider {provider!r}{_near(provider, providers)}")
        if temperature is not None and not 0 <= temperature <= 2:
            yield MapFault(("models", name, "temperature"), f"expected a number from 0 to 2, found {temperature}")
    for task, model in tables.tasks.items():
        yield from _model(tables, providers, ("tasks", task), model)
        if task not in TASKS:
            yield MapFault(("tasks", task), f"no part of codi asks for this task{_near(task, TASKS)}", is_error=False)
    for role, row in tables.roles.items():
        for provider, model in row.items():
            yield from _model(tables, providers, ("roles", role, provider), model)
    for name, chain in tables.fallbacks.items():
        yield from _model(tables, providers, ("fallbacks", name), name)
        for model in chain:
            yield from _model(tables, providers, ("fallbacks", name), model)
    for name in tables.fallbacks:
        if circle := _circle(tables.fallbacks, name):
            yield MapFault(("fallbacks", name), f"it leads back to itself: {' -> '.join(circle)}")
    for command, row in tables.commands.items():
        yield from _command(tables, providers, command, row)
    for name, table in tables.pipelines.items():
        yield from _pipeline(tables, providers, name, table)


def _command(tables: Tables, providers: Collection[str], name: str, row: Mapping[str, Any]) -> Iterator[MapFault]:
    said = [key for key in ("model", "task", "pipeline") if row.get(key)]
    if len(said) != 1 or len(row) != 1:
        yield MapFault(("commands", name), "exactly one of model, task and pipeline is expected")
        return
    (key,) = said
    path: Path = ("commands", name, key)
    if key == "model":
        yield from _model(tables, providers, path, row[key])
    elif row[key] not in (known := tables.tasks if key == "task" else tables.pipelines):
        yield MapFault(path, f"there is no {key} {row[key]!r}{_near(row[key], known)}")


def _pipeline(tables: Tables, providers: Collection[str], name: str, table: Mapping[str, Any]) -> Iterator[MapFault]:
    path: Path = ("pipelines", name)
    try:
        pipeline = pipeline_of(name, table)
    except ConfigError as error:
        yield MapFault(path, str(error).partition(": ")[2])
        return
    for at, text, is_error in faults_of(pipeline):
        yield MapFault(path, text if at < 0 else f"step {at + 1}: {text}", is_error=is_error)
    for at, step in enumerate(pipeline.steps, 1):
        if step.model:
            yield from _model(tables, providers, path, step.model, f"step {at}: ")
        elif step.role and step.role not in {*tables.roles, *tables.tasks, *tables.models}:
            yield MapFault(path, f"step {at}: there is no role {step.role!r}{_near(step.role, tables.roles)}")


def _model(tables: Tables, providers: Collection[str], path: Path, name: Any, where: str = "") -> Iterator[MapFault]:
    bare = str(name).rpartition(":")[0] or str(name)
    if name in tables.models or bare in tables.models or str(name).partition("/")[0] in providers:
        return
    yield MapFault(path, f"{where}there is no model {name!r} in the map{_near(str(name), tables.models)}")


def _circle(fallbacks: Mapping[str, Any], first: str) -> list[str]:
    """The way from a name back to itself; empty where there is none."""
    ways = [[first]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in fallbacks.get(way[-1], ()):
            if name == first:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _near(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" - did you mean {near[0]}?" if near else ""
