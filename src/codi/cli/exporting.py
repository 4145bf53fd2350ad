"""What `codi export`, `share` and `bundle` have in common: opening a session, taking secrets out, and writing one new file."""

import os
import re
import sys
import time
from typing import Any

from codi.engine.layers import load
from codi.engine.places import Places
from codi.engine.redaction import Redaction
from codi.engine.settings import Settings
from codi.engine.shelf import Shelf
from codi.protocol.errors import CodiError, UsageError
from codi.sessions.exports.taken import Taken, taken
from codi.sessions.files import reading_of

_SLUG = 40


class NotWritten(CodiError):
    """A file is there already, or cannot be written."""

    code = "not_written"


class Desk:
    """Where the session lies that is meant, and what may be told of it."""

    def __init__(self, args: Any) -> None:
        self.places = Places.at(args.cwd)
        loaded = load(self.places, os.environ, {}, ())
        if not args.quiet:
            for warning in loaded.warnings:
                print(f"warning: {warning}", file=sys.stderr)
        self.settings: Settings = loaded.settings
        self.shelf = Shelf(self.places, loaded.settings.sessions)
        self.source = self.shelf.path_of(args.id)
        self.redaction = Redaction(self.places, self.settings, os.environ, reading_of(self.source).entries)

    def taken(self, *, everything: bool, redacted: bool = True) -> Taken:
        return taken(self.source, everything=everything, at=time.time(), change=self.redaction if redacted else None)


def default_name(taken: Taken, ending: str) -> str:
    """`<date>-<title>-<the beginning of the id>` with this ending."""
    slug = re.sub(r"[^a-z0-9]+", "-", taken.title.lower()).strip("-")[:_SLUG].strip("-") or "session"
    date = str(taken.header.get("timestamp", ""))[:10] or time.strftime("%Y-%m-%d")
    return f"{date}-{slug}-{str(taken.header.get('id', ''))[:8]}.{ending}"


def write_new(path: str, content: bytes, *, force: bool) -> None:
    """The file with all of its content or not at all. Raises NotWritten, also where there is one already."""
    if not content:
        raise NotWritten("there is nothing to write", hint="Name a session in which something was said.")
    if os.path.lexists(path) and not force:
        raise NotWritten(f"{path} is there already", hint="Name another with --out, or replace it with --force.")
    if os.path.isdir(path):
        raise NotWritten(f"{path} is a directory", hint="Name a file.")
    beside = f"{path}.{os.getpid()}.new"
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if force:
                os.replace(beside, path)
            else:
                os.link(beside, path)  # refuses one that came into being meanwhile
                os.unlink(beside)
        except OSError:
            os.unlink(beside)
            raise
    except FileExistsError as error:
        raise NotWritten(f"{path} is there already", hint="Replace it with --force.") from error
    except OSError as error:
        raise NotWritten(
            f"{path} cannot be written: {error.strerror}", hint="Name another place with --out."
        ) from error


def is_sure(args: Any, question: str, what: str) -> bool:
    """Whether the person means it. Raises UsageError where nobody can be asked and --yes is not given."""
    if args.yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{what} asks, and there is no terminal to answer at", hint="Add --yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
