"""The encrypted file: published vectors, and nothing that changes unnoticed."""

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.credentials.sealing import Cost, Damaged, head_of, seal, unseal

CHEAP = Cost(t=1, m=8, p=1)


def test_the_cipher_is_that_of_rfc_8439():
    """Section 2.8.2."""
    key = bytes(range(0x80, 0xA0))
    nonce = bytes.fromhex("070000004041424344454647")
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    plain = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plain, aad)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


def test_the_key_is_made_as_in_rfc_9106():
    """Section 5.3, by the same function, with its secret and its associated data."""
    argon = Argon2id(
        salt=bytes([2] * 16),
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=bytes([4] * 12),
        secret=bytes([3] * 8),
    )
    assert argon.derive(bytes([1] * 32)).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_a_sealed_file_opens_with_these_two_functions_alone():
    """What is written is what is said: anybody can open it who has the passphrase."""
    sealed = seal(b"secret", "pass", cost=CHEAP)
    line, _, content = sealed.partition(b"\n")
    head = head_of(sealed)
    key = Argon2id(salt=head.salt, length=32, iterations=head.t, lanes=head.p, memory_cost=head.m).derive(b"pass")
    assert ChaCha20Poly1305(key).decrypt(head.nonce, content, line + b"\n") == b"secret"


def test_the_cost_is_what_was_chosen():
    head = head_of(seal(b"", "p"))
    assert (head.kdf, head.t, head.m, head.p, head.cipher) == ("argon2id", 3, 65536, 1, "chacha20-poly1305")


def test_salt_and_nonce_are_new_each_time():
    heads = [head_of(seal(b"same", "same", cost=CHEAP)) for _ in range(20)]
    assert len({head.salt for head in heads}) == len({head.nonce for head in heads}) == 20
    assert {len(head.salt) for head in heads} == {16}


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_is_unsealed(plain, passphrase):
    assert unseal(seal(plain, passphrase, cost=CHEAP), passphrase) == plain


def test_another_passphrase_opens_nothing():
    with pytest.raises(Damaged, match="passphrase is wrong"):
        unseal(seal(b"x", "right", cost=CHEAP), "wrong")


def test_no_byte_changes_unnoticed():
    sealed = seal(b'{"anthropic":{"secret":"sk-1"}}', "p", cost=CHEAP)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(Damaged):
            unseal(bytes(changed), "p")
    for end in range(len(sealed)):
        with pytest.raises(Damaged):
            unseal(sealed[:end], "p")


@pytest.mark.parametrize("changes", [{"m": 1024 * 1024 + 1}, {"t": 65}, {"p": 17}, {"version": 2}, {"kdf": "scrypt"}])
def test_a_file_that_would_take_too_much_is_refused_before_it_is_tried(changes):
    line, _, content = seal(b"x", "p", cost=CHEAP).partition(b"\n")
    head = msgspec.json.decode(line) | changes
    with pytest.raises(Damaged):
        head_of(msgspec.json.encode(head) + b"\n" + content)
