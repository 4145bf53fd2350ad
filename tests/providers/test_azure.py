"""OpenAI's models at Azure: addresses, headers, and the names of what was filtered."""

import json
from typing import Any

import anyio
import pytest
from openai_loopback import Canned, Key, Server, error, events, parts_of, serving
from openai_told import PLAIN, THINKER, asking

from codi.protocol.errors import ConfigError, CredentialError, NotFound, Refused
from codi.protocol.messages import Text
from codi.providers.azure import Azure, azure_address, deployments_of
from codi.providers.provider import ModelEntry, Reply, Request
from codi.providers.transport import Transport

CHAT = "/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"RESOURCE_NAME": "res"}, f"https://res.openai.azure.com/openai/deployments/m-1{CHAT}"),
        ({"ENDPOINT": "https://res.openai.azure.com/"}, f"https://res.openai.azure.com/openai/deployments/m-1{CHAT}"),
        (
            {"BASE_URL": "https://res.openai.azure.com/openai"},
            f"https://res.openai.azure.com/openai/deployments/m-1{CHAT}",
        ),
        ({"BASE_URL": "res.openai.azure.com"}, f"https://res.openai.azure.com/openai/deployments/m-1{CHAT}"),
        ({"BASE_URL": "http://proxy:8/azure"}, f"http://proxy:8/azure/openai/deployments/m-1{CHAT}"),
        (
            {"BASE_URL": "https://base", "ENDPOINT": "https://endpoint", "RESOURCE_NAME": "res"},
            f"https://base/openai/deployments/m-1{CHAT}",
        ),
        (
            {"RESOURCE_NAME": "res", "API_VERSION": "2024-02-15-preview", "DEPLOYMENT_NAME_MAP": "x=y, m-1 = my one"},
            "https://res.openai.azure.com/openai/deployments/my%20one/chat/completions?api-version=2024-02-15-preview",
        ),
        (
            {"BASE_URL": "https://res.openai.azure.com/openai/deployments/given/"},
            f"https://res.openai.azure.com/openai/deployments/given{CHAT}",
        ),
        (
            {"BASE_URL": "https://h/openai/deployments/given/chat/completions?api-version=2023-05-15&k=v"},
            "https://h/openai/deployments/given/chat/completions?api-version=2023-05-15&k=v",
        ),
        (
            {"BASE_URL": "https://h/openai/deployments/given/chat/completions?api-version=1", "API_VERSION": "2"},
            "https://h/openai/deployments/given/chat/completions?api-version=2",
        ),
        (
            {"BASE_URL": "https://res.services.ai.azure.com/models"},
            f"https://res.services.ai.azure.com/models{CHAT}",
        ),
        ({"BASE_URL": "https://res.openai.azure.com/openai/v1/"}, "https://res.openai.azure.com/openai/v1/responses"),
        ({"BASE_URL": "https://h/openai/v1/responses"}, "https://h/openai/v1/responses"),
        (
            {"BASE_URL": "https://h/openai/v1", "API_VERSION": "preview"},
            "https://h/openai/v1/responses?api-version=preview",
        ),
        ({"BASE_URL": "https://h/openai/v1/chat/completions"}, "https://h/openai/v1/chat/completions"),
        (
            {"BASE_URL": "https://h/openai/responses?api-version=2025-04-01-preview"},
            "https://h/openai/responses?api-version=2025-04-01-preview",
        ),
    ],
)
def test_the_address_follows_from_the_variables(env, url):
    address = azure_address({f"AZURE_OPENAI_{name}": value for name, value in env.items()}, "m-1")
    assert address.base_url + address.endpoint.path == url
    assert address.speaks_responses == ("/responses" in url)
    assert address.endpoint.served_as == deployments_of(env.get("DEPLOYMENT_NAME_MAP", "")).get("m-1", "m-1")


def test_no_address_is_told_with_what_to_set():
    with pytest.raises(ConfigError) as raised:
        azure_address({}, "m-1")
    assert "AZURE_OPENAI_BASE_URL" in raised.value.hint


def test_the_map_of_deployments_skips_what_is_no_pair():
    assert deployments_of("a=b,c = d ,e,=f,g=,") == {"a": "b", "c": "d"}


def ask(
    answer: Canned, path: str = "", key: Key | None = None, model: ModelEntry = PLAIN, request: Request | None = None
) -> tuple[Reply, Server]:
    async def main() -> tuple[Reply, Server]:
        async with serving(answer) as server:
            env = {"AZURE_OPENAI_BASE_URL": server.url + path, "AZURE_OPENAI_DEPLOYMENT_NAME_MAP": "m-1=my-one"}
            address = azure_address(env, model.id)
            transport = Transport(address.base_url, service="azure")
            provider = Azure(model, key or Key(), transport, address=address)
            try:
                _, reply = await parts_of(provider, request or asking())
                assert reply.message.origin == provider.origin
                return reply, server
            finally:
                await transport.aclose()

    return anyio.run(main)


def last(finish: str | None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": finish, **more}]}


PROMPT_FILTER = {"choices": [], "prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": False}}}]}
TOKEN = "eyJhbGciOi.eyJhdWQi.c2ln"


def test_a_deployment_is_asked_by_its_path_and_with_a_key_of_azures_own():
    reply, server = ask(
        Canned(chunks=events(PROMPT_FILTER, last("stop"))), request=asking(session_id="s", stop=tuple("abcde"))
    )

    assert reply.message.blocks == (Text("x"),)
    (asked,) = server.asked
    assert asked.path == f"/openai/deployments/my-one{CHAT}"
    assert asked.headers["api-key"] == "k-123"
    assert "authorization" not in asked.headers
    assert asked.json["model"] == "my-one"
    assert asked.json["stop"] == ["a", "b", "c", "d"]
    assert not {"store", "prompt_cache_key"} & set(asked.json)


def test_a_model_that_reasons_is_told_so():
    _, server = ask(Canned(chunks=events(last("stop"))), model=THINKER)
    assert server.asked[0].json["messages"][0]["role"] == "developer"
    assert "max_completion_tokens" in server.asked[0].json


def test_a_token_of_entra_is_a_bearer():
    _, server = ask(Canned(chunks=events(last("stop"))), key=Key(TOKEN))
    assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "api-key" not in server.asked[0].headers


def test_the_newer_interface_speaks_responses():
    done = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "x"}
    chunks = [b"data: %s\n\n" % json.dumps(one).encode() for one in (delta, done)]
    reply, server = ask(Canned(chunks=chunks), "/openai/v1")

    assert reply.message.blocks == (Text("x"),)
    assert server.asked[0].path == "/openai/v1/responses"
    assert server.asked[0].headers["api-key"] == "k-123"
    assert server.asked[0].json["model"] == "my-one"


def test_what_was_filtered_is_named():
    found = {"violence": {"filtered": True, "severity": "high"}, "hate": {"filtered": False, "severity": "safe"}}
    reply, _ = ask(Canned(chunks=events(last("content_filter", content_filter_results=found))))
    assert (reply.stop, reply.raw_stop) == ("filtered", "content_filter: violence")


def test_a_prompt_that_was_filtered_is_refused_and_the_category_named():
    found = {"jailbreak": {"detected": True, "filtered": True}, "hate": {"filtered": False, "severity": "safe"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
    refused = error(400, message="The prompt was filtered.", code="content_filter", innererror=inner)
    with pytest.raises(Refused, match="filtered for jailbreak: The prompt"):
        ask(refused)


def test_a_wrong_key_is_told_by_the_place_it_comes_from():
    with pytest.raises(CredentialError, match="TEST_KEY"):
        ask(error(401, code="401", message="Access denied due to invalid subscription key."))


def test_a_deployment_that_does_not_exist_is_told_with_the_map():
    with pytest.raises(NotFound) as raised:
        ask(error(404, code="DeploymentNotFound", message="The API deployment for this resource does not exist."))
    assert "my-one is deployed; AZURE_OPENAI_DEPLOYMENT_NAME_MAP" in raised.value.hint


def test_models_are_listed_beside_the_deployments():
    async def main() -> Any:
        async with serving(
            Canned(headers=(("content-type", "application/json"),), chunks=[b'{"data": [{"id": "a"}]}'])
        ) as server:
            address = azure_address({"AZURE_OPENAI_ENDPOINT": server.url}, "m-1")
            transport = Transport(address.base_url, service="azure")
            models = await Azure(PLAIN, Key(), transport, address=address).models()
            await transport.aclose()
            return [model.id for model in models], server.asked[0].path

    assert anyio.run(main) == (["a"], "/openai/models?api-version=2024-10-21")
