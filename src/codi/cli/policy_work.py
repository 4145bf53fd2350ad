"""Showing, trying and changing rules, for `codi policy`. `args` are as its parser gives them."""

import os
import sys
from typing import Any, BinaryIO

import anyio
from msgspec.structs import replace

from codi.cli.flags import how_trusted
from codi.cli.printing import print_json, print_table
from codi.engine.assembly import Assembly
from codi.engine.layers import load
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.policy_desk import PolicyDesk, Told, Wish
from codi.frontends.sanitiser import visible
from codi.protocol.errors import UsageError
from codi.wire.characters import proper_json

_MOST_BYTES = 16 * 1024 * 1024


def list_all(args: Any, _: BinaryIO | None) -> int:
    desk = _desk(args)
    return _print(args, desk.sets() if args.sets else desk.listed(with_state=args.rules))


def explain(args: Any, _: BinaryIO | None) -> int:
    return _print(args, _desk(args).explained(args.command))


def test(args: Any, _: BinaryIO | None) -> int:
    return _print(args, _desk(args).tested(args.command))


def check(args: Any, stdin: BinaryIO | None) -> int:
    desk = _desk(args)
    out = sys.stdout
    for line in stdin or ():
        out.write(proper_json(desk.checked(line)).decode() + "\n")
        out.flush()
    return 0


def add(args: Any, _: BinaryIO | None) -> int:
    wish = Wish(
        text=args.rule,
        decision=args.decision,
        scope=args.scope,
        regex=args.regex,
        match=tuple(args.match),
        not_match=tuple(args.not_match),
        why=args.why,
        expires=args.expires,
    )
    return _print(args, _desk(args).added(wish))


def rm(args: Any, _: BinaryIO | None) -> int:
    return _print(args, _desk(args).removed(args.id))


def export(args: Any, _: BinaryIO | None) -> int:
    return _print(args, _desk(args).exported())


def bring(args: Any, stdin: BinaryIO | None) -> int:
    if args.file == "-":
        content = stdin.read(_MOST_BYTES) if stdin else b""
    else:
        try:
            with open(args.file, "rb") as file:
                content = file.read(_MOST_BYTES)
        except OSError as error:
            raise UsageError(
                f"{args.file} cannot be read: {error.strerror}", hint="Name a file of `codi policy export`."
            ) from error
    return _print(args, _desk(args).imported(content))


def _desk(args: Any) -> PolicyDesk:
    places = Places.at(args.cwd)
    flags = {"permission_mode": args.permission_mode} if args.permission_mode else {}
    loaded = load(places, os.environ, flags, (), how=how_trusted(args))
    options = Options(
        allow=tuple(getattr(args, "allowing", ())),
        deny=tuple(getattr(args, "denying", ())),
        trust=how_trusted(args),
    )
    parts = Assembly(places, loaded.settings, options, os.environ)
    if loaded.settings.permission_mode in ("plan", "read-only"):
        # These let commands look only where a sandbox holds them to it.
        sandbox = parts.sandbox()
        parts.territory = replace(parts.territory, confined=anyio.run(sandbox.standing).level >= 2)
        sandbox.close()
    book = parts.rulebook()
    learning = parts.learning(book)
    policy = learning.applied(parts.policy(loaded.settings.permission_mode))
    for warning in (*loaded.warnings, *learning.begin_turn()):
        print(f"warning: {warning}", file=sys.stderr)
    return PolicyDesk(lambda: policy, book, parts.territory)


def _print(args: Any, told: Told) -> int:
    if args.json:
        for each in told.objects:
            print_json(each)
    elif not (args.quiet and told.status == 0 and args.action in ("add", "rm", "test")):
        for line in told.lines:
            print(visible(line))
        if told.rows:
            print_table(told.head, told.rows)
    return told.status
