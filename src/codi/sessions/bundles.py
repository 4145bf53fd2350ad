"""A session in one file that goes on elsewhere: its header, its entries, its images, and what was taken out of it.

The same format holds what a bug report needs: then `files` are the snapshots and `versions` says what made it.
"""

from hashlib import sha256
from typing import Any

from msgspec import UNSET, DecodeError, Struct, UnsetType, ValidationError, convert
from msgspec.json import decode

from codi.protocol.errors import SessionError
from codi.sessions.exports.taken import Taken
from codi.sessions.json_lines import encoded
from codi.sessions.version3 import checked_line

FORMAT = "codi-share"
VERSION = 1
_BLOB = "blob:"


class Bundle(Struct, kw_only=True):
    format: str
    version: int
    header: dict[str, Any]
    entries: list[dict[str, Any]]
    blobs: dict[str, str] = {}
    """The data of images, base64, by the SHA-256 of that text."""
    redactions: list[dict[str, Any]] = []
    files: dict[str, Any] | UnsetType = UNSET
    versions: dict[str, str] | UnsetType = UNSET

    def content(self) -> bytes:
        """The session file that it holds."""
        lines = [encoded(self.header), *(checked_line(_with_images(entry, self.blobs)) for entry in self.entries)]
        return b"".join(line + b"\n" for line in lines)


def bundle_of(
    taken: Taken,
    redactions: list[dict[str, Any]],
    *,
    files: dict[str, Any] | UnsetType = UNSET,
    versions: dict[str, str] | UnsetType = UNSET,
) -> Bundle:
    blobs: dict[str, str] = {}
    return Bundle(
        format=FORMAT,
        version=VERSION,
        header=taken.header,
        entries=[_without_images(entry, blobs) for entry in taken.objects],
        blobs=blobs,
        redactions=redactions,
        files=files,
        versions=versions,
    )


def bundle_in(content: bytes) -> Bundle | None:
    """The bundle that a file is; None for anything else. Raises SessionError for one that is broken or too new."""
    try:
        json = decode(content)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(json, dict) or json.get("format") != FORMAT:
        return None
    if json.get("version") != VERSION:
        raise SessionError(
            f"This bundle was written by a newer codi (version {json.get('version')}).", hint="Import it with that one."
        )
    try:
        return convert(json, Bundle)
    except ValidationError as error:
        raise SessionError(f"This bundle is damaged: {error}.", hint="Ask for it again.") from error


def _without_images(value: Any, blobs: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_without_images(inner, blobs) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "image" and isinstance(data := value.get("data"), str):
        name = sha256(data.encode("utf-8", "surrogatepass")).hexdigest()
        blobs[name] = data
        return {**value, "data": _BLOB + name}
    return {name: _without_images(inner, blobs) for name, inner in value.items()}


def _with_images(value: Any, blobs: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_images(inner, blobs) for inner in value]
    if not isinstance(value, dict):
        return value
    data = value.get("data")
    if value.get("type") == "image" and isinstance(data, str) and data.startswith(_BLOB):
        return {**value, "data": blobs.get(data.removeprefix(_BLOB), "")}
    return {name: _with_images(inner, blobs) for name, inner in value.items()}
