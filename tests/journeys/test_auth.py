"""Keys and logins through the installed program: kept, used on the wire, renewed, removed; and standing nowhere else."""

import fcntl
import json
import os
import pty
import re
import stat
import subprocess
import sys
import termios
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from conftest import PROGRAM, call, says
from issuer import issuing

TESTS = Path(__file__).parents[1]
BROWSER = f"""#!{sys.executable}
import sys, urllib.request
print("the browser says something")
urllib.request.urlopen(sys.argv[1]).read()
"""


@pytest.fixture
def issuer(codi):
    with issuing() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
def browser(codi, tmp_path):
    """A browser that opens what it is given, and whose person agrees to everything."""
    script = tmp_path / "browser"
    script.write_text(BROWSER)
    script.chmod(0o700)
    codi.env["BROWSER"] = str(script)
    return script


@pytest.fixture
def ring(codi, tmp_path):
    """Chooses the key ring by the name of its class."""

    def choose(kind: str) -> Path:
        codi.env |= {
            "PYTHON_KEYRING_BACKEND": f"key_rings.{kind}",
            "PYTHONPATH": str(TESTS),
            "RING_FILE": str(tmp_path / "ring"),
        }
        return tmp_path / "ring"

    return choose


def keyless(codi, server, wire="anthropic"):
    """Ask this server from now on, with no key in the environment."""
    codi.use(server, wire)
    for name in [name for name in codi.env if name.endswith("_API_KEY")]:
        del codi.env[name]


def keys_of(server) -> list[str]:
    """What each request showed as its key."""
    shown = []
    for request in server.requests:
        headers = request.headers
        shown.append(headers.get("x-api-key") or headers.get("authorization") or headers.get("x-goog-api-key") or "")
    return shown


def where(secret: str, *folders: Path) -> list[str]:
    files = [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if secret.encode() in path.read_bytes()]


def log_in(codi, *words, **more):
    run = codi("auth", "login", *words, **more)
    assert run.status == 0, run
    return run


def test_flag_environment_command_ring_and_file_count_in_this_order(codi, lab, ring):
    server = lab([says("ok") for _ in range(6)])
    keyless(codi, server)
    log_in(codi, "anthropic", "--key-stdin", stdin="of-the-file")
    ring("Desktop")
    subprocess.run(
        [sys.executable, "-m", "keyring", "set", "codi", "xai"],
        input=b"x",
        env=codi.env,
        check=True,
        capture_output=True,
    )
    run = codi("-p", "go")
    assert run.status == 0, run
    log_in(codi, "anthropic", "--key-stdin", stdin="of-the-ring")
    assert codi("-p", "go").status == 0
    codi.set_up('[providers.anthropic]\nkey_cmd = "printf of-the-command"\n')
    assert codi("-p", "go").status == 0
    codi.env["ANTHROPIC_API_KEY"] = "of-the-environment"
    assert codi("-p", "go").status == 0
    assert codi("-p", "--api-key", "!printf of-the-flag", "go").status == 0
    assert codi("-p", "--api-key", "env:OTHER", "go", env={"OTHER": "of-another-variable"}).status == 0
    assert keys_of(server) == [
        "of-the-file",
        "of-the-ring",
        "of-the-command",
        "of-the-environment",
        "of-the-flag",
        "of-another-variable",
    ]


def test_without_any_key_the_variable_and_the_login_are_named(codi, lab):
    server = lab([says("never")])
    codi.env = {name: value for name, value in codi.env.items() if not name.startswith("ANTHROPIC")}
    run = codi("-p", "--model", "anthropic/x", "go")
    assert run.status == 1
    assert run.err == (
        "error: anthropic needs a key: ANTHROPIC_API_KEY is not set\n"
        "hint: Set ANTHROPIC_API_KEY, or run `codi auth login anthropic`.\n"
    )
    assert server.requests == []


def test_a_literal_key_as_an_argument_is_refused(codi):
    run = codi("-p", "--api-key", "sk-literal", "go")
    assert run.status == 2 and "sk-literal" not in run.err


def test_a_kept_key_makes_its_service_the_one_that_answers(codi, lab, home):
    server = lab([says("Hello.")])
    keyless(codi, server)
    del codi.env["CODI_MODEL"]
    log_in(codi, "anthropic", "--key-stdin", stdin="k1\n")
    run = codi("models", "current", "--json")
    assert (run.result["provider"], run.result["keyPresent"]) == ("anthropic", True)
    assert run.result["reason"] == "a key or login of anthropic is kept"
    assert codi("-p", "Hi").out == "Hello.\n"
    row = next(line for line in codi("models", "--provider", "anthropic", "--json").lines)
    assert row["keyPresent"] is True


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Plain", "is not used: it is not known to encrypt"),
        ("Locked", "the key ring is locked"),
        ("Gone", "no session bus"),
        ("Forgetful", "does not give back"),
    ],
)
def test_with_a_ring_that_fails_the_key_is_in_the_file_and_on_the_wire(codi, lab, ring, kind, told):
    keyless(codi, lab([says("ok")]))
    file = ring(kind)
    run = log_in(codi, "anthropic", "--key-stdin", stdin="sk-canary-1", env={"CODI_CREDENTIALS_KEY": "horse"})
    assert told in run.err and run.err.count("\n") == 1
    assert run.out == "the key for anthropic is kept in credentials.enc\n"
    assert codi("-p", "go", env={"CODI_CREDENTIALS_KEY": "horse"}).out == "ok\n"
    assert not file.exists() or "sk-canary-1" not in file.read_text()


def test_a_ring_that_cannot_be_loaded_stops_nothing(codi, lab):
    keyless(codi, lab([says("ok")]))
    codi.env["PYTHON_KEYRING_BACKEND"] = "no_such_module.Ring"
    run = log_in(codi, "anthropic", "--key-stdin", stdin="k")
    assert "the key ring does not work" in run.err
    assert codi("-p", "go").out == "ok\n"


def test_a_kept_key_stands_in_no_other_place(codi, lab, ring, home, folder):
    ring("Desktop")
    server = lab([says("", call("shell", command="env; ps -ww -eo args")), says("ok")])
    keyless(codi, server)
    log_in(codi, "anthropic", "--key-stdin", stdin="sk-canary-22\n")
    run = codi.stream(
        "--yes", "--permission-mode", "full-access", "look around", env={"CODI_CREDENTIALS_KEY": "horse-canary"}
    )
    assert run.status == 0, run
    assert set(keys_of(server)) == {"sk-canary-22"}
    for secret in ("sk-canary-22", "horse-canary"):
        assert secret not in run.out + run.err
        assert where(secret, home, folder, Path(codi.env["HOME"])) == []
        assert not any(secret in json.dumps(request.json) for request in server.requests)
    for words in (["auth", "status"], ["auth", "list", "--json"], ["config", "list"], ["models", "current"]):
        assert "canary" not in repr(codi(*words))
    assert codi("auth", "logout", "anthropic").status == 0


def test_nothing_of_a_ring_or_cipher_is_loaded_with_a_key_in_the_environment(codi, lab):
    lab([says("ok"), says("ok")])
    counted = "import sys; from codi.cli.main import run; run(['-p', 'go']); print(sorted(sys.modules))"

    def loaded():
        done = subprocess.run(
            [PROGRAM.parent / "python", "-c", counted], env=codi.env, cwd=codi.cwd, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1].replace("'", '"'))}

    heavy = {"keyring", "cryptography", "webbrowser", "secretstorage"}
    assert loaded() & heavy == set()
    log_in(codi, "anthropic", "--key-stdin", stdin="k")
    del codi.env["ANTHROPIC_API_KEY"]
    assert loaded() & heavy == {"cryptography"}  # it is known to be in the file


def test_the_file_is_refused_as_long_as_others_can_read_it(codi, lab, home):
    keyless(codi, lab([says("ok")]))
    log_in(codi, "anthropic", "--key-stdin", stdin="k")
    (home / "credentials.enc").chmod(0o644)
    run = codi("-p", "go")
    assert run.status == 1 and "is open to others (mode 0644)" in run.err
    assert codi("auth", "status").err == codi("auth", "list").err == run.err
    (hint,) = re.findall(r"hint: Run: (chmod 600 .*)", run.err)
    subprocess.run(hint, shell=True, check=True)
    assert codi("-p", "go").out == "ok\n"


def test_a_command_that_brings_no_key_is_told_with_its_status(codi, lab):
    keyless(codi, lab([says("ok")], used=True))
    run = codi("-p", "--api-key", "!exit 7", "go")
    assert run.status == 1 and "the key source !exit 7 cannot be read: it ended with exit status 7" in run.err


def test_a_wrong_passphrase_is_told_and_harms_nothing(codi, lab, home):
    keyless(codi, lab([says("ok")]))
    right = {"CODI_CREDENTIALS_KEY": "horse"}
    log_in(codi, "anthropic", "--key-stdin", stdin="k", env=right)
    before = (home / "credentials.enc").read_bytes()
    for env, told in (
        ({"CODI_CREDENTIALS_KEY": "donkey"}, "the passphrase is wrong, or the file was changed"),
        ({}, "credentials.enc is locked, and there is no passphrase"),
    ):
        for words in (["-p", "go"], ["auth", "login", "xai", "--key-stdin"], ["auth", "logout", "anthropic"]):
            run = codi(*words, env=env, stdin="k2")
            assert run.status == 1 and told in run.err, run
    assert (home / "credentials.enc").read_bytes() == before
    assert codi("-p", "go", env=right).out == "ok\n"


def test_login_by_browser_and_the_token_on_the_wire(codi, lab, issuer, browser, home):
    server = lab([says("Hello.")])
    keyless(codi, server)
    codi.set_up(issuer.toml("anthropic"))
    run = log_in(codi, "anthropic", "--json")
    assert run.out.count("\n") == 1  # what the browser says is not codi's
    told = run.result
    assert (told["provider"], told["kind"], told["store"]) == ("anthropic", "login", "file")
    assert time.strptime(told["expiresAt"], "%Y-%m-%dT%H:%M:%SZ")
    assert codi("-p", "Hi").out == "Hello.\n"
    (token,) = issuer.valid
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {token}" and "x-api-key" not in request.headers
    assert request.headers["anthropic-beta"].startswith("oauth-2025-04-20")
    assert where(token, home) == [] and token not in run.out + run.err
    (row,) = codi("auth", "status", "--json").lines
    assert (row["provider"], row["kind"], row["used"], row["expired"]) == ("anthropic", "login", True, False)
    assert row["expiresAt"] == told["expiresAt"]


def test_a_service_by_configuration_alone_logs_in_and_answers(codi, lab, issuer, browser):
    server = lab([says("Hello.")], "openai-chat", used=False)
    codi.set_up(
        issuer.toml("acme") + f'[providers.acme]\napi = "openai-chat"\nbase_url = "{server.url}/v1"\nmodels = ["m"]\n'
    )
    log_in(codi, "acme", "--account", "work")
    assert codi("-p", "Hi").out == "Hello.\n"
    assert keys_of(server) == [f"Bearer {next(iter(issuer.valid))}"]
    assert codi("auth", "list").rows[0][:3] == ["acme", "work", "login"]


def test_a_token_that_ends_is_renewed_once_and_kept(codi, lab, issuer, browser, home):
    server = lab([says("", call("glob", pattern="*")), says("One."), says("Two.")])
    keyless(codi, server)
    codi.set_up(issuer.toml("anthropic"))
    issuer.lifetime_s = 30
    log_in(codi, "anthropic")
    issuer.lifetime_s = 3600
    assert codi("-p", "go").out == "One.\n"
    assert codi("-p", "go").out == "Two.\n"
    assert issuer.grants() == ["authorization_code", "refresh_token"]
    shown = keys_of(server)
    assert len(shown) == 3 and len(set(shown)) == 1
    assert shown[0].removeprefix("Bearer ") in issuer.valid


def test_a_refused_token_is_renewed_and_the_request_sent_once_more(codi, lab, issuer, browser):
    server = lab([says("Hello.", fault={"kind": "status", "status": 401})])
    keyless(codi, server)
    codi.set_up(issuer.toml("anthropic"))
    log_in(codi, "anthropic")
    assert codi("-p", "go").out == "Hello.\n"
    first, second = keys_of(server)
    assert first != second
    assert issuer.grants() == ["authorization_code", "refresh_token"]


def test_a_login_that_stays_refused_is_two_requests_and_one_renewal(codi, lab, issuer, browser):
    server = lab([says("never", fault={"kind": "status", "status": 401, "times": 0})])
    keyless(codi, server)
    codi.set_up(issuer.toml("anthropic"))
    log_in(codi, "anthropic")
    run = codi("-p", "go")
    assert run.status == 1 and "the login to anthropic was refused (401" in run.err
    assert "hint: Run `codi auth login anthropic`." in run.err
    assert len(server.requests) == 2
    assert issuer.grants() == ["authorization_code", "refresh_token"]


def test_two_programs_at_once_renew_once(codi, lab, issuer, browser):
    server = lab([says("ok"), says("ok")])
    keyless(codi, server)
    codi.set_up(issuer.toml("anthropic"))
    issuer.lifetime_s = 30
    log_in(codi, "anthropic")
    issuer.lifetime_s = 3600
    runs = [codi.start("go") for _ in range(2)]
    assert [run.end().status for run in runs] == [0, 0]
    assert issuer.grants() == ["authorization_code", "refresh_token"]
    assert len(set(keys_of(server))) == 1


def test_a_key_in_the_environment_wins_over_a_login(codi, lab, issuer, browser):
    server = lab([says("ok")])
    codi.set_up(issuer.toml("anthropic"))
    run = log_in(codi, "anthropic")
    assert "note: ANTHROPIC_API_KEY is set, and counts more than what is kept" in run.err
    assert codi("-p", "go").status == 0
    assert keys_of(server) == ["k"]
    rows = {row["source"]: row["used"] for row in codi("auth", "status", "--json").lines}
    assert rows.pop("ANTHROPIC_API_KEY") is True and list(rows.values()) == [False]


def test_a_wrong_state_keeps_nothing(codi, issuer, browser, home):
    codi.set_up(issuer.toml("acme"))
    issuer.state = "y" * 32
    run = codi("auth", "login", "acme")
    assert run.status == 1 and "belongs to another login" in run.err
    assert issuer.asked == [] and not (home / "credentials.enc").exists()


def test_where_there_is_no_browser_a_code_is_typed_elsewhere(codi, issuer):
    codi.set_up(issuer.toml("acme"))
    issuer.device = ["authorization_pending"]
    run = log_in(codi, "acme")
    assert f"Open {issuer.url}/activate in a browser and type the code WDJB-MJHT" in run.err
    assert [grant.rpartition(":")[2] for grant in issuer.grants()] == ["device_code"] * 2


def test_a_device_code_can_be_wanted(codi, issuer, browser):
    codi.set_up(issuer.toml("acme"))
    assert "WDJB-MJHT" in log_in(codi, "acme", "--device").err
    codi.set_up(re.sub("device_url.*\n", "", issuer.toml("acme")))
    run = codi("auth", "login", "acme", "--device")
    assert run.status == 1 and "auth.providers.acme.device_url" in run.err


def test_the_address_at_which_a_browser_ended_can_be_pasted(codi, issuer, tmp_path):
    """The browser runs on another machine, where nothing listens."""
    script = tmp_path / "browser"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o700)
    codi.set_up(issuer.toml("acme"))
    process = subprocess.Popen(
        [PROGRAM, "auth", "login", "acme"],
        env=codi.env | {"BROWSER": str(script)},
        cwd=codi.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stderr
    url = next(line.strip() for line in process.stderr if line.startswith("http"))
    _, target = issuer.authorize(dict(parse_qsl(urlsplit(url).query)))
    out, err = process.communicate(f"\n{target}\n", timeout=30)
    assert process.returncode == 0, err
    assert out == "the login to acme is kept in credentials.enc (obfuscated, not protected)\n"


def test_logout_removes_from_every_store(codi, lab, issuer, browser, ring, home):
    codi.set_up(issuer.toml("acme"))
    log_in(codi, "acme")
    file = ring("Desktop")
    log_in(codi, "groq", "--key-stdin", stdin="k")
    log_in(codi, "acme", "--account", "work")
    assert len(json.loads(file.read_text())) == 2
    run = codi("auth", "logout", "acme")
    assert run.status == 0 and "the key ring" in run.out and "credentials.enc" in run.out
    assert list(json.loads(file.read_text())) == ["codi:groq"]
    assert not (home / "credentials.enc").exists() and not (home / "credentials.enc.previous").exists()
    assert [row[0] for row in codi("auth", "list").rows] == ["groq"]
    run = codi("auth", "logout", "acme")
    assert run.status == 1 and "nothing is kept for acme" in run.err
    assert codi("auth", "logout", "--all", "--json").result == {"provider": None, "removedFrom": ["the key ring"]}
    assert json.loads(file.read_text()) == {} and codi("auth", "list").out == ""


ACCOUNT = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}


@pytest.mark.parametrize(
    ("service", "wire", "device"),
    [
        ("anthropic", "anthropic", False),
        ("openai", "openai-responses", False),
        ("google", "google", False),
        ("github-models", "openai-chat", True),
        ("github-copilot", "openai-chat", True),
    ],
)
def test_each_login_stands_in_its_header(codi, lab, issuer, browser, service, wire, device):
    server = lab([says("Hello.")], wire, used=False)
    middle = urlsafe_b64encode(json.dumps(ACCOUNT).encode()).decode().rstrip("=")
    issuer.id_token = f"e30.{middle}.x" if service == "openai" else ""
    issuer.exchange = {"token": "short", "expires_at": time.time() + 1500}
    versioned = "" if service in ("anthropic", "google") else "/v1"
    codi.set_up(
        issuer.toml(service) + (f'exchange_url = "{issuer.url}/exchange"\n' if service == "github-copilot" else "")
        + f'[providers.{service}]\nbase_url = "{server.url}{versioned}"\n'
    )  # fmt: skip
    log_in(codi, service, *(["--device"] if device else []))
    run = codi("-p", "--model", f"{service}/m", "go")
    assert run.out == "Hello.\n", run
    (token,) = issuer.valid
    (request,) = server.requests
    shown = "short" if service == "github-copilot" else token
    assert request.headers["authorization"] == f"Bearer {shown}"
    assert "x-api-key" not in request.headers and "x-goog-api-key" not in request.headers
    if service == "openai":
        assert request.headers["chatgpt-account-id"] == "acc-1"
    if service == "github-copilot":
        assert issuer.exchanged == [f"token {token}"]


def test_copilot_is_exchanged_once_for_as_long_as_that_is_good(codi, lab, issuer, browser):
    server = lab([says("One."), says("Two."), says("Three.")], "openai-chat", used=False)
    issuer.exchange = {"token": "short", "expires_at": time.time() + 30}
    codi.set_up(
        issuer.toml("github-copilot") + f'exchange_url = "{issuer.url}/exchange"\n'
        f'[providers.github-copilot]\nbase_url = "{server.url}/v1"\n'
    )
    log_in(codi, "copilot", "--device")
    assert codi("-p", "--model", "github-copilot/m", "go", "and again").out.endswith("Two.\n")
    assert len(issuer.exchanged) == 1
    issuer.exchange = {"token": "long", "expires_at": time.time() + 1500}
    assert codi("-p", "--model", "github-copilot/m", "go").out == "Three.\n" and len(issuer.exchanged) == 2
    assert keys_of(server) == ["Bearer short", "Bearer short", "Bearer long"]


def test_copilot_goes_where_its_token_says(codi, lab, issuer):
    """The address is on this machine, and the exchange is set, since the person leads Copilot elsewhere."""
    server = lab([says("Hello.")], "openai-chat", used=False)
    issuer.exchange = {
        "token": "tid=1;exp=9",
        "expires_at": time.time() + 1500,
        "endpoints": {"api": "http://127.0.0.1:1"},
    }
    codi.set_up(
        f'[auth.providers.github-copilot]\nexchange_url = "{issuer.url}/exchange"\n'
        f'[providers.github-copilot]\nbase_url = "{server.url}/v1"\n'
    )
    run = codi("-p", "--model", "github-copilot/m", "go", env={"COPILOT_GITHUB_TOKEN": "gho_1"})
    assert run.out == "Hello.\n", run
    assert issuer.exchanged == ["token gho_1"]
    assert keys_of(server) == ["Bearer tid=1;exp=9"]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["login"], 2, "log in to which service?"),
        (["login", "nonsense"], 2, 'unknown provider "nonsense"'),
        (["login", "groq"], 1, "codi knows no login for groq"),
        (["login", "openai"], 1, "auth.providers.openai.client_id"),
        (["login", "groq", "--device"], 1, "codi knows no login for groq"),
        (["login", "groq", "--device", "--key-stdin"], 2, "not allowed with"),
        (["logout"], 2, "log out of which service?"),
        (["logout", "groq", "--all"], 2, "log out of which service?"),
        (["logout", "groq"], 1, "nothing is kept for groq"),
        ([], 2, "required: ACTION"),
    ],
)
def test_what_is_not_possible_is_said_with_what_is(codi, words, status, told):
    run = codi("auth", *words)
    assert run.status == status and told in run.err and "hint: " in run.err, run


@pytest.mark.parametrize("key", ["", "\n", "two words\x07", "schlüssel", b"\xff\xfe"])
def test_what_is_no_key_is_not_kept(codi, home, key):
    run = codi("auth", "login", "groq", "--key-stdin", stdin=key)
    assert run.status == 1 and not (home / "credentials.enc").exists()


def test_a_login_whose_terms_name_other_programs_says_so_first(codi, browser):
    codi.set_up('[auth.providers.google]\nclient_id = "mine"\n[auth.providers.anthropic]\nclient_id = "mine"\n')
    run = codi("auth", "login", "anthropic", "--key-stdin", stdin="k")
    assert "terms" not in run.err
    browser.write_text("#!/bin/sh\n")
    run = codi("auth", "login", "anthropic", stdin="http://127.0.0.1:1/callback?code=of&state=another")
    assert run.status == 1 and "belongs to another login" in run.err
    assert run.err.startswith("note: Anthropic's terms do not allow")


def test_a_terminal_is_asked_for_key_and_passphrase_without_showing_them(codi, home):
    lead, follow = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(follow, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [PROGRAM, "auth", "login", "groq"],
        env=codi.env,
        cwd=codi.cwd,
        stdin=follow,
        stdout=follow,
        stderr=follow,
        preexec_fn=own_terminal,
    )
    os.close(follow)
    seen = ""

    def answer(question, text):
        nonlocal seen
        while question not in seen:
            seen += os.read(lead, 1024).decode()
        os.write(lead, text.encode() + b"\n")

    answer("Key for groq: ", "gsk-canary")
    answer("(empty: none, and no protection): ", "horse-canary")
    answer("Once more: ", "horse-canary")
    try:
        while piece := os.read(lead, 1024):
            seen += piece.decode()
    except OSError:
        pass  # the terminal ends with its last program
    assert process.wait(30) == 0, seen
    os.close(lead)
    assert "canary" not in seen and "the key for groq is kept in credentials.enc\r\n" in seen
    assert codi("auth", "list").rows[0][3] == "credentials.enc"


def test_nothing_in_the_home_is_open_to_others(codi, lab, issuer, browser, home):
    keyless(codi, lab([says("ok")]))
    codi.set_up(issuer.toml("anthropic"))
    (home / "config.toml").chmod(0o600)
    home.chmod(0o700)
    issuer.lifetime_s = 30
    log_in(codi, "anthropic")
    assert codi("-p", "go").status == 0
    kept = [path for path in home.iterdir() if path.name.startswith("credentials")]
    assert len(kept) >= 5
    assert [path for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_an_address_that_others_could_read_is_told_with_its_line(codi, folder):
    file = folder / "mine.toml"
    file.write_text('[auth.providers.acme]\nclient_id = "c"\ntoken_url = "http://far.example/token"\n')
    run = codi("config", "check", str(file))
    assert run.status == 2
    assert run.err.startswith(
        f"error: {file}:3: auth.providers.acme.token_url: http://far.example/token is no https:// address"
    )


@pytest.mark.parametrize("name", ["credentials.enc", "credentials.enc.previous", "credentials.key"])
def test_the_model_reads_no_store_unasked(codi, lab, home, name):
    server = lab([says("", call("read", path=str(home / name))), says("ok")])
    log_in(codi, "groq", "--key-stdin", stdin="k")
    log_in(codi, "xai", "--key-stdin", stdin="k")
    content = (home / name).read_bytes()[-20:]
    run = codi("-p", "go")
    assert run.status == 3, run
    assert content not in server.requests[-1].body


def test_a_project_describes_no_issuer(codi, issuer, browser, folder):
    """Whoever could would be given the code."""
    (folder / ".codi").mkdir()
    (folder / ".codi" / "config.toml").write_text(issuer.toml("acme"))
    run = codi("auth", "login", "acme")
    assert run.status == 2 and 'unknown provider "acme"' in run.err
    assert issuer.asked == []
