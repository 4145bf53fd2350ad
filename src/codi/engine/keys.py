"""The keys that settings have: read off the structs that declare them, for messages, for the environment and for `codi config`.

A start whose configuration has nothing wrong with it never comes here.
"""

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, UnsetType

from codi.engine.settings import SHORT_VARIABLES, Settings

Path = tuple[str, ...]
"""A key in its parts: `("agent", "max_steps")`."""

_FLAGS = {
    "model.default": "--model",
    "model.provider": "--provider",
    "model.base_url": "--base-url",
    "model.thinking": "--thinking",
    "model.favourites": "--models",
    "tasks.summarize": "--summarize-model",
    "tasks.title": "--title-model",
    "model.context_window": "--context-window",
    "context.compress": "--compress",
    "permission_mode": "--permission-mode",
    "sandbox.mode": "--sandbox",
    "verify": "--verify",
    "profile": "--profile",
    "tools.profile": "--tool-profile",
    "sessions.dir": "--session-dir",
    "agent.max_steps": "--max-turns",
    "agent.max_cost": "--max-cost",
    "agent.max_time_s": "--max-time",
    "agent.max_tokens": "--max-tokens",
    "agent.max_cost_unknown": "--max-cost-unknown=ok",
    "agent.system_prompt": "--system-prompt",
    "agent.append_system_prompt": "--append-system-prompt",
    "network.offline": "--offline",
    "workspace.extra_dirs": "--add-dir",
}
_WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "table"}
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


class Kind(Struct, frozen=True):
    """What may stand at a place. `form` is a type without its options and notes; Any where everything may."""

    form: Any
    note: Meta | None = None

    @property
    def is_table(self) -> bool:
        return _is_struct(self.form) or get_origin(self.form) is dict

    @property
    def meaning(self) -> str:
        return (self.note and self.note.description) or ""

    @property
    def project(self) -> str:
        """What a project may do: "set", "lower", "raise", make "stricter", switch "on" or "off"; empty for nothing."""
        return str(((self.note and self.note.extra) or {}).get("project", ""))

    @property
    def expected(self) -> str:
        """In words, as in: expected integer >= 1."""
        bounds = [
            f"{sign} {value:g}"
            for name, sign in _BOUNDS.items()
            if self.note and (value := getattr(self.note, name)) is not None
        ]
        return " ".join(
            (_in_words(self.form), *(["and".join(f" {bound} " for bound in bounds).strip()] if bounds else []))
        )


class Key(Struct, frozen=True):
    path: Path
    kind: Kind
    default: Any

    @property
    def name(self) -> str:
        return dotted(self.path)

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it; empty for a table."""
        short = next((name for name, path in SHORT_VARIABLES.items() if path == self.path), None)
        return "" if self.kind.is_table else short or variable_of(self.path)

    @property
    def flag(self) -> str:
        """The flag that sets it for one start."""
        return _FLAGS.get(self.name, f"--config {self.name}=VALUE")


def flag_of(path: Path) -> str:
    return _FLAGS.get(dotted(path), f"--config {dotted(path)}")


class Fault(Struct, frozen=True):
    """What is wrong with one key. An `unknown` one may be known to a later version."""

    path: Path
    text: str
    unknown: bool = False


def every_key() -> list[Key]:
    """All of them, sections taken apart, in the order of their declaration."""
    return list(_keys(Settings, ()))


def dotted(path: Path) -> str:
    return ".".join(part if _is_bare(part) else msgspec.json.encode(part).decode() for part in path)


def path_of(name: str) -> Path:
    """The parts of a dotted name; a part that holds dots stands in quotes. Raises ValueError."""
    try:
        table = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        raise ValueError(f"{name!r} is no key") from None
    parts = []
    at: Any = table
    while isinstance(at, dict):
        ((part, at),) = at.items()
        parts.append(part)
    return tuple(parts)


def kind_at(path: Path) -> Kind | None:
    """None for a place that does not exist."""
    if path[:1] == ("profiles",) and len(path) > 2:
        return Kind(str) if path[2:] == ("extends",) else kind_at(path[2:])
    form: Any = Settings
    note: Meta | None = None
    for part in path:
        if form is Any:
            break
        if _is_struct(form):
            field = next((field for field in msgspec.structs.fields(form) if field.encode_name == part), None)
            if field is None:
                return None
            form, note = _bare(field.type)
        elif get_origin(form) is dict:
            form, inner = _bare(get_args(form)[1])
            note = inner or note
        else:
            return None
    return Kind(form, note)


def known_kind_at(path: Path) -> Kind:
    """Raises ValueError, with the name that was perhaps meant, for a place that does not exist."""
    kind = kind_at(path)
    if kind is None:
        raise ValueError(unknown(path).text)
    return kind


def nearest(path: Path) -> str | None:
    """The name that was perhaps meant."""
    name = dotted(path)
    names = [key.name for key in every_key()]
    sections = list(dict.fromkeys(known.rpartition(".")[0] for known in names if "." in known))
    known = kind_at(path[:-1])
    if len(path) > 1 and known and known.is_table and _is_struct(known.form):
        beside = [dotted((*path[:-1], field)) for field in known.form.__struct_encode_fields__]
        near = difflib.get_close_matches(name, beside, n=1, cutoff=0.6)
        if near:
            return near[0]
    return next(iter(difflib.get_close_matches(name, [*names, *sections], n=1, cutoff=0.6)), None)


def unknown(path: Path, word: str = "key") -> Fault:
    near = nearest(path)
    return Fault(path, f"unknown {word}" + (f" - did you mean {near}?" if near else ""), unknown=True)


def faults_in(tree: Mapping[str, Any]) -> list[Fault]:
    """All that is wrong with the values of one layer."""
    return list(_faults(tree, ()))


def value_from(text: str, kind: Kind) -> Any:
    """The value that a person means by a text on the command line or in the environment. Raises ValueError, which says
    what was expected."""
    value = _value(text, kind)
    if fault := fault_of(value, kind):
        raise ValueError(fault)
    return value


def variable_of(path: Path) -> str:
    return "CODI_" + "_".join(path).upper()


def variables() -> dict[str, Path]:
    """The variables of the environment that set something."""
    return {**{variable_of(key.path): key.path for key in every_key() if not key.kind.is_table}, **SHORT_VARIABLES}


def unknown_variable(name: str) -> str:
    near = difflib.get_close_matches(name, [*variables(), "CODI_HOME"], n=1, cutoff=0.7)
    return "unknown variable" + (f" - did you mean {near[0]}?" if near else "")


_STRICTER: dict[str, tuple[Any, ...]] = {
    "sandbox.mode": ("require", "auto", "off"),
    "sandbox.network": ("none", "proxy", "host"),
}
"""From the strictest to the loosest, of what a project may only tighten."""


def refusal_of_project(path: Path, kind: Kind, value: Any, below: Mapping[str, Any]) -> str | None:
    """Why a project may not set this; `below` is what the layers beneath it say."""
    if kind.project == "lower":
        now = value_at(below, path)
        limit = value_at(Settings(), path) if now is msgspec.UNSET else now
        # No steps at all are meant as no limit of steps.
        steps = path == ("agent", "max_steps")
        high = math.inf if limit is None or (steps and limit == 0) else limit
        wanted = math.inf if steps and value == 0 else value
        return None if wanted <= high else f"a project may not raise this limit above {limit}"
    if kind.project == "raise":
        now = value_at(below, path)
        least = value_at(Settings(), path) if now is msgspec.UNSET else now
        return None if value >= least else f"a project may not lower this below {least}"
    if kind.project == "stricter":
        now = value_at(below, path)
        order = _STRICTER[dotted(path)]
        held = value_at(Settings(), path) if now is msgspec.UNSET else now
        return None if order.index(value) <= order.index(held) else f"a project may not loosen this to {value}"
    if kind.project in ("on", "off"):
        return None if value is (kind.project == "on") else f"a project may only switch this {kind.project}"
    if path == ("permission_mode",) and value == "full-access":
        return "a project may not set full-access"
    return None if kind.project == "set" else "a project may not set this"


def without(tree: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The same tree, less one key, and less the tables that are empty without it."""
    head, *rest = path
    if rest and (inner := without(tree[head], tuple(rest))):
        return {**tree, head: inner}
    return {key: value for key, value in tree.items() if key != head}


def value_at(tree: Any, path: Path) -> Any:
    """The value at a place; UNSET where there is none."""
    for part in path:
        if isinstance(tree, Struct):
            tree = getattr(tree, part, msgspec.UNSET)
        elif isinstance(tree, Mapping):
            tree = tree.get(part, msgspec.UNSET)
        else:
            return msgspec.UNSET
    return tree


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no table, with its place; and tables that are empty."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _keys(form: Any, path: Path) -> Iterator[Key]:
    for field in msgspec.structs.fields(form):
        inner, note = _bare(field.type)
        place = (*path, field.encode_name)
        if _is_struct(inner):
            yield from _keys(inner, place)
        else:
            default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            yield Key(place, Kind(inner, note), default)


def _faults(tree: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    for key, value in tree.items():
        place = (*path, key)
        kind = kind_at(place)
        if kind is None:
            yield unknown(place, "section" if isinstance(value, dict) else "key")
        elif isinstance(value, dict) and kind.is_table:
            yield from _faults(value, place)
        elif fault := fault_of(value, kind):
            yield Fault(place, fault)


def fault_of(value: Any, kind: Kind) -> str | None:
    """What was expected where this value stands, if it does not fit."""
    if kind.form is Any:
        return None
    try:
        msgspec.convert(value, Annotated[kind.form, kind.note] if kind.note else kind.form)
    except msgspec.ValidationError:
        found = _found(value)
        if get_origin(kind.form) is Literal and isinstance(value, str):
            near = difflib.get_close_matches(value, get_args(kind.form), n=1)
            found += f" - did you mean {near[0]}?" if near else ""
        return f"expected {kind.expected}, found {found}"
    return None


def _found(value: Any) -> str:
    word = _WORDS.get(type(value), type(value).__name__)
    if isinstance(value, list):
        odd = next((item for item in value if not isinstance(item, str)), None)
        return word if odd is None else f"{word} with {_found(odd)}"
    return word if isinstance(value, dict) else f"{word} {msgspec.json.encode(value).decode()}"


def _value(text: str, kind: Kind) -> Any:
    if kind.form is str:
        parsed = _toml(text)
        return parsed if isinstance(parsed, str) else text
    if get_origin(kind.form) is Literal:
        return text.strip().strip("\"'")
    if kind.form is bool:
        folded = text.strip().lower()
        return True if folded in _TRUE else False if folded in _FALSE else text
    if kind.form in (int, float) or kind.is_table:
        parsed = _toml(text)
        return text if parsed is None else parsed
    if get_origin(kind.form) in (tuple, list):
        return _items(text)
    parsed = _toml(text)
    return text if parsed is None else parsed


def _items(text: str) -> Any:
    parsed = _toml(text)
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed, str):
        return [parsed]
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    return [word.strip("\"'") for part in _at_commas(inner) if (word := part.strip())]


def _at_commas(text: str) -> list[str]:
    """A list in one text. A comma within brackets is part of a rule such as run(git add, commit)."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _toml(text: str) -> Any:
    """The value that a text is in TOML; None where it is none."""
    if "\n" in text:
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None


def _bare(form: Any) -> tuple[Any, Meta | None]:
    """A type without the option to be left out, and the note on it."""
    note: Meta | None = None
    while True:
        if get_origin(form) is Annotated:
            inner, *notes = get_args(form)
            note = note or next((each for each in notes if isinstance(each, Meta)), None)
            form = inner
        elif get_origin(form) in (Union, UnionType):
            present = [each for each in get_args(form) if each not in (type(None), UnsetType)]
            if len(present) != 1:
                return Union[tuple(present)], note  # noqa: UP007 - of a tuple
            form = present[0]
        else:
            return form, note


def _in_words(form: Any) -> str:
    if form is Any:
        return "anything"
    if _is_struct(form):
        return "table"
    origin = get_origin(form)
    if origin is Literal:
        values: Sequence[str] = get_args(form)
        return f"one of {', '.join(values)}"
    if origin in (tuple, list):
        return f"list of {_in_words(get_args(form)[0])}s"
    if origin is dict:
        return "table"
    if origin in (Union, UnionType):
        return " or ".join(_in_words(each) for each in get_args(form))
    return _WORDS.get(form, str(form))


def _is_struct(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Struct)


def _is_bare(part: str) -> bool:
    return bool(part) and all((sign.isalnum() and sign.isascii()) or sign in "_-" for sign in part)
