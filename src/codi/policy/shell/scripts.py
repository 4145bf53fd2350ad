"""The small languages within words: what of sed, awk, jq, printf and test only looks.

The patterns are compiled when they are first needed; each is linear in the length of what it is held against.
"""

import re
from collections.abc import Sequence

_SED_PLACE = r"(?:\d+|\$|/(?:[^/\\\n]|\\[^\n])+/I?)"
_SED_COMMAND = (
    rf"[ \t]*+(?:{_SED_PLACE}(?:~\d+)?(?:,[ \t]*+(?:{_SED_PLACE}|[+~]\d+))?)?[ \t]*+!?[ \t]*+"
    r"(?:[pdq=]|s/(?:[^/\\\n]|\\[^\n])*/(?:[^/\\\n]|\\[^\n])*/[gpiI0-9]*)[ \t]*+"
)
_SED = rf"{_SED_COMMAND}(?:[;\n]{_SED_COMMAND})*+;?"

_AWK_ITEM = r"(?:\$\d+|\$NF|\$\(NF-\d+\)|NR|NF|FNR|FILENAME|\d+|\"[^\"\\\n]*\")"
_AWK_TEST = rf"(?:{_AWK_ITEM}\s*+(?:==|!=|>=|<=|<|>)\s*+{_AWK_ITEM}|!?/[^/\\\n]*/|(?:\$\d+|\$NF)\s*+!?~\s*+/[^/\\\n]*/)"
_AWK_PRINT = rf"\{{\s*+print(?:\s+{_AWK_ITEM}(?:\s*+,\s*+{_AWK_ITEM}|\s++{_AWK_ITEM})*+)?\s*+;?\s*+\}}"
_AWK = rf"\s*+(?:{_AWK_TEST}(?:\s*+(?:&&|\|\|)\s*+{_AWK_TEST})*+)?\s*+(?:{_AWK_PRINT})?\s*+"
_AWK_BEYOND = r"system|getline|ENVIRON|ARG|PROCINFO|TAB\b|func|close|fflush|@|(?<!\|)\|(?!\|)|\|\|\||\{.*>(?!=)"
"""What an awk program has in it that does more than reckon and print, or may: looked for in its strings and patterns too, since where
those begin is hard to tell. After the first brace `>` may lead into a file."""

_JQ_BEYOND = r"\b(?:env|ENV|import|include|modulemeta|get_search_list)\b"
_PRINTF = r"(?:[^%]|%%|%[-+ #0']*+\d*+(?:\.\d+)?[sdiouxXeEfgGcbq])*+"

_ONE = r"-[bcdefghknprstuwxzLOGSN]"
_TWO = frozenset({"=", "==", "!=", "-nt", "-ot", "-ef"})
_NUMBERS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})


def sed_only_prints(script: str) -> bool:
    return re.fullmatch(_SED, script) is not None


def awk_only_prints(program: str) -> bool:
    if not program.strip():
        return False
    return re.fullmatch(_AWK, program) is not None or re.search(_AWK_BEYOND, program, re.DOTALL) is None


def jq_only_filters(filter: str) -> bool:
    return re.search(_JQ_BEYOND, filter) is None


def printf_only_prints(format: str) -> bool:
    """Not so with `%n`, which sets a variable whose name may run a command."""
    return re.fullmatch(_PRINTF, format, re.DOTALL) is not None


def test_operands(words: Sequence[str]) -> list[str] | None:
    """What a test compares or looks at; None where it is more than a test."""
    operands: list[str] = []
    at = 0
    words = [word for word in words if word not in ("!", "(", ")")]
    while at < len(words):
        if words[at] in ("-a", "-o", "&&", "||"):
            at += 1
        elif re.fullmatch(_ONE, words[at]) and at + 1 < len(words):
            operands.append(words[at + 1])
            at += 2
        elif at + 2 < len(words) and words[at + 1] in _TWO:
            operands += [words[at], words[at + 2]]
            at += 3
        elif at + 2 < len(words) and words[at + 1] in _NUMBERS:
            if not all(re.fullmatch(r"-?\d+", word) for word in (words[at], words[at + 2])):
                return None
            at += 3
        elif len(words) == 1 and not words[at].startswith("-"):
            operands.append(words[at])
            at += 1
        else:
            return None
    return operands
