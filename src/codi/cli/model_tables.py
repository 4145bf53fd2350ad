"""Models as tables, for `codi models`."""

import re
import sys
from typing import Any

import anyio

from codi.cli.printing import print_json, print_table
from codi.cli.start import host_for
from codi.engine.engine import Engine
from codi.engine.model_list import ModelRow
from codi.engine.places import Places
from codi.protocol.errors import CodiError, NotFound

_HEAD = ("model", "window", "output", "abilities", "price in/out", "key", "default")


def show(args: Any) -> int:
    """The models that can be named; `args` as `codi models list` takes them."""
    return anyio.run(_list, host_for(Places.at(args.cwd), {}), args)


def show_current(args: Any) -> int:
    """The model that answers when nobody names one. Raises CodiError where there is none."""
    return anyio.run(_current, host_for(Places.at(args.cwd), {}), args)


async def _list(engine: Engine, args: Any) -> int:
    try:
        choice = await engine.choice()
    except CodiError as error:
        default, hint = "", f"{error}. {error.hint}"
    else:
        default, hint = choice.model, ""
    rows = await engine.models.rows(provider=args.provider, local=args.local, default=default)
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
