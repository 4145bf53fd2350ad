"""What a word of a line means when nothing in it waits for the shell: its text without the quotes.

A word that holds a variable, a substitution, a pattern or a brace has no meaning before it runs, and none here.
"""

import re

_PIECE = (
    r"""(?P<plain>[\w@%+=:,./^!\x23~-]+)"""
    r"""|'(?P<raw>[^']*)'"""
    r'''|"(?P<double>(?:[^"\\`$]|\\[^\n]|\$(?=[\s"|)/]|$))*)"'''
    r"""|\\(?P<escaped>[ -~])"""
)
_ESCAPED_IN_QUOTES = r'\\([$`"\\])'
_TILDE = r"(?:^|[:=])~"
_BARE = r"[A-Za-z0-9_./+-]+"
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and signs that show nothing, and yet count as such."""


def literal(source: str) -> str | None:
    """The text that the shell makes of one word of a line; None where only the shell could tell."""
    if source.startswith("#"):
        return None
    pattern, text, at = re.compile(_PIECE), "", 0
    while at < len(source):
        piece = pattern.match(source, at)
        if piece is None:
            return None
        at = piece.end()
        if piece.lastgroup == "plain" and re.search(_TILDE, piece["plain"]):
            return None
        if piece.lastgroup == "double":
            text += re.sub(_ESCAPED_IN_QUOTES, r"\1", piece["double"])
        else:
            text += piece[piece.lastgroup or 0]
    return text


def is_bare(source: str) -> bool:
    """Whether a word is written as it is: no quotes, no escapes, nothing but signs of ordinary names."""
    return re.fullmatch(_BARE, source) is not None


def misleading_sign(line: str) -> str | None:
    """The first sign that a reader cannot see or would take for another: control, direction, zero width, full width."""
    if line.isascii() and line.isprintable():
        return None
    for sign in line:
        if sign not in "\t\n" and (not sign.isprintable() or "\uff00" <= sign <= "\uffef" or sign in _FILLERS):
            return sign
    return None
