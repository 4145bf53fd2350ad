"""A picture by iTerm2's OSC 1337: the file as it is, whatever its format."""

from base64 import b64encode


def iterm(data: bytes, columns: int, rows: int) -> str:
    """The sequence that draws a file over so many cells."""
    told = f"inline=1;size={len(data)};width={columns};height={rows};preserveAspectRatio=1;doNotMoveCursor=1"
    return f"\x1b]1337;File={told}:{b64encode(data).decode()}\x07"
