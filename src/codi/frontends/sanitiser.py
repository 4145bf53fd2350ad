"""The last step before a terminal: what a model, a file or a program wrote can be seen, and can do nothing.

Printable text, line feeds and tabs pass; control, bidirectional and invisible characters are shown as what they are.
"""

import re

_DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_NEUTRAL = {"\u200d": "\u200d", "\u200c": "\u200c"}  # joiners within emoji and some scripts move nothing


def visible(text: str) -> str:
    """The same text with everything that could act on a terminal written out."""
    return _DANGEROUS.sub(_shown, text.replace("\r\n", "\n"))


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NEUTRAL:
        return character
    code = ord(character)
    return f"^{chr(code + 64)}" if code < 32 else f"\\u{{{code:04X}}}"
