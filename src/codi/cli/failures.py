"""`~/.codi/log/failures.log`: what went wrong in codi itself, and what others printed while the terminal was codi's."""

import os
import time

from codi.engine.places import codi_home


def keep(text: str) -> str:
    """Append a text without its secrets; the path of the file. Raises OSError."""
    from codi.engine.vaults import without_secrets  # most starts have no failure to keep

    path = os.path.join(codi_home(), "log", "failures.log")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')}\n{without_secrets(text).rstrip()}\n")
    return path


def keep_if_possible(text: str) -> str:
    """The path, or why there is none."""
    try:
        return keep(text)
    except OSError as trouble:
        return f"no log ({trouble.strerror})"
