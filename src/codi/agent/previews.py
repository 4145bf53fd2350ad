"""What a call would do, in full, for the person who is asked: the change as a diff, the commands one by one, the request."""

from collections.abc import Iterator
from logging import getLogger

from codi.policy.command_line import UNKNOWN, Command, commands_of
from codi.protocol.effects import Effect, Reaches, Runs
from codi.tools.tool import Action
from codi.workspace.rehearsal import Rehearsal
from codi.workspace.workspace import Workspace

logger = getLogger(__name__)


async def preview_of(action: Action, effects: tuple[Effect, ...], workspace: Workspace) -> str | None:
    """None where nothing can be told beforehand. Nothing is changed."""
    told: list[str] = []
    offered = getattr(action, "preview", None)
    if offered:
        try:
            text = await offered(Rehearsal(workspace, effects))
        except Exception as bug:  # noqa: BLE001 - a tool's bug costs the preview; the call itself will tell of it
            logger.error("the preview of a call failed with %s", type(bug).__name__)
            text = None
        told += [text] if text else []
    for effect in effects:
        if isinstance(effect, Runs):
            told += _commands(effect)
        elif isinstance(effect, Reaches) and not offered:
            told.append(f"{effect.host}:{effect.port} {effect.purpose}".rstrip())
    return "\n".join(told) or None


def _commands(runs: Runs) -> Iterator[str]:
    """The command as it stands, and where it consists of several, one of them a line."""
    from shlex import join  # only for those who are asked

    yield runs.line
    simple = _simple(commands_of(runs.line)) if isinstance(runs.command, str) else []
    if len(simple) > 1:
        for command in simple:
            words = join(word.replace(UNKNOWN, "…") for word in command.words)
            targets = "".join(f" > {join([target.replace(UNKNOWN, '…')])}" for target in command.targets)
            yield f"  {words}{targets}"


def _simple(commands: list[Command]) -> list[Command]:
    """Without what a command before them is told to run, which stands in that one's own line."""
    simple: list[Command] = []
    begin = 1
    for command in commands:
        outer = simple[-1].words if simple else []
        at = next((at for at in range(begin, len(outer)) if outer[at:] == command.words), None)
        if at is None or not command.words:
            simple.append(command)
            begin = 1
        else:
            begin = at + 1
    return simple
