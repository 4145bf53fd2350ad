"""What lies in the clipboard: a picture by the programs that read one, else text; the terminal itself is asked last."""

import binascii
import subprocess
from collections.abc import Sequence

import anyio

from codi.frontends.tui.placeholders import size_of

ASK_TEXT = "\x1b]52;c;?\x07"
"""OSC 52: the terminal answers with the text of the clipboard, if it is allowed to."""

_PICTURE = (
    ("wl-paste", "--no-newline", "--type", "image/png"),
    ("xclip", "-selection", "clipboard", "-t", "image/png", "-o"),
    ("pngpaste", "-"),
)
_TEXT = (("wl-paste", "--no-newline"), ("xclip", "-selection", "clipboard", "-o"), ("pbpaste",))
_LIMIT_S = 3.0


async def picture_in_clipboard() -> bytes | None:
    """The bytes of the picture; None where there is none, or nobody can read it."""
    return next((data for data in [await _said(command) for command in _PICTURE] if data and size_of(data)), None)


async def text_in_clipboard() -> str | None:
    """None where no program reads it."""
    for command in _TEXT:
        if data := await _said(command):
            return data.decode(errors="replace")
    return None


def text_of_report(report: str) -> str | None:
    """The text that a terminal answers with; None for another answer."""
    if not report.startswith("]52;"):
        return None
    try:
        return binascii.a2b_base64(report.rpartition(";")[2]).decode(errors="replace")
    except (binascii.Error, ValueError):
        return None


async def _said(command: Sequence[str]) -> bytes | None:
    from shutil import which  # with all kinds of archives

    if not which(command[0]):
        return None
    try:
        with anyio.fail_after(_LIMIT_S):
            done = await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, TimeoutError):
        return None
    return done.stdout if done.returncode == 0 else None
