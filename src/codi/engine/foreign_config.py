"""Configuration in YAML and JSON, read with the meaning that the same words have in TOML.

YAML by its core schema of version 1.2: `on`, `off`, `yes` and `no` are words, as settings use them, and no truth values.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

Path = tuple[str, ...]

_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])')


class Misread(Exception):
    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


class _Core(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}


_Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def tree_of(text: str, *, is_yaml: bool) -> dict[str, Any]:
    """Raises Misread. Comments and a last comma may stand in JSON; a value of null is one that is not set."""
    try:
        tree = yaml.load(text, Loader=_Core) if is_yaml else json.loads(_plain_json(text).strip() or "{}")
        if tree is not None and not isinstance(tree, dict):
            raise Misread("expected a table of settings", 1, 1)
        return _named(tree or {})
    except json.JSONDecodeError as error:
        raise Misread(error.msg[:1].lower() + error.msg[1:], error.lineno, error.colno) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise Misread(error.problem or "not valid", *place) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Misread(str(error).partition("\n")[0] or "not valid", 0, 0) from error


def lines_of(text: str) -> dict[Path, int]:
    """The line of every key; nothing where even that cannot be read."""
    try:
        # Tabs between the words of JSON are none of YAML's, and have the same width in lines.
        node = yaml.compose(_plain_json(text).replace("\t", " ") if text.lstrip()[:1] in "{/" else text, Loader=_Core)
    except yaml.YAMLError:
        return {}
    return dict(_lines(node, ())) if node else {}


def _lines(node: Any, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            yield place, key.start_mark.line + 1
            yield from _lines(value, place)


def _named(tree: dict[Any, Any]) -> dict[str, Any]:
    """Keys are texts, and what is null is left out."""
    return {
        str(key): _named(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }


def _plain_json(text: str) -> str:
    """The same lines without comments and last commas."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    return _LAST_COMMA.sub(blank, _COMMENT.sub(blank, text)).strip("\ufeff")
