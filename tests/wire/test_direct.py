"""Connections of our own: encrypted to whom they should be, used again while they stand, counted as they travel."""

import datetime
import gzip
import ssl

import anyio
import httpx2
import pytest
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from codi.protocol.network import Errand
from codi.wire.direct import Address, Direct
from codi.wire.mishaps import CutOff, NotConnected, NotSent, NotUnpacked, NoUrl
from codi.wire.trusting import trusted

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def certificate(folder, host):
    """A certificate of itself for a host; its file holds the key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(made.public_bytes(pem) + private)
    return str(path)


def talk(work, answer=OK, *, tls="", closes=False):
    """`work(client, url)` beside a server that answers each request so; what it returns, the connections it made, and what was
    told of them."""
    told = []
    connections = 0

    async def serve(stream):
        nonlocal connections
        connections += 1
        async with stream:
            with anyio.move_on_after(10):
                while True:
                    heard = b""
                    while b"\r\n\r\n" not in heard:
                        try:
                            heard += await stream.receive()
                        except (anyio.EndOfStream, anyio.BrokenResourceError):
                            return
                    await stream.send(answer)
                    if closes:
                        return

    async def main():
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls)
            listener = TLSListener(listener, context, standard_compatible=False)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            client = Direct(trusted(), Errand("test", "it", told.append), connect_s=5, keep_s=60)
            try:
                return await work(client, f"{'https' if tls else 'http'}://localhost:{port}/x")
            finally:
                await client.aclose()
                tasks.cancel_scope.cancel()

    return anyio.run(main), connections, told


async def asked(client, url):
    address = Address.of(url)
    response = await client.send("GET", address, {"host": address.authority}, None)
    try:
        return b"".join([piece async for piece in response.aiter_bytes()])
    finally:
        await response.aclose()


async def twice(client, url):
    return await asked(client, url) + await asked(client, url)


def test_a_connection_is_used_again_and_told_of_once():
    body, connections, told = talk(twice)
    assert (body, connections) == (b"okok", 1)
    ((account),) = told
    assert account.verdict == "allowed" and account.down == 2 * len(OK) and account.up > 0


def test_a_connection_that_the_server_ended_is_not_used_again():
    async def work(client, url):
        first = await asked(client, url)
        for _, line in client._idle:
            with anyio.fail_after(5):
                while not line.is_at_end():
                    await anyio.sleep(0)
        return first + await asked(client, url)

    body, connections, _ = talk(work, closes=True)
    assert (body, connections) == (b"okok", 2)


def test_an_answer_that_is_left_closes_its_connection():
    async def work(client, url):
        response = await client.send("GET", Address.of(url), {"host": "localhost"}, None)
        await response.aclose()
        return await asked(client, url)

    assert talk(work)[1] == 2


def test_an_encrypted_connection_is_believed_by_its_certificate(tmp_path, monkeypatch):
    own = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", own)
    body, connections, (account,) = talk(twice, tls=own)
    assert (body, connections) == (b"okok", 1) and account.down > 2 * len(OK), "counted as it travels"


@pytest.mark.parametrize("host", ["localhost", "other.example"])
def test_nobody_else_is_believed(tmp_path, monkeypatch, host):
    """Neither a certificate that nobody vouches for, nor one of another host."""
    shown = certificate(tmp_path, host)
    if host == "other.example":
        monkeypatch.setenv("SSL_CERT_FILE", shown)

    async def work(client, url):
        with pytest.raises(NotConnected) as refused:
            await asked(client, url)
        return refused.value

    error, _, _ = talk(work, tls=shown)
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)


def test_what_is_packed_is_unpacked():
    packed = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    assert talk(asked, head % len(packed) + packed)[0] == b"hello"

    async def work(client, url):
        with pytest.raises(NotUnpacked):
            await asked(client, url)

    talk(work, head % 4 + b"oops")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", NotSent),
        (b"nonsense\r\n\r\n", NotSent),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", CutOff),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", CutOff),
    ],
)
def test_a_connection_that_breaks_is_told_apart(answer, kind):
    async def work(client, url):
        with pytest.raises(kind):
            await asked(client, url)

    talk(work, answer, closes=True)


@pytest.mark.parametrize("behind", [b"nonsense\r\n", b"-2\r\nok\r\n", b"f" * 200_000])
def test_what_came_before_nonsense_is_handed_up_first(behind):
    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n" + behind

    async def work(client, url):
        heard = b""
        response = await client.send("GET", Address.of(url), {"host": "localhost"}, None)
        with pytest.raises(CutOff) as broken:
            async for piece in response.aiter_bytes():
                heard += piece
        await response.aclose()
        return heard, str(broken.value)

    (heard, why), _, _ = talk(work, answer)
    assert heard == b"one two" and why


def test_nobody_who_listens_is_no_connection():
    async def work(client, url):
        with pytest.raises(NotConnected) as refused:
            await asked(client, "http://127.0.0.1:1/")
        return refused.value

    _, _, (account,) = talk(work)
    assert account.verdict.startswith("failed: ")


@pytest.mark.parametrize(
    "url", ["", "host/path", "ftp://host", "http://", "http://h:port", "http://a b/", "http://[::1"]
)
def test_what_is_no_url(url):
    with pytest.raises(NoUrl):
        Address.of(url)


@given(st.text(st.sampled_from("abz09-._~/%!$&'()*+,;=:@ü \"<>"), max_size=20), st.sampled_from(["", "q=1&ü=%20"]))
def test_a_path_is_sent_as_the_large_library_sends_it(path, query):
    url = f"http://host/{path}" + (f"?{query}" if query else "")
    assert Address.of(url).target.rstrip("/") == httpx2.URL(url).raw_path.decode().rstrip("/")
