"""SYSTEM.md and APPEND_SYSTEM.md: a system prompt of one's own, in the project's `.codi` or in codi's home."""

import os

from codi.agent.instructions import Part
from codi.engine.config_files import shown
from codi.engine.places import Places
from codi.engine.trust.manifest import item_of_prompt
from codi.engine.trust.trust import Trust
from codi.protocol.errors import ConfigError


def prompt_file(name: str, places: Places, trust: Trust) -> Part | None:
    """The project's file, if it is obeyed, else the person's; None where there is none, or nothing in it."""
    project = os.path.join(places.root, ".codi")
    for folder in ((project,) if trust.hashes else ()) + (places.home,):
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigError(f"{shown(path)} cannot be read: {error.strerror}", hint="Move it away.") from error
        if folder == project != places.home and not trust.accepts(item_of_prompt(name, content)):
            continue
        if text := content.decode("utf-8-sig", errors="replace").strip():
            return Part("role", text, path)
    return None
