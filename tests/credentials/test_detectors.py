"""One sample for each kind of secret, and what must be left readable."""

import random
import string
import subprocess
from pathlib import Path

import pytest

from codi.credentials.detectors import NAMES
from codi.credentials.vault import Vault
from codi.providers.presets import presets
from codi.workspace.processes import environment_for

ROOT = Path(__file__).parents[2]
CHANCE = random.Random(3)


def drawn(count: int, signs: str = string.ascii_letters + string.digits) -> str:
    return "4" + "".join(CHANCE.choices(signs, k=count - 2)) + "7"


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits

SAMPLES = {
    "AWS_ACCESS_KEY_ID": "AKIA" + drawn(16, UPPER),
    "AWS_BEDROCK_KEY": "ABSK" + drawn(60),
    "GITHUB_TOKEN": "ghp_" + drawn(36),
    "GITHUB_FINE_GRAINED_TOKEN": "github_pat_" + drawn(22) + "_" + drawn(59),
    "GITLAB_TOKEN": "glpat-" + drawn(20),
    "ANTHROPIC_KEY": "sk-ant-api03-" + drawn(93),
    "OPENROUTER_KEY": "sk-or-v1-" + drawn(64, HEX),
    "OPENAI_KEY": "sk-proj-" + drawn(48),
    "GOOGLE_API_KEY": "AIza" + drawn(35),
    "GOOGLE_OAUTH_SECRET": "GOCSPX-" + drawn(28),
    "SLACK_TOKEN": "xoxb-123456789012-123456789012-" + drawn(24),
    "SLACK_APP_TOKEN": "xapp-1-A0123456789-1234567890123-" + drawn(64, HEX),
    "STRIPE_KEY": "sk_live_" + drawn(24),
    "NPM_TOKEN": "npm_" + drawn(36),
    "PYPI_TOKEN": "pypi-AgEIcHlwaS5vcmc" + drawn(60),
    "RUBYGEMS_KEY": "rubygems_" + drawn(48, HEX),
    "DOCKER_TOKEN": "dckr_pat_" + drawn(27),
    "HUGGINGFACE_TOKEN": "hf_" + drawn(34),
    "GROQ_KEY": "gsk_" + drawn(52),
    "XAI_KEY": "xai-" + drawn(80),
    "PERPLEXITY_KEY": "pplx-" + drawn(48),
    "REPLICATE_TOKEN": "r8_" + drawn(37),
    "NVIDIA_KEY": "nvapi-" + drawn(64),
    "TAVILY_KEY": "tvly-" + drawn(32),
    "DATABRICKS_TOKEN": "dapi" + drawn(32, HEX),
    "DIGITALOCEAN_TOKEN": "dop_v1_" + drawn(64, HEX),
    "SHOPIFY_TOKEN": "shpat_" + drawn(32, HEX),
    "SQUARE_TOKEN": "sq0csp-" + drawn(43),
    "TWILIO_KEY": "SK" + drawn(32, HEX),
    "LINEAR_KEY": "lin_api_" + drawn(40),
    "NOTION_TOKEN": "ntn_" + drawn(46),
    "POSTMAN_KEY": "PMAK-" + drawn(24, HEX) + "-" + drawn(34, HEX),
    "ATLASSIAN_TOKEN": "ATATT3xFfGF0" + drawn(60),
    "MAILGUN_KEY": "key-" + drawn(32, HEX),
    "TAILSCALE_KEY": "tskey-auth-" + drawn(17) + "-" + drawn(32),
    "PULUMI_TOKEN": "pul-" + drawn(40, HEX),
    "AGE_SECRET_KEY": "AGE-SECRET-KEY-1" + drawn(58, UPPER),
    "NEW_RELIC_KEY": "NRAK-" + drawn(27, UPPER),
    "GRAFANA_TOKEN": "glsa_" + drawn(32) + "_" + drawn(8, HEX),
    "FIGMA_TOKEN": "figd_" + drawn(40),
    "SENTRY_TOKEN": "sntrys_" + drawn(60),
    "SUPABASE_KEY": "sbp_" + drawn(40, HEX),
    "PLANETSCALE_TOKEN": "pscale_tkn_" + drawn(43),
    "FLY_TOKEN": "fm2_" + drawn(80),
    "HEROKU_KEY": "HRKU-" + drawn(36),
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + drawn(43),
    "SENDGRID_KEY": "SG." + drawn(22) + "." + drawn(43),
    "GOOGLE_ACCESS_TOKEN": "ya29." + drawn(60),
    "VAULT_TOKEN": "hvs." + drawn(28),
    "DOPPLER_TOKEN": "dp.pt." + drawn(43),
    "TERRAFORM_TOKEN": drawn(14) + ".atlasv1." + drawn(64),
    "TELEGRAM_TOKEN": "1234567890:AA" + drawn(33),
    "DISCORD_TOKEN": "M" + drawn(25) + "." + drawn(6) + "." + drawn(38),
    "AZURE_CLIENT_SECRET": "abc8Q~" + drawn(34),
    "PASSWORD": "password=|hunter2",
    "SECRET": 'client_secret: "|' + (_secret := drawn(32)) + '"',
    "TOKEN": "SOME_TOKEN=|" + drawn(32),
    "API_KEY": '{"api_key": "|' + drawn(32) + '"}',
    "BEARER_TOKEN": "Authorization: Bearer |" + drawn(32),
    "BASIC_CREDENTIALS": "Authorization: Basic |dXNlcjpwYXNzd29yZDE=",
    "URL_PASSWORD": "postgres://admin:|s3cr3t-word@db.example.net:5432/x",
    "WEBHOOK": "https://hooks.slack.com/services/|T00000000/B00000000/" + drawn(24),
}
"""Where there is a bar, what stands before it and behind the secret is no part of it."""


def test_every_kind_has_a_sample():
    assert set(SAMPLES) | {"PRIVATE_KEY"} == NAMES and len(NAMES) >= 25


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("around", ["{}", "it is {} indeed", 'x = "{}"', "a\\n{}\\nb", "(`{}`)"])
def test_a_sample_of_each_kind(name, around):
    before, bar, rest = SAMPLES[name].partition("|")
    text = around.format(SAMPLES[name].replace("|", ""))
    secret = (rest if bar else before).rstrip('"}')
    secret = secret.partition("@")[0] if name == "URL_PASSWORD" else secret
    told = Vault().veil(text)
    assert secret not in told and f"{{{{secret:{name}_1}}}}" in told, told
    assert told.count("{{secret:") == 1


def test_a_private_key_keeps_its_lines():
    lines = [drawn(64) for _ in range(24)] + [drawn(20) + "=="]
    for text in (
        "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"]),
        '{"private_key": "-----BEGIN PRIVATE KEY-----\\n' + "\\n".join(lines) + '\\n-----END PRIVATE KEY-----\\n"}',
        "\n".join(
            f"{number:>5}→{line}"
            for number, line in enumerate(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"], 1)
        ),
    ):
        vault = Vault()
        told = vault.veil(text)
        assert not any(line in told for line in lines)
        assert told.count("\n") == text.count("\n") and vault.restore(told) == text
    assert lines[3] not in vault.veil(f"one line alone: {lines[3]}")


@pytest.mark.parametrize(
    "text",
    [
        "password = get_password(user)",
        "def login(password: str, token: str | None = None) -> None:",
        'password: "Password"',
        '"password": "Please enter your password"',
        "password = os.environ['DB_PASSWORD']",
        "PASSWORD=${DB_PASSWORD}",
        "password={{ vault_password }}",
        "token = tokens[position + 1]",
        "key = item.key12",
        "secret=self._credential.secret1()",
        "Authorization: Bearer ${TOKEN}",
        "https://example.com:8080/path@2x.png",
        "git@github.com:someone/something.git",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "123e4567-e89b-42d3-a456-426614174000",
        "sha512-oRBHy8ImJlmzP1w5Fo5yJ6W1v0Qp7fS7zA4S1T6Lx3sA9ZL8F1H2G3J4K5L6M7N8P9Q0R1S2T3U4V5W6X7Y8Z9==",
        'hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
        '<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==">',
        "!function(e,t){var n=e.key||t.token;return n?n.toString(36):password(e)}(this,function(e){return e.secret=e.token})",
        "class sk-circle-fade-dot-animation-delay-long-name {}",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmC3p1Uo5f8yq9G3bS7m1Y2x4Z6v8B0n2M4k6J8h0F2 me@here",
    ],
)
def test_what_is_no_secret_stays(text):
    assert Vault().veil(text) == text


def test_no_key_of_a_preset_is_handed_on():
    keys = {name for preset in presets().values() for name in preset.keys}
    assert len(keys) > 20
    assert keys.isdisjoint(environment_for({**dict.fromkeys(keys, "k"), "PATH": "/bin"}, {}))
    # Two of them are what other programs want as well: who gives them to commands means it.
    assert keys & environment_for({}, dict.fromkeys(keys, "k")).keys() == {"GITHUB_TOKEN", "HF_TOKEN"}


def test_this_project_stays_readable():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    hits = []
    for name in files:
        path = ROOT / name
        if not name or name.startswith("tests/") or not path.is_file():
            continue
        vault = Vault()
        text = path.read_bytes().decode(errors="replace")
        told = vault.veil_foreign(text)
        assert vault.restore(told) == text, name
        if told != text:
            hits.append(name)
    assert hits == []
