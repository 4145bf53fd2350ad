"""A login stays good: renewed before its end and after a refusal, once for all who share it."""

import json
import os
import subprocess
import sys
import time

import anyio
import keyring
import pytest
from keyring.backends import fail

from codi.credentials.copilot import CopilotToken
from codi.credentials.kept import Kept
from codi.credentials.login import Login
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer
from codi.credentials.safe import Safe
from codi.protocol.errors import CredentialError, MalformedAnswer, NetworkError
from issuer import issuing

PROCESS = """
import sys, anyio
from codi.credentials.login import Login
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer
from codi.credentials.safe import Safe

safe = Safe(sys.argv[1], {})
issuer = Issuer(name="acme", token_url=sys.argv[2] + "/token", client_id="codi-test")
login = Login(safe, safe.label("acme"), lambda: Exchange(issuer, {}))
sys.stdin.readline()
print(anyio.run(login.secret))
"""


@pytest.fixture(autouse=True)
def no_ring():
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def fake():
    with issuing() as issuer:
        yield issuer


class Setting:
    def __init__(self, home, fake):
        self.safe = Safe(str(home), {})
        self.fake = fake
        self.issuer = Issuer(name="acme", token_url=f"{fake.url}/token", client_id=fake.client_id)

    def kept(self, *, ends_in_s: float, account: str = "") -> Kept:
        """A login that was kept some time ago."""
        tokens = self.fake.tokens()
        ends = time.time() + ends_in_s
        kept = Kept(secret=tokens["access_token"], kind="login", refresh=tokens["refresh_token"], expires_at=ends)
        self.safe.keep("acme", kept, account)
        return kept

    def login(self, **more) -> Login:
        label = self.safe.label("acme")
        assert label
        return Login(self.safe, label, lambda: Exchange(self.issuer, {}), **more)

    def stored(self) -> Kept:
        label = self.safe.label("acme")
        assert label
        return self.safe.get(label)


@pytest.fixture
def setting(home, fake):
    return Setting(home, fake)


def test_a_token_is_used_until_a_minute_before_its_end(setting):
    old = setting.kept(ends_in_s=3600)
    assert anyio.run(setting.login().secret) == old.secret
    nearly = setting.login(clock=lambda: old.expires_at - 61)
    assert anyio.run(nearly.secret) == old.secret
    assert setting.fake.asked == []
    late = setting.login(clock=lambda: old.expires_at - 59)
    new = anyio.run(late.secret)
    assert new != old.secret and new in setting.fake.valid
    assert setting.fake.grants() == ["refresh_token"]


def test_a_rotated_token_is_kept_before_it_is_used(setting):
    old = setting.kept(ends_in_s=10)
    new = anyio.run(setting.login().secret)
    stored = setting.stored()
    assert (stored.secret, stored.kind) == (new, "login")
    assert stored.refresh != old.refresh and stored.refresh in setting.fake.refresh
    assert setting.safe.label("acme").expires_at == stored.expires_at > old.expires_at


def test_an_issuer_that_does_not_rotate_leaves_the_old_refresh_token(setting):
    old = setting.kept(ends_in_s=10)
    setting.fake.answers = [(200, b'{"access_token": "next", "expires_in": 3600}')]
    assert anyio.run(setting.login().secret) == "next"
    assert setting.stored().refresh == old.refresh


def test_requests_side_by_side_renew_once(setting):
    setting.kept(ends_in_s=10)
    one, other = setting.login(), setting.login()
    got = []

    async def ask(login):
        got.append(await login.secret())

    async def run():
        async with anyio.create_task_group() as tasks:
            for login in (one, other, one, other):
                tasks.start_soon(ask, login)

    anyio.run(run)
    assert len(set(got)) == 1 and len(got) == 4
    assert setting.fake.grants() == ["refresh_token"]


def test_processes_side_by_side_renew_once(setting, home):
    setting.kept(ends_in_s=10)
    env = os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    command = [sys.executable, "-c", PROCESS, str(home), setting.fake.url]
    processes = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    got = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert set(got) == {setting.stored().secret} and "" not in got
    assert setting.fake.grants() == ["refresh_token"]


def test_a_refusal_is_answered_by_what_another_has_got_meanwhile(setting):
    setting.kept(ends_in_s=3600)
    login = setting.login()
    anyio.run(login.secret)
    newer = setting.kept(ends_in_s=3600)
    assert anyio.run(login.renew) is True
    assert anyio.run(login.secret) == newer.secret
    assert setting.fake.asked == []
    assert anyio.run(login.renew) is True
    assert setting.fake.grants() == ["refresh_token"]


def test_a_login_without_a_refresh_token_cannot_be_renewed(setting):
    setting.safe.keep("acme", Kept(secret="a", kind="login"))
    login = setting.login()
    assert anyio.run(login.secret) == "a"
    assert anyio.run(login.renew) is False
    setting.safe.keep("acme", Kept(secret="a", kind="login", expires_at=time.time() - 1))
    with pytest.raises(CredentialError, match="the login to acme has ended"):
        anyio.run(setting.login().secret)


def test_a_login_that_was_taken_back_says_how_to_log_in_again(setting):
    setting.kept(ends_in_s=10)
    setting.fake.refresh.clear()
    with pytest.raises(CredentialError, match="the login to acme has ended") as error:
        anyio.run(setting.login().secret)
    assert error.value.hint == "Run `codi auth login acme`."


def test_a_token_that_is_still_good_is_used_when_the_issuer_fails(setting):
    old = setting.kept(ends_in_s=30)
    setting.fake.answers = [(503, b"")] * 2
    assert anyio.run(setting.login().secret) == old.secret
    with pytest.raises(NetworkError):
        anyio.run(setting.login(clock=lambda: old.expires_at + 1).secret)


def test_what_was_kept_last_counts_and_accounts_stay_apart(setting):
    private = setting.kept(ends_in_s=3600)
    work = setting.kept(ends_in_s=10, account="work")
    assert anyio.run(setting.login().secret) not in (private.secret, work.secret)
    assert setting.safe.get(next(each for each in setting.safe.labels() if not each.account)) == private
    assert setting.safe.forget("acme", "work") and setting.stored() == private


class GitHub:
    source = "COPILOT_GITHUB_TOKEN"

    async def secret(self):
        return "gho_x"


def copilot(fake, **more) -> CopilotToken:
    issuer = Issuer(name="github-copilot")
    return CopilotToken(GitHub(), f"{fake.url}/exchange", lambda: Exchange(issuer, {}), **more)


def test_copilot_exchanges_its_token_before_it_ends(fake):
    ends = time.time() + 1500
    fake.exchange = {"token": "tid=1", "expires_at": ends, "endpoints": {"api": "https://api.individual.example"}}
    now = [time.time()]
    token = copilot(fake, clock=lambda: now[0])
    assert [anyio.run(token.secret) for _ in range(3)] == ["tid=1"] * 3
    assert token.base_url == "https://api.individual.example"
    assert fake.exchanged == ["token gho_x"]
    fake.exchange |= {"token": "tid=2"}
    now[0] = ends - 59
    assert anyio.run(token.secret) == "tid=2"
    assert anyio.run(token.renew) is False  # the same token again helps nobody
    fake.exchange |= {"token": "tid=3"}
    assert anyio.run(token.renew) is True


def test_copilot_is_exchanged_once_for_requests_side_by_side(fake):
    fake.exchange = {"token": "tid=1", "expires_at": time.time() + 1500}
    token = copilot(fake)

    async def both() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(token.secret)

    anyio.run(both)
    assert len(fake.exchanged) == 1


@pytest.mark.parametrize("told", [{"endpoints": {}}, {"token": 1}, {"token": "t", "endpoints": {"api": "http://evil"}}])
def test_copilot_takes_no_answer_that_is_none(fake, told):
    fake.exchange = told
    with pytest.raises(MalformedAnswer):
        anyio.run(copilot(fake).secret)
    fake.exchange = {}
    with pytest.raises(CredentialError):
        anyio.run(copilot(fake).secret)


def test_nothing_of_a_login_is_shown(setting):
    kept = setting.kept(ends_in_s=3600)
    login = setting.login()
    anyio.run(login.secret)
    shown = repr(login) + login.source + json.dumps(vars(login), default=repr)
    assert kept.secret not in shown and kept.refresh not in shown
