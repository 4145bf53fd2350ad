"""What a pipeline is run over: a text, or files of the workspace by path, pattern or folder."""

import glob
import os

from msgspec import Struct

from codi.protocol.errors import UsageError
from codi.workspace.ignoring import files_below

FILE_BYTES = 50_000
REQUEST_BYTES = 200_000


class Piece(Struct, frozen=True):
    """A file, or as much of one as goes into a request."""

    path: str
    text: str
    part: int = 1
    parts: int = 1

    @property
    def name(self) -> str:
        return self.path if self.parts == 1 else f"{self.path} (part {self.part} of {self.parts})"

    @property
    def told(self) -> str:
        return f'<file name="{self.name}">\n{self.text}\n</file>'


def pieces_of(path: str, cwd: str) -> list[Piece]:
    """A file in pieces that a request can hold, split at lines. Raises UsageError for what is no text."""
    try:
        with open(os.path.join(cwd, path), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="Name text files.") from error
    chunks, size = [""], 0
    for line in text.splitlines(keepends=True):
        if size + len(line.encode()) > FILE_BYTES and chunks[-1]:
            chunks.append("")
            size = 0
        chunks[-1] += line
        size += len(line.encode())
    return [Piece(path, chunk, at, len(chunks)) for at, chunk in enumerate(chunks, 1)]


def together(pieces: list[Piece]) -> list[str]:
    """The files as inputs of requests, none longer than one may be."""
    inputs: list[str] = []
    for piece in pieces:
        if inputs and len(inputs[-1].encode()) + len(piece.told.encode()) <= REQUEST_BYTES:
            inputs[-1] += f"\n\n{piece.told}"
        else:
            inputs.append(piece.told)
    return inputs


def files_in(given: str, cwd: str) -> list[str] | None:
    """The files that an input names, relative to the working directory; None where it is a text. Raises UsageError for what
    lies outside of it."""
    place = os.path.join(cwd, given)
    if "\n" in given or len(given) > 4096:
        return None
    if os.path.isdir(place):
        below = files_below(os.path.realpath(place), os.path.realpath(cwd), hidden=False, include_ignored=False)
        found = [os.path.normpath(os.path.join(given, path)) for path in below]
    elif os.path.isfile(place):
        found = [os.path.normpath(given)]
    elif glob.has_magic(given):
        names = glob.glob(given, root_dir=cwd, recursive=True)
        found = [name for name in names if os.path.isfile(os.path.join(cwd, name))]
        if not found and " " in given:
            return None
    else:
        return None
    root = os.path.realpath(cwd) + os.sep
    outside = [path for path in found if not os.path.realpath(os.path.join(cwd, path)).startswith(root)]
    if outside:
        raise UsageError(f"{outside[0]} lies outside of the working directory", hint="Go there with --cwd DIR.")
    return sorted(os.path.relpath(os.path.join(cwd, path), cwd) for path in found)
