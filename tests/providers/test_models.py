"""A program asks a model in two lines, over every wire format."""

import anyio
import pytest

from codi.lab.running import running
from codi.protocol.errors import CredentialError
from codi.protocol.messages import user
from codi.providers import models
from codi.providers.assembly import Connections
from codi.providers.provider import Request, complete

PLACES = {
    "anthropic": ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "google": ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"),
    "ollama": ("OLLAMA_HOST", "UNUSED_KEY"),
}
VARIABLES = [variable for place in PLACES.values() for variable in place]


def answer_of(make):
    async def ask():
        async with Connections() as connections:
            return await complete(make(connections), Request(system=("Be brief.",), messages=[user("Hello")]))

    return anyio.run(ask)


@pytest.fixture
def bare(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


@pytest.mark.parametrize("service", PLACES)
def test_convenience_constructors(bare, service):
    with running([{"text": "Hi."}, {"text": "Hi."}]) as server:
        address, key = PLACES[service]
        bare.setenv(address, server.url)
        bare.setenv(key, "k")
        reply = answer_of(lambda connections: getattr(models, service)("some-model", connections))
        assert (reply.message.text, reply.stop) == ("Hi.", "end") and reply.usage.output > 0
        chosen = answer_of(lambda connections: models.from_environment(connections, f"{service}/some-model"))
        assert chosen.message.text == "Hi." and not server.violations


def test_ollama_at_an_address(bare):
    with running([{"text": "Hi."}]) as server:
        reply = answer_of(lambda connections: models.ollama_at(server.url, "m", connections))
        assert reply.message.text == "Hi."


def test_from_environment_says_what_to_set_where_there_is_nothing():
    async def choose():
        async with Connections() as connections:
            models.from_environment(connections, env={})

    with pytest.raises(CredentialError) as caught:
        anyio.run(choose)
    assert "ANTHROPIC_API_KEY" in caught.value.hint
