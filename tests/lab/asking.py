"""Questions in every wire format, asked with nothing but the standard library's HTTP client."""

import copy
import http.client
import json
from base64 import b64encode
from typing import Any, NamedTuple

PNG = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0").decode()
PARAMETERS = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


class Form(NamedTuple):
    """`reply` turns the answer to a question, as JSON, into the messages that follow it: reply and results."""

    name: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    def streamed(self) -> tuple[str, dict[str, Any]]:
        body = copy.deepcopy(self.body)
        if self.name == "google":
            return self.path.replace(":generateContent", ":streamGenerateContent?alt=sse"), body
        return self.path, body | {"stream": True}

    def whole(self) -> tuple[str, dict[str, Any]]:
        body = copy.deepcopy(self.body)
        return self.path, body if self.name == "google" else body | {"stream": False}


_CHAT_TOOLS = [{"type": "function", "function": {"name": "read", "description": "Read.", "parameters": PARAMETERS}}]

FORMS = [
    Form(
        "anthropic-messages",
        "/v1/messages",
        {"x-api-key": "k", "anthropic-version": "2023-06-01"},
        {
            "model": "claude-opus-4-5",
            "max_tokens": 8000,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "system": [{"type": "text", "text": "Be brief."}],
            "tools": [{"name": "read", "description": "Read.", "input_schema": PARAMETERS}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "go"}]}],
        },
    ),
    Form(
        "openai-chat",
        "/v1/chat/completions",
        {"authorization": "Bearer k"},
        {
            "model": "deepseek-chat",
            "max_tokens": 8000,
            "tools": _CHAT_TOOLS,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "go"}],
        },
    ),
    Form(
        "openai-responses",
        "/v1/responses",
        {"authorization": "Bearer k"},
        {
            "model": "gpt-5.1",
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "medium", "summary": "auto"},
            "instructions": "Be brief.",
            "tools": [{"type": "function", "name": "read", "description": "Read.", "parameters": PARAMETERS}],
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "go"}]}],
        },
    ),
    Form(
        "google",
        "/v1beta/models/gemini-3-pro:generateContent",
        {"x-goog-api-key": "k"},
        {
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{"name": "read", "description": "Read.", "parameters": PARAMETERS}]}],
            "contents": [{"role": "user", "parts": [{"text": "go"}]}],
        },
    ),
    Form(
        "ollama",
        "/api/chat",
        {},
        {
            "model": "qwen3",
            "think": True,
            "tools": _CHAT_TOOLS,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "go"}],
        },
    ),
]
BY_NAME = {form.name: form for form in FORMS}


class Told(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of server-sent events, or the lines of JSON."""
        lines = self.body.decode().splitlines()
        if lines and lines[0].startswith("{"):
            return [json.loads(line) for line in lines]
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        return [each if each == "[DONE]" else json.loads(each) for each in data]


class Client:
    """Keeps one connection, as clients do."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)

    def ask(self, form: Form, body: dict[str, Any] | None = None, *, stream: bool = False) -> Told:
        path, usual = form.streamed() if stream else form.whole()
        return self.post(path, usual if body is None else body, form.headers)

    def post(self, path: str, body: Any, headers: dict[str, str]) -> Told:
        self.connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **headers})
        return self._told()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Told:
        self.connection.request("GET", path, headers=headers or {})
        return self._told()

    def _told(self) -> Told:
        response = self.connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Told(response.status, headers, response.read())


def following(form: Form, answer: dict[str, Any], results: list[str]) -> dict[str, Any]:
    """The next request of a conversation: the reply as it came, and the results of its calls."""
    body = form.whole()[1]
    match form.name:
        case "anthropic-messages":
            calls = [block["id"] for block in answer["content"] if block["type"] == "tool_use"]
            told = [{"type": "tool_result", "tool_use_id": each, "content": text} for each, text in zip(calls, results)]
            body["messages"] += [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": told}]
        case "openai-chat":
            message = {key: value for key, value in answer["choices"][0]["message"].items() if key != "refusal"}
            calls = [call["id"] for call in message["tool_calls"]]
            told = [{"role": "tool", "tool_call_id": each, "content": text} for each, text in zip(calls, results)]
            body["messages"] += [message, *told]
        case "openai-responses":
            calls = [item["call_id"] for item in answer["output"] if item["type"] == "function_call"]
            told = [
                {"type": "function_call_output", "call_id": each, "output": text} for each, text in zip(calls, results)
            ]
            body["input"] += [*answer["output"], *told]
        case "google":
            content = answer["candidates"][0]["content"]
            told = [{"functionResponse": {"name": "read", "response": {"output": text}}} for text in results]
            body["contents"] += [content, {"role": "user", "parts": told}]
        case "ollama":
            told = [{"role": "tool", "tool_name": "read", "content": text} for text in results]
            body["messages"] += [answer["message"], *told]
    return body
