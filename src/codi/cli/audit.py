"""`codi audit`: the chained record of what was asked, decided and done."""

import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from codi.cli.flags import Parser, action_of, add_general
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.places import Places
from codi.insights.audit import FOLDER, AuditLine, Damage, damage, files, hashes_of, lines_in, session_of
from codi.protocol.errors import SessionError, UsageError
from codi.wire.characters import proper_json

_ACTIONS = {
    "show": "the lines of a session, by the beginning of its id; of all without one",
    "grep": "the lines that hold a regular expression",
    "verify": "whether a file, or all of them, is as it was written; exits 1 where not",
}


def run(words: Sequence[str]) -> int:
    action, left = action_of(words, _ACTIONS, "show")
    told = "\n".join(f"  {name:<8}{help}" for name, help in _ACTIONS.items())
    parser = Parser(
        prog="codi audit",
        usage="codi audit show [ID] | grep PATTERN | verify [FILE]",
        description=f"The record that audit.enabled or --audit keeps.\n\n{told}",
    )
    if action == "show":
        parser.add_argument("session", nargs="?", default="", metavar="ID")
    elif action == "grep":
        parser.add_argument("pattern", metavar="PATTERN")
    else:
        parser.add_argument("file", nargs="?", metavar="FILE")
    add_general(parser)
    args = parser.parse_args(left)
    folder = os.path.join(Places.at(args.cwd).home, FOLDER)
    return {"show": _show, "grep": _grep, "verify": _verify}[action](folder, args)


def _show(folder: str, args: Any) -> int:
    found = [path for path in files(folder) if session_of(path).startswith(args.session)]
    if args.session and not found:
        raise SessionError(f"no audit log is of a session {args.session}", hint="codi audit show lists all there is.")
    _print([line for path in found for line in lines_in(path)], args)
    return 0


def _grep(folder: str, args: Any) -> int:
    try:
        with warnings.catch_warnings(action="ignore"):  # what Python thinks of a pattern is of no use to a person
            pattern = re.compile(args.pattern)
    except re.error as error:
        raise UsageError(f"{args.pattern!r} is no regular expression: {error}", hint="Correct it.") from error
    found = [line for path in files(folder) for line in lines_in(path) if pattern.search(proper_json(line).decode())]
    _print(found, args)
    return 0 if found else 1


def _verify(folder: str, args: Any) -> int:
    all_files = files(os.path.dirname(os.path.abspath(args.file)) if args.file else folder)
    named = [args.file] if args.file else all_files
    try:
        hashes = {path: hashes_of(path) for path in all_files}
        found = [damage(path, before=_before(hashes, path) if len(all_files) > 1 else None) for path in named]
    except OSError as error:
        raise SessionError(f"{error.filename} cannot be read: {error.strerror}", hint="Name another file.") from error
    wrong: list[Damage] = [each for each in found if each]
    for path, each in zip(named, found, strict=True):
        if args.json:
            print_json(
                {
                    "file": path,
                    "ok": each is None,
                    "line": each.line if each else None,
                    "problem": each.what if each else None,
                }
            )
        elif not each and not args.quiet:
            print(f"{shown_path(path)}: ok")
    if wrong and not args.json:
        print(f"error: {wrong[0]}\nhint: The lines before it are as they were written.", file=sys.stderr)
    return 1 if wrong else 0


def _before(hashes: dict[str, dict[str, str]], path: str) -> dict[str, str]:
    """The hashes of all other files: two sessions may have written at the same time."""
    own = os.path.basename(path)
    return {
        hash: file for other, found in hashes.items() if os.path.basename(other) != own for hash, file in found.items()
    }


def _print(lines: Sequence[AuditLine], args: Any) -> None:
    if args.json:
        for line in lines:
            print_json(line)
        return
    print_table(
        ("time", "session", "type", "call", "what"),
        ((line.at, line.session[:13], line.type, line.call_id or "", _what(line)) for line in lines),
    )


def _what(line: AuditLine) -> str:
    told = ", ".join(f"{name}={value}" for name, value in line.data.items() if value not in (None, "", [], {}))
    return " ".join(told.split())[:300]
