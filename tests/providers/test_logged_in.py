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


def asked(server, account, ask=complete):
    """What comes of a request, and the bases at which adapters were made."""
    bases = []
    choice = smart_default({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "k"}, model="openai-chat/m")

    async def run():
        async with Connections() as connections:

            def make(base_url, headers):
                bases.append(base_url)
                placed = structs.replace(choice, base_url=base_url or choice.base_url, headers=dict(headers))
                return provider_for(placed, ModelEntry(id="m", service="openai"), account, connections)

            return await ask(LoggedIn(account, make), Request(system=(), messages=[user("Hi")]))

    return anyio.run(run), bases


def test_the_login_says_where_the_service_is_and_what_it_wants_besides():
    with running([{"text": "There."}, {"text": "Again."}]) as server:
        account = Account(f"{server.url}/v1", "t1")

        async def twice(provider, request):
            return [(await complete(provider, request)).message.text for _ in range(2)]

        said, bases = asked(server, account, twice)
    assert said == ["There.", "Again."]
    assert bases == ["", f"{server.url}/v1"]  # and no new one for the second request
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer t1" and request.headers["x-account"] == "a1"


def test_a_refusal_is_answered_by_one_renewal():
    with running([{"text": "There.", "fault": REFUSED}]) as server:
        account = Account(f"{server.url}/v1", "t1", "t2")
        reply, _ = asked(server, account)
    assert reply.message.text == "There." and account.renewals == 1
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(("tokens", "requests"), [(["t1"], 1), (["t1", "t2", "t3"], 2)])
def test_a_refusal_that_stays_is_told(tokens, requests):
    with running([{"text": "never", "fault": REFUSED | {"times": 0}}]) as server:
        account = Account(f"{server.url}/v1", *tokens)
        with pytest.raises(KeyRefused, match="the login to acme was refused"):
            asked(server, account)
    assert len(server.requests) == requests and account.renewals == 1


def test_the_list_of_models_is_asked_for_once_more_too():
    async def models(provider, _):
        return await provider.models()

    with running([{"text": "unasked"}], models=["one", "two"], key="t2") as server:
        account = Account(f"{server.url}/v1", "t1", "t2")
        listed, _ = asked(server, account, models)
    assert [entry.id for entry in listed] == ["one", "two"] and account.renewals == 1


def test_a_service_that_was_led_elsewhere_is_not_at_home():
    assert is_at_home(smart_default({"COPILOT_GITHUB_TOKEN": "x"}, model="github-copilot/m"))
    assert is_at_home(smart_default({"OPENAI_API_KEY": "x"}, model="openai/m"))
    assert not is_at_home(smart_default({"OPENAI_BASE_URL": "http://127.0.0.1:1"}, model="openai/m"))
