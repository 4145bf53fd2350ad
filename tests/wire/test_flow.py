"""Connections whose bytes are read a picture at a time lose none of them, plain and encrypted, fast and slow."""

import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener

from codi.protocol.network import Connection, Errand
from codi.wire.counted import count

Say = Callable[[SocketStream], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    made = [*words.split(), "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    return folder


async def _asked(say: Say, certificate: Path | None = None) -> tuple[bytes, list[Connection]]:
    """The body of what `say` sends, read through a counted client."""
    told: list[Connection] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await say(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    trusted = ssl.create_default_context(cafile=str(certificate / "certificate.pem")) if certificate else False
    if certificate:
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
        listener = TLSListener(listener, served, standard_compatible=False)  # type: ignore[assignment]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        errand = Errand("model", "test", told.append)
        made = httpx2.AsyncClient(verify=trusted, trust_env=False, timeout=None)
        try:
            async with count(made, errand) as client:
                scheme = "https" if certificate else "http"
                async with client.stream("POST", f"{scheme}://127.0.0.1:{port}/", content=b"?") as response:
                    body = b"".join([piece async for piece in response.aiter_bytes()])
        finally:
            tasks.cancel_scope.cancel()
    return body, told


def _run(say: Say, certificate: Path | None = None) -> tuple[bytes, list[Connection]]:
    return anyio.run(_asked, say, certificate)


async def _in_many_packets(stream: SocketStream) -> None:
    await stream.send(HEAD)
    for number in range(120):
        word = b"word %d\n" % number
        await stream.send(b"%x\r\n%b\r\n" % (len(word), word))
        await anyio.sleep(0.002)
    await stream.send(b"0\r\n\r\n")


MANY = b"".join(b"word %d\n" % number for number in range(120))


def test_an_answer_in_many_packets_is_whole() -> None:
    body, (connection,) = _run(_in_many_packets)
    assert body == MANY
    framed = sum(len(b"%x\r\n" % len(line)) + 2 for line in MANY.splitlines(keepends=True))
    assert connection.down == len(HEAD) + len(MANY) + framed + len(b"0\r\n\r\n")


def test_the_same_encrypted(certificate: Path) -> None:
    assert _run(_in_many_packets, certificate)[0] == MANY


def test_a_large_answer_is_whole(certificate: Path) -> None:
    large = bytes(range(256)) * 20_000

    async def say(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(large))
        await stream.send(large)

    assert _run(say)[0] == large
    assert _run(say, certificate)[0] == large


def test_an_answer_that_breaks_off_is_an_error() -> None:
    async def say(stream: SocketStream) -> None:
        await stream.send(HEAD + b"5\r\nhel")

    with pytest.raises(BaseExceptionGroup) as caught:
        _run(say)
    assert caught.group_contains(httpx2.RemoteProtocolError)


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    async def ask() -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
        port = listener.extra(SocketAttribute.local_port)

        async def serve(stream: SocketStream) -> None:
            await stream.aclose()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(TLSListener(listener, served).serve, serve)
            client = httpx2.AsyncClient(verify=ssl.create_default_context(), trust_env=False)
            async with count(client, Errand("model", "test")) as asking:
                with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    await asking.get(f"https://127.0.0.1:{port}/")
            tasks.cancel_scope.cancel()

    anyio.run(ask)
