"""What can go wrong between here and a service, played by a server on the loopback."""

import gzip
import socket
import time
from contextlib import closing
from email.utils import formatdate

import anyio
import pytest

from codi.protocol.errors import (
    BadRequest,
    ConfigError,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    NotFound,
    Overloaded,
    RateLimited,
    StreamCut,
)
from codi.providers.transport import Timeouts, Transport
from loopback import END, HANG, RESET, Loopback, answer, chunk, head, stream

EVENTS = [b"data: a\n\n", b"data: b\n\n"]
QUICK = Timeouts(connect_s=2.0, first_byte_s=0.1, thinking_first_byte_s=0.3, idle_s=0.15, total_s=5.0)


@pytest.fixture
def anyio_backend():
    return "asyncio"


pytestmark = pytest.mark.anyio


async def asked(transport: Transport, **options) -> list[bytes]:
    async with transport.post("/v1/messages", b"{}", {"x-api-key": "k"}, **options) as got:
        return [event.data async for event in got.sse()]


async def played(*pieces, timeouts=QUICK, **options) -> list[bytes]:
    async with Loopback(list(pieces)) as server:
        transport = Transport(server.url, service="svc", timeouts=timeouts)
        try:
            return await asked(transport, **options)
        finally:
            await transport.aclose()


async def test_a_request_is_sent_as_it_is_and_events_come_back():
    async with Loopback(stream(*EVENTS)) as server:
        transport = Transport(server.url + "/base/", service="svc", headers={"X-Team": "t"})
        async with transport.post("/x?api-version=1", b'{"a":1}', {"authorization": "Bearer t"}) as got:
            events = [event.data async for event in got.sse()]
            assert got.first_byte_ms >= 1 and got.status == 200 and got.content_type == "text/event-stream"
        await transport.aclose()

    (heard,) = server.heard
    assert events == [b"a", b"b"]
    assert (heard.method, heard.path, heard.body) == ("POST", "/base/x?api-version=1", b'{"a":1}')
    assert heard.headers["authorization"] == "Bearer t" and heard.headers["x-team"] == "t"
    assert heard.headers["content-type"] == "application/json"


async def test_a_base_url_may_hold_everything():
    async with Loopback(stream(*EVENTS)) as server:
        transport = Transport(server.url + "/chat?v=1", service="svc")
        async with transport.post("", b"{}", {}) as got:
            assert [event.data async for event in got.sse()] == [b"a", b"b"]
        await transport.aclose()

    assert server.heard[0].path == "/chat?v=1"


async def test_five_turns_use_one_connection_even_after_errors():
    busy = answer(529, b'{"error":{"type":"overloaded_error","message":"x"}}', content_type="application/json")
    async with Loopback(stream(*EVENTS), busy, stream(*EVENTS)) as server:
        transport = Transport(server.url, service="svc")
        for _ in range(5):
            try:
                await asked(transport)
            except Overloaded:
                continue
        await transport.aclose()

    assert len(server.heard) == 5 and server.connections == 1


async def test_an_answer_that_is_left_after_its_end_mark_keeps_the_connection():
    async with Loopback(stream(*EVENTS)) as server:
        transport = Transport(server.url, service="svc")
        for _ in range(2):
            async with transport.post("/", b"{}", {}) as got:
                async for event in got.sse():
                    if event.data == b"b":
                        break
        await transport.aclose()

    assert server.connections == 1


async def test_a_cut_after_the_end_mark_takes_nothing_from_the_answer():
    async with Loopback([head(), chunk(b"".join(EVENTS)), RESET]) as server:
        transport = Transport(server.url, service="svc")
        async with transport.post("/", b"{}", {}) as got:
            async for event in got.sse():
                if event.data == b"b":
                    break
        await transport.aclose()

    assert server.connections == 1


async def test_bytes_that_are_no_characters_are_replaced_in_events_and_in_lines():
    assert await played(*stream(b'data: {"a":"\xff"}\n\n')) == ['{"a":"\ufffd"}'.encode()]
    async with Loopback(answer(200, b'{"a":"\xff"}\n{"b":"\\ud83d"}\n')) as server:
        transport = Transport(server.url, service="svc")
        async with transport.post("/", b"{}", {}) as got:
            assert [line async for line in got.lines()] == ['{"a":"\ufffd"}'.encode(), b'{"b":"\\ufffd"}']
        await transport.aclose()


async def test_a_failure_said_in_bytes_that_are_no_characters_is_told_all_the_same():
    with pytest.raises(BadRequest, match="wrong \ufffd"):
        await played(*answer(400, b'{"error":{"message":"wrong \xff"}}'))


async def test_leaving_by_an_exception_hangs_up_at_once():
    async with Loopback([head(), chunk(EVENTS[0]), HANG]) as server:
        transport = Transport(server.url, service="svc")

        async def first():
            async with transport.post("/", b"{}", {}) as got:
                async for event in got.sse():
                    yield event

        events = first()
        assert (await anext(events)).data == b"a"
        closed = time.monotonic()
        await events.aclose()
        await server.hung_up.wait()
        assert time.monotonic() - closed < 0.1
        await transport.aclose()


async def test_cancelling_hangs_up_at_once():
    async with Loopback([HANG]) as server:
        transport = Transport(server.url, service="svc")
        with anyio.move_on_after(0.05):
            await asked(transport)
        begun = time.monotonic()
        await server.hung_up.wait()
        assert time.monotonic() - begun < 0.1
        await transport.aclose()


async def test_a_refused_port_says_start_the_server():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}", service="svc")

    with pytest.raises(NetworkError, match="connection refused") as caught:
        await asked(transport)

    assert f"Start the server that listens on 127.0.0.1:{port}" in caught.value.hint and caught.value.retriable
    await transport.aclose()


async def test_a_port_of_ollama_names_the_command():
    with closing(socket.socket()) as probe:
        if probe.connect_ex(("127.0.0.1", 11434)) == 0:
            pytest.skip("something listens on port 11434")
    transport = Transport("http://127.0.0.1:11434", service="ollama")

    with pytest.raises(NetworkError, match="Ollama is not running: ollama serve") as caught:
        await asked(transport)

    assert caught.value.hint == "start it with: ollama serve"
    await transport.aclose()


async def test_an_unknown_host_and_a_broken_tls():
    transport = Transport("http://no-such-host.invalid", service="svc")
    with pytest.raises(NetworkError, match="no-such-host") as caught:
        await asked(transport)
    assert "network" in caught.value.hint
    await transport.aclose()

    async with Loopback(stream(*EVENTS)) as server:
        transport = Transport(f"https://127.0.0.1:{server.port}", service="svc", timeouts=QUICK)
        with pytest.raises((NetworkError, IdleTimeout)):
            await asked(transport)
        await transport.aclose()


@pytest.mark.parametrize("url", ["nowhere", "ftp://host", "http://[::1"])
async def test_what_is_no_url_is_said_to_be_none(url):
    transport = Transport(url, service="svc")
    with pytest.raises(ConfigError, match="base URL of svc"):
        await asked(transport)
    await transport.aclose()


async def test_a_key_that_no_header_may_hold_is_not_shown():
    transport = Transport("http://127.0.0.1:1", service="svc")
    with pytest.raises(CredentialError) as caught:
        async with transport.post("/", b"{}", {"x-api-key": "geheim\n"}, key_source="A_KEY"):
            pass
    assert "A_KEY" in str(caught.value) and "geheim" not in str(caught.value) + caught.value.hint


async def test_rate_limits_tell_how_long():
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'
    for header, low, high in (("7", 7, 7), (formatdate(time.time() + 30, usegmt=True), 28, 30)):
        with pytest.raises(RateLimited, match="slow") as caught:
            await played(*answer(429, body, retry_after=header, content_type="application/json"))
        assert low <= caught.value.retry_after_s <= high
    with pytest.raises(RateLimited) as caught:
        await played(*answer(429, body, retry_after_ms="350"))
    assert caught.value.retry_after_s == 0.35


async def test_a_refused_key_is_named():
    with pytest.raises(CredentialError, match="the key in MY_KEY was refused"):
        await played(*answer(401, b"{}"), key_source="MY_KEY")


async def test_a_redirect_is_not_followed():
    with pytest.raises(BadRequest, match="redirects to https://else") as error:
        await played(*answer(308, b"", location="https://else.example/v1"))

    assert "base URL" in error.value.hint


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/event-stream", "text/plain"])
async def test_a_page_in_a_200_is_no_answer(content_type):
    with pytest.raises(MalformedAnswer, match="Sign in"):
        await played(*answer(200, b"<!doctype html><title>Sign in</title>", content_type=content_type))


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
async def test_an_error_as_json_in_a_200_is_classified(content_type):
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    with pytest.raises(Overloaded, match="busy"):
        await played(*answer(200, body, content_type=content_type))


async def test_json_where_events_were_wanted_is_seen():
    async with Loopback(answer(200, b' {"id":1}', content_type="application/json")) as server:
        transport = Transport(server.url, service="svc")
        async with transport.post("/", b"{}", {}) as got:
            assert await got.holds_json()
            assert await got.whole() == b' {"id":1}'
        await transport.aclose()


async def test_a_reset_before_the_answer_is_a_network_error():
    with pytest.raises(NetworkError) as caught:
        await played(RESET)
    assert caught.value.retriable


WHOLE = head() + chunk(EVENTS[0]) + chunk(EVENTS[1]) + END


async def test_a_cut_after_any_byte_is_never_a_clean_end():
    for at in range(len(head()) + 1, len(WHOLE)):
        with pytest.raises(StreamCut):
            await played(WHOLE[:at], RESET, timeouts=Timeouts())


async def test_a_cut_head_is_a_network_error():
    for at in range(1, len(head()), 7):
        with pytest.raises(NetworkError):
            await played(head()[:at], RESET, timeouts=Timeouts())


async def test_silence_before_the_first_byte():
    begun = time.monotonic()
    with pytest.raises(IdleTimeout, match="did not begin"):
        await played(HANG)
    assert time.monotonic() - begun < 0.3
    with pytest.raises(IdleTimeout, match="did not begin"):
        await played(head(), HANG)


async def test_thinking_may_take_longer_before_the_first_byte():
    begun = time.monotonic()
    with pytest.raises(IdleTimeout):
        await played(HANG, thinking=True)
    assert 0.25 < time.monotonic() - begun < 1


async def test_silence_in_the_middle():
    with pytest.raises(IdleTimeout, match="fell silent") as caught:
        await played(head(), chunk(EVENTS[0]), HANG)
    assert caught.value.retriable and "/model" in caught.value.hint


async def test_pings_count_as_a_sign_of_life():
    class Paced(Loopback):
        async def _answer(self, reader, writer):
            async def drain():
                await anyio.sleep(0.03)

            writer.drain = drain
            return await super()._answer(reader, writer)

    pings = [chunk(b": ping\n\n")] * 8
    async with Paced([head(), *pings, chunk(EVENTS[0]), END]) as server:
        transport = Transport(server.url, service="svc", timeouts=Timeouts(idle_s=0.1))
        assert await asked(transport) == [b"a"]
        await transport.aclose()


async def test_the_whole_request_has_a_limit():
    with pytest.raises(IdleTimeout, match="did not end"):
        await played(head(), chunk(EVENTS[0]), HANG, timeouts=Timeouts(total_s=0.1))


async def test_compressed_answers_are_unpacked_and_broken_ones_noticed():
    packed = gzip.compress(b"".join(EVENTS))
    assert await played(*answer(200, packed, content_encoding="gzip")) == [b"a", b"b"]
    with pytest.raises(MalformedAnswer, match="compressed"):
        await played(*answer(200, b"no gzip at all", content_encoding="gzip"))


async def lines_of(*pieces) -> list[bytes]:
    async with Loopback(list(pieces)) as server:
        transport = Transport(server.url, service="svc", timeouts=QUICK)
        try:
            async with transport.post("/api/chat", b"{}", {}) as got:
                return [line async for line in got.lines()]
        finally:
            await transport.aclose()


async def test_lines_of_json():
    lines = b'{"a":1}\r\n\n{"b":2}\n{"c":3}'
    pieces = [lines[at : at + 3] for at in range(0, len(lines), 3)]

    assert await lines_of(*stream(*pieces, content_type="application/x-ndjson")) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    with pytest.raises(StreamCut):
        await lines_of(*stream(b'{"a":1}\n{"b"', content_type="application/x-ndjson"))


async def test_get():
    async with Loopback(answer(200, b'{"data":[]}'), answer(404, b'{"error":{"message":"no"}}')) as server:
        transport = Transport(server.url, service="svc")
        assert await transport.get("/v1/models", {}) == b'{"data":[]}'
        with pytest.raises(NotFound, match="404"):
            await transport.get("/v1/models", {})
        await transport.aclose()

    assert server.heard[0].method == "GET" and server.connections == 1


async def test_a_proxy_from_the_environment_is_used(monkeypatch):
    async with Loopback(stream(*EVENTS)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        transport = Transport("http://service.example", service="svc")
        assert await asked(transport) == [b"a", b"b"]
        await transport.aclose()

    assert proxy.heard[0].path == "http://service.example/v1/messages"


async def test_a_proxy_or_certificates_that_cannot_be_used_are_named(monkeypatch, tmp_path):
    transport = Transport("https://service.example", service="svc")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match="certificates") as caught:
        await asked(transport)
    assert "SSL_CERT_FILE" in caught.value.hint

    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("ALL_PROXY", "carrier-pigeon://coop")
    with pytest.raises(ConfigError, match="proxy") as caught:
        await asked(transport)
    assert "ALL_PROXY" in caught.value.hint
