"""Bytes sealed by a passphrase: Argon2id makes the key, ChaCha20-Poly1305 seals.

A sealed file is one line of JSON that says how it was made, and after it the sealed bytes. The line is authenticated with
them, so that no byte of the whole can change unnoticed. Salt and nonce are new with each sealing.
"""

import secrets
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Struct

Opens = Literal["passphrase", "key file"]

_MEMORY_LIMIT_KIB = 1024 * 1024
_TIME_LIMIT, _LANES_LIMIT = 64, 16
_HEAD_LIMIT = 4096


class Cost(Struct, frozen=True):
    """What Argon2id takes: passes, KiB of memory, lanes."""

    t: int = 3
    m: int = 64 * 1024
    p: int = 1


USUAL = Cost()


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line. `opens` says what the passphrase is: a person's, or what stands in the file beside."""

    version: Literal[1]
    opens: Opens
    kdf: Literal["argon2id"]
    t: int
    m: int
    p: int
    salt: bytes
    cipher: Literal["chacha20-poly1305"]
    nonce: bytes


class Damaged(Exception):
    """The bytes are not what was sealed, or the passphrase is not the one that sealed them: nobody can tell which."""


def seal(plain: bytes, passphrase: str, opens: Opens = "passphrase", cost: Cost = USUAL) -> bytes:
    head = Head(
        version=1,
        opens=opens,
        kdf="argon2id",
        t=cost.t,
        m=cost.m,
        p=cost.p,
        salt=secrets.token_bytes(16),
        cipher="chacha20-poly1305",
        nonce=secrets.token_bytes(12),
    )
    line = msgspec.json.encode(head) + b"\n"
    return line + ChaCha20Poly1305(_key(head, passphrase)).encrypt(head.nonce, plain, line)


def head_of(sealed: bytes) -> Head:
    """How it was made. Raises Damaged where it is no sealed file, or one that would take more than codi gives."""
    line, newline, _ = sealed[:_HEAD_LIMIT].partition(b"\n")
    if not newline:
        raise Damaged("it does not begin as a sealed file does")
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Damaged(f"its first line is broken: {error}") from error
    if head.m > _MEMORY_LIMIT_KIB:
        raise Damaged(f"opening it would take {head.m // 1024} MiB of memory, and more than 1 GiB is refused")
    if head.t > _TIME_LIMIT or head.p > _LANES_LIMIT:
        raise Damaged("opening it would take longer than any file that codi wrote")
    return head


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Raises Damaged."""
    head = head_of(sealed)
    line, _, content = sealed.partition(b"\n")
    try:
        return ChaCha20Poly1305(_key(head, passphrase)).decrypt(head.nonce, content, line + b"\n")
    except InvalidTag as error:
        raise Damaged("the passphrase is wrong, or the file was changed") from error
    except ValueError as error:
        raise Damaged(f"its first line is broken: {error}") from error


def _key(head: Head, passphrase: str) -> bytes:
    try:
        argon = Argon2id(salt=head.salt, length=32, iterations=head.t, lanes=head.p, memory_cost=head.m)
        return argon.derive(passphrase.encode("utf-8", "surrogateescape"))
    except (ValueError, OverflowError, UnsupportedAlgorithm, MemoryError) as error:
        raise Damaged(f"no key can be made as its first line says: {error}") from error
