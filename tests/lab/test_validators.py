"""Each validator accepts a sound conversation and refuses each way of spoiling it, as the service would."""

import copy
from base64 import b64decode, b64encode

import pytest
from asking import BY_NAME, PNG, Client, following

from codi.lab.running import running

CALLS = [{"name": "read", "arguments": {"path": "a"}}, {"name": "read", "arguments": {"path": "b"}}]
SCRIPT = {"loop": True, "steps": [{"thinking": "I think.", "text": "I look.", "calls": CALLS}]}
LARGE = b64encode(b64decode(PNG) + bytes(4_200_000)).decode()
JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/"


def changed(body, path, value):
    """The body with one place set to another value; `DROP` takes it away."""
    at = body
    for key in path[:-1]:
        at = at[key]
    if value is DROP:
        del at[path[-1]]
    elif isinstance(at, list) and path[-1] == len(at):
        at.append(value)
    else:
        at[path[-1]] = value(at[path[-1]]) if callable(value) else value
    return body


DROP = object()


def swapped(items):
    return [items[1], items[0], *items[2:]]


def twice(items):
    return [items[0], *items]


def shorter(text):
    return text[:-1]


# Of a request with a reply and its two results: messages 0 user, 1 assistant (thinking, text, call, call), 2 results.
ANTHROPIC = [
    (["max_tokens"], DROP, "max_tokens: Field required"),
    (["model"], DROP, "model: Field required"),
    (["messages"], [], "at least one message is required"),
    (["frobnicate"], 1, "frobnicate: Extra inputs are not permitted"),
    (["max_tokens"], 2000, "`max_tokens` must be greater than `thinking.budget_tokens`"),
    (["thinking", "budget_tokens"], 1000, "greater than or equal to 1024"),
    (["temperature"], 0.5, "may only be set to 1 when thinking is enabled"),
    (["tool_choice"], {"type": "any"}, "Thinking may not be enabled when tool_choice forces tool use"),
    (["tools", 0, "input_schema"], DROP, "tools.0.custom.input_schema: Field required"),
    (["tools", 0, "name"], "a b", "tools.0.custom.name: String should match pattern"),
    (["tools"], twice, "Tool names must be unique"),
    (["system", 0, "text"], "", "text content blocks must be non-empty"),
    (["messages", 0, "role"], "system", 'Unexpected role "system"'),
    (["messages", 0, "content", 0, "text"], "", "text content blocks must be non-empty"),
    (["messages", 0, "content", 0, "text"], " \n", "must contain non-whitespace text"),
    (["messages", 0, "content"], [], "messages.0: all messages must have non-empty content"),
    (["messages", 0, "content", 0, "extra"], 1, "messages.0.content.0.text.extra: Extra inputs are not permitted"),
    (["messages"], twice, "roles must alternate"),
    (["messages"], lambda all_: all_[1:], 'first message must use the "user" role'),
    (["messages"], lambda all_: all_[:2], "without `tool_result` blocks immediately after"),
    (
        ["messages", 1, "content", 0, "signature"],
        shorter,
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (["messages", 1, "content", 0, "thinking"], "I thought.", "Invalid `signature` in `thinking` block"),
    (
        ["messages", 1, "content"],
        lambda blocks: blocks[1:],
        "Expected `thinking` or `redacted_thinking`, but found `text`",
    ),
    (["messages", 1, "content", 2, "input"], "{}", "tool_use.input: Input should be a valid dictionary"),
    (["messages", 1, "content", 2, "id"], "a.b", "tool_use.id: String should match pattern"),
    (["messages", 2, "content"], swapped, "not in the order of their `tool_use` blocks"),
    (["messages", 2, "content"], twice, "each tool_use must have a single result"),
    (["messages", 2, "content"], lambda blocks: blocks[:1], "without `tool_result` blocks immediately after: call_"),
    (["messages", 2, "content"], lambda blocks: [{"type": "text", "text": "x"}, *blocks], "immediately after"),
    (
        ["messages", 2, "content", 0, "tool_use_id"],
        "nobody",
        "unexpected `tool_use_id` found in `tool_result` blocks: nobody",
    ),
    (["messages", 3], {"role": "assistant", "content": "And"}, "does not support assistant message prefill"),
    (
        ["messages", 2, "content", 2],
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": JPEG}},
        "appears to be a image/jpeg image",
    ),
    (
        ["messages", 2, "content", 2],
        {"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": PNG}},
        "media_type: Input should be",
    ),
    (
        ["messages", 2, "content", 2],
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": LARGE}},
        "image exceeds 5 MB maximum",
    ),
    (
        ["messages", 2, "content", 0],
        lambda block: (
            block
            | {
                "is_error": True,
                "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}],
            }
        ),
        "all content must be type `text` if `is_error` is true",
    ),
    (
        ["tools"],
        lambda tools: [tools[0] | {"name": f"t{each}", "cache_control": {"type": "ephemeral"}} for each in range(5)],
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (["tools", 0, "cache_control"], {"type": "forever"}, "'ephemeral'"),
]

# Messages: 0 system, 1 user, 2 assistant, 3 and 4 results.
CHAT = [
    (["messages"], [], "Missing required parameter: 'messages'"),
    (["model"], DROP, "you must provide a model parameter"),
    (["frobnicate"], 1, "Unrecognized request argument supplied: frobnicate"),
    (["max_completion_tokens"], 5, "at the same time is not supported"),
    (["stream_options"], {"include_usage": True}, "only allowed when 'stream' is enabled"),
    (["tools"], DROP, None),
    (["tools"], [], "Invalid 'tools': empty array"),
    (["tools", 0, "function", "name"], "a b", "Invalid 'tools[0].function.name'"),
    (["tools", 0, "function", "strict"], True, "'additionalProperties' is required to be supplied and to be false"),
    (["tool_choice"], "maybe", "Supported values are: 'none', 'auto', and 'required'"),
    (["messages", 1, "content"], "", "Invalid 'messages[1].content': empty string"),
    (["messages", 1, "content"], [{"type": "text", "text": ""}], "Invalid 'messages[1].content[0].text': empty string"),
    (["messages", 1, "content"], None, "expected a string, got null"),
    (["messages", 1, "mood"], "good", "Unknown parameter: 'messages[1].mood'"),
    (["messages", 1, "role"], "model", "Supported values are: 'system'"),
    (
        ["messages", 1, "content"],
        [{"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}}],
        "but the image is image/png",
    ),
    (
        ["messages", 1, "content"],
        [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        "unsupported image",
    ),
    (["messages", 2, "tool_calls"], [], "Invalid 'messages[2].tool_calls': empty array"),
    (["messages", 2, "tool_calls", 0, "id"], "x" * 41, "string too long. Expected a string with maximum length 40"),
    (["messages", 2, "tool_calls", 0, "function", "arguments"], {}, "expected a string, but got an object"),
    (["messages", 2, "tool_calls", 0, "function", "name"], "edit", "was made to 'read'"),
    (["messages"], lambda all_: [*all_[:2], *all_[1:]], "roles must alternate"),
    (["messages"], lambda all_: [*all_[:3], all_[4], all_[3]], "not in the order of the 'tool_calls'"),
    (["messages"], lambda all_: all_[:4], "did not have response messages: call_"),
    (["messages"], lambda all_: [*all_, all_[4]], "must be a response to a preceeding message"),
    (
        ["messages"],
        lambda all_: [*all_[:3], {"role": "user", "content": "x"}, *all_[3:]],
        "did not have response messages",
    ),
    (["messages"], lambda all_: [all_[0], *all_[2:]], "the first message after the system's must be the user's"),
]

# Input: 0 user, 1 reasoning, 2 message, 3 and 4 calls, 5 and 6 outputs.
RESPONSES = [
    (["frobnicate"], 1, "Unknown parameter: 'frobnicate'."),
    (["model"], DROP, "Missing required parameter: 'model'."),
    (["input"], [], "Missing required parameter: 'input'."),
    (["max_output_tokens"], 4, "Expected a value >= 16"),
    (["temperature"], 1.0, "'temperature' is not supported with this model"),
    (["reasoning", "effort"], "huge", "Invalid value: 'huge'"),
    (["tools", 0, "strict"], True, "'additionalProperties' is required"),
    (["input", 0, "content", 0, "type"], "text", "Supported values are: 'input_text'"),
    (["input", 0, "content", 0, "text"], "", "Invalid 'input[0].content[0].text': empty string."),
    (["input", 0, "mood"], "good", "Unknown parameter: 'input[0].mood'."),
    (["input", 1, "encrypted_content"], shorter, "could not be verified"),
    (["input", 1, "summary", 0, "text"], "I thought.", "could not be verified"),
    (["input", 1, "encrypted_content"], DROP, "Items are not persisted when `store` is set to false"),
    (["input"], lambda items: [items[0], *items[2:]], "was provided without its required 'reasoning' item"),
    (["input"], lambda items: items[:2], "without its required following item"),
    (["input", 2, "content", 0, "type"], "input_text", "Supported values are: 'output_text', 'refusal'"),
    (["input", 3, "id"], "call_1", "Expected an ID that begins with 'fc'."),
    (["input", 3, "arguments"], {}, "Invalid type for 'input[3].arguments'"),
    (["input", 5, "call_id"], "nobody", "No tool call found for function call output with call_id nobody."),
    (["input"], lambda items: items[:6], "No tool output found for function call call_"),
    (["input"], lambda items: [*items[:5], items[6], items[5]], "not in the order of the function calls"),
    (["input"], lambda items: [*items, items[6]], "No tool call found for function call output"),
    (["input"], lambda items: [*items[:5], {"role": "user", "content": "x"}, *items[5:]], "No tool output found"),
    (["input"], lambda items: [items[0], *items], "Conversation roles must alternate"),
]

# Contents: 0 user, 1 model (thought, text, call, call), 2 the responses.
GOOGLE = [
    (["frobnicate"], 1, 'Unknown name "frobnicate": Cannot find field.'),
    (["contents"], [], "contents is not specified"),
    (["generationConfig", "maxTokens"], 1, "Unknown name \"maxTokens\" at 'generation_config'"),
    (
        ["generationConfig", "thinkingConfig"],
        {"thinkingBudget": 1, "thinkingLevel": "low"},
        "only one of thinking budget",
    ),
    (["tools", 0, "functionDeclarations", 0, "name"], "1st", "Invalid function name"),
    (
        ["tools", 0, "functionDeclarations", 0, "parameters", "additionalProperties"],
        False,
        'Unknown name "additionalProperties"',
    ),
    (["tools", 0, "functionDeclarations", 0, "parameters", "required"], ["x"], "property is not defined: x"),
    (["contents", 0, "role"], "assistant", "Please use a valid role: user, model."),
    (["contents", 0, "parts"], [], "contents.parts must not be empty"),
    (["contents", 0, "parts", 0, "text"], "", "contents.parts must not be empty"),
    (
        ["contents", 0, "parts", 0],
        {"inlineData": {"mimeType": "image/bmp", "data": PNG}},
        "Unsupported MIME type: image/bmp",
    ),
    (
        ["contents", 0, "parts", 0],
        {"inlineData": {"mimeType": "image/jpeg", "data": PNG}},
        "Provided image is not valid.",
    ),
    (["contents", 1, "parts", 2, "thoughtSignature"], lambda text: "A" + text[1:], "Corrupted thought signature."),
    (["contents", 1, "parts", 2, "thoughtSignature"], DROP, "is missing a `thought_signature`"),
    (["contents", 1, "parts", 2, "functionCall", "args"], {"path": "z"}, "Corrupted thought signature."),
    (["contents", 2, "parts"], lambda parts: parts[:1], "number of function response parts is equal"),
    (["contents", 2, "parts", 0, "functionResponse", "name"], "edit", "does not answer the function call read"),
    (["contents", 2, "parts", 0, "functionResponse", "response"], "text", "google.protobuf.Struct"),
    (["contents"], lambda all_: all_[1:], "begin with a user role"),
    (["contents"], lambda all_: all_[:2], "end with a user role"),
    (["contents"], lambda all_: [all_[0], all_[2]], "alternate between user and model"),
]

# Messages: 0 system, 1 user, 2 assistant, 3 and 4 results.
OLLAMA = [
    (["frobnicate"], 1, 'json: unknown field "frobnicate"'),
    (["model"], DROP, "model is required"),
    (["think"], "hard", "invalid think value"),
    (["options"], {"num_context": 1}, 'invalid option provided: "num_context"'),
    (["messages"], [], "messages is required"),
    (["messages", 1, "content"], [{"type": "text", "text": "x"}], "cannot unmarshal array"),
    (["messages", 1, "content"], "", "messages[1]: empty content"),
    (["messages", 1, "images"], ["AAAA"], "Failed to load image"),
    (["messages", 1, "role"], "developer", 'invalid role "developer"'),
    (["messages", 2, "tool_calls", 0, "function", "arguments"], "{}", "cannot unmarshal string"),
    (["messages", 3, "tool_name"], "edit", "edit does not answer the call of read in its place"),
    (["messages"], lambda all_: all_[:4], "the call of read has no answer"),
    (["messages"], lambda all_: [*all_, all_[4]], "answers no call"),
    (["messages"], lambda all_: [all_[0], all_[1], *all_[1:]], "two messages of the user in a row"),
    (["messages"], lambda all_: all_[1:] + all_[:1], "the system's message must come first"),
]

CASES = [
    *(("anthropic-messages", *case) for case in ANTHROPIC),
    *(("openai-chat", *case) for case in CHAT),
    *(("openai-responses", *case) for case in RESPONSES),
    *(("google", *case) for case in GOOGLE),
    *(("ollama", *case) for case in OLLAMA),
]


@pytest.fixture(scope="module")
def server():
    with running(SCRIPT) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "path", "value", "told"), CASES, ids=lambda value: value if isinstance(value, str) else None
)
def test_a_spoiled_request_is_refused_in_the_words_of_the_service(server, name, path, value, told):
    form, client = BY_NAME[name], Client(server.url)
    sound = following(form, client.ask(form).json, ["A", "B"])
    assert client.ask(form, sound).status == 200
    before = len(server.violations)

    answer = client.ask(form, changed(copy.deepcopy(sound), path, value))

    if told is None:
        assert answer.status == 200 and len(server.violations) == before
        return
    assert answer.status in (400, 404)
    error = answer.json["error"]
    assert told in (error if isinstance(error, str) else error["message"])
    assert len(server.violations) == before + 1 and server.violations[-1].startswith(f"{name}: ")


@pytest.mark.parametrize("name", BY_NAME)
def test_thinking_of_another_model_is_not_asked_back(server, name):
    form, client = BY_NAME[name], Client(server.url)
    body = following(form, client.ask(form).json, ["A", "B"])
    match name:
        case "anthropic-messages":
            body["messages"][1]["content"] = body["messages"][1]["content"][1:]
        case "openai-responses":
            del body["input"][1]
        case "google":
            body["contents"][1]["parts"] = body["contents"][1]["parts"][1:]
            del body["contents"][1]["parts"][1]["thoughtSignature"]
    if name == "google":
        form = form._replace(path=form.path.replace("gemini-3-pro", "gemini-other"))
    else:
        body["model"] = "gpt-5-other" if name == "openai-responses" else "other"
    assert client.ask(form, body).status == 200, server.violations[-1]


def test_redacted_thinking_comes_back_unchanged():
    form = BY_NAME["anthropic-messages"]
    with running({"loop": True, "steps": [{"thinking": "secret", "redacted": True, "calls": CALLS}]}) as server:
        client = Client(server.url)
        answer = client.ask(form).json
        assert answer["content"][0]["type"] == "redacted_thinking" and "secret" not in str(answer)
        body = following(form, answer, ["A", "B"])
        assert client.ask(form, body).status == 200
        body["messages"][1]["content"][0]["data"] = "QUJD" + body["messages"][1]["content"][0]["data"][4:]
        assert client.ask(form, body).status == 400


def test_keys_and_versions_are_asked_for():
    with running({"loop": True, "steps": [{"text": "a"}]}, key="secret") as server:
        client, form = Client(server.url), BY_NAME["anthropic-messages"]
        assert (
            client.post(form.path, form.body, {"x-api-key": "secret"})
            .json["error"]["message"]
            .startswith("anthropic-version")
        )
        assert client.ask(form).status == 401
        assert client.post(form.path, form.body, form.headers | {"x-api-key": "secret"}).status == 200
        chat = BY_NAME["openai-chat"]
        assert client.ask(chat).json["error"]["code"] == "invalid_api_key"
        assert client.post(chat.path, chat.body, {"authorization": "Bearer secret"}).status == 200


def test_reasoning_models_have_their_own_parameters(server):
    form, client = BY_NAME["openai-chat"], Client(server.url)
    told = client.ask(form, form.body | {"model": "gpt-5.1"}).json["error"]["message"]
    assert (
        told
        == "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )


def test_gemini_accepts_snake_case(server):
    form, client = BY_NAME["google"], Client(server.url)
    body = {"system_instruction": {"parts": [{"text": "x"}]}, "contents": form.body["contents"]}
    body["generation_config"] = {"thinking_config": {"include_thoughts": True}}
    assert client.ask(form, body).status == 200, server.violations[-1]
