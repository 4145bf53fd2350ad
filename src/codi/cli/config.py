"""`codi config`: what is set and why, setting it, and what is wrong with it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from codi.cli.flags import Parser, how_trusted, parser, settings_of
from codi.cli.printing import print_json, print_table
from codi.cli.words import COMMANDS
from codi.engine import config_files, config_writing, keys, plain_secrets
from codi.engine.config_files import shown
from codi.engine.config_template import template
from codi.engine.keys import Key, Path, dotted
from codi.engine.layers import PROJECT_LAYERS, UNITED, Layer, Loaded, Problem, Survey
from codi.engine.places import Places
from codi.engine.references import wrong_references
from codi.engine.settings import Settings
from codi.protocol.errors import CodiError, ConfigError, UsageError
from codi.workspace import git

_LAYERS = ("default", "user", "project", "local", "environment", "flags")
_WHY = {
    "default": "no layer sets it",
    "user": "your own file sets it, and nothing that counts more",
    "project": "the project's file counts more than your own",
    "local": "the project's untracked file counts more than its other one",
    "environment": "a variable counts more than any file",
    "flags": "a flag counts more than anything else",
}
_MAY = {
    "": "may not set it",
    "set": "may set it",
    "lower": "may lower it",
    "on": "may switch it on",
    "off": "may switch it off",
}


def run(words: Sequence[str]) -> int:
    config = Parser(prog="codi config", description="What is set, where it comes from, and setting it.")
    actions = config.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, help: str) -> Any:
        each = actions.add_parser(name, help=help, description=help)
        each.add_argument("--json", action="store_true")
        each.add_argument("--cwd", metavar="DIR", help="the working directory")
        each.add_argument("-q", "--quiet", action="store_true")
        each.add_argument("--trust-project", action="store_true", help="obey the project's configuration in this run")
        return each

    get = action("get", "the value of a key")
    get.add_argument("key", metavar="KEY")
    get.add_argument("--layer", choices=_LAYERS, help="what this layer says")
    put = action("set", "set a key")
    put.add_argument("key", metavar="KEY")
    put.add_argument("value", metavar="VALUE")
    unset = action("unset", "remove a key")
    unset.add_argument("key", metavar="KEY")
    listing = action("list", "all keys with their values")
    listing.add_argument("section", nargs="?", metavar="SECTION")
    listing.add_argument("--changed", action="store_true", help="only those that some layer sets")
    listing.add_argument("--origin", action="store_true", help="with file and line")
    explain = action("explain", "what a key means, and who sets it")
    explain.add_argument("key", metavar="KEY")
    action("path", "the files that are read, and those that are not")
    check = action("check", "look for mistakes in a file, or in all layers")
    check.add_argument("file", nargs="?", metavar="FILE")
    action("schema", "the JSON Schema of a configuration file")
    init = action("init", "write a file in which every key is explained")
    init.add_argument("--force", action="store_true", help="in place of one that is there")
    edit = action("edit", "open the file in $VISUAL or $EDITOR")
    for each in (put, unset, init, edit):
        where = each.add_mutually_exclusive_group()
        for name, help in (
            ("user", "your own file (the default)"),
            ("project", "the project's file"),
            ("local", "its untracked one"),
        ):
            where.add_argument(f"--{name}", dest="layer", action="store_const", const=name, help=help)
    args, more = config.parse_known_args(words)
    action_of = {
        "get": _get,
        "set": _set,
        "unset": _unset,
        "list": _list,
        "explain": _explain,
        "path": _path,
        "check": _check,
        "schema": _schema,
        "init": _init,
        "edit": _edit,
    }[args.action]
    return action_of(args, _Asked(args, more))


class _Asked:
    """What all actions look at: where we are, and what the flags of this start would set."""

    def __init__(self, args: Any, more: Sequence[str]) -> None:
        flags = parser(COMMANDS).parse_args(more)
        if flags.prompt:
            raise UsageError(f"what is {flags.prompt[0]!r} to mean?", hint="A value of several words stands in quotes.")
        self.places = Places.at(args.cwd)
        self._flags, self._pairs = settings_of(flags), flags.config
        self._how = how_trusted(args)

    def survey(self, *, all_of_it: bool = False) -> Survey:
        how = "all" if all_of_it else self._how
        return Survey(self.places, os.environ, self._flags, self._pairs, how=how)

    def loaded(self) -> Loaded:
        survey = self.survey()
        survey.refuse()
        return survey.loaded()

    def folder(self, layer: str) -> tuple[str, str]:
        """Where the file of a layer lies, and how its name begins."""
        if layer == "user":
            return self.places.home, "config"
        return os.path.join(self.places.root, ".codi"), "config.local" if layer == "local" else "config"


def _get(args: Any, asked: _Asked) -> int:
    path = _known(args.key)
    loaded = asked.loaded()
    if args.layer in (None, "default"):
        value = _plain(keys.value_at(loaded.settings if args.layer is None else Settings(), path))
        layer, origin = _origin(loaded, path) if args.layer is None else ("default", "")
    else:
        told = next(_told_by(loaded, path, args.layer), None)
        value, origin, layer = (told.value, told.origin, args.layer) if told else (UNSET, "", args.layer)
    if value is UNSET:
        where = f" in the layer {args.layer}" if args.layer else ""
        raise CodiError(f"{args.key} is not set{where}", hint=f"codi config set {args.key} VALUE")
    if args.json:
        print_json({"key": dotted(path), "value": value, "layer": layer, "origin": origin})
    elif isinstance(value, dict):
        for place, leaf in keys.leaves(value, path):
            print(f"{dotted(place)} = {_in_toml(leaf)}")
    else:
        print(_text(value))
    return 0


def _set(args: Any, asked: _Asked) -> int:
    path, layer = _key(args.key), args.layer or "user"
    kind = keys.kind_at(path)
    if kind is None:
        raise UsageError(f"{args.key}: {keys.unknown(path).text}", hint="codi config list shows all keys.")
    if isinstance(keys.value_at(Settings(), path), Struct):
        raise UsageError(f"{args.key} is a section", hint=f"Set one of its keys: codi config list {args.key}.")
    try:
        value = msgspec.to_builtins(keys.value_from(args.value, kind))
    except ValueError as error:
        raise UsageError(f"{args.key}: {error}", hint=f"codi config explain {args.key}") from error
    if layer in PROJECT_LAYERS:
        below = next((each.tree for each in asked.survey().layers if each.name == "user"), {})
        if refusal := keys.refusal_of_project(path, kind, value, below):
            raise UsageError(f"{args.key}: {refusal}", hint="Set it for yourself: --user.")
    folder, stem = asked.folder(layer)
    is_new = config_files.find(folder, stem) is None
    file = config_writing.put(folder, stem, path, value)
    if layer == "local" and is_new:
        git.exclude(asked.places.root, "/.codi/config.local.toml")
    _say(
        args, {"key": dotted(path), "value": value, "layer": layer, "path": file}, f"{dotted(path)} = {_in_toml(value)}"
    )
    return 0


def _unset(args: Any, asked: _Asked) -> int:
    path, layer = _key(args.key), args.layer or "user"
    folder, stem = asked.folder(layer)
    if not config_writing.remove(folder, stem, path):
        raise CodiError(f"{args.key} is not set in the layer {layer}", hint=f"codi config explain {args.key}")
    _say(args, {"key": dotted(path), "layer": layer}, f"{dotted(path)} is no longer set in the layer {layer}")
    return 0


def _list(args: Any, asked: _Asked) -> int:
    section = _known(args.section) if args.section else ()
    loaded = asked.loaded()
    rows = []
    for place, value in _values(loaded.settings):
        layer, origin = _origin(loaded, place)
        if place[: len(section)] == section and not (args.changed and layer == "default"):
            rows.append((dotted(place), _as_written(loaded, place, value), layer, origin))
    if args.json:
        for row in rows:
            print_json(dict(zip(("key", "value", "layer", "origin"), row)))
        return 0
    columns = ["key", "value", "layer", "origin"][: 4 if args.origin else 3]
    print_table(columns, ([key, _in_toml(value), layer, origin][: len(columns)] for key, value, layer, origin in rows))
    return 0


def _explain(args: Any, asked: _Asked) -> int:
    path = _known(args.key)
    kind = keys.known_kind_at(path)
    default = _plain(keys.value_at(Settings(), path))
    if isinstance(keys.value_at(Settings(), path), Struct):
        raise CodiError(f"{args.key} is a section", hint=f"codi config list {args.key} shows its keys.")
    key = Key(path, kind, None if default is UNSET else default)
    loaded = asked.loaded()
    layer, origin = _origin(loaded, path)
    told = [_Told("default", "", key.default), *_told_by(loaded, path)]
    told[1:] = reversed(told[1:])
    value = _plain(keys.value_at(loaded.settings, path))
    why = "all layers add to it" if path in UNITED and len(told) > 2 else _WHY[layer]
    explained = {
        "key": key.name,
        "type": kind.expected,
        "meaning": kind.meaning,
        "value": _as_written(loaded, path, None if value is UNSET else value),
        "default": key.default,
        "layer": layer,
        "origin": origin,
        "why": why,
        "layers": [{"layer": each.layer, "origin": each.origin, "value": _hidden(path, each.value)} for each in told],
        "environment": key.variable or None,
        "flag": key.flag,
        "project": _MAY[kind.project],
    }
    if args.json:
        print_json(explained)
        return 0
    print(f"{key.name}: {kind.meaning}" if kind.meaning else key.name)
    rows = {
        "type": kind.expected,
        "value": _in_toml(explained["value"]),
        "won": f"{layer}{f' ({origin})' if origin else ''}: {why}",
        **{f"  {each.layer}": f"{_in_toml(_hidden(path, each.value))}  {each.origin}".rstrip() for each in told},
        "variable": key.variable or "(none)",
        "flag": key.flag,
        "project": f"a trusted project {_MAY[kind.project]}",
    }
    for name, text in rows.items():
        print(f"  {name:<13} {text}".rstrip())
    return 0


def _path(args: Any, asked: _Asked) -> int:
    looks = asked.survey().looks
    if args.json:
        for look in looks:
            print_json({"layer": look.layer, "path": look.path, "state": look.state, "reason": look.reason or None})
        return 0
    print_table(
        ["layer", "file", "state"],
        ([look.layer, look.path, ": ".join(part for part in (look.state, look.reason) if part)] for look in looks),
    )
    return 0


def _check(args: Any, asked: _Asked) -> int:
    if args.file:
        survey = Survey(asked.places, {}, {}, (), only=os.path.abspath(args.file))
    else:
        survey = asked.survey(all_of_it=True)
    errors = sorted([problem for problem in survey.problems if problem.ends or problem.strange])
    if not any(problem.ends for problem in errors):
        errors = sorted([*errors, *_wrong_references(survey.loaded(), asked.places)])
    warnings = [problem for problem in survey.problems if not (problem.ends or problem.strange)]
    files = [look.path for look in survey.looks if look.state in ("read", "broken")]
    if args.json:
        told = {"ok": not errors, "errors": list(map(_in_json, errors)), "warnings": list(map(_in_json, warnings))}
        print_json({**told, "files": files})
    else:
        for problem in errors:
            print(f"error: {problem}", file=sys.stderr)
        for problem in warnings:
            print(f"warning: {problem}", file=sys.stderr)
        if not errors and not args.quiet:
            print("\n".join(f"{shown(file)}: right" for file in files) or "no file to check")
    return 2 if errors else 0


def _schema(args: Any, asked: _Asked) -> int:
    schema = msgspec.json.schema(Settings)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "codi configuration", **schema}
    print(msgspec.json.format(msgspec.json.encode(schema)).decode())
    return 0


def _init(args: Any, asked: _Asked) -> int:
    layer = args.layer or "user"
    folder, stem = asked.folder(layer)
    path = config_files.find(folder, stem) or os.path.join(folder, f"{stem}.toml")
    if args.force and path.endswith(".toml") and os.path.exists(path):
        os.unlink(path)
    try:
        config_writing.create(path, template())
    except FileExistsError as error:
        raise CodiError(f"{shown(path)} is there already", hint="--force writes it anew.") from error
    except OSError as error:
        raise ConfigError(f"{shown(path)} cannot be written: {error.strerror}", hint="Check who owns it.") from error
    if layer == "local":
        git.exclude(asked.places.root, "/.codi/config.local.toml")
    _say(args, {"path": path, "layer": layer}, path)
    return 0


def _edit(args: Any, asked: _Asked) -> int:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise UsageError("no editor is named", hint="Set EDITOR, or use codi config set KEY VALUE.")
    layer = args.layer or "user"
    folder, stem = asked.folder(layer)
    path = config_files.find(folder, stem) or os.path.join(folder, f"{stem}.toml")
    if not os.path.exists(path):
        config_writing.create(path, "")
        if layer == "local":
            git.exclude(asked.places.root, "/.codi/config.local.toml")
    try:
        done = subprocess.run([*shlex.split(editor), path], check=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"the editor {editor!r} cannot be run: {error}", hint="Correct EDITOR or VISUAL.") from error
    if done.returncode:
        raise CodiError(f"the editor ended with status {done.returncode}", hint=f"Look at {shown(path)}.")
    problems = Survey(asked.places, {}, {}, (), only=path).problems
    for problem in problems:
        print(f"{'error' if problem.ends else 'warning'}: {problem}", file=sys.stderr)
    _say(args, {"path": path, "problems": list(map(_in_json, problems))}, path)
    return 2 if any(problem.ends for problem in problems) else 0


class _Told(Struct, frozen=True):
    """What one layer says of a key."""

    layer: str
    origin: str
    value: Any


def _told_by(loaded: Loaded, path: Path, layer: str | None = None) -> Iterator[_Told]:
    """The layers that say something of a key, or that one alone; the one that counts most comes first."""
    for each in reversed(loaded.layers):
        value = keys.value_at(each.tree, path)
        if value is not UNSET and layer in (None, each.name):
            yield _Told(each.name, each.where(path), value)


def _origin(loaded: Loaded, path: Path) -> tuple[str, str]:
    told = next(_told_by(loaded, path), None)
    return (told.layer, told.origin) if told else ("default", "")


def _values(settings: Settings) -> Iterator[tuple[Path, Any]]:
    """Every key with its value; of tables in which names are free, every name."""
    tree = msgspec.to_builtins(settings)
    for key in keys.every_key():
        value = keys.value_at(tree, key.path)
        if key.kind.is_table and value:
            yield from keys.leaves(value, key.path)
        else:
            yield key.path, value


def _as_written(loaded: Loaded, path: Path, value: Any) -> Any:
    """A value to be shown: with the names of variables in place of what they hold, and without what is secret."""
    told = next(_told_by(loaded, path), None)
    is_handed_on = path[0] == "providers" or path[:2] == ("shell", "env")
    return _hidden(path, told.value if told and is_handed_on else value)


def _hidden(path: Path, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hidden((*path, key), inner) for key, inner in value.items()}
    return "(a secret)" if any(plain_secrets.keys_with_secrets({path[-1]: value})) else value


def _wrong_references(loaded: Loaded, places: Places) -> Iterator[Problem]:
    for path, text in wrong_references(loaded.settings, places):
        layer = next(
            (each for each in reversed(loaded.layers) if keys.value_at(each.tree, path) is not UNSET),
            Layer("default", {}),
        )
        file = layer.file.path if layer.file else ""
        yield Problem(
            file, layer.line_of(path), f"{layer.where(path)}: {dotted(path)}: {text}", dotted(path), strange=True
        )


def _in_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file or None,
        "line": problem.line or None,
        "key": problem.key or None,
        "message": str(problem),
    }


def _key(text: str) -> Path:
    try:
        return keys.path_of(text)
    except ValueError as error:
        raise UsageError(str(error), hint="A key is such as agent.max_steps.") from error


def _known(text: str) -> Path:
    """The key of that name. Raises CodiError with the name that was perhaps meant."""
    try:
        path = keys.path_of(text)
        keys.known_kind_at(path)
    except ValueError as error:
        raise CodiError(f"{text}: {error}", hint="codi config list shows all keys.") from error
    return path


def _plain(value: Any) -> Any:
    return value if value is UNSET else msgspec.to_builtins(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else _in_toml(value)


def _in_toml(value: Any) -> str:
    """As one would write it after a key; nothing for what is not set."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dotted((key,))} = {_in_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_in_toml, value)) + "]"
    return msgspec.json.encode(value).decode()


def _say(args: Any, told: dict[str, Any], text: str) -> None:
    if args.json:
        print_json(told)
    elif not args.quiet:
        print(text)
