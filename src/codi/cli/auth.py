"""`codi auth`: keys and logins that are kept, without ever showing one."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import anyio
from msgspec import Struct

from codi.cli.asking import who_asks
from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json, print_table
from codi.credentials.kept import Kept, Label
from codi.credentials.oauth.issuers import ALIASES, Issuer, issuer_of, issuers
from codi.credentials.safe import Safe
from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.insights.network_log import NetworkLog
from codi.protocol.errors import CredentialError, UsageError
from codi.providers.presets import Preset, presets


class Row(Struct, frozen=True, rename="camel", kw_only=True):
    """A key or login as a list shows it. `used` says that it is the one that counts for its provider now."""

    provider: str
    account: str
    kind: str
    source: str
    expires_at: str | None
    expired: bool
    used: bool


def run(words: Sequence[str]) -> int:
    auth = Parser(prog="codi auth", description="Keys and logins that codi keeps. None is ever shown.")
    actions = auth.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, help: str) -> Any:
        each = actions.add_parser(name, help=help, description=help)
        add_general(each)
        return each

    login = action("login", "log in to a service, or keep a key for it")
    login.add_argument("name", nargs="?", default="", metavar="NAME", help="the service")
    way = login.add_mutually_exclusive_group()
    way.add_argument("--device", action="store_true", help="with a code that is typed in a browser elsewhere")
    way.add_argument("--key-stdin", action="store_true", help="keep the key that standard input brings")
    login.add_argument("--account", default="", metavar="A", help="one of several accounts")
    login.add_argument("--offline", action="store_true", help="no network beyond this machine")
    logout = action("logout", "remove a key or login from every store")
    logout.add_argument("name", nargs="?", default="", metavar="NAME", help="the service")
    logout.add_argument("--all", action="store_true", help="of all services")
    logout.add_argument("--account", metavar="A", help="this account alone")
    action("status", "which key or login counts for each service, and until when")
    action("list", "what is kept, and where")
    args = auth.parse_args(words)

    places = Places.at(args.cwd)
    flags = {"network.offline": True} if getattr(args, "offline", False) else {}
    loaded = load(places, os.environ, flags, ())
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    settings = loaded.settings
    safe = Safe(places.home, os.environ, who_asks())
    known = presets(settings.providers)
    if args.action == "login":
        return _log_in(args, settings, safe, known)
    if args.action == "logout":
        return _log_out(args, safe)
    rows = list(_kept(safe, {}) if args.action == "list" else _standing(safe, known))
    _show(rows, args)
    return 0


def _log_in(args: Any, settings: Settings, safe: Safe, known: Mapping[str, Preset]) -> int:
    able = issuers(settings.auth.providers)
    name = ALIASES.get(args.name, args.name)
    if not name:
        own = [each for each in settings.auth.providers if able[ALIASES.get(each, each)].client_id]
        raise UsageError("log in to which service?", hint=f"Name one of {', '.join(dict.fromkeys([*own, *known]))}.")
    if name not in known and name not in able:
        raise UsageError(f'unknown provider "{name}"', hint=f"Known are {', '.join(dict.fromkeys([*able, *known]))}.")
    kept = _new(args, name, able, settings, safe.home)
    label, why = safe.keep(name, kept, args.account)
    if why and not args.quiet:
        print(f"{why}; kept in a file instead", file=sys.stderr)
    if not label.protected:
        print(
            "warning: credentials.enc is obfuscated, not protected: its key lies beside it. "
            "Set CODI_CREDENTIALS_KEY to choose a passphrase.",
            file=sys.stderr,
        )
    if args.json:
        print_json(
            {
                "provider": name,
                "account": args.account,
                "kind": kept.kind,
                "store": label.where,
                "protected": label.protected,
                "expiresAt": _date(label.expires_at),
            }
        )
    elif not args.quiet:
        what = "the login to" if kept.kind == "login" else "the key for"
        print(f"{what} {label.name} is kept in {label.place}")
    _warn_of_variable(name, known)
    return 0


def _new(args: Any, name: str, able: Mapping[str, Issuer], settings: Settings, home: str) -> Kept:
    if args.key_stdin:
        return _key(sys.stdin.buffer.readline().decode(errors="replace"))
    try:
        issuer = issuer_of(name, able)
    except CredentialError as missing:
        ask = who_asks()
        if ask is None or args.device:
            raise
        print(f"{missing}.", file=sys.stderr)
        return _key(ask(f"Key for {name}: "))
    if args.device and not issuer.device_url:
        raise CredentialError(
            f"{name} has no login on another device",
            hint=f"Set auth.providers.{name}.device_url, or go without --device.",
        )
    if issuer.terms:
        print(f"note: {issuer.terms}", file=sys.stderr)
    from codi.cli import logging_in  # the HTTP library

    offline = settings.network.offline
    hear = NetworkLog(home).hear
    return anyio.run(partial(logging_in.log_in, issuer, os.environ, device=args.device, offline=offline, hear=hear))


def _key(text: str) -> Kept:
    key = text.strip()
    if not key:
        raise CredentialError(
            "there was no key; nothing was kept", hint='Give it as one line, e.g. printf %s "$KEY" | ...'
        )
    if not (key.isascii() and key.isprintable()):
        raise CredentialError("this is no key: it holds characters that no header may hold", hint="Copy it again.")
    return Kept(secret=key)


def _warn_of_variable(name: str, known: Mapping[str, Preset]) -> None:
    preset = known.get(name)
    variable = preset.key_variable(os.environ) if preset else None
    if variable:
        print(f"note: {variable} is set, and counts more than what is kept", file=sys.stderr)


def _log_out(args: Any, safe: Safe) -> int:
    name = ALIASES.get(args.name, args.name)
    if bool(name) == args.all:
        raise UsageError("log out of which service?", hint="Name it, or say --all.")
    places = safe.forget_all() if args.all else safe.forget(name, args.account)
    if not places and not args.all:
        raise CredentialError(f"nothing is kept for {name}", hint="`codi auth list` shows what is.")
    if args.json:
        print_json({"provider": name or None, "removedFrom": places})
    elif not args.quiet:
        print(f"removed from {' and '.join(dict.fromkeys(places))}" if places else "nothing was kept")
    return 0


def _standing(safe: Safe, known: Mapping[str, Preset]) -> Iterator[Row]:
    """What counts for each service: a variable, a command, or what is kept; and behind it what it hides."""
    used: dict[str, bool] = {}
    for name, preset in known.items():
        if variable := preset.key_variable(os.environ):
            used[name] = True
            yield _row(name, "key", variable, used=True)
        elif preset.key_command:
            used[name] = True
            yield _row(name, "key", "key_cmd", used=True)
    yield from _kept(safe, used)


def _kept(safe: Safe, used: dict[str, bool]) -> Iterator[Row]:
    safe.require_private()
    for label in safe.labels():
        yield _row(label.provider, label.kind, label.place, used=label.provider not in used, of=label)
        used[label.provider] = True


def _row(provider: str, kind: str, source: str, *, used: bool, of: Label | None = None) -> Row:
    at = of.expires_at if of else 0
    return Row(
        provider=provider,
        account=of.account if of else "",
        kind=kind,
        source=source,
        expires_at=_date(at),
        expired=bool(at) and at <= time.time(),
        used=used,
    )


def _show(rows: Sequence[Row], args: Any) -> None:
    if args.json:
        for row in rows:
            print_json(row)
        return
    print_table(
        ("provider", "account", "kind", "source", "expires", "used"),
        [[row.provider, row.account, row.kind, row.source, _until(row), "used" if row.used else ""] for row in rows],
    )
    if not rows and not args.quiet:
        print("hint: no key is set and nothing is kept; `codi auth login NAME` keeps one.", file=sys.stderr)


def _until(row: Row) -> str:
    if not row.expires_at:
        return ""
    return f"{row.expires_at} (renewed when it is used)" if row.expired else row.expires_at


def _date(at: float) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) if at else None
