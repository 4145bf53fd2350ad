"""The key ring of the operating system, through the `keyring` library.

Only rings that encrypt are used: Secret Service, KWallet, and those of macOS and Windows. The library itself would take any
that is installed, also one that writes plain text.
"""

import secrets

import keyring
import keyring.errors
import msgspec
from keyring.backend import KeyringBackend
from keyring.backends import SecretService, Windows, chainer, kwallet, macOS

from codi.credentials.kept import Kept
from codi.protocol.errors import CredentialError

SERVICE = "codi"

_ALLOWED = (SecretService.Keyring, kwallet.DBusKeyring, macOS.Keyring, Windows.WinVaultKeyring)


class NoRing(CredentialError):
    """There is no key ring that may be used, or it does not work now."""


class KeyRing:
    """Raises NoRing, from its construction on, where there is none."""

    def __init__(self) -> None:
        self._ring = _allowed(_found())

    def get(self, name: str) -> Kept | None:
        try:
            text = self._ring.get_password(SERVICE, name)
        except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
            raise _unusable(error) from error
        return None if not text else _kept(text)

    def put(self, name: str, kept: Kept) -> None:
        self._write(name, msgspec.json.encode(kept).decode())

    def remove(self, name: str) -> bool:
        """False where it is not there."""
        try:
            if self._ring.get_password(SERVICE, name) is None:
                return False
            self._ring.delete_password(SERVICE, name)
        except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
            raise _unusable(error) from error
        return True

    def probe(self) -> None:
        """Write something, read it, delete it: a ring may be there and still not work. Raises NoRing."""
        name, text = f"probe-{secrets.token_hex(8)}", secrets.token_hex(16)
        self._write(name, text)
        try:
            read = self._ring.get_password(SERVICE, name)
        except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
            raise _unusable(error) from error
        finally:
            self.remove(name)
        if read != text:
            raise NoRing("the key ring does not give back what was put into it", hint=_HINT)

    def _write(self, name: str, text: str) -> None:
        try:
            self._ring.set_password(SERVICE, name, text)
        except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
            raise _unusable(error) from error


_HINT = "Unlock or start it, or set the key's variable; otherwise secrets are kept in credentials.enc."


def _found() -> KeyringBackend:
    try:
        return keyring.get_keyring()
    except (keyring.errors.KeyringError, ImportError, AttributeError, OSError, RuntimeError) as error:
        raise _unusable(error) from error


def _allowed(ring: KeyringBackend) -> KeyringBackend:
    """The ring that may be used; of several that the library asks in turn, the first such."""
    candidates = list(ring.backends) if isinstance(ring, chainer.ChainerBackend) else [ring]
    for candidate in candidates:
        if isinstance(candidate, _ALLOWED):
            return candidate
    named = ", ".join(f"{type(each).__module__}.{type(each).__name__}" for each in candidates)
    if named in ("keyring.backends.fail.Keyring", ""):
        raise NoRing("this system has no key ring", hint=_HINT)
    raise NoRing(f"the key ring {named} is not used: it is not known to encrypt what it keeps", hint=_HINT)


def _kept(text: str) -> Kept:
    """What codi put there; or a key alone, which a person put there with another program."""
    if text.startswith("{"):
        try:
            return msgspec.json.decode(text, type=Kept)
        except msgspec.DecodeError:
            pass
    return Kept(secret=text.strip())


def _unusable(error: Exception) -> NoRing:
    if isinstance(error, keyring.errors.KeyringLocked):
        return NoRing("the key ring is locked", hint=_HINT)
    said = " ".join(str(error).split()) or type(error).__name__
    return NoRing(f"the key ring does not work: {said[:200]}", hint=_HINT)
