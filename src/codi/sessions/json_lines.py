"""JSON objects in bytes, read and written whatever is in them.

msgspec reads and writes nearly all of it. What it refuses, halves of surrogate pairs that JavaScript writes when it cuts
a text and numbers beyond a float, the standard library takes.
"""

from functools import cache
from typing import Any

from msgspec import DecodeError, to_builtins
from msgspec.json import Decoder, Encoder

_decoder = Decoder()
_encoder = Encoder()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@cache
def _standard() -> Any:
    from json import JSONDecoder  # for what msgspec refuses, which is rare

    return JSONDecoder(parse_constant=_refuse)


def object_of(line: bytes) -> dict[str, Any] | None:
    """The object that the line is; None for anything else."""
    try:
        value = _decoder.decode(line)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        value = _object_by_standard(line)
    return value if isinstance(value, dict) else None


def encoded(value: Any) -> bytes:
    """Compact JSON with non-ASCII unescaped; half a surrogate pair as the escape that JSON has for it."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        from json import dumps

        text = dumps(to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def objects_in(line: bytes) -> list[bytes]:
    """The objects that stand glued together in one line, each as its bytes; none where anything else stands there too."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return []
    found: list[bytes] = []
    at, end = 0, len(text)
    while at < end:
        if text[at] != "{":
            return []
        try:
            _, after = _standard().raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        found.append(text[at:after].encode())
        while after < end and text[after] in " \t\r":
            after += 1
        at = after
    return found


def _object_by_standard(line: bytes) -> Any:
    try:
        return _standard().decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
