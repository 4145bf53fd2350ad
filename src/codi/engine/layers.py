"""Settings from their layers: defaults, the person's file, the project's, the environment, flags."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.protocol.errors import ConfigError


class Loaded(Struct, frozen=True):
    settings: Settings
    warnings: tuple[str, ...] = ()


def load(
    places: Places, env: Mapping[str, str], flags: Mapping[str, Any], pairs: Sequence[str], *, trusted: bool = False
) -> Loaded:
    """`flags` are settings by dotted name, `pairs` KEY=VALUE texts. Raises ConfigError."""
    tree: dict[str, Any] = {}
    path = os.path.join(places.home, "config.toml")
    if os.path.exists(path):
        with open(path, "rb") as file:
            try:
                tree = tomllib.load(file)
            except tomllib.TOMLDecodeError as error:
                raise ConfigError(f"{path}: {error}", hint="Correct the file.") from error
    for name, value in [*flags.items(), *((pair.partition("=")[0], _value(pair.partition("=")[2])) for pair in pairs)]:
        *tables, key = name.split(".")
        table = tree
        for part in tables:
            table = table.setdefault(part, {})
        table[key] = value
    try:
        return Loaded(msgspec.convert(tree, Settings))
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), hint="codi config check") from error


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
