"""Which service is asked: told by the path alone, as the services' own paths differ."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from codi.lab.exchange import Format
from codi.lab.formats import anthropic, openai_chat
from codi.lab.http1 import HttpRequest
from codi.lab.sent import Sent
from codi.lab.validators import anthropic as anthropic_rules
from codi.lab.validators import openai_chat as openai_chat_rules

_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/chat/completions$")

Rules = Callable[[HttpRequest, dict[str, Any], str, Sent], None]
"""A validator: raises Refusal for what the service would not accept."""


class Question(Struct, frozen=True):
    """A request for an answer of the model. `model` is empty where the body names it; `counts` marks a question for the number
    of tokens alone."""

    form: Format
    validate: Rules
    model: str = ""
    counts: bool = False
    streamed: bool | None = None

    def streams(self, body: dict[str, Any]) -> bool:
        if self.streamed is not None:
            return self.streamed
        return bool(body.get("stream", False))

    def count(self, tokens: int) -> dict[str, int]:
        return {"input_tokens": tokens}


def question_of(method: str, path: str) -> Question | None:
    """None for anything but a question to the model."""
    if method != "POST":
        return None
    if path.endswith("/chat/completions"):
        deployment = _DEPLOYMENT.search(path)
        return Question(openai_chat, openai_chat_rules.check, deployment[1] if deployment else "")
    if path.endswith("/messages"):
        return Question(anthropic, anthropic_rules.check)
    if path.endswith("/messages/count_tokens"):
        return Question(anthropic, anthropic_rules.check_count, counts=True)
    return None
