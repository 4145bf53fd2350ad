"""All agents whose sessions can be brought in."""

from codi.protocol.errors import UsageError
from codi.sessions.imports.aider import Aider
from codi.sessions.imports.claude_code import ClaudeCode
from codi.sessions.imports.claude_export import ClaudeExport
from codi.sessions.imports.codex import Codex
from codi.sessions.imports.codi_rust import CodiRust
from codi.sessions.imports.cursor import Cursor
from codi.sessions.imports.found import Connector
from codi.sessions.imports.gemini import Gemini
from codi.sessions.imports.json_sessions import CodiTypeScript, Nanocoder
from codi.sessions.imports.opencode import OpenCode
from codi.sessions.imports.pi import Pi

CONNECTORS: tuple[Connector, ...] = (
    Pi(),
    ClaudeCode(),
    ClaudeExport(),
    Codex(),
    Gemini(),
    OpenCode(),
    Aider(),
    Nanocoder(),
    CodiTypeScript(),
    CodiRust(),
    Cursor(),
)
_ALSO = {"claude": "claude-code", "gemini-cli": "gemini", "codi": "codi-ts"}
_HEAD = 65_536


def connector_named(name: str) -> Connector | None:
    wanted = _ALSO.get(name.lower(), name.lower())
    return next((connector for connector in CONNECTORS if connector.agent == wanted), None)


def connector_for(path: str) -> Connector | None:
    """Who can read a file; None where nobody can. Raises UsageError where there is no such file."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file, a folder or an agent."
        ) from error
    return next((connector for connector in CONNECTORS if connector.recognises(path, head)), None)
