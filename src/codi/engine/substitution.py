"""Variables of the environment in values of the configuration: `$NAME`, `${NAME}`, `${NAME:-default}`, and `$$` for a dollar.

Only where a value is handed on, to services and to commands. What a variable was to fill and does not is switched off: an
empty key in place of a secret would only fail later, and elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

Path = tuple[str, ...]

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\})"
)


class Missing(Struct, frozen=True):
    """A value whose variable is not set. `item` is what is switched off with it, by putting `instead` in its place, or by
    leaving it out where that is None."""

    key: Path
    text: str
    item: Path
    instead: dict[str, Any] | None = None


class Filled(Struct, frozen=True):
    tree: dict[str, Any]
    missing: tuple[Missing, ...]


def filled(tree: Mapping[str, Any], env: Mapping[str, str]) -> Filled:
    """The same tree with the variables' values in `[providers]` and `[shell.env]`."""
    missing: list[Missing] = []
    result = dict(tree)
    services = tree.get("providers")
    if isinstance(services, Mapping):
        result["providers"] = _filled(services, ("providers",), env, missing)
    shell = tree.get("shell")
    if isinstance(shell, Mapping) and isinstance(shell.get("env"), Mapping):
        result["shell"] = {**shell, "env": _filled(shell["env"], ("shell", "env"), env, missing)}
    return Filled(result, tuple(missing))


def _filled(value: Any, path: Path, env: Mapping[str, str], missing: list[Missing]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(inner, (*path, key), env, missing) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, path, env, missing) for inner in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    missing += (_missing(path, name) for name in _unset(value, env))
    return _VARIABLE.sub(lambda match: _value(match, env), value)


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    return env.get(match["bare"] or match["name"], "") or match["default"] or ""


def _unset(text: str, env: Mapping[str, str]) -> Iterator[str]:
    for match in _VARIABLE.finditer(text):
        name = match["bare"] or match["name"]
        if name and not env.get(name) and match["default"] is None:
            yield name


def _missing(path: Path, name: str) -> Missing:
    is_service = path[0] == "providers"
    item = path[:2] if is_service else path[:3]
    return Missing(
        path,
        f"${name} is not set, so {'.'.join(item)} is switched off",
        item,
        {"enabled": False} if is_service else None,
    )
