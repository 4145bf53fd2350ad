"""Local servers that answer are found; those that are silent are not waited for."""

import json
import time
from functools import partial

import anyio

from codi.providers.choice import LocalServer, smart_default
from codi.providers.local_servers import reachable
from loopback import HANG, Loopback, answer


def said(body, status=200):
    return answer(status, json.dumps(body).encode(), content_type="application/json")


OLLAMA = said({"models": [{"name": "qwen3:8b"}, {"name": "llava"}]})
OPENAI = said({"object": "list", "data": [{"id": "m-1"}]})


def test_servers_that_answer_are_found_in_the_order_in_which_they_are_wanted():
    async def main():
        async with Loopback(OLLAMA) as ollama, Loopback(OPENAI) as studio, Loopback(said({}, 404)) as other:
            wanted = [("vllm", other.url), ("lmstudio", studio.url + "/v1"), ("ollama", ollama.url)]
            assert await reachable(wanted, within_s=5) == [
                LocalServer("lmstudio", studio.url + "/v1", ("m-1",)),
                LocalServer("ollama", ollama.url, ("qwen3:8b", "llava")),
            ]
            assert [one.heard[0].path for one in (ollama, studio)] == ["/api/tags", "/v1/models"]

    anyio.run(main)


def test_nobody_there_is_nothing_found():
    async def main():
        async with Loopback(OPENAI) as gone:
            url = gone.url
        assert await reachable([("ollama", url), ("vllm", url)]) == []

    anyio.run(main)


def test_a_silent_server_keeps_nobody_waiting():
    async def main():
        async with Loopback([HANG]) as silent:
            begun = time.monotonic()
            assert await reachable([("ollama", silent.url)]) == []
            assert time.monotonic() - begun < 2

    anyio.run(main)


def test_what_is_found_can_be_chosen():
    async def main():
        async with Loopback(OLLAMA) as ollama:
            probe = partial(anyio.from_thread.run, reachable)
            env = {"OLLAMA_HOST": ollama.url}
            return await anyio.to_thread.run_sync(lambda: smart_default(env, probe=probe))

    choice = anyio.run(main)
    assert choice.model == "ollama/qwen3:8b" and choice.reason
