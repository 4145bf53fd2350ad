"""`codi help`: of codi, a command, a flag, or a key of the configuration."""

import difflib
from collections.abc import Sequence
from importlib import import_module

from codi.cli.flags import Parser, parser
from codi.cli.main import COMMANDS
from codi.engine.keys import dotted, every_key, kind_at, path_of
from codi.protocol.errors import UsageError


def run(words: Sequence[str]) -> int:
    flags = parser(COMMANDS)
    if not words or words[0] in ("-h", "--help", "help"):
        flags.print_help()
        return 0
    if words[0] in COMMANDS:
        status: int = import_module(f"codi.cli.{words[0]}").run([*words, "--help"][1:])
        return status
    if words[0].startswith("-"):
        return _of_flag(words[0], flags)
    if _is_key(words[0]):
        explain: int = import_module("codi.cli.config").run(["explain", words[0]])
        return explain
    keys = [dotted(key.path) for key in every_key()]
    near = difflib.get_close_matches(words[0], {*COMMANDS, *flags.options(), *keys}, n=2)
    listed = "`codi help` lists commands and flags, `codi config list` keys."
    hint = f"Did you mean {' or '.join(near)}?" if near else listed
    raise UsageError(f"there is no help on {words[0]!r}", hint=hint)


def _of_flag(flag: str, flags: Parser) -> int:
    told = flags.told_of(flag)
    if not told:
        raise flags.unknown(flag)
    print(told, end="")
    return 0


def _is_key(text: str) -> bool:
    try:
        return kind_at(path_of(text)) is not None
    except ValueError:
        return False
