"""A provider for a login: where the login says, and once more after a refusal."""

import anyio
import pytest
from msgspec import structs

from codi.engine.logins import is_at_home
from codi.lab.running import running
from codi.protocol.errors import KeyRefused
from codi.protocol.messages import user
from codi.providers.assembly import Connections, provider_for
from codi.providers.choice import smart_default
from codi.providers.logged_in import LoggedIn
from codi.providers.provider import ModelEntry, Request, complete
from loopback import Loopback

REFUSED = {"kind": "status", "status": 401}


class Account:
    source = "the login to acme"
    is_login = True

    def __init__(self, base_url: str, *tokens: str) -> None:
        self.base_url = ""
        self.headers: dict[str, str] = {}
        self._place = base_url
        self._tokens = list(tokens)
        self.renewals = 0

    async def secret(self) -> str:
        self.base_url, self.headers = self._place, {"x-account": "a1"}
        return self._tokens[0]

    async def renew(self) -> bool:
        self.renewals += 1
        if len(self._tokens) > 1:
            self._tokens.pop(0)
            return True
        return False


def adapters(account, connections, bases):
    """Makes adapters; `bases` tells at which addresses."""
    choice = smart_default({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "k"}, model="openai-chat/m")

    def make(base_url, headers):
        bases.append(base_url)
        placed = structs.replace(choice, base_url=base_url or choice.base_url, headers=dict(headers))
        return provider_for(placed, ModelEntry(id="m", service="openai"), account, connections)

    return make


def asked(account, ask=complete):
    """What comes of a request, and the addresses at which adapters were made."""
    bases = []

    async def run():
        async with Connections() as connections:
            provider = LoggedIn(account, adapters(account, connections, bases))
            return await ask(provider, Request(system=(), messages=[user("Hi")]))

    return anyio.run(run), bases


def test_the_login_says_where_the_service_is_and_what_it_wants_besides():
    with running([{"text": "There."}, {"text": "Again."}]) as server:
        account = Account(f"{server.url}/v1", "t1")

        async def twice(provider, request):
            return [(await complete(provider, request)).message.text for _ in range(2)]

        said, bases = asked(account, twice)
    assert said == ["There.", "Again."]
    assert bases == ["", f"{server.url}/v1"]  # and no new one for the second request
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer t1" and request.headers["x-account"] == "a1"


def test_a_refusal_is_answered_by_one_renewal():
    with running([{"text": "There.", "fault": REFUSED}]) as server:
        account = Account(f"{server.url}/v1", "t1", "t2")
        reply, _ = asked(account)
    assert reply.message.text == "There." and account.renewals == 1
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(("tokens", "requests"), [(["t1"], 1), (["t1", "t2", "t3"], 2)])
def test_a_refusal_that_stays_is_told(tokens, requests):
    with running([{"text": "never", "fault": REFUSED | {"times": 0}}]) as server:
        account = Account(f"{server.url}/v1", *tokens)
        with pytest.raises(KeyRefused, match="the login to acme was refused"):
            asked(account)
    assert len(server.requests) == requests and account.renewals == 1


def test_the_list_of_models_is_asked_for_once_more_too():
    def said(status: str, body: bytes) -> list[bytes]:
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        return [head.encode() + body]

    async def run():
        listed = said("200 OK", b'{"data": [{"id": "one"}]}')
        async with Loopback(said("401 Unauthorized", b"{}"), listed) as server, Connections() as connections:
            account = Account(f"{server.url}/v1", "t1", "t2")
            provider = LoggedIn(account, adapters(account, connections, []))
            return await provider.models(), [heard.headers["authorization"] for heard in server.heard]

    listed, keys = anyio.run(run)
    assert [entry.id for entry in listed] == ["one"] and keys == ["Bearer t1", "Bearer t2"]


def test_a_service_that_was_led_elsewhere_is_not_at_home():
    assert is_at_home(smart_default({"COPILOT_GITHUB_TOKEN": "x"}, model="github-copilot/m"))
    assert is_at_home(smart_default({"OPENAI_API_KEY": "x"}, model="openai/m"))
    assert not is_at_home(smart_default({"OPENAI_BASE_URL": "http://127.0.0.1:1"}, model="openai/m"))
