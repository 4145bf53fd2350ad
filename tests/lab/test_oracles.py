"""The services' own clients understand the lab's server, and what they send back passes its validators."""

import pytest

from codi.lab.running import running

pytestmark = pytest.mark.oracle

CALLS = [{"name": "read", "arguments": {"path": "a.py"}}, {"name": "read", "arguments": {"path": "b.py"}}]
SCRIPT = [{"thinking": "I think.", "text": "I look.", "calls": CALLS, "chunk": 3}, {"text": "Done."}]
PARAMETERS = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def clean(server):
    return server.violations == [] and server.failures == [] and server.finished


def test_anthropic():
    anthropic = pytest.importorskip("anthropic")
    asked = {
        "model": "claude-opus-4-5",
        "max_tokens": 8000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "read", "description": "Read.", "input_schema": PARAMETERS}],
    }
    messages = [{"role": "user", "content": "go"}]
    with running(SCRIPT) as server, anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0) as client:
        with client.messages.stream(messages=messages, **asked) as stream:
            reply = stream.get_final_message()
        thinking, text, *calls = reply.content
        assert (thinking.thinking, text.text, [call.input for call in calls]) == (
            "I think.",
            "I look.",
            [call["arguments"] for call in CALLS],
        )
        assert reply.stop_reason == "tool_use" and reply.usage.input_tokens > 0
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "x"} for call in calls]
        content = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in reply.content]
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
        assert client.messages.create(messages=messages, **asked).content[0].text == "Done."
        assert clean(server)
        assert client.models.list().data[0].id == "scripted-1"


def test_openai_chat():
    openai = pytest.importorskip("openai")
    tools = [{"type": "function", "function": {"name": "read", "description": "Read.", "parameters": PARAMETERS}}]
    messages = [{"role": "user", "content": "go"}]
    asked = {"model": "gpt-4.1", "tools": tools}
    with running(SCRIPT) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0) as client:
        with client.chat.completions.stream(
            messages=messages, stream_options={"include_usage": True}, **asked
        ) as stream:
            reply = stream.get_final_completion()
        message = reply.choices[0].message
        assert message.content == "I look." and [call.function.name for call in message.tool_calls] == ["read", "read"]
        assert reply.choices[0].finish_reason == "tool_calls" and reply.usage.completion_tokens > 0
        calls = [
            {"id": call.id, "type": "function", "function": {"name": "read", "arguments": call.function.arguments}}
            for call in message.tool_calls
        ]
        messages += [{"role": "assistant", "content": message.content, "tool_calls": calls}]
        messages += [{"role": "tool", "tool_call_id": call["id"], "content": "x"} for call in calls]
        assert client.chat.completions.create(messages=messages, **asked).choices[0].message.content == "Done."
        assert clean(server)


def test_azure():
    openai = pytest.importorskip("openai")
    with running([{"text": "Hello."}]) as server:
        options = {"azure_endpoint": server.url, "api_key": "k", "api_version": "2025-04-01-preview"}
        with openai.AzureOpenAI(**options, max_retries=0) as client:
            reply = client.chat.completions.create(model="mine", messages=[{"role": "user", "content": "go"}])
        assert reply.choices[0].message.content == "Hello."
        assert server.requests[0].path == "/openai/deployments/mine/chat/completions"


def test_openai_responses():
    openai = pytest.importorskip("openai")
    items = [{"role": "user", "content": "go"}]
    asked = {
        "model": "gpt-5.1",
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [{"type": "function", "name": "read", "parameters": PARAMETERS, "strict": False}],
    }
    with running(SCRIPT) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0) as client:
        with client.responses.stream(input=items, **asked) as stream:
            kinds = [event.type for event in stream]
            reply = stream.get_final_response()
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
        assert reply.output_text == "I look." and reply.usage.output_tokens_details.reasoning_tokens > 0
        for item in reply.output:
            plain = item.model_dump(exclude_none=True, exclude={"parsed_arguments"})
            for part in plain.get("content", ()):
                part.pop("parsed", None)
            items.append(plain)
        calls = [item for item in reply.output if item.type == "function_call"]
        items += [{"type": "function_call_output", "call_id": call.call_id, "output": "x"} for call in calls]
        assert client.responses.create(input=items, **asked).output_text == "Done."
        assert clean(server), server.violations


def test_google():
    genai = pytest.importorskip("google.genai")
    types = genai.types
    declared = types.FunctionDeclaration(name="read", description="Read.", parameters=PARAMETERS)
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True),
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents = [types.Content(role="user", parts=[types.Part(text="go")])]
    with running(SCRIPT) as server:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=server.url))
        parts = []
        for chunk in client.models.generate_content_stream(model="gemini-3-pro", contents=contents, config=config):
            parts += chunk.candidates[0].content.parts
        assert "".join(part.text for part in parts if part.thought) == "I think."
        assert "".join(part.text for part in parts if part.text and not part.thought) == "I look."
        answers = [
            types.FunctionResponse(name="read", response={"output": "x"}) for part in parts if part.function_call
        ]
        contents += [
            types.Content(role="model", parts=parts),
            types.Content(role="user", parts=[types.Part(function_response=answer) for answer in answers]),
        ]
        assert client.models.generate_content(model="gemini-3-pro", contents=contents, config=config).text == "Done."
        assert clean(server), server.violations
        client.close()


def test_errors_are_the_clients_own():
    anthropic, openai = pytest.importorskip("anthropic"), pytest.importorskip("openai")
    faults = [{"fault": {"kind": "status", "status": status}} for status in (429, 529, 401)]
    with running([*faults, *faults]) as server:
        with anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0) as client:
            for error in (anthropic.RateLimitError, anthropic.InternalServerError, anthropic.AuthenticationError):
                with pytest.raises(error):
                    client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "go"}])
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0) as client:
            for error in (openai.RateLimitError, openai.InternalServerError, openai.AuthenticationError):
                with pytest.raises(error):
                    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "go"}])
