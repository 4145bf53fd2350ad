"""Which way of drawing pictures a terminal understands: by what its environment names, and by what it answers.

kitty's protocol: https://sw.kovidgoyal.net/kitty/graphics-protocol/. iTerm2's: https://iterm2.com/documentation-images.html. Sixel is
attribute 4 of what a terminal answers to `CSI c` (VT340).
"""

import re
import subprocess
from collections.abc import Mapping
from typing import Literal

Way = Literal["kitty", "iterm", "sixel", "none"]

ASK_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
ASK_CELL = "\x1b[16t"
_CELL = re.compile(r"\[6;(\d+);(\d+)t")
_KONSOLE_WITH_PICTURES = 220400
_TMUX_LIMIT_S = 0.3


def way_by_environment(environment: Mapping[str, str]) -> Way:
    """Of the terminal itself, whatever runs within it."""
    program, term = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if term in ("dumb", ""):
        return "none"
    if "kitty" in term or "KITTY_WINDOW_ID" in environment:
        return "kitty"
    if program == "ghostty" or "ghostty" in term or "GHOSTTY_RESOURCES_DIR" in environment:
        return "kitty"
    if program == "WezTerm" or "WEZTERM_PANE" in environment:
        return "kitty"
    if _number(environment.get("KONSOLE_VERSION", "")) >= _KONSOLE_WITH_PICTURES:
        return "kitty"
    if program == "iTerm.app" or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return "none"


def way_by_report(report: str) -> Way | None:
    """What an answer of the terminal says; None where it is about something else."""
    if report.startswith("[?") and report.endswith("c"):
        return "sixel" if "4" in report[2:-1].split(";")[1:] else "none"
    if report.startswith("_G"):
        return "kitty" if report.rpartition(";")[2] == "OK" else "none"
    return None


def cell_of(report: str) -> tuple[int, int] | None:
    """The width and height of a cell in pixels, where an answer tells it."""
    found = _CELL.fullmatch(report)
    return (int(found[2]), int(found[1])) if found and int(found[1]) and int(found[2]) else None


def is_multiplexed(environment: Mapping[str, str]) -> bool:
    """Whether tmux or screen stands between this program and the terminal."""
    term = environment.get("TERM", "")
    return "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))


def passes_through(environment: Mapping[str, str]) -> bool:
    """Whether tmux hands on what is for the terminal. screen cannot be asked. Takes a moment."""
    if "TMUX" not in environment:
        return False
    try:
        told = subprocess.run(
            ["tmux", "show-options", "-Apv", "allow-passthrough"],
            capture_output=True, text=True, timeout=_TMUX_LIMIT_S, check=False, stdin=subprocess.DEVNULL, env=dict(environment),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return told.returncode == 0 and told.stdout.strip() in ("on", "all")


def passed_on(sequence: str) -> str:
    """Wrapped, so that tmux hands it to the terminal unread."""
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
