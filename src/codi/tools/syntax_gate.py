"""A change that would break a file which parsed before is sent back once.

Most such changes are slips: a lost bracket, a wrong indentation. Some are meant, as the first of two steps; so the
same change sent again, unaltered, is written. What does not parse as it stands may be changed freely, and so may files that
no parser here knows.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Literal

from msgspec import DecodeError, Raw, Struct
from msgspec.json import decode

from codi.tools.grammars import first_fault, language_of
from codi.tools.tool import ToolFailed

Mode = Literal["on", "warn", "off"]

_LARGE = 200_000
"""Characters from which on a parser would be felt: of Python the statements around the change are then parsed first, and only
if these do not parse all of it; all other languages but JSON pass."""

_COMPARED = 65_536
_STATEMENT = re.compile(r"^(?!(?:else|elif|except|finally|case)\b)[A-Za-z_@]", re.MULTILINE)


class Rewrite(Struct, frozen=True):
    """One file of a change: `old` is its text before, None where there was no file or none that can be read."""

    path: str
    old: str | None
    new: str


class Finding(Struct, frozen=True):
    """Why a text does not parse. `line` and `column` count from 1."""

    line: int
    column: int
    reason: str


class SyntaxGate:
    """Keeps in mind which changes were sent back: one for each session."""

    def __init__(self, mode: Mode = "on") -> None:
        self._mode = mode
        self._sent_back: set[bytes] = set()

    def warning(self, rewrites: Sequence[Rewrite]) -> str:
        """Judge a change before it is written: a text to add to the result, "" where nothing broke. Raises ToolFailed for a
        change that has to be sent again to be written."""
        if self._mode == "off":
            return ""
        broken = [(rewrite, finding) for rewrite in rewrites if (finding := _broken(rewrite))]
        if not broken:
            return ""
        found = "\n".join(_in_words(rewrite, finding) for rewrite, finding in broken)
        change = sha256(repr([(rewrite.path, rewrite.new) for rewrite in rewrites]).encode()).digest()
        if self._mode == "warn" or change in self._sent_back:
            return f"Warning: {found}"
        self._sent_back.add(change)
        raise ToolFailed(
            f"Nothing was written: {found}\nMend the change, or send the same change again unaltered to write it as it is."
        )


def _in_words(rewrite: Rewrite, finding: Finding) -> str:
    lines = rewrite.new.split("\n")
    line = lines[finding.line - 1] if finding.line <= len(lines) else ""
    return (
        f"{rewrite.path} would no longer parse: line {finding.line}, column {finding.column}: {finding.reason}\n"
        f"{finding.line:>5}→{line}"
    )


def _broken(rewrite: Rewrite) -> Finding | None:
    ending = rewrite.path.rpartition(".")[2].lower()
    if rewrite.old is None or rewrite.old == rewrite.new:
        return None
    large = max(len(rewrite.old), len(rewrite.new)) > _LARGE
    if fault := _fault_finder(ending):
        if large and fault in (_yaml_fault, _toml_fault):
            return None
        if large and fault is _python_fault and _parses_around_change(rewrite.old, rewrite.new):
            return None
        finding = fault(rewrite.new)
        if not finding or not fault(rewrite.old):
            return finding
    # Python of another version than this one is still told by its grammar.
    language = language_of(ending)
    if language is None or large or not (told := first_fault(language, rewrite.new)):
        return None
    return None if first_fault(language, rewrite.old) else Finding(*told)


def _fault_finder(ending: str) -> Callable[[str], Finding | None] | None:
    return {
        "py": _python_fault,
        "pyi": _python_fault,
        "pyw": _python_fault,
        "json": _json_fault,
        "ipynb": _json_fault,
        "toml": _toml_fault,
        "yaml": _yaml_fault,
        "yml": _yaml_fault,
    }.get(ending)


# The parsers are imported where they are used: they would cost every start of codi some 20 ms, and many sessions change no
# file that needs them.


def _python_fault(text: str) -> Finding | None:
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return Finding(error.lineno or 1, max(error.offset or 1, 1), error.msg)
    except ValueError as error:  # a NUL in the source
        return Finding(1 + text.count("\n", 0, max(text.find("\0"), 0)), 1, str(error))
    except (RecursionError, MemoryError):
        return None  # nested deeper than this parser goes, which says nothing of the text
    return None


def _parses_around_change(old: str, new: str) -> bool:
    """Whether the statements of the outermost level that the change touches parse, before and after."""
    before = _alike(old, new)
    after = _alike_at_end(old, new, min(len(old), len(new)) - before)
    start = max((found.start() for found in _STATEMENT.finditer(old, max(before - _COMPARED, 0), before)), default=-1)
    end = _STATEMENT.search(old, old.find("\n", len(old) - after) + 1)
    if start < 0 or not end:
        return False
    was, now = old[start : end.start()], new[start : len(new) - (len(old) - end.start())]
    quotes = all(was.count(quote) == now.count(quote) for quote in ('"""', "'''"))
    return quotes and not _python_fault(now) and not _python_fault(was)


def _alike(old: str, new: str) -> int:
    """How many characters at the beginning are the same."""
    alike = 0
    step = _COMPARED
    while step:
        if alike + step <= len(old) and old[alike : alike + step] == new[alike : alike + step]:
            alike += step
        else:
            step //= 2
    return alike


def _alike_at_end(old: str, new: str, most: int) -> int:
    """How many of the last `most` characters are the same."""
    alike = 0
    step = _COMPARED
    while step:
        if (
            alike + step <= most
            and old[len(old) - alike - step : len(old) - alike] == (new[len(new) - alike - step : len(new) - alike])
        ):
            alike += step
        else:
            step //= 2
    return alike


def _json_fault(text: str) -> Finding | None:
    import json

    try:
        decode(text, type=Raw)  # fast, but it does not tell the line
        return None
    except (DecodeError, RecursionError):
        pass
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return Finding(error.lineno, error.colno, error.msg)
    except (RecursionError, ValueError):
        return None  # nested too deep, or a number too long for this parser
    return None


def _toml_fault(text: str) -> Finding | None:
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(
            r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", str(error)
        )
        if found and found["line"]:
            return Finding(int(found["line"]), int(found["column"]), found["reason"])
        return Finding(text.removesuffix("\n").count("\n") + 1, 1, found["reason"] if found else str(error))
    except RecursionError:
        return None
    return None


def _yaml_fault(text: str) -> Finding | None:
    import yaml

    try:
        for _ in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Finding(line, column, error.problem or str(error))
    except yaml.YAMLError as error:  # a character that YAML does not allow
        return Finding(1, 1, str(error).splitlines()[0])
    except RecursionError:
        return None
    return None
