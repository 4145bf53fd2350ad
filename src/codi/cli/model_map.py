"""`codi models map`: models under names of the person's own, shown, checked, added."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, action_of, add_general, how_trusted

_ACTIONS = {
    "show": "the model map as it holds",
    "check": "whether all that it names is there",
    "add": "put a model into the map",
    "init": "write a map to begin with into the configuration",
    "example": "print a map to begin with",
}
EXAMPLE = """\
[models.quick]
provider = "anthropic"
model = "claude-haiku-4-5"
max_output = 8192

[models.strong]
provider = "anthropic"
model = "claude-sonnet-4-5"

[tasks]
fast = "quick"
code = "strong"
summarize = "quick"
title = "quick"

[roles.reviewer]
default = "strong"

[fallbacks]
strong = ["quick"]

[pipelines.review]
description = "find issues, then judge them"
result = "{verdict}"

[[pipelines.review.steps]]
name = "scan"
model = "quick"
prompt = "List what may be wrong here, one finding a line:\\n\\n{input}"
output = "findings"

[[pipelines.review.steps]]
name = "judge"
role = "reviewer"
condition = "findings"
prompt = "Which of these findings are real?\\n\\n{findings}\\n\\n{input}"
output = "verdict"
"""


def run(words: Sequence[str]) -> int:
    action, words = action_of(words, _ACTIONS, "show")
    parser = Parser(prog=f"codi models map {action}", description=_ACTIONS[action])
    if action == "add":
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--provider", required=True, metavar="P")
        parser.add_argument("--model", required=True, metavar="M")
        parser.add_argument("--global", dest="wide", action="store_true", help="for all projects")
    if action == "init":
        parser.add_argument("--force", action="store_true", help="also where there is a map already")
    parser.add_argument("--trust-project", action="store_true", help="read the model map of the project too")
    add_general(parser)
    args = parser.parse_args(words)
    if action == "example":
        print(EXAMPLE, end="")
        return 0
    return {"show": _show, "check": _check, "add": _add, "init": _init}[action](args)


def _show(args: Any) -> int:
    from codi.cli.printing import print_json, print_table

    tables = _engine(args).tables
    if args.json:
        print_json({name: getattr(tables, name) for name in tables.__struct_fields__})
        return 0
    rows: list[tuple[str, str, str]] = []
    for name, row in tables.models.items():
        model = "/".join(str(row[key]) for key in ("provider", "model") if row.get(key)) or name
        rows.append(("model", name, f"{model}{'  ' + str(row['description']) if row.get('description') else ''}"))
    rows += [("task", name, model) for name, model in tables.tasks.items()]
    rows += [
        ("role", name, ", ".join(f"{key}: {model}" for key, model in row.items())) for name, row in tables.roles.items()
    ]
    rows += [("fallback", name, ", ".join(chain)) for name, chain in tables.fallbacks.items()]
    rows += [
        ("command", name, ", ".join(f"{key} {value}" for key, value in row.items()))
        for name, row in tables.commands.items()
    ]
    rows += [
        ("pipeline", name, f"{len(row.get('steps', ()))} steps  {row.get('description', '')}".rstrip())
        for name, row in tables.pipelines.items()
    ]
    print_table(("kind", "name", "is"), rows)
    if not rows and not args.quiet:
        print("hint: codi models map init writes one to begin with", file=sys.stderr)
    return 0


def _check(args: Any) -> int:
    from codi.cli.printing import print_json
    from codi.engine.layers import load
    from codi.engine.model_map_check import faults_in_map
    from codi.engine.places import Places

    engine = _engine(args)
    places = Places.at(args.cwd)
    layers = load(places, os.environ, {}, (), how=how_trusted(args)).layers
    providers = [row.name for row in engine.models.services()]
    failed = False
    for fault in faults_in_map(engine.tables, providers):
        failed = failed or fault.is_error
        where = _where(fault.path, layers, engine.tables.files)
        kind = "error" if fault.is_error else "warning"
        if args.json:
            print_json({"kind": kind, "where": where, "key": ".".join(fault.path), "message": fault.text})
        else:
            print(f"{kind}: {where}: {'.'.join(fault.path)}: {fault.text}")
    if not failed and not args.json and not args.quiet:
        print("the model map holds")
    return 1 if failed else 0


def _where(path: tuple[str, ...], layers: Sequence[Any], files: Sequence[str]) -> str:
    """file:line of the layer that says it."""
    from codi.engine import config_files

    for layer in reversed(layers):
        if layer.file and _holds(layer.tree, path):
            return str(layer.where(path))
    for file in reversed(files):
        read = config_files.read(file)
        if _holds(read.tree, path[:2]) or len(files) == 1:
            return read.where(path)
    return "the model map"


def _holds(tree: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _add(args: Any) -> int:
    from codi.engine import config_writing
    from codi.engine.config_files import shown
    from codi.engine.places import Places
    from codi.protocol.errors import UsageError

    places = Places.at(args.cwd)
    known = [row.name for row in _engine(args).models.services()]
    if args.provider not in known:
        from difflib import get_close_matches

        near = ", ".join(get_close_matches(args.provider, known, n=3)) or ", ".join(known)
        raise UsageError(f"unknown provider {args.provider!r}", hint=f"Nearest: {near}.")
    folder = places.home if args.wide else os.path.join(places.root, ".codi")
    config_writing.put(folder, "config", ("models", args.name, "provider"), args.provider)
    path = config_writing.put(folder, "config", ("models", args.name, "model"), args.model)
    if not args.quiet:
        print(f"{args.name} is {args.provider}/{args.model} in {shown(path)}")
    return 0


def _init(args: Any) -> int:
    from codi.engine import config_files
    from codi.engine.config_writing import create
    from codi.engine.places import Places
    from codi.protocol.errors import ConfigError

    home = Places.at(args.cwd).home
    path = config_files.find(home) or os.path.join(home, "config.toml")
    if not os.path.exists(path):
        create(path, EXAMPLE)
    elif not path.endswith(".toml"):
        raise ConfigError(f"{path} is not TOML", hint="codi models map example prints what to put into it.")
    elif not args.force and config_files.read(path).tree.get("models"):
        raise ConfigError(
            f"there is a model map in {path}", hint="codi models map example prints one; --force adds it."
        )
    else:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\n{EXAMPLE}")
    if not args.quiet:
        print(f"wrote a model map into {path}; change it to your models")
    return 0


def _engine(args: Any) -> Any:
    from codi.cli.start import host_for
    from codi.engine.places import Places

    return host_for(Places.at(args.cwd), {}, how=how_trusted(args))
