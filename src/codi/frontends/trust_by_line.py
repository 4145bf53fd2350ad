"""Asking by lines of a terminal whether a project is trusted: all of it, some of it, or nothing."""

import os
import sys

from codi.frontends.sanitiser import visible
from codi.protocol.trusting import TrustAsked


def ask_by_line(asked: TrustAsked) -> tuple[int, ...]:
    """The places of the items that the person trusts. The end of input is a no."""
    print(visible(f"{asked.project} brings what would be obeyed if you trust it:"))
    for number, item in enumerate(asked.items, 1):
        what = f" - {item.summary}" if item.summary else ""
        print(visible(f"  {number}. {item.id} ({item.kind}{', changed' if item.changed else ''}) {item.place}{what}"))
    while True:
        match _line("trust [a]ll, [c]hoose, [v]iew, [N]o: ").lower():
            case "a" | "all":
                return tuple(range(len(asked.items)))
            case "c" | "choose":
                return _chosen(_line("numbers of those to trust: "), len(asked.items))
            case "v" | "view":
                print(visible("\n".join(item.told for item in asked.items)))
            case _:
                return ()


def _chosen(line: str, count: int) -> tuple[int, ...]:
    numbers = (int(word) for word in line.replace(",", " ").split() if word.isdecimal())
    return tuple(dict.fromkeys(number - 1 for number in numbers if 1 <= number <= count))


def _line(prompt: str) -> str:
    """One line, and nothing that was typed after it: a terminal gives no more at a time."""
    print(visible(prompt), end="", flush=True)
    return os.read(sys.stdin.fileno(), 65536).decode(errors="replace").strip()
