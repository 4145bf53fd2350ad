"""Finding what looks like a secret in a text, at more than fifty megabytes a second.

A text is not searched for every form that a secret may have. All forms but those known by their surroundings contain a run of
at least sixteen letters, digits, `_` and `-`. Such runs are found by mapping the bytes of all these to one and searching for
sixteen of it, which is done in C and mostly in strides; only where a run begins is looked at the table of kinds.
"""

import math
import re
from collections.abc import Iterator, Mapping

from codi.credentials.kinds import BEHIND_A_DOT, KINDS, Kind
from codi.credentials.surroundings import Found, compiled, in_surroundings
from codi.protocol.errors import ConfigError

_RUN = 16
_MARKED = b"a" * _RUN
_MARKS = bytes(97 if byte < 128 and (chr(byte).isalnum() or byte in b"_-") else 32 for byte in range(256))
_BY_BEGINNING: dict[bytes, list[Kind]] = {}
for _kind in KINDS:
    for _begin in _kind.begins:
        if _kind not in _BY_BEGINNING.setdefault(_begin[:3], []):
            _BY_BEGINNING[_begin[:3]].append(_kind)
_FIRSTS = frozenset(begin[0] for begin in _BY_BEGINNING)
_TELLS = frozenset(b".:\\%~")
"""What stands before the run of some kinds."""
_COLON, _BIG_A = b":A"
_BY_DOT = {begin[-3:]: (kind, begin) for kind in BEHIND_A_DOT for begin in kind.begins}
_BY_CHANCE = 4.6
"""Bits for each character: no words that are written together have so many."""
_WATCHED = 16 * 1024
_TELEGRAM = rb"\d{8,10}:AA[\w-]{32,}"
_DISCORD = rb"[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,}"
_AZURE_AD = rb"[\w~.-]{3}\dQ~[\w~.-]{31,34}"

NAMES = frozenset(
    {kind.name for kind in (*KINDS, *BEHIND_A_DOT)}
    | {"TELEGRAM_TOKEN", "DISCORD_TOKEN", "AZURE_CLIENT_SECRET"}
    | {
        "PASSWORD",
        "SECRET",
        "TOKEN",
        "API_KEY",
        "BEARER_TOKEN",
        "BASIC_CREDENTIALS",
        "URL_PASSWORD",
        "WEBHOOK",
        "PRIVATE_KEY",
    }
)
"""All kinds that are told apart."""


class Detectors:
    """`own` are the person's: a pattern under a name adds a kind, False switches the built-in one of that name off. Raises
    ConfigError for a pattern that cannot be read and for a name that is no kind's."""

    def __init__(self, own: Mapping[str, str | bool] = {}) -> None:
        self._off = set()
        self._own = []
        for name, said in own.items():
            kind = re.sub(r"\W+", "_", name).strip("_").upper()
            if isinstance(said, str):
                self._own.append((kind, _pattern(name, said)))
            elif not said:
                if kind not in NAMES:
                    known = ", ".join(sorted(known.lower() for known in NAMES))
                    raise ConfigError(
                        f"secrets.detectors.{name}: there is no such detector", hint=f"There are {known}."
                    )
                self._off.add(kind)

    def spans(self, data: bytes) -> list[Found]:
        """What looks like a secret: in no order, and some perhaps across each other."""
        found = [*_in_runs(data), *in_surroundings(data)]
        for name, pattern in self._own:
            found += ((*match.span(match.lastindex or 0), name) for match in pattern.finditer(data) if match[0])
        return [span for span in found if span[2] not in self._off] if self._off else found


def random_run(data: bytes) -> bytes | None:
    """The first word near the beginning of a text that looks as if it were drawn by chance."""
    for start, end in _runs(data[:_WATCHED].translate(_MARKS)):
        if not 32 <= end - start <= 64:
            continue
        run = data[start:end]
        beside = data[max(0, start - 1) : start] + data[end : end + 1]
        if run.lower() == run or b"+" in beside or b"/" in beside or run.startswith(b"sha"):
            continue
        if min(sum(low <= byte <= high for byte in run) for low, high in (b"AZ", b"az", b"09")) < 4:
            continue
        if -sum(share * math.log2(share) for byte in set(run) if (share := run.count(byte) / len(run))) >= _BY_CHANCE:
            return run
    return None


def _pattern(name: str, text: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode())
    except re.error as error:
        raise ConfigError(
            f"secrets.detectors.{name} is no pattern: {error}",
            hint="Give a regular expression as Python's re takes it.",
        ) from error


def _runs(marked: bytes) -> Iterator[tuple[int, int]]:
    at = marked.find(_MARKED)
    while at >= 0:
        end = marked.find(b" ", at + _RUN)
        if end < 0:
            end = len(marked)
        yield at, end
        at = marked.find(_MARKED, end)


def _in_runs(data: bytes) -> Iterator[Found]:
    # Written out, and with numbers in place of bytes: a lock file has fifteen thousand such runs in a megabyte.
    by_beginning, firsts, tells = _BY_BEGINNING, _FIRSTS, _TELLS
    marked, joints = data.translate(_MARKS), data.replace(b"-", b"_")
    next_run, next_end, next_joint = marked.find, marked.find, joints.find
    start = next_run(_MARKED)
    while start >= 0:
        end = next_end(b" ", start + _RUN)
        if end < 0:
            end = len(data)
        first = data[start]
        if first in firsts and data[start : start + 3] in by_beginning:
            yield from _of_kind(data, start)
        before = data[start - 1] if start else 0
        if before in tells and (before != _COLON or first == _BIG_A):
            yield from _by_what_is_before(data, start)
        if 77 <= first <= 79 and data[end : end + 1] == b"." and (found := compiled(_DISCORD).match(data, start)):
            yield *found.span(), "DISCORD_TOKEN"
        at = next_joint(b"_", start, end - 12) + 1
        while at:
            if data[at] in firsts and data[at : at + 3] in by_beginning:
                yield from _of_kind(data, at)
            at = next_joint(b"_", at, end - 12) + 1
        start = next_run(_MARKED, end)


def _of_kind(data: bytes, at: int) -> Iterator[Found]:
    for kind in _BY_BEGINNING[data[at : at + 3]]:
        if not data.startswith(kind.begins, at):
            continue
        found = compiled(kind.form).match(data, at)
        if found and (not kind.digits or sum(map(_is_digit, found[0])) >= kind.digits):
            yield *found.span(), kind.name


def _by_what_is_before(data: bytes, at: int) -> Iterator[Found]:
    before = data[at - 1 : at]
    if before == b":":
        start = at - 1
        while start > 0 and _is_digit(data[start - 1]) and at - start < 12:
            start -= 1
        yield from _matched(data, _TELEGRAM, start, "TELEGRAM_TOKEN")
    elif before == b"." and (known := _BY_DOT.get(data[at - 3 : at])):
        kind, begin = known
        start = at - len(begin)
        if begin == b".atlasv1.":
            start = at - len(begin) - 14
            yield from _matched(data, rb"\w{14}" + kind.form, start, kind.name)
        elif data.startswith(begin, start):
            yield from _matched(data, kind.form, start, kind.name)
    elif before == b"~":
        yield from _matched(data, _AZURE_AD, at - 6, "AZURE_CLIENT_SECRET")
    elif before == b"\\":  # behind an escape such as \n
        if data[at + 1 : at + 4] in _BY_BEGINNING:
            yield from _of_kind(data, at + 1)
        yield from _matched(data, _DISCORD, at + 1, "DISCORD_TOKEN")
    elif before == b"%" and data[at + 2 : at + 5] in _BY_BEGINNING:
        yield from _of_kind(data, at + 2)


def _matched(data: bytes, form: bytes, at: int, name: str) -> Iterator[Found]:
    if at >= 0 and (found := compiled(form).match(data, at)):
        yield *found.span(), name


def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57
