"""Every fault is seen on the socket as it is meant to be, and the step is played when the fault is over."""

import gzip
import http.client
import json
import socket
import struct
import time
from email.utils import parsedate_to_datetime

import pytest
from asking import BY_NAME, FORMS, Client

from codi.lab.running import running

ANTHROPIC = BY_NAME["anthropic-messages"]
CHAT = BY_NAME["openai-chat"]
TEXT = "A sentence that is long enough to be cut: größer."


def steps(fault, text=TEXT):
    return [{"text": text, "chunk": 5, "fault": fault}, {"text": "next"}]


def exchanged(server, form=ANTHROPIC):
    """What comes over a socket of its own until it is closed, and how it is closed."""
    path, body = form.streamed()
    content = json.dumps(body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in form.headers.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(content)}\r\n\r\n".encode() + content
        )
        received = bytearray()
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return bytes(received), "reset"
        except TimeoutError:
            return bytes(received), "silence"
    return bytes(received), "closed"


def dechunked(received):
    _, _, rest = received.partition(b"\r\n\r\n")
    chunks = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return chunks


def whole_stream(form=ANTHROPIC):
    with running(steps(None)) as server:
        return Client(server.url).ask(form, stream=True).body


def test_a_status_with_its_headers_and_then_the_answer():
    fault = {"kind": "status", "status": 429, "retry_after": 2, "headers": {"X-Ratelimit-Reset": "9"}, "times": 2}
    with running(steps(fault)) as server:
        client = Client(server.url)
        for _ in range(2):
            told = client.ask(ANTHROPIC, stream=True)
            assert (told.status, told.headers["retry-after"], told.headers["x-ratelimit-reset"]) == (429, "2", "9")
            assert told.json["error"]["type"] == "rate_limit_error"
        assert client.ask(ANTHROPIC, stream=True).status == 200
        assert server.connections == 1


def test_retry_after_as_date_as_milliseconds_or_not_at_all():
    waits = ["date:30", "ms:1500", None]
    with running([{"fault": {"kind": "status", "status": 429, "retry_after": wait}} for wait in waits]) as server:
        client = Client(server.url)
        dated, milliseconds, none = [client.ask(CHAT).headers for _ in waits]
    assert 28 <= parsedate_to_datetime(dated["retry-after"]).timestamp() - time.time() <= 31
    assert milliseconds["retry-after-ms"] == "1500"
    assert not {"retry-after", "retry-after-ms"} & set(none)


def test_a_server_whose_clock_is_off():
    with running([{"fault": {"kind": "status", "status": 503, "retry_after": "date:5", "skew_s": 3600}}]) as server:
        headers = Client(server.url).ask(CHAT).headers
    until, now = (parsedate_to_datetime(headers[name]).timestamp() for name in ("retry-after", "date"))
    assert until - now == 5 and 3590 < now - time.time() < 3610


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_each_service_words_its_errors(form, status):
    with running([{"fault": {"kind": "status", "status": status, "message": "No."}}]) as server:
        told = Client(server.url).ask(form)
    error = told.json["error"]
    assert told.status == status and "No." in (error if isinstance(error, str) else error["message"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("anthropic-messages", "prompt is too long"),
        ("openai-chat", "maximum context length"),
        ("openai-responses", "exceeds the context window"),
        ("google", "exceeds the maximum number of tokens"),
        ("ollama", "exceeds the context length"),
    ],
)
def test_a_conversation_that_is_too_long(name, words):
    with running([{"fault": {"kind": "status", "status": 400, "type": "context"}}]) as server:
        told = Client(server.url).ask(BY_NAME[name])
    assert told.status == 400 and words in told.body.decode()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_error_in_the_middle_of_a_stream(form):
    with running(steps({"kind": "error_event", "at": 150, "message": "Overloaded."})) as server:
        events = Client(server.url).ask(form, stream=True).events
    assert len(events) > 1 and "Overloaded." in json.dumps(events[-1]) and "error" in json.dumps(events[-1])


@pytest.mark.parametrize("at", [0, 1, 57, 400])
def test_a_cut_ends_the_connection_at_the_byte(at):
    with running(steps({"kind": "cut", "at": at})) as server:
        received, how = exchanged(server)
        assert how == "closed" and not received.endswith(b"0\r\n\r\n")
        assert b"".join(dechunked(received)) == b"" if at == 0 else len(b"".join(dechunked(received))) == at
        assert server.requests[0].ended == "fault"
        client = Client(server.url)
        assert b"next" not in client.ask(ANTHROPIC, stream=True).body
        assert b"next" in client.ask(ANTHROPIC, stream=True).body


def test_a_cut_is_an_incomplete_read_for_a_client():
    with running(steps({"kind": "cut", "at": 100})) as server:
        with pytest.raises(http.client.IncompleteRead):
            Client(server.url).ask(ANTHROPIC, stream=True)


def test_a_stream_that_ends_well_for_http_but_without_its_last_event():
    with running(steps({"kind": "unfinished"})) as server:
        told = Client(server.url).ask(ANTHROPIC, stream=True)
    assert told.status == 200 and b"message_start" in told.body and b"message_stop" not in told.body


def test_a_reset_before_and_after_the_head():
    with running(steps({"kind": "reset"})) as server:
        assert exchanged(server) == (b"", "reset")
    with running(steps({"kind": "reset", "at": 40})) as server:
        received, how = exchanged(server)
        assert (how == "reset" and received.startswith(b"HTTP/1.1 200")) or received == b""


def test_refused_connections_and_then_the_answer():
    with running([{"text": "first"}, *steps({"kind": "refuse", "seconds": 0.6})]) as server:
        client = Client(server.url)
        assert client.ask(ANTHROPIC).headers["connection"] == "close"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
        server.wait_for(lambda server: not server.refusing)
        told = Client(server.url).ask(ANTHROPIC)
        assert TEXT.encode() in told.body


def test_refused_from_the_very_beginning():
    with running(steps({"kind": "refuse", "seconds": 5})) as server:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))


def test_idle_connections_do_not_outlive_a_refusal():
    with running([{"text": "first"}, *steps({"kind": "refuse", "seconds": 5})]) as server:
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        server.wait_for(lambda server: server.connections == 1)
        Client(server.url).ask(ANTHROPIC)
        assert idle.recv(1) == b""


def test_a_stall_goes_on_when_its_time_is_over():
    with running(steps({"kind": "stall", "at": 50, "seconds": 0.2})) as server:
        began = time.monotonic()
        assert Client(server.url).ask(ANTHROPIC, stream=True).body.endswith(b'message_stop"}\n\n')
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("kind", ["stall", "slow", "slow_first_byte"])
def test_the_server_notices_that_the_client_has_gone(kind):
    with running(steps({"kind": kind, "seconds": 60})) as server:
        path, body = ANTHROPIC.streamed()
        client = Client(server.url)
        client.connection.request("POST", path, json.dumps(body), ANTHROPIC.headers)
        server.wait_for(lambda server: bool(server.requests))
        left = time.monotonic()
        client.connection.close()
        server.wait_for(lambda server: server.requests[0].ended == "client gone")
        assert server.requests[0].ended_at - left < 1


def test_a_half_open_connection_says_nothing_and_never_closes():
    with running(steps({"kind": "half_open", "at": 30})) as server:
        path, body = ANTHROPIC.streamed()
        client = Client(server.url)
        client.connection.request("POST", path, json.dumps(body), ANTHROPIC.headers)
        response = client.connection.getresponse()
        assert len(response.read1(30)) == 30
        client.connection.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            response.read1(1)
        assert server.requests[0].ended == "fault"


def test_a_slow_drip_comes_in_small_pieces():
    with running(steps({"kind": "slow", "size": 200, "seconds": 0.01}, "a")) as server:
        began = time.monotonic()
        received, _ = exchanged_until_end(server)
        pieces = dechunked(received)
        assert max(map(len, pieces)) == 200 and time.monotonic() - began >= 0.01 * (len(pieces) - 2)


def exchanged_until_end(server, form=ANTHROPIC):
    path, body = form.streamed()
    content = json.dumps(body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in form.headers.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        start = f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}content-length: {len(content)}\r\n\r\n"
        connection.sendall(start.encode() + content)
        received = bytearray()
        while piece := connection.recv(65536):
            received += piece
    return bytes(received), "closed"


def test_split_to_single_bytes_the_answer_is_the_same():
    with running(steps("split")) as server:
        received, _ = exchanged_until_end(server)
        pieces = dechunked(received)
    assert {len(piece) for piece in pieces[:-1]} == {1}
    assert "ö".encode() in b"".join(pieces)
    assert kinds(b"".join(pieces)) == kinds(whole_stream())


def kinds(body):
    return [line for line in body.decode().splitlines() if line.startswith("event: ")]


def test_lines_may_end_with_carriage_returns():
    with running(steps("crlf")) as server:
        body = Client(server.url).ask(ANTHROPIC, stream=True).body
    assert body.count(b"\r\n") == body.count(b"\n") > 10 and kinds(body) == kinds(whole_stream())


def test_one_line_of_ten_megabytes():
    with running(steps("long_line")) as server:
        body = Client(server.url).ask(ANTHROPIC, stream=True).body
    assert max(map(len, body.split(b"\n"))) > 10 * 1024 * 1024 and kinds(body) == kinds(whole_stream())


def test_garbage_and_invalid_utf8():
    with running(steps({"kind": "garbage", "at": 60})) as server:
        assert len(Client(server.url).ask(ANTHROPIC, stream=True).body) == 60 + 512
    with running(steps("bad_utf8")) as server:
        with pytest.raises(UnicodeDecodeError):
            Client(server.url).ask(ANTHROPIC, stream=True).body.decode()


def test_a_page_or_another_type_in_place_of_an_answer():
    with running([{"fault": {"kind": "html", "message": "Log in"}}, *steps("content_type")]) as server:
        client = Client(server.url)
        told = client.ask(CHAT, stream=True)
        assert told.status == 200 and told.headers["content-type"].startswith("text/html")
        assert b"<title>Log in</title>" in told.body
        assert client.ask(CHAT, stream=True).headers["content-type"] == "text/plain"


def test_an_error_as_json_with_status_200():
    with running(steps("json_in_stream")) as server:
        told = Client(server.url).ask(CHAT, stream=True)
    assert (told.status, told.headers["content-type"]) == (200, "application/json") and "error" in told.json


def test_compressed_and_cut():
    with running([{"text": TEXT, "fault": "gzip"}, {"text": TEXT, "fault": {"kind": "gzip", "at": 40}}]) as server:
        told = Client(server.url).ask(CHAT, stream=True)
        assert told.headers["content-encoding"] == "gzip" and b"[DONE]" in gzip.decompress(told.body)
        with pytest.raises(http.client.IncompleteRead):
            Client(server.url).ask(CHAT, stream=True)


CALL = {"calls": [{"name": "write", "arguments": {"path": "a.py", "content": "x" * 40}}]}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "length",
            {
                "anthropic-messages": "max_tokens",
                "openai-chat": "length",
                "openai-responses": "incomplete",
                "google": "MAX_TOKENS",
                "ollama": "length",
            },
        ),
        (
            "truncate",
            {"anthropic-messages": "tool_use", "openai-chat": "tool_calls", "google": "MALFORMED_FUNCTION_CALL"},
        ),
    ],
)
def test_cut_arguments(kind, words):
    with running([CALL | {"fault": kind}] * len(words)) as server:
        client = Client(server.url)
        for name, word in words.items():
            body = client.ask(BY_NAME[name], stream=True).body
            assert word.encode() in body and b"x" * 40 not in body


def test_a_first_byte_that_takes_its_time():
    with running(steps({"kind": "slow_first_byte", "seconds": 0.2})) as server:
        began = time.monotonic()
        assert Client(server.url).ask(ANTHROPIC, stream=True).status == 200
        assert time.monotonic() - began >= 0.2


def test_delays_and_pauses_between_pieces():
    with running([{"text": "abcdef", "chunk": 1, "delay_ms": 100, "pause_ms": 10}]) as server:
        began = time.monotonic()
        assert Client(server.url).ask(ANTHROPIC, stream=True).status == 200
        assert time.monotonic() - began >= 0.1 + 0.01 * 6


def test_a_client_that_resets_does_no_harm():
    with running({"loop": True, "steps": [{"text": "a"}]}) as server:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: 100\r\n\r\n{")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert Client(server.url).ask(ANTHROPIC).status == 200
