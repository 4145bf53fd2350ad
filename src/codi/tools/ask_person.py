"""The `ask_person` tool."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect
from codi.protocol.ops import Reply
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

NO_ANSWER = "The person gave no answer. Decide yourself what is safe, or go on without it."


class AskPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """Ask the person a question, when only they can know the answer. Say all that they need to decide."""

    question: Annotated[str, Meta(min_length=1)]
    options: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(max_length=6)] = ()
    multiple: Annotated[bool, Meta(description="Several options may be chosen")] = False
    free_text: Annotated[bool, Meta(description="The answer may also be words of their own")] = True

    def __post_init__(self) -> None:
        if not self.options and not self.free_text:
            raise ValueError("give `options`, or let the answer be free text")

    def effects(self) -> Iterable[Effect]:
        return ()

    async def run(self, workspace: Workspace, *, ask: Callable[["AskPerson"], Awaitable[Reply]]) -> ToolOutput:
        reply = await ask(self)
        chosen = [self.options[at] for at in reply.chosen if 0 <= at < len(self.options)]
        said = reply.text.strip() if self.free_text else ""
        if len(chosen) > 1 and not self.multiple:
            raise ToolFailed("More than one option was chosen where one was asked for. Ask again.")
        if not chosen and not said:
            return ToolOutput(text=NO_ANSWER)
        lines = [f"The person chose: {', '.join(chosen)}"] if chosen else []
        lines += [f"The person said: {said}"] if said else []
        return ToolOutput(text="\n".join(lines), details={"chosen": chosen, "text": said})
