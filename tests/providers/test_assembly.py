"""A choice becomes the provider that speaks its format, at its address, with its switches."""

import subprocess
import sys
from contextlib import asynccontextmanager
from importlib import import_module

import anyio
import pytest
from openai_loopback import Canned, Key, events, parts_of, serving
from openai_told import asking

from codi.protocol.errors import ConfigError
from codi.providers.assembly import ADAPTERS, ORIGINS, Connections, provider_for, timeouts_for
from codi.providers.catalog import Catalog
from codi.providers.choice import Choice, smart_default
from codi.providers.presets import presets
from codi.providers.provider import NoKey

CATALOG = Catalog.load()
PLACES = {
    "AZURE_OPENAI_RESOURCE_NAME": "acme",
    "CLOUDFLARE_ACCOUNT_ID": "a",
    "CLOUDFLARE_GATEWAY_ID": "g",
    "RUNPOD_ENDPOINT_ID": "p",
    "XIAOMI_BASE_URL": "https://mimo.example/v1",
}


def provider(choice, connections=None, **more):
    entry = CATALOG.entry(choice.service, choice.model_id)
    return provider_for(choice, entry, Key(), connections or Connections(), **more)


@asynccontextmanager
async def connected():
    connections = Connections()
    yield connections
    await connections.aclose()


@pytest.mark.parametrize("name", presets())
def test_every_preset_can_be_spoken_to(name):
    choice = smart_default(PLACES, model=f"{name}/some-model")
    made = provider(choice)
    assert made.model.id == "some-model" and made.origin.provider == name


@pytest.mark.parametrize(
    ("api", "origin"),
    [
        ("anthropic", "anthropic-messages"),
        ("openai-chat", "openai-completions"),
        ("openai-responses", "openai-responses"),
        ("google", "google-generative-ai"),
        ("ollama", "ollama-chat"),
        ("azure", "azure-openai-responses"),
    ],
)
def test_every_format_has_its_adapter(api, origin):
    choice = Choice(service="openai", model_id="m", api=api, base_url="http://127.0.0.1:9/openai/v1")
    assert set(ADAPTERS) >= {api}
    made = provider(choice, handoff="drop", timeouts=timeouts_for("openai", {"connect_s": 1, "idle_s": 2}))
    assert made.origin.api in (origin, "openai-responses")


@pytest.mark.parametrize("api", ORIGINS)
def test_what_is_told_of_a_provider_before_it_is_made_is_true(api):
    choice = Choice(service="openai", model_id="m", api=api, base_url="http://127.0.0.1:9/v1")
    made = provider(choice)
    line = Connections().to(choice.base_url, "openai", timeouts_for("openai", {}), {})
    module, _, name = ADAPTERS[api].partition(":")
    spoken = getattr(import_module(module), name)(made.model, NoKey(), line)
    assert (spoken.origin, spoken.model) == (made.origin, made.model)


CHAT = events(
    {"id": "r", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]},
)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("openai/m", "/v1/chat/completions"),
        ("groq/m", "/v1/chat/completions"),
        ("openai-chat/m", "/v1/chat/completions"),
    ],
)
def test_an_address_of_the_environment_is_the_one_that_is_asked(model, path):
    async def main():
        async with serving(Canned(chunks=CHAT)) as server:
            url = server.url + "/v1"
            env = {"OPENAI_BASE_URL": url, "GROQ_BASE_URL": url, "OPENAI_API_KEY": "k"}
            async with connected() as connections:
                _, reply = await parts_of(provider(smart_default(env, model=model), connections=connections), asking())
            assert reply.message.text == "hi"
            assert [asked.path for asked in server.asked] == [path]

    anyio.run(main)


def test_two_models_of_one_service_share_their_connection():
    async def main():
        async with serving(Canned(chunks=CHAT), Canned(chunks=CHAT)) as server, connected() as connections:
            for model in ("openai/a", "openai/b"):
                choice = smart_default({"OPENAI_BASE_URL": server.url}, model=model)
                await parts_of(provider(choice, connections=connections), asking())
            assert server.connections == 1

    anyio.run(main)


def test_headers_and_switches_of_ones_own_reach_the_wire():
    async def main():
        async with serving(Canned(chunks=CHAT)) as server:
            own = {
                "acme": {
                    "base_url": server.url,
                    "headers": {"X-Team": "9"},
                    "compat": {"max_tokens_field": "max_completion_tokens"},
                }
            }
            choice = smart_default({}, model="acme/m", known=presets(own))
            async with connected() as connections:
                await parts_of(provider(choice, connections=connections), asking(max_output=5))
            (asked,) = server.asked
            assert asked.headers["x-team"] == "9" and asked.json["max_completion_tokens"] == 5

    anyio.run(main)


@pytest.mark.parametrize(
    ("compat", "timeouts", "text"),
    [
        ({"stric": True}, {}, r"providers\.acme\.compat\.stric: unknown key - did you mean strict\?"),
        ({"strict": "yes"}, {}, r"providers\.acme\.compat"),
        ({}, {"idle": 3}, r"providers\.acme\.timeouts\.idle: unknown key - did you mean idle_s\?"),
    ],
)
def test_settings_that_do_not_exist_are_named(compat, timeouts, text):
    choice = Choice(service="acme", model_id="m", api="openai-chat", base_url="http://x", compat=compat)
    with pytest.raises(ConfigError, match=text):
        provider(choice, timeouts=timeouts_for("acme", timeouts))


def test_choosing_loads_no_adapter_and_no_http():
    code = (
        "import sys\n"
        "from codi.providers.assembly import provider_for\n"
        "from codi.providers.choice import smart_default\n"
        "smart_default({'ANTHROPIC_API_KEY': 'x'})\n"
        "print([m for m in sys.modules if m == 'httpx2' or m.startswith('codi.providers.anth') or 'google' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
