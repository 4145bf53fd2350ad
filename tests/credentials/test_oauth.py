"""Logging in, against an issuer that checks what a real one would."""

import http.client
import json
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import pytest
from anyio import to_thread

from codi.credentials.oauth import browser_login, device_login
from codi.credentials.oauth.browser_login import Secrets, authorize_url, code_of, values_in
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer, issuer_of, issuers
from codi.credentials.oauth.listener import Listener
from codi.credentials.settings import IssuerSettings
from codi.protocol.errors import ConfigError, CredentialError, MalformedAnswer, NetworkError, ProviderError
from issuer import issuing


@pytest.fixture
def fake():
    with issuing() as issuer:
        yield issuer
        assert issuer.complaints == []


def of(fake, **more) -> Issuer:
    return Issuer(
        name="acme",
        authorize_url=f"{fake.url}/authorize",
        token_url=f"{fake.url}/token",
        device_url=f"{fake.url}/device",
        client_id=fake.client_id,
        scopes=("ask", "more"),
        **more,
    )


def visit(url: str) -> tuple[int, str]:
    """What a browser does, redirects included."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def nothing_pasted():
    return None


def log_in(fake, show=None, pasted=nothing_pasted, within_s=10.0, **more):
    pages = []

    async def browse(url):
        pages.append(await to_thread.run_sync(visit, url))

    issuer = of(fake, **more)

    async def run():
        return await browser_login.log_in(issuer, Exchange(issuer, {}), show or browse, pasted, within_s=within_s)

    return anyio.run(run), pages


def test_a_browser_brings_the_code_and_the_code_the_tokens(fake):
    kept, pages = log_in(fake)
    assert kept.kind == "login" and kept.secret in fake.valid and kept.refresh in fake.refresh
    assert kept.expires_at == pytest.approx(time.time() + 3600, abs=30)
    (form,) = fake.asked
    assert form["grant_type"] == "authorization_code" and len(form["code_verifier"]) >= 43
    ((status, page),) = pages
    assert status == 200 and "close this window" in page


def test_the_challenge_is_that_of_rfc_7636():
    """Appendix B."""
    own = Secrets("s", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert own.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_secrets_are_new_each_time_and_long_enough():
    made = [Secrets.new() for _ in range(50)]
    assert len({own.state for own in made}) == len({own.verifier for own in made}) == 50
    assert {len(own.state) for own in made} == {32}  # 192 bits in base64
    assert all(43 <= len(own.verifier) <= 128 for own in made)
    assert made[0].state not in repr(made[0])


def test_a_wrong_state_is_refused_and_its_code_not_used(fake):
    fake.state = "x" * 32
    with pytest.raises(CredentialError, match="belongs to another login"):
        log_in(fake)
    assert fake.asked == []


def test_an_answer_that_names_its_issuer_must_name_this_one(fake):
    fake.iss = "https://evil.example"
    with pytest.raises(CredentialError, match="another issuer"):
        log_in(fake)
    fake.iss = fake.url
    assert log_in(fake)[0].secret in fake.valid
    with pytest.raises(CredentialError, match="another issuer"):
        log_in(fake, issuer="https://acme.example")
    fake.iss = "https://acme.example"
    assert log_in(fake, issuer="https://acme.example")[0].secret in fake.valid
    assert fake.grants() == ["authorization_code"] * 2


def test_a_person_who_refuses_is_told_so(fake):
    fake.error = "access_denied"
    with pytest.raises(CredentialError, match="acme refused the login: access_denied"):
        log_in(fake)


def test_nobody_is_waited_for_longer_than_was_said(fake):
    async def show(url):
        pass

    with pytest.raises(CredentialError, match=r"nobody logged in within 0\.2 s") as error:
        log_in(fake, show, within_s=0.2)
    assert "--device" in error.value.hint
    assert browser_login.PATIENCE_S == 300


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_person_pastes_counts_as_what_the_browser_brings(fake, whole):
    shown = []
    come = anyio.Event

    def paste():
        _, target = fake.authorize({name: values[0] for name, values in parse_qs(urlsplit(shown[0]).query).items()})
        answer = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        return target if whole else f"  {answer['code']}#{answer['state']}\n"

    async def run():
        there = come()

        async def show(url):
            shown.append(url)
            there.set()

        async def pasted():
            await there.wait()
            return paste()

        issuer = of(fake)
        return await browser_login.log_in(issuer, Exchange(issuer, {}), show, pasted, within_s=10)

    assert anyio.run(run).secret in fake.valid


def test_a_pasted_code_without_its_state_is_refused(fake):
    own = Secrets.new()
    with pytest.raises(CredentialError, match="state"):
        code_of(values_in("abc"), own, of(fake), Exchange(of(fake), {}))
    assert code_of(values_in(f"abc#{own.state}"), own, of(fake), Exchange(of(fake), {})) == "abc"
    doubled = f"http://127.0.0.1:1/callback?code=a&code=b&state={own.state}"
    with pytest.raises(CredentialError, match="no code"):
        code_of(values_in(doubled), own, of(fake), Exchange(of(fake), {}))


def test_the_listener_hears_one_request_to_the_exact_path_and_host():
    def request(port, path, host=None, method="GET"):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.putrequest(method, path, skip_host=True)
        line.putheader("Host", host or f"127.0.0.1:{port}")
        line.endheaders()
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status

    def others(port):
        silent = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        silent.connect()  # as browsers do that keep a connection ready
        seen = [
            request(port, "/callback?code=a", host=f"localhost:{port}"),
            request(port, "/callback?code=a", host="evil.example"),
            request(port, "/callback/?code=a"),
            request(port, "/favicon.ico"),
            request(port, "/callback?code=a", method="POST"),
            request(port, "/callback?code=right&state=s"),
        ]
        silent.close()
        return seen

    async def run():
        async with Listener() as listener, anyio.create_task_group() as tasks:
            heard, seen = [], []

            async def answer():
                heard.append(await listener.answer())

            tasks.start_soon(answer)
            seen = await to_thread.run_sync(others, listener.port)
            port = listener.port
        with pytest.raises(ConnectionRefusedError):
            await to_thread.run_sync(request, port, "/callback?code=again")
        return listener, heard, seen

    listener, heard, seen = anyio.run(run)
    assert seen == [421, 421, 404, 404, 400, 200]
    assert heard == [{"code": "right", "state": "s"}]
    assert listener.redirect == f"http://127.0.0.1:{listener.port}/callback"


def test_ports_are_chosen_by_the_system():
    async def ports():
        async with Listener() as one, Listener() as other:
            return one.port, other.port

    one, other = anyio.run(ports)
    assert one != other and min(one, other) >= 1024


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, b"<html>"), MalformedAnswer),
        ((200, b"{}"), MalformedAnswer),
        ((200, b"[]"), MalformedAnswer),
        ((200, b'{"access_token": 5}'), MalformedAnswer),
        ((200, b'{"access_token": "a", "token_type": "mac"}'), MalformedAnswer),
        ((200, b'{"access_token": "a", "expires_in": "soon"}'), MalformedAnswer),
        ((200, b"\xff" * 20), MalformedAnswer),
        ((200, b" " * (1024 * 1024 + 1)), MalformedAnswer),
        ((302, b""), MalformedAnswer),
        ((200, b'{"error": "bad_verification_code"}'), CredentialError),
        ((401, b"no"), CredentialError),
        ((503, b"later"), NetworkError),
    ],
)
def test_answers_that_are_none_are_told_as_what_they_are(fake, answer, error):
    fake.answers = [answer]
    with pytest.raises(error) as raised:
        log_in(fake)
    assert raised.value.hint and "\n" not in str(raised.value)


@pytest.mark.parametrize("expires", [b'"3600"', b"3600", b"3600.0"])
def test_numbers_may_be_written_as_text(fake, expires):
    fake.answers = [(200, b'{"access_token": "a", "refresh_token": null, "expires_in": ' + expires + b"}")]
    kept, _ = log_in(fake)
    assert kept.secret == "a" and kept.refresh == "" and kept.expires_at > time.time() + 3000


def device(fake):
    shown, waits = [], []

    async def show(*told):
        shown.append(told)

    async def sleep(seconds):
        waits.append(seconds)

    issuer = of(fake)

    async def run():
        return await device_login.log_in(
            issuer, Exchange(issuer, {}), show, sleep=sleep, clock=lambda: float(sum(waits))
        )

    try:
        return anyio.run(run), shown, waits
    except CredentialError as error:
        return error, shown, waits


def test_a_device_polls_as_it_is_told(fake):
    fake.device = ["authorization_pending", "slow_down", "authorization_pending"]
    kept, shown, waits = device(fake)
    assert kept.secret in fake.valid
    assert shown == [(f"{fake.url}/activate", "WDJB-MJHT", None)]
    assert waits == [0.1, 0.1, 5.1, 5.1]


def test_a_device_stops_when_the_person_refuses_or_never_comes(fake):
    fake.device = ["authorization_pending", "access_denied"]
    assert "access_denied" in str(device(fake)[0])
    fake.device = ["expired_token"]
    assert "nobody typed the code" in str(device(fake)[0])
    fake.device = ["slow_down"] * 20
    error, _, waits = device(fake)
    assert "nobody typed the code" in str(error) and sum(waits) < 120
    assert len(fake.device) > 0


def test_a_device_outlives_an_issuer_that_fails_for_a_moment(fake):
    fake.answers = [(503, b"")]
    assert device(fake)[0].secret in fake.valid


def test_offline_nothing_leaves_the_machine():
    known = issuer_of("google", issuers({"google": IssuerSettings(client_id="x")}))
    with pytest.raises(ProviderError, match=r"Offline: no network\."):
        anyio.run(Exchange(known, {}, offline=True).refreshed, "r")


def test_an_application_with_a_secret_reads_it_from_a_variable(fake):
    issuer = of(fake, client_secret_env="ACME_SECRET")
    fake.refresh.add("r")
    with pytest.raises(CredentialError, match="ACME_SECRET, which is not set"):
        anyio.run(Exchange(issuer, {}).refreshed, "r")
    anyio.run(Exchange(issuer, {"ACME_SECRET": "s3"}).refreshed, "r")
    assert fake.asked[-1]["client_secret"] == "s3"


def test_a_chatgpt_account_brings_its_number_and_its_address(fake):
    from base64 import urlsafe_b64encode

    claims = json.dumps({"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}).encode()
    token = f"h.{urlsafe_b64encode(claims).decode().rstrip('=')}.s"
    fake.answers = [(200, json.dumps({"access_token": "a", "id_token": token}).encode())]
    kept, _ = log_in(fake)
    assert kept.headers == {"chatgpt-account-id": "acc-1"} and kept.base_url.startswith("https://chatgpt.com/")
    for broken in ("x", "a.b.c", "a.!.c", f"h.{urlsafe_b64encode(b'[1]').decode()}.s"):
        fake.answers = [(200, json.dumps({"access_token": "a", "id_token": broken}).encode())]
        assert log_in(fake)[0].headers == {}


def test_services_that_are_known_lack_only_the_application():
    known = issuers({})
    assert set(known) == {"anthropic", "openai", "google", "github-models", "github-copilot"}
    for name in known:
        with pytest.raises(CredentialError, match="needs a client id") as error:
            issuer_of(name, known)
        assert f"auth.providers.{name}.client_id" in error.value.hint and "--key-stdin" in error.value.hint
        mine = issuer_of(name, issuers({name: IssuerSettings(client_id="mine")}))
        url = authorize_url(mine, Secrets.new(), "http://127.0.0.1:1/callback")
        assert "client_id=mine" in url and "code_challenge_method=S256" in url
    with pytest.raises(CredentialError, match="codi knows no login for groq"):
        issuer_of("groq", known)
    assert issuers({"github": IssuerSettings(client_id="mine")})["github-models"].client_id == "mine"


def test_other_addresses_lose_what_was_special_of_the_known_ones():
    mine = issuers({"anthropic": IssuerSettings(token_url="https://proxy.example/token", client_id="c")})["anthropic"]
    assert (mine.json_body, mine.more, mine.terms) == (False, {}, "")
    assert issuers({"anthropic": IssuerSettings(client_id="c")})["anthropic"].json_body


@pytest.mark.parametrize("url", ["http://acme.example/token", "ftp://x/y", "nonsense", "https://", "http://[::1"])
def test_an_address_that_others_could_read_is_refused(url):
    with pytest.raises(ConfigError, match=r"auth\.providers\.acme\.token_url"):
        issuers({"acme": IssuerSettings(token_url=url)})


def test_a_query_of_the_address_stays():
    issuer = Issuer(name="acme", authorize_url="https://a.example/x?tenant=1", client_id="c")
    query = urlsplit(authorize_url(issuer, Secrets.new(), "http://127.0.0.1:1/callback")).query
    assert query.startswith("tenant=1&") and urlencode({"redirect_uri": "http://127.0.0.1:1/callback"}) in query
