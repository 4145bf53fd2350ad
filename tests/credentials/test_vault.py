"""What goes into the vault comes out as it was, in whatever pieces it comes."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.credentials.fingerprints import Fingerprints
from codi.credentials.sources import DotEnv, secrets_in, secrets_of_file
from codi.credentials.vault import NotHeld, Vault

KEY = "ghp_7qAbCdEfGhIjKlMnOpQrStUvWxYz01234567"
PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw0123456789\n"
    "q1w2e3r4t5y6u7i8o9p0asdfghjkl\n-----END PRIVATE KEY-----\n"
)
PIECES = [
    KEY,
    "AKIAIOSFODNN7EXAMPLE",
    "known value, with spaces",
    "pässword-ünknown-1",
    'password = "hunter2!x"',
    "Authorization: Bearer abcdef0123456789abcdef",
    "https://bob:pa55-word@host/x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_ghi123",
    PEM,
    "{{secret:GITHUB_TOKEN_1}}",
    "{{secret:",
    "plain words of no account",
    "\n",
    " ",
    "=",
    "日本語の文",
    "\ud800",
    "password=",
    "-----BEGIN ",
]
APART = st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=10).map("".join)


def made() -> Vault:
    vault = Vault()
    vault.know("SPREAD", "known value, with spaces")
    vault.know("ACCENTED", "pässword-ünknown-1")
    return vault


@given(TEXTS)
@settings(deadline=None)
def test_what_comes_from_outside_is_given_back_byte_for_byte(text):
    vault = made()
    vault.veil(KEY)
    told = vault.veil_foreign(text)
    assert vault.restore(told) == text
    assert KEY not in told and "known value, with spaces" not in told
    assert vault.veil(told) == told


# A value that stands in two forms gets its name from the form that was seen first: in pieces that may be another one.
@given(APART.filter(lambda text: text.count("pa55-word") < 2), st.data())
@settings(deadline=None)
def test_a_text_in_pieces_is_veiled_as_the_whole(text, data):
    assert in_pieces(made(), text, data) == made().veil(text)


@given(TEXTS.filter(lambda text: "{{" not in text), st.data())
@settings(deadline=None)
def test_whatever_the_pieces_nothing_leaks_and_nothing_is_lost(text, data):
    vault = made()
    vault.know("KEY", KEY)
    told = in_pieces(vault, text, data)
    assert vault.restore(told) == text
    assert KEY not in told and "known value, with spaces" not in told


def in_pieces(vault, text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = vault.stream()
    told = [stream.feed(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)])]
    return "".join((*told, stream.close()))


@pytest.mark.parametrize("text", [piece for piece in PIECES if len(piece) > 10] + [" and ".join(PIECES)])
def test_a_secret_cut_at_every_byte_is_found(text):
    text = f"before {text} after"
    vault = made()
    stream = vault.stream()
    told = "".join(stream.feed(sign) for sign in text) + stream.close()
    assert told == made().veil(text)
    for at in range(len(text) + 1):
        again = made().stream()
        assert again.feed(text[:at]) + again.feed(text[at:]) + again.close() == told


def test_a_word_that_never_ends_is_not_held_back_for_ever():
    stream = made().stream()
    told = [stream.feed("ab1_" * 1000) for _ in range(30)]
    assert sum(map(len, told)) > 60_000
    rest = stream.feed(KEY[:11]) + stream.feed(KEY[11:] + " ") + stream.close()
    assert "".join(told) + rest == "ab1_" * 30_000 + "{{secret:GITHUB_TOKEN_1}} "


def test_words_come_as_they_are_said():
    stream = made().stream()
    assert stream.feed("Hello wor") == "Hello " and stream.feed("ld, you") == "world, "


@given(
    st.text("aB3 \"'/\\&é日~%+zq", min_size=9, max_size=40).map(lambda text: f"x{text}7"),
    st.binary(max_size=5),
)
@settings(deadline=None, max_examples=60)
def test_a_known_value_is_found_in_its_encodings(value, before):
    vault = Vault()
    vault.know("IT", value)
    core = b64encode(before + value.encode() + b"~~~").decode()
    for form in (
        value,
        core,
        urlsafe_b64encode(before + value.encode()).decode(),
        f"https://x.example/?q={quote(value, safe='')}&x=1",
        json.dumps({"it": value}),
        json.dumps({"it": value}, ensure_ascii=False),
    ):
        told = vault.veil(form)
        assert "{{secret:IT" in told and vault.restore(told) == form


def test_many_known_values_are_each_found():
    vault = Vault()
    values = [f"{number:04d}x{'abcdefgh'[: number % 7]}y{number * 7919:08d}" for number in range(3000)]
    for number, value in enumerate(values):
        vault.know(f"V{number}", value)
    told = vault.veil(" ".join(values))
    assert told.count("{{secret:V") == 3000 and vault.restore(told) == " ".join(values)


def test_a_placeholder_without_a_value():
    vault = Vault()
    with pytest.raises(NotHeld, match=r"\{\{secret:AWS_1\}\}"):
        vault.restore("x {{secret:AWS_1}}")
    assert vault.restore("{{secret:lower}} {{secret:}}") == "{{secret:lower}} {{secret:}}"


def test_the_same_value_gets_its_name_again(tmp_path):
    digest = Fingerprints(str(tmp_path / "vault.key")).of
    first = Vault(digest=digest)
    other = "ghp_" + "7b" * 18
    assert first.veil(f"{KEY} {other}") == "{{secret:GITHUB_TOKEN_1}} {{secret:GITHUB_TOKEN_2}}"
    noted = first.unnoted()
    assert set(noted) == {"GITHUB_TOKEN_1", "GITHUB_TOKEN_2"} and not first.unnoted()
    later = Vault(digest=Fingerprints(str(tmp_path / "vault.key")).of)
    later.remember(noted)
    third = "ghp_" + "9d" * 18
    assert later.veil(f"{other} {third} {KEY}") == (
        "{{secret:GITHUB_TOKEN_2}} {{secret:GITHUB_TOKEN_3}} {{secret:GITHUB_TOKEN_1}}"
    )


def test_what_of_an_environment_is_secret():
    env = {
        "GITHUB_TOKEN": "abc123def456",
        "DB_PASSWORD": "s3cret-word",
        "DB_PASSWORD_FILE": "/run/secrets/x1",
        "SSH_AUTH_SOCK": "/tmp/ssh-1/agent.1",
        "MONKEY": "abc123def456",
        "PATH": "/usr/bin",
        "API_KEY": "ollama",
        "DATABASE_URL": "postgres://me:w0rd-of-mine@host/db",
        "PLAIN": "word",
    }
    assert dict(secrets_in(env, ["PLAIN"])) == {
        "GITHUB_TOKEN": "abc123def456",
        "DB_PASSWORD": "s3cret-word",
        "DATABASE_URL_PASSWORD": "w0rd-of-mine",
        "PLAIN": "word",
    }


def test_what_of_a_file_of_variables_is_secret(tmp_path):
    text = (
        "# comment\nexport API_TOKEN='abc123def456'\nPORT=3000\nNODE_ENV=development\nDEBUG=true\nVERSION=1.22.333.4444\n"
        'HOST=https://a1.example.com/x\nDRAWN="Zq8xV2mP4kTw"  # note\nNAME=my-service-v2\n'
    )
    assert dict(secrets_of_file(text)) == {"API_TOKEN": "abc123def456", "DRAWN": "Zq8xV2mP4kTw"}
    files = DotEnv([str(tmp_path)])
    assert list(files.news()) == []
    (tmp_path / ".env.local").write_text("MY_KEY=abc123def456\n")
    (tmp_path / ".env.example").write_text("OTHER_KEY=xyz789uvw012\n")
    assert list(files.news()) == [("MY_KEY", "abc123def456")] and list(files.news()) == []


def test_what_looks_random_is_only_spoken_of():
    vault = Vault()
    text = "blob: Zq8xV2mP4kTw9LrB3nYc7HdJ5sFgA1eUo6Xi"
    assert vault.veil(text) == text
    assert vault.veil(text) == text
    (remark,) = vault.remarks()
    assert "looks random" in remark
