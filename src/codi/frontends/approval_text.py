"""What a person reads before they say yes: everything, and as what it is.

A command may hold signs that are not seen, that turn the line around, or that look like others; spaces may push its end out
of sight. All of them are spelled out, and it is said that there were some.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from codi.frontends.outcome import question_of
from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes
from codi.protocol.events import ApprovalAsked

_INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc\U000e0000-\U000e0fff\ud800-\udfff"
)
_LIKE_LATIN = (
    "\u0251\u0261\u0269\u0131\u0237\u01c0\u02b9\u02bc\u02c8\u037e\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b1"
    "\u03b9\u03bd\u03bf\u03c1\u03c5\u03f2\u03f3\u03f9\u0405\u0406\u0408\u0410\u0412\u0415\u0417\u041a\u041c-\u041e\u0420-\u0422\u0425\u0430\u0435\u043e"
    "\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04ae\u04af\u04bb\u04c0\u04cf\u0501\u050c\u051b\u051d\u0555\u0578\u057d\u0581\u13a0-\u13f5\u2010-\u2015"
    "\u2018-\u201f\u2024\u2032-\u2037\u2039\u203a\u2044\u2212\u2215\u2216\u2217\u2223\u2236\u2505\u2571\u2572\u29f8\u29f9\ua4d0-\ua4f7\uff01-\uff5e\U0001d400-\U0001d7ff"
)
_STRANGE = re.compile(f"[{_INVISIBLE}]")
_STRANGE_IN_COMMANDS = re.compile(f"[{_INVISIBLE}{_LIKE_LATIN}]")
_SPACES = re.compile(" {80,}|\t{20,}")
_SPACES_IN_COMMANDS = re.compile(" {16,}|\t{4,}")


MISLEADING = "warning: it holds signs that are not what they seem; they are spelled out above"


def escaped(text: str, *, content: bool = False) -> str:
    """The text with every sign spelled out that is not what it seems: `\\u{202E}`. A long run of spaces is counted. In the
    `content` of a file letters of other scripts are what they are, and lines may be indented."""
    strange, spaces = (_STRANGE, _SPACES) if content else (_STRANGE_IN_COMMANDS, _SPACES_IN_COMMANDS)
    text = strange.sub(lambda found: _code(found[0]), text)
    return spaces.sub(lambda found: f"{_code(found[0][0])}×{len(found[0])}", text)


def shown_approval(asked: ApprovalAsked) -> str:
    """Who wants what, with what risk, and all of what would be done."""
    question = question_of(replace(asked, preview=None))
    told = [effect.line for effect in asked.effects if isinstance(effect, Runs)]
    preview = "" if [asked.preview] == told else asked.preview or ""
    is_command = bool(told) or any(isinstance(effect, Reaches) for effect in asked.effects)
    more = "\n".join([preview] if preview else _contents(asked) if asked.preview is None else [])
    shown = [escaped(question), escaped(more, content=not is_command)]
    if shown != [question, more]:
        shown.append(MISLEADING)
    return "\n".join(filter(None, [*shown, escaped(asked.mapped_from or "")]))


def _contents(asked: ApprovalAsked) -> Sequence[str]:
    """What else the call says and its effects do not: the text of a file, a patch, an address."""
    lines = []
    for name, value in asked.arguments.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if text and not any(_is_told(name, text, effect) for effect in asked.effects):
            inside = text.replace("\n", "\n    ")
            lines.append(f"  {name}:\n    {inside}" if "\n" in text else f"  {name}: {text}")
    return lines


def _is_told(name: str, text: str, effect: Effect) -> bool:
    match effect:
        case Runs():
            return name == "command" and text == effect.line
        case Reads(path) | Writes(path):
            return name == "path" and f"/{path}".endswith(f"/{text}")
    return False


def _code(sign: str) -> str:
    return f"\\u{{{ord(sign):04X}}}"
