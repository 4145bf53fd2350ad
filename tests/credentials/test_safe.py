"""Where secrets are kept: the key ring, or the file; and what is refused."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends import chainer, fail, null

import key_rings
from codi.credentials.kept import Kept
from codi.credentials.safe import Safe
from codi.protocol.errors import CredentialError
from conftest import SOAK

SECRET = "sk-canary-0123456789"


@pytest.fixture
def ring(tmp_path, monkeypatch):
    """Chooses the key ring of the test."""
    monkeypatch.setenv("RING_FILE", str(tmp_path / "ring"))
    before = keyring.get_keyring()

    def choose(kind):
        keyring.set_keyring(kind())

    yield choose
    keyring.set_keyring(before)


@pytest.fixture
def no_ring(ring):

    ring(fail.Keyring)


def safe(home: Path, env=None, ask=None) -> Safe:
    return Safe(str(home), env or {}, ask)


def test_a_key_ring_keeps_it_and_no_file_does(home, ring):
    ring(key_rings.Desktop)
    label, why = safe(home).keep("groq", Kept(secret=SECRET))
    assert (label.where, label.place, why) == ("keyring", "the key ring", "")
    assert safe(home).get(safe(home).label("groq")) == Kept(secret=SECRET)
    assert not (home / "credentials.enc").exists()
    assert SECRET not in (home / "credentials.json").read_text()
    assert list(key_rings.Desktop()._all()) == ["codi:groq"]  # and nothing of the probe


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (key_rings.Plain, "is not used: it is not known to encrypt"),
        (key_rings.Locked, "the key ring is locked"),
        (key_rings.Gone, "no session bus"),
        (key_rings.Forgetful, "does not give back"),
        (fail.Keyring, "this system has no key ring"),
        (null.Keyring, "is not used"),
    ],
)
def test_a_ring_that_does_not_protect_or_work_is_passed_over_in_one_line(home, ring, tmp_path, kind, why):
    ring(kind)
    label, told = safe(home, {"CODI_CREDENTIALS_KEY": "p"}).keep("groq", Kept(secret=SECRET))
    assert label.where == "file" and label.protected
    assert why in told and "\n" not in told
    assert not (tmp_path / "ring").exists() or SECRET not in (tmp_path / "ring").read_text()


def test_a_ring_that_is_locked_later_says_so_with_a_hint(home, ring):
    ring(key_rings.Desktop)
    safe(home).keep("groq", Kept(secret=SECRET))
    ring(key_rings.Locked)
    with pytest.raises(CredentialError, match="the key ring is locked") as error:
        safe(home).get(safe(home).label("groq"))
    assert "Unlock" in error.value.hint


def test_of_several_rings_that_work_together_the_one_that_encrypts_is_used(home, ring, monkeypatch):

    class Both(chainer.ChainerBackend):
        backends = [key_rings.Plain(), key_rings.Desktop()]  # type: ignore[assignment]

    ring(Both)
    assert safe(home).keep("groq", Kept(secret=SECRET))[0].where == "keyring"


def test_a_key_that_a_person_put_into_the_ring_is_found(home, ring):
    ring(key_rings.Desktop)
    keyring.set_password("codi", "groq", SECRET)
    label = safe(home).unlisted("groq")
    assert label and safe(home).get(label).secret == SECRET
    assert safe(home).unlisted("other") is None


def test_the_file_keeps_several_and_gives_each_back(home, no_ring):
    here = {"CODI_CREDENTIALS_KEY": "horse"}
    login = Kept(secret="a", kind="login", refresh="r", expires_at=5.0, headers={"x": "y"})
    safe(home, here).keep("groq", Kept(secret=SECRET))
    safe(home, here).keep("openai", login, "work")
    again = safe(home, here)
    assert [label.name for label in again.labels()] == ["openai/work", "groq"]
    assert [again.get(label) for label in again.labels()] == [login, Kept(secret=SECRET)]
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert SECRET.encode() not in path.read_bytes()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_without_a_passphrase_a_key_file_opens_it_and_says_what_it_is_worth(home, no_ring):
    label, _ = safe(home).keep("groq", Kept(secret=SECRET))
    assert not label.protected
    assert label.place == "credentials.enc (obfuscated, not protected)"
    assert "obfuscated, not protected" in (home / "credentials.key").read_text()
    assert safe(home).get(label).secret == SECRET
    (home / "credentials.key").unlink()
    with pytest.raises(CredentialError, match=r"credentials\.key is missing"):
        safe(home).get(label)


def test_a_person_is_asked_twice_for_a_new_passphrase_and_once_for_an_old_one(home, no_ring):
    questions = []

    def ask(question):
        questions.append(question)
        return "horse"

    label, _ = safe(home, ask=ask).keep("groq", Kept(secret=SECRET))
    assert label.protected and len(questions) == 2
    asked = safe(home, ask=ask)
    assert [asked.get(label).secret for _ in range(2)] == [SECRET, SECRET]
    assert len(questions) == 3
    answers = iter(["one", "other"])
    (home / "credentials.enc").unlink()
    with pytest.raises(CredentialError, match="passphrases differ"):
        safe(home, ask=lambda _: next(answers)).keep("groq", Kept(secret=SECRET))
    assert not (home / "credentials.enc").exists()


def test_the_passphrase_comes_through_a_descriptor(home, no_ring):
    label, _ = safe(home, {"CODI_CREDENTIALS_KEY": "horse"}).keep("groq", Kept(secret=SECRET))
    reader, writer = os.pipe()
    os.write(writer, b"horse\n")
    os.close(writer)
    assert safe(home, {"CODI_PASSPHRASE_FD": str(reader)}).get(label).secret == SECRET
    with pytest.raises(CredentialError, match="there is no passphrase"):
        safe(home).get(label)


def test_a_wrong_passphrase_or_a_changed_byte_overwrites_nothing(home, no_ring):
    safe(home, {"CODI_CREDENTIALS_KEY": "horse"}).keep("groq", Kept(secret=SECRET))
    path = home / "credentials.enc"
    before = path.read_bytes()
    wrong = safe(home, {"CODI_CREDENTIALS_KEY": "donkey"})
    for act in (
        lambda: wrong.get(wrong.label("groq")),
        lambda: wrong.keep("xai", Kept(secret="s")),
        lambda: wrong.forget("groq"),
    ):
        with pytest.raises(CredentialError, match="the passphrase is wrong, or the file was changed"):
            act()
    assert path.read_bytes() == before and [label.provider for label in wrong.labels()] == ["groq"]
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    damaged = path.read_bytes()
    with pytest.raises(CredentialError, match="cannot be opened"):
        safe(home, {"CODI_CREDENTIALS_KEY": "horse"}).keep("xai", Kept(secret="s"))
    assert path.read_bytes() == damaged


def test_one_previous_state_is_kept_until_something_is_removed(home, no_ring):
    here = safe(home, {"CODI_CREDENTIALS_KEY": "horse"})
    here.keep("groq", Kept(secret="one"))
    first = (home / "credentials.enc").read_bytes()
    here.keep("xai", Kept(secret="two"))
    assert (home / "credentials.enc.previous").read_bytes() == first
    assert here.forget("groq") == ["credentials.enc"]
    assert not (home / "credentials.enc.previous").exists()
    assert here.get(here.label("xai")).secret == "two"
    assert here.forget_all() == ["credentials.enc"]
    assert [path.name for path in home.iterdir()] == ["credentials.lock"]


@pytest.mark.parametrize("name", ["credentials.enc", "credentials.key", "credentials.json"])
def test_a_file_that_others_can_read_is_refused_with_what_mends_it(home, no_ring, name):
    label, _ = safe(home).keep("groq", Kept(secret=SECRET))
    (home / name).chmod(0o640)
    with pytest.raises(CredentialError, match=r"is open to others \(mode 0640\)") as error:
        safe(home).get(safe(home).label("groq"))
    assert error.value.hint == f"Run: chmod 600 {home / name}"
    subprocess.run(error.value.hint.removeprefix("Run: "), shell=True, check=True)
    assert safe(home).get(label).secret == SECRET


def test_a_file_of_another_owner_is_refused(home, no_ring):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    label, _ = safe(home).keep("groq", Kept(secret=SECRET))
    os.chown(home / "credentials.enc", 12345, 12345)
    with pytest.raises(CredentialError, match="belongs to another user") as error:
        safe(home).get(label)
    assert "chmod 600" in error.value.hint


def test_a_planted_link_is_not_followed(home, no_ring, tmp_path):
    label, _ = safe(home).keep("groq", Kept(secret=SECRET))
    (home / "credentials.enc").rename(tmp_path / "elsewhere")
    (home / "credentials.enc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CredentialError):
        safe(home).get(label)


def test_writers_side_by_side_lose_nothing(home, no_ring):
    code = (
        "import sys; from codi.credentials.safe import Safe; from codi.credentials.kept import Kept\n"
        "Safe(sys.argv[1], {}).keep(sys.argv[2], Kept(secret='s-' + sys.argv[2]))"
    )
    env = os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    names = [f"p{number}" for number in range(4)]
    writers = [subprocess.Popen([sys.executable, "-c", code, str(home), name], env=env) for name in names]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    kept = safe(home)
    assert {label.provider: kept.get(label).secret for label in kept.labels()} == {name: f"s-{name}" for name in names}


def test_a_lost_list_loses_no_key(home, no_ring):
    safe(home, {"CODI_CREDENTIALS_KEY": "p"}).keep("groq", Kept(secret=SECRET))
    (home / "credentials.json").unlink()
    here = safe(home, {"CODI_CREDENTIALS_KEY": "p"})
    assert here.labels() == []
    found = here.unlisted("groq")
    assert found and here.get(found).secret == SECRET


def test_nothing_shows_a_secret():
    kept = Kept(secret=SECRET, refresh="r-canary", headers={"x": "h-canary"})
    assert "canary" not in repr(kept) + str(kept) + repr([kept])


def _die_at(count: int) -> None:
    left = iter(range(count))

    def look(event: str, _: object) -> None:
        if event.startswith(("open", "os.", "fcntl.")) and event != "os.kill" and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def test_a_kill_at_any_point_of_a_save_leaves_the_old_or_the_new(home, no_ring):
    """The process kills itself at the first, second, third ... thing that it asks of the system."""
    here = {"CODI_CREDENTIALS_KEY": "horse"}
    safe(home, here).keep("groq", Kept(secret="old"))
    killed = at = 0
    while True:
        child = os.fork()
        if child == 0:
            try:
                _die_at(at)
                safe(home, here).keep("groq", Kept(secret="new"))
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        again = safe(home, here)
        assert again.get(again.label("groq")).secret in ("old", "new")
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        killed += 1
        at += 1 if SOAK else 3
    assert killed > 5
    assert again.get(again.label("groq")).secret == "new"


def test_what_a_person_would_be_asked_for_is_known_beforehand(home, no_ring):
    label, _ = safe(home, {"CODI_CREDENTIALS_KEY": "horse"}).keep("groq", Kept(secret=SECRET))
    assert safe(home, ask=lambda _: "horse").must_ask(label)
    assert not safe(home, {"CODI_CREDENTIALS_KEY": "horse"}, ask=lambda _: "horse").must_ask(label)
    assert not safe(home).must_ask(label)
    asked = safe(home, ask=lambda _: "horse")
    asked.get(label)
    assert not asked.must_ask(label)


def test_logout_reaches_what_a_ring_kept_from_an_earlier_time(home, ring):
    ring(key_rings.Desktop)
    here = safe(home, {"CODI_CREDENTIALS_KEY": "p"})
    here.keep("groq", Kept(secret="old"))
    ring(key_rings.Locked)
    assert here.keep("groq", Kept(secret="new"))[0].where == "file"
    ring(key_rings.Desktop)
    assert here.forget("groq") == ["credentials.enc", "the key ring"]
    assert key_rings.Desktop()._all() == {}
    here.keep("xai", Kept(secret="s"))
    keyring.set_password("codi", "groq", "by hand")
    assert here.forget("groq") == ["the key ring"]
    assert [label.provider for label in here.labels()] == ["xai"]


def test_what_moves_to_a_ring_leaves_the_file(home, ring):
    ring(fail.Keyring)
    here = safe(home)
    here.keep("groq", Kept(secret=SECRET))
    ring(key_rings.Desktop)
    assert here.keep("groq", Kept(secret=SECRET))[0].where == "keyring"
    assert not (home / "credentials.enc").exists()
    assert here.get(here.label("groq")).secret == SECRET
