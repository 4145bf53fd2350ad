"""SYSTEM.md and APPEND_SYSTEM.md: a system prompt of one's own, in the project's `.codi` or in codi's home."""

import os

from codi.agent.instructions import Part
from codi.engine.config_files import shown
from codi.engine.places import Places
from codi.protocol.errors import ConfigError


def prompt_file(name: str, places: Places, *, trusted: bool) -> Part | None:
    """The project's file, if it is obeyed, else the person's; None where there is none, or nothing in it."""
    for folder in ((os.path.join(places.root, ".codi"),) if trusted else ()) + (places.home,):
        path = os.path.join(folder, name)
        try:
            with open(path, encoding="utf-8-sig", errors="replace") as file:
                text = file.read().strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigError(f"{shown(path)} cannot be read: {error.strerror}", hint="Move it away.") from error
        if text:
            return Part("role", text, path)
    return None
