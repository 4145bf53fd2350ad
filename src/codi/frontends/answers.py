"""Who answers when nobody sits at the keyboard."""

from collections.abc import Callable

from codi.protocol.effects import Allow, Deny
from codi.protocol.events import ApprovalAsked
from codi.protocol.ops import Answer

Answering = Callable[[ApprovalAsked], Answer]
MOST_RISK = 8
"""From this risk on only a person may say yes, never a flag."""


def nobody(asked: ApprovalAsked) -> Answer:
    """No one can be asked: no, and the model is told which rule would have allowed it."""
    return Answer(asked.tool_call_id, Deny(by="nobody"))


def yes(asked: ApprovalAsked) -> Answer:
    """`-y`: yes to what is asked, except what is dangerous."""
    return Answer(asked.tool_call_id, Allow(by="mode")) if asked.risk < MOST_RISK else nobody(asked)
