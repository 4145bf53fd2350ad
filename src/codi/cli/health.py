"""The checks of `codi doctor`, each a row."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from shutil import which
from typing import Any, Literal

import anyio
from msgspec import Struct

from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.assembly import Assembly
from codi.engine.layers import load
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.version import VERSION

_MOST_FILES = 20_000
_FOR_OTHERS = 0o077
_LEVELS = {
    3: "files, secrets, network and processes are held",
    2: "writes and network are held, reading is not",
    1: "nothing is held",
}
_INSTALL = "apt install {0} (Debian), brew install {0} (macOS), dnf install {0} (Fedora)"


class Row(Struct, frozen=True, omit_defaults=True):
    """What one check found. `needed`: codi cannot do what it was set up to do without it."""

    name: str
    status: Literal["ok", "missing", "broken"]
    text: str
    cure: str = ""
    needed: bool = False


class Patient(Struct, frozen=True):
    """What is looked at; with `fix`, what can be mended is."""

    parts: Assembly
    fix: bool


def parts_of(args: Any) -> Assembly:
    """As they would be put together with these flags."""
    places = Places.at(args.cwd)
    flags = {"sandbox.mode": args.sandbox} if args.sandbox else {}
    return Assembly(places, load(places, os.environ, flags, ()).settings, Options(), os.environ)


def tell(args: Any) -> int:
    """Print what all checks found. 1 if something that is needed is not in order."""
    patient = Patient(parts_of(args), args.fix)
    rows = [check(patient) for check in CHECKS]
    if args.json:
        print_json(rows)
    else:
        wanted = [row for row in rows if not args.quiet or row.status != "ok"]
        print_table(
            ["check", "status", "what", "what to do"], ([row.name, row.status, row.text, row.cure] for row in wanted)
        )
    return int(any(row.needed and row.status != "ok" for row in rows))


def _codi(patient: Patient) -> Row:
    return Row("codi", "ok", f"{VERSION}, Python {sys.version.split()[0]}, {sys.platform}")


def _sandbox(patient: Patient) -> Row:
    sandbox = patient.parts.sandbox()
    standing = anyio.run(sandbox.standing)
    sandbox.close()
    settings = sandbox.settings
    text = f"{standing.words}: {_LEVELS[standing.level]}"
    if standing.why_not:
        text += f"; no better, for {standing.why_not}"
    needed = settings.mode == "require"
    enough = standing.level >= (settings.require_level if needed else 2)
    return Row("sandbox", "ok" if enough else "broken" if needed else "missing", text, standing.cure, needed)


def _program(name: str, package: str, use: str) -> Callable[[Patient], Row]:
    def check(patient: Patient) -> Row:
        path = which(name)
        return Row(name, "ok", f"{path}: {use}") if path else Row(name, "missing", use, _INSTALL.format(package))

    return check


def _module(name: str, title: str, use: str) -> Callable[[Patient], Row]:
    def check(patient: Patient) -> Row:
        there = find_spec(name) is not None
        return Row(title, "ok", use) if there else Row(title, "missing", use, f"pip install {title}")

    return check


def _home(patient: Patient) -> Row:
    home = patient.parts.places.home
    if not os.path.exists(home):
        return Row("home", "ok", f"{shown_path(home)} is made when it is needed")
    open_to_others = _open_to_others(home)
    if patient.fix:
        for path in open_to_others:
            os.chmod(path, os.lstat(path).st_mode & 0o700)
        fixed = f", {len(open_to_others)} closed" if open_to_others else ""
        return Row("home", "ok", f"{shown_path(home)}: for its person alone{fixed}")
    if not open_to_others:
        return Row("home", "ok", f"{shown_path(home)}: for its person alone")
    named = ", ".join(shown_path(path) for path in open_to_others[:3])
    more = f" and {len(open_to_others) - 3} more" if len(open_to_others) > 3 else ""
    return Row("home", "broken", f"others may look into {named}{more}", "codi doctor --fix", needed=True)


def _open_to_others(home: str) -> list[str]:
    found = [home] if os.lstat(home).st_mode & _FOR_OTHERS else []
    seen = 0
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            seen += 1
            if not os.path.islink(path) and os.lstat(path).st_mode & _FOR_OTHERS:
                found.append(path)
        if seen > _MOST_FILES:
            break
    return found


CHECKS: Sequence[Callable[[Patient], Row]] = (
    _codi,
    _sandbox,
    _program("git", "git", "the state of a repository, and snapshots that git can read"),
    _program("rg", "ripgrep", "fast searching; codi's own is slower"),
    _module("tree_sitter", "tree-sitter", "reading code by its grammar; regular expressions must do without"),
    _module("keyring", "keyring", "keys in the system's own store; the environment and files must do without"),
    _home,
)
"""In the order in which they are told."""
