"""`codi import config`: settings of other agents, shown before anything is written. Permissions, hooks and servers are not taken
over; their files stay as they are."""

import os
import sys
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json, print_table, shown_path
from codi.engine.config_writing import put
from codi.engine.foreign_config import Misread, tree_of
from codi.engine.places import Places
from codi.frontends.tui.history import History
from codi.protocol.errors import UsageError

_HISTORY = "history"


class Setting(Struct, frozen=True):
    """`key` is codi's, `value` what the agent's `file` says."""

    agent: str
    file: str
    key: str
    value: str


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi import config", description="Bring in settings of other agents; they are shown first.")
    parser.add_argument("agent", nargs="?", metavar="AGENT", help=f"one of {', '.join(_FILES)}")
    parser.add_argument("--dry-run", action="store_true", help="show them, and write nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_general(parser)
    args = parser.parse_args(words)
    if args.agent and args.agent not in _FILES:
        raise UsageError(f"there is no agent {args.agent!r}", hint=f"There are {', '.join(_FILES)}.")
    places = Places.at(args.cwd)
    found = list(_found(args.agent, os.path.expanduser("~")))
    for setting in found:
        if args.json:
            print_json({"agent": setting.agent, "file": setting.file, "key": setting.key, "value": setting.value})
    if not args.json:
        rows = ([each.agent, each.key, each.value[:80], shown_path(each.file)] for each in found)
        print_table(("agent", "key", "value", "file"), rows)
    if not found:
        if not args.quiet:
            print("no settings of other agents were found", file=sys.stderr)
        return 0
    if args.dry_run or not _is_sure(args, found):
        if not args.quiet:
            print("nothing was written", file=sys.stderr)
        return 0
    for setting in found:
        _write(setting, places)
    if not args.quiet:
        print(f"{len(found)} settings were written to {shown_path(places.home)}", file=sys.stderr)
    return 0


def _is_sure(args: Any, found: Sequence[Setting]) -> bool:
    if args.yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"Write these {len(found)}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(setting: Setting, places: Places) -> None:
    if setting.key != _HISTORY:
        put(places.home, "config", tuple(setting.key.split(".")), setting.value)
        return
    history = History(os.path.join(places.home, "history"), places.cwd)
    for line in setting.value.splitlines():
        history.add(line)


def _found(agent: str | None, home: str) -> Iterator[Setting]:
    for name, files in _FILES.items():
        if agent not in (None, name):
            continue
        for place, keys in files.items():
            path = os.path.join(home, place)
            for key, value in _values(path, keys):
                yield Setting(name, path, key, value)


def _values(path: str, keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What the file says under the agent's names, as codi's keys and values."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if _HISTORY in keys:
            if text.strip():
                yield _HISTORY, text
            return
        is_yaml = path.endswith((".yml", ".yaml"))
        told: Any = tomllib.loads(text) if path.endswith(".toml") else tree_of(text, is_yaml=is_yaml)
    except (OSError, UnicodeDecodeError, Misread, tomllib.TOMLDecodeError):
        return
    for theirs, ours in keys.items():
        value = told
        for part in theirs.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            yield ours, value


_FILES: dict[str, dict[str, dict[str, str]]] = {
    "claude-code": {".claude/settings.json": {"model": "model.default"}},
    "codex": {
        ".codex/config.toml": {
            "model": "model.default",
            "model_provider": "model.provider",
            "model_reasoning_effort": "model.thinking",
        }
    },
    "gemini": {".gemini/settings.json": {"model.name": "model.default"}},
    "opencode": {".config/opencode/opencode.json": {"model": "model.default"}},
    "aider": {".aider.conf.yml": {"model": "model.default"}},
    "pi": {
        ".pi/agent/settings.json": {
            "defaultModel": "model.default",
            "defaultProvider": "model.provider",
            "defaultThinkingLevel": "model.thinking",
        }
    },
    "codi-ts": {
        ".codi/config.json": {"model": "model.default", "provider": "model.provider", "baseUrl": "model.base_url"},
        ".codi_history": {_HISTORY: _HISTORY},
    },
}
"""Of each agent the files below the person's home, and which of their keys is which of codi's."""
