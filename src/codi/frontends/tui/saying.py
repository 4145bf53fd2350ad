"""What the person has written and sent: a command, a word into a running turn, or a prompt with the files that it mentions."""

import math
import re
from collections.abc import Callable

import anyio
from anyio import to_thread

from codi.commands.kit import commands
from codi.frontends.shell_lines import LINES_OF_SHELL
from codi.frontends.tui.activity import Activity
from codi.frontends.tui.composer import Typed
from codi.frontends.tui.surroundings import Mentioned, Surroundings
from codi.protocol.ops import Op, Prompt, RunCommand, Steer

_ASKS_FOR_HELP = re.compile(r"\?[\w-]*")


class Saying:
    """`send` brings ops to the conversation, `obey` runs a line that begins with a slash; `tell` shows a notice of a kind, and
    `give_back` has the text stand in the editor again, with the reason told."""

    def __init__(
        self,
        around: Surroundings,
        activity: Activity,
        *,
        send: Callable[[Op], None],
        obey: Callable[[str], object],
        tell: Callable[[str, str], object],
        give_back: Callable[[Typed, str], object],
    ) -> None:
        self._around = around
        self._activity = activity
        self._send = send
        self._obey = obey
        self._tell = tell
        self._give_back = give_back
        self._to_say, self._said = anyio.create_memory_object_stream[tuple[str, Typed]](math.inf)

    def take(self, typed: Typed) -> None:
        """What the person has written and sent: a command, a word into a running turn, or a prompt."""
        text = typed.text.strip("\n")
        self._around.history.add(text)
        if not typed.is_literal and commands().is_command(text):
            self._obey(text)
            return
        if text.startswith("!") and not typed.is_literal:
            self._own_command(text)
            return
        if not typed.is_literal and _ASKS_FOR_HELP.fullmatch(text):
            self._obey(f"/help {text}" if text != "?" else "/help")
            return
        text = text[1:] if text.startswith("//") and not typed.is_literal else text
        self._to_say.send_nowait((text, typed))

    async def work(self) -> None:
        """Send what was said with the files that it mentions, one after the other; it comes back where one is missing."""
        async for text, typed in self._said:
            found = Mentioned()
            if "@" in typed.typed:
                found = await to_thread.run_sync(self._around.mentioned, typed.typed, abandon_on_cancel=True)
            if found.complaint:
                self._give_back(typed, found.complaint)
                continue
            images = list(found.images)
            for content in typed.images.values():
                image = await to_thread.run_sync(self._around.picture, content, abandon_on_cancel=True)
                if isinstance(image, str):
                    self._give_back(typed, image)
                    break
                images.append(image)
            else:
                kind = Steer if self._activity.is_busy and not typed.later else Prompt
                self._send(kind(found.text + text, tuple(images)))

    def _own_command(self, line: str) -> None:
        """`!cmd` is run and given to the model with the next prompt, `!!cmd` is only run."""
        if command := line.lstrip("!").strip():
            self._send(RunCommand(command, excluded=line.startswith("!!")))
        else:
            self._tell("info", LINES_OF_SHELL)
