"""Models as tables, for `codi models`."""

import re
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import to_builtins

from codi.cli import loop
from codi.cli.printing import print_json, print_table
from codi.cli.start import host_for
from codi.engine.engine import Engine
from codi.engine.model_list import ModelRow
from codi.engine.places import Places
from codi.protocol.errors import CodiError, NotFound

_HEAD = ("model", "window", "output", "abilities", "price in/out", "key", "default")


def show(args: Any) -> int:
    """The models that can be named; `args` as `codi models list` takes them."""
    return loop.run(_list, host_for(Places.at(args.cwd), {}), args)


def favourites(rows: Sequence[ModelRow], globs: Sequence[str]) -> list[ModelRow]:
    """The models that these patterns name, in their order; `*` alone is all whose service has a key."""
    found: dict[str, ModelRow] = {}
    for glob in globs:
        for row in rows:
            if fnmatchcase(row.model, glob) or fnmatchcase(row.id, glob):
                found.setdefault(row.model, row)
        if not glob.strip("*") and glob:
            found = {name: row for name, row in found.items() if row.key_present}
    return list(found.values())


def show_current(args: Any) -> int:
    """The model that answers when nobody names one. Raises CodiError where there is none."""
    return loop.run(_current, host_for(Places.at(args.cwd), {}), args)


def show_info(args: Any) -> int:
    """One model, with all that is known of it. Raises CodiError where there is none."""
    engine = host_for(Places.at(args.cwd), {})
    choice, entry = loop.run(engine.described, args.id)
    prices = entry.prices
    told = {
        "model": choice.model,
        "name": entry.name or None,
        "mapName": choice.name or None,
        "api": choice.api,
        "baseUrl": choice.base_url,
        "window": entry.window,
        "windowAssumed": entry.assumed,
        "maxOutput": entry.max_output,
        "abilities": [name for name in entry.abilities.__struct_fields__ if getattr(entry.abilities, name)],
        "thinking": list(entry.thinking_levels),
        "price": to_builtins(prices) if prices else None,
        "knowledge": entry.knowledge or None,
        "deprecated": entry.deprecated or None,
        "fallbacks": list(engine.parts.fallbacks(choice)),
    }
    if args.json:
        print_json(told)
        return 0
    if prices is None:
        told["price"] = "price unknown"
    elif not args.json:
        told["price"] = (
            f"{prices.input:g} in, {prices.output:g} out, {prices.cache_read:g} read, {prices.cache_write:g} written"
        )
    for name, value in told.items():
        if value not in (None, [], False):
            print(f"{name:<15}{', '.join(map(str, value)) if isinstance(value, list) else value}")
    return 0


def show_providers(args: Any) -> int:
    """The services that can be named, each with its address and where its key is looked for."""
    models = host_for(Places.at(args.cwd), {}).models
    for row in models.services() if args.json else ():
        print_json(to_builtins(row))
    if not args.json:
        rows = [(row.name, row.api, row.base_url, row.key, "yes" if row.ready else "") for row in models.services()]
        print_table(("provider", "format", "address", "key", "ready"), rows)
    return 0


async def _list(engine: Engine, args: Any) -> int:
    try:
        choice = await engine.choice()
    except CodiError as error:
        default, hint = "", f"{error}. {error.hint}"
    else:
        default, hint = choice.model, ""
    rows = await engine.models.rows(provider=args.provider, local=args.local, default=default)
    if args.favourites:
        rows = favourites(rows, engine.favourites)
    found = [row for row in rows if _plain(args.search) in _plain(f"{row.model} {row.name}")]
    if args.search and not found:
        raise NotFound(f"no model matches {args.search!r}", hint="`codi models` lists all that are known.")
    if args.json:
        for row in found:
            print_json(row)
    else:
        print_table(_HEAD, map(_cells, found))
    if not args.quiet:
        if args.local and not found:
            print(
                "hint: no server on this machine answers; start one, for example with `ollama serve`.", file=sys.stderr
            )
        elif hint and not args.local:
            print(f"hint: {hint}", file=sys.stderr)
    return 0


async def _current(engine: Engine, args: Any) -> int:
    choice = await engine.choice()
    if args.json:
        print_json(
            {
                "model": choice.model,
                "provider": choice.service,
                "id": choice.model_id,
                "api": choice.api,
                "baseUrl": choice.base_url,
                "keyVariable": choice.key_variable,
                "keyPresent": choice.key_variable is None or engine.models.has_key(choice.service),
                "thinking": choice.thinking,
                "reason": choice.reason,
            }
        )
    else:
        print_table(("model", "why", "address"), [[choice.model, choice.reason, choice.base_url]])
    return 0


def _cells(row: ModelRow) -> list[str]:
    prices = row.price
    return [
        row.model,
        f"{row.window} (assumed)" if row.window_assumed else str(row.window),
        str(row.max_output),
        ",".join(row.abilities),
        "price unknown" if prices is None else f"${prices.input:g}/${prices.output:g}",
        "not needed" if not row.key_needed else "present" if row.key_present else f"set {row.key_variable}",
        "*" if row.default else "",
    ]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9/]+", "", text.lower())
