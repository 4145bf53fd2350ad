"""The person's own editor, for a text that is too long for a line."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping


def edited(text: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The text as it was left in `$VISUAL`, else `$EDITOR`, else vi; and "" or why it was not changed. The terminal must have
    been handed over."""
    command = environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    descriptor, path = tempfile.mkstemp(prefix="codi-", suffix=".md")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            status = subprocess.run([*shlex.split(command), path], check=False).returncode
        except (OSError, ValueError) as trouble:
            return text, f"{command} could not be started: {trouble}"
        if status:
            return text, f"{command} ended with {status}; the text stays as it was"
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n"), ""
    finally:
        os.unlink(path)
