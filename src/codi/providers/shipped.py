"""The tables that are shipped, as a start reads them: `presets.toml` and `models.toml` are for persons, and to parse TOML takes twenty
times as long as to read the JSON beside it, which `tools/tables.py` writes."""

import os.path
from typing import Any

from msgspec import json

TABLES = ("presets", "models")


def path_of(table: str, form: str) -> str:
    return os.path.join(os.path.dirname(__file__), f"{table}.{form}")


def shipped(table: str) -> dict[str, Any]:
    with open(path_of(table, "json"), "rb") as file:
        tree: dict[str, Any] = json.decode(file.read())
    return tree
