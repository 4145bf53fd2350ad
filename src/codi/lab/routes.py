"""Which service is asked: told by the path alone, as the services' own paths differ."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from codi.lab.exchange import Format
from codi.lab.formats import anthropic, google, ollama, openai_chat, openai_responses
from codi.lab.http1 import HttpRequest
from codi.lab.sent import Sent
from codi.lab.validators import anthropic as anthropic_rules
from codi.lab.validators import google as google_rules
from codi.lab.validators import ollama as ollama_rules
from codi.lab.validators import openai_chat as openai_chat_rules
from codi.lab.validators import openai_responses as openai_responses_rules

_GEMINI = re.compile(r"/models/(?P<model>[^/]+):(?P<method>streamGenerateContent|generateContent|countTokens)$")
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/chat/completions$")

Rules = Callable[[HttpRequest, dict[str, Any], str, Sent], None]
"""A validator: raises Refusal for what the service would not accept."""


class Question(Struct, frozen=True):
    """A request for an answer of the model. `model` is empty where the body names it, `streamed` None where the body says
    whether to stream, or else `usually`; `counted` names the answer's field if only the number of tokens is asked for."""

    form: Format
    validate: Rules
    model: str = ""
    streamed: bool | None = None
    usually: bool = False
    counted: str = ""

    def normal(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with the one spelling that formats and validators know."""
        return google.normal(body) if self.form is google else body

    def streams(self, body: dict[str, Any]) -> bool:
        if self.streamed is not None:
            return self.streamed
        return body.get("stream", self.usually) is True


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
        return Question(anthropic, anthropic_rules.check_count, counted="input_tokens")
    if path.endswith("/responses"):
        return Question(openai_responses, openai_responses_rules.check)
    if path.endswith("/api/chat"):
        return Question(ollama, ollama_rules.check, usually=True)
    if (asked := _GEMINI.search(path)) is None:
        return None
    if asked["method"] == "countTokens":
        return Question(google, google_rules.check_count, asked["model"], counted="totalTokens")
    return Question(google, google_rules.check, asked["model"], streamed=asked["method"] == "streamGenerateContent")
