"""Telling a person who looks elsewhere: a bell or a notification, and the title of the window.

Notifications are OSC 9 (iTerm2, Windows Terminal, kitty, WezTerm and others); a terminal that does not know it shows nothing.
"""

from base64 import b64encode
from collections.abc import Mapping

_LONG_S = 10.0
_KNOW_OSC9 = ("iTerm.app", "WezTerm", "ghostty", "vscode")


class Attention:
    """`how` is the setting `ui.notify`. `write` sends to the terminal."""

    def __init__(self, how: str, environment: Mapping[str, str]) -> None:
        self.is_focused = True
        self._how = how
        if how == "auto":
            program = environment.get("TERM_PROGRAM", "")
            knows = program in _KNOW_OSC9 or "kitty" in environment.get("TERM", "")
            self._how = "osc9" if knows and "TMUX" not in environment else "bell"

    def call(self, text: str) -> str:
        """What to send so that the person comes back; nothing while they look."""
        if self.is_focused or self._how == "off":
            return ""
        return f"\x1b]9;{_plain(text)}\x07" if self._how == "osc9" else "\x07"

    def turn_ended(self, took_s: float) -> str:
        return self.call("codi has finished") if took_s > _LONG_S else ""


def title(name: str, directory: str) -> str:
    """Names the window; the title that it had is put aside first (`Terminal.keep_title`)."""
    parts = ["codi", *([name] if name else []), directory.rstrip("/").rpartition("/")[2] or "/"]
    return f"\x1b]0;{_plain(' - '.join(parts))}\x07"


def to_clipboard(text: str) -> str:
    """Hands a text to the terminal's clipboard (OSC 52), which also works over a connection to another machine."""
    return f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"


PROMPT_MARK, ANSWER_MARK, END_MARK = "\x1b]133;A\x07", "\x1b]133;C\x07", "\x1b]133;D\x07"
"""OSC 133: where a prompt begins, where its answer begins, and where that ends."""


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
