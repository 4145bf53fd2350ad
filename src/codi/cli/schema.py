"""`codi schema`: JSON Schemas of what codi prints and reads."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json, print_table
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.frontends.event_schema import events_schema, result_schema


def run(words: Sequence[str]) -> int:
    width = max(map(len, _SCHEMAS))
    parser = Parser(
        prog="codi schema",
        description="JSON Schemas of what codi prints and reads.",
        epilog="\n".join(f"  {name:<{width}}  {summary}" for name, (summary, _) in _SCHEMAS.items()),
    )
    parser.add_argument("name", nargs="?", choices=_SCHEMAS, metavar="NAME", help=", ".join(_SCHEMAS))
    add_general(parser)
    args = parser.parse_args(words)
    if args.name is None:
        if args.json:
            for name, (summary, _) in _SCHEMAS.items():
                print_json({"name": name, "summary": summary})
        else:
            print_table(("schema", "of what"), ([name, summary] for name, (summary, _) in _SCHEMAS.items()))
        return 0
    schema = _SCHEMAS[args.name][1](Places.at(args.cwd))
    if args.json:
        print_json(schema)
    else:
        print(msgspec.json.format(msgspec.json.encode(schema)).decode())
    return 0


def _settings(places: Places) -> dict[str, Any]:
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": "codi configuration", **msgspec.json.schema(Settings)}


def _tools(places: Places) -> dict[str, Any]:
    """The parameters of each tool, by its name."""
    from codi.cli.start import host_for  # all of codi, for this one schema

    specs = host_for(places, {}).tools()
    return {spec.name: {"description": spec.description, **spec.parameters} for spec in specs}


_SCHEMAS: dict[str, tuple[str, Callable[[Places], dict[str, Any]]]] = {
    "events": ("a line of --output-format stream-json", lambda _: events_schema()),
    "result": ("the object of --output-format json, and the last line of a stream", lambda _: result_schema()),
    "settings": ("a configuration file, as JSON", _settings),
    "tools": ("the parameters of each tool", _tools),
}
