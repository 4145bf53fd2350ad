"""A scripted model for other programs, until they have seen enough."""

import sys

import anyio

from codi.lab.server import LabServer
from codi.protocol.errors import CodiError, UsageError
from codi.providers.script import Script

_HIGHEST_PORT = 65_535


class PortTaken(CodiError):
    """Somebody else listens there, or it is not ours to take."""

    code = "port"


def serve_script(script: Script, port: int, *, strict: bool = True, quiet: bool = False) -> int:
    """Serve on loopback until Ctrl-C, then say what went wrong: 1 if a request was refused or unexpected. The URL is the one
    line on standard output."""
    if not 0 <= port <= _HIGHEST_PORT:
        raise UsageError(f"there is no port {port}", hint=f"Give 1 to {_HIGHEST_PORT}, or 0 for any that is free.")
    try:
        server = LabServer(script, port=port, strict=strict)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on port {port}: {error.strerror}", hint="Give another; 0 takes a free one."
        ) from error
    try:
        anyio.run(server.run, lambda: _tell(server, script, quiet=quiet))
    except KeyboardInterrupt:
        pass
    wrong = [*server.violations, *server.failures]
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    if not quiet:
        print(f"{len(server.requests)} requests, {len(wrong)} refused", file=sys.stderr)
    return 1 if wrong else 0


def _tell(server: LabServer, script: Script, *, quiet: bool) -> None:
    print(server.url, flush=True)
    if quiet:
        return
    print(
        f"The scripted model {script.model} answers as Anthropic, OpenAI, Google and Ollama do. For example:\n"
        f"  ANTHROPIC_BASE_URL={server.url} ANTHROPIC_API_KEY=any codi -m anthropic/{script.model}\n"
        f"  OPENAI_BASE_URL={server.url}/v1 OPENAI_API_KEY=any codi -m openai/{script.model}\n"
        "Ctrl-C ends it.",
        file=sys.stderr,
        flush=True,
    )
