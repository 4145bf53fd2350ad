"""Running prompts to their end without a person: what printing an answer and printing events have in common."""

from collections.abc import AsyncIterator, Callable, Sequence

from codi.frontends.answers import Answering
from codi.protocol.conversation import Conversation
from codi.protocol.events import ApprovalAsked, Entry, Event, TurnEnded
from codi.protocol.ops import Prompt


async def run_prompts(
    conversation: Conversation, prompts: Sequence[Prompt], answering: Answering, hear: Callable[[Event], None]
) -> None:
    """Send the prompts in order, each when the one before is done, and hear everything until the last has ended. A turn that
    ends badly is the last."""
    events = conversation.events()
    for prompt in prompts:
        await conversation.send(prompt)
        if not await _ends_well(events, conversation, answering, hear):
            return


async def _ends_well(
    events: AsyncIterator[Event], conversation: Conversation, answering: Answering, hear: Callable[[Event], None]
) -> bool:
    async for event in events:
        hear(event)
        match event:
            case Entry(fact=ApprovalAsked() as asked):
                await conversation.send(answering(asked))
            case Entry(fact=TurnEnded(reason=reason)):
                return reason in ("done", "permission", "unbacked")
    return False
