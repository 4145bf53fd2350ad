"""How subcommands print: tables for people, tabs for pipes, JSON for programs."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from codi.frontends.sanitiser import visible
from codi.wire.characters import proper_json


def print_json(value: Any) -> None:
    print(proper_json(value).decode())


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned on a terminal, with a head; tab-separated and without one elsewhere."""
    cells = [[visible(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            print("\t".join(row))
        return
    widths = [max(map(len, column)) for column in zip(head, *cells)]
    for row in [list(head), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def shown_path(path: str) -> str:
    """A path with `~` for the person's own folder."""
    home = os.path.expanduser("~")
    return f"~{path[len(home) :]}" if path == home or path.startswith(home + os.sep) else path
