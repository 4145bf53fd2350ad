"""The server keeps what it is asked, tells where it was not what the script expects, and runs wherever it is put."""

import http.client
import json
import subprocess
import sys

import anyio
import pytest
from asking import BY_NAME, FORMS, Client, following

from codi.lab.running import running
from codi.lab.server import LabServer, serve
from codi.providers.script import script_of

ANTHROPIC = BY_NAME["anthropic-messages"]
HELLO = {"loop": True, "steps": [{"text": "Hello"}]}


def test_five_requests_come_on_one_connection_and_are_kept():
    with running(HELLO) as server:
        client = Client(server.url)
        for form in FORMS:
            client.ask(form)
        assert server.connections == 1 and [request.connection for request in server.requests] == [1] * 5
        kept = server.requests[0]
        assert (kept.method, kept.path, kept.headers["x-api-key"]) == ("POST", "/v1/messages", "k")
        assert kept.json == ANTHROPIC.whole()[1] and kept.body.startswith(b"{")
        assert (kept.format, kept.status, kept.ended) == ("anthropic-messages", 200, "answered")
        assert kept.ended_at >= kept.at


def test_an_unmet_expectation_answers_599_and_tells_the_difference():
    with running([{"expect": {"message": "^stop$"}, "text": "a"}]) as server:
        client = Client(server.url)
        for form in FORMS:
            told = client.ask(form)
            assert told.status == 599 and told.headers["x-should-retry"] == "false"
            error = told.json["error"]
            assert "- message =~ ^stop$\n+ message: 'go'" in (error if isinstance(error, str) else error["message"])
        assert len(server.failures) == 5 and not server.finished
        assert server.requests[0].status == 599


def test_one_request_too_many_is_a_failure():
    with running([{"text": "a"}]) as server:
        client = Client(server.url)
        assert [client.ask(ANTHROPIC).status for _ in range(2)] == [200, 599]
        assert "over after its 1 step" in server.failures[0]


def test_models_are_listed_as_each_service_does():
    with running(HELLO, models=("big", "small")) as server:
        client = Client(server.url)
        assert [model["id"] for model in client.get("/v1/models").json["data"]] == ["big", "small"]
        assert client.get("/v1/models", {"anthropic-version": "2023-06-01"}).json["data"][0]["type"] == "model"
        assert client.get("/v1beta/models").json["models"][1]["name"] == "models/small"
        assert client.get("/api/tags").json["models"][0]["model"] == "big"
        shown = client.post("/api/show", {"model": "big"}, {}).json
        assert shown["model_info"]["lab.context_length"] == 200_000 and "tools" in shown["capabilities"]
        assert client.get("/v1/models/big").json["id"] == "big"
        assert client.get("/nowhere").status == 404 and client.post("/v2/nothing", {}, {}).status == 404
        assert server.violations == []


def test_tokens_are_counted_without_playing_a_step():
    with running([{"text": "a"}]) as server:
        client = Client(server.url)
        body = {key: ANTHROPIC.body[key] for key in ("model", "messages", "system", "tools")}
        assert client.post("/v1/messages/count_tokens", body, ANTHROPIC.headers).json["input_tokens"] > 20
        google = BY_NAME["google"]
        path = google.path.replace("generateContent", "countTokens")
        assert client.post(path, {"contents": google.body["contents"]}, google.headers).json["totalTokens"] > 5
        assert not server.finished


def test_a_body_that_is_no_json_is_refused():
    with running(HELLO) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/v1/messages", "{", ANTHROPIC.headers)
        assert connection.getresponse().status == 400
        assert server.violations == ["anthropic-messages: The body of the request is not a JSON object."]


def test_bodies_may_come_in_chunks():
    with running(HELLO) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        pieces = [piece.encode() for piece in json.dumps(ANTHROPIC.body).partition("messages")]
        connection.request("POST", "/v1/messages", iter(pieces), ANTHROPIC.headers, encode_chunked=True)
        assert connection.getresponse().status == 200


def test_a_lenient_server_answers_whatever_is_asked():
    with running([{"text": "a", "repeat": 2}], strict=False) as server:
        client = Client(server.url)
        told = client.post("/v1/messages", {"model": "m", "stream": True, "frobnicate": [1]}, {})
        assert told.events[0]["message"]["model"] == "m" and told.events[-1]["type"] == "message_stop"
        assert client.post("/v1/chat/completions", {}, {}).json["choices"][0]["message"]["content"] == "a"
        assert server.violations == []


def test_a_lenient_server_still_plays_a_script_that_looks():
    steps = [{"calls": [{"id": "c", "name": "read", "arguments": {}}]}, {"text": "{{result:c:\\w+}}"}]
    with running(steps, strict=False) as server:
        client = Client(server.url)
        answer = client.ask(ANTHROPIC).json
        assert client.ask(ANTHROPIC, following(ANTHROPIC, answer, ["seen"])).json["content"][0]["text"] == "seen"


def test_branches_keep_workers_apart():
    script = {
        "steps": [{"text": "main"}],
        "branches": [{"when": {"first": "^task"}, "steps": [{"text": "one"}, {"text": "two"}]}],
    }
    with running(script) as server:
        client = Client(server.url)

        def asked(text):
            body = ANTHROPIC.body | {"messages": [{"role": "user", "content": text}]}
            return client.ask(ANTHROPIC, body).json["content"][0]["text"]

        assert [asked("task a"), asked("go"), asked("task b"), asked("task a")] == ["one", "main", "one", "two"]


def test_requests_are_logged_as_they_came(tmp_path):
    with running(HELLO, log=str(tmp_path / "log.jsonl")) as server:
        Client(server.url).ask(ANTHROPIC)
    (line,) = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert line["headers"]["x-api-key"] == "k" and line["body"]["model"] == ANTHROPIC.body["model"]


def test_waiting_for_what_never_comes_ends():
    with running(HELLO) as server:
        with pytest.raises(TimeoutError):
            server.wait_for(lambda server: bool(server.requests), timeout_s=0.01)


def test_a_stopped_server_is_gone_and_stopping_twice_is_harmless():
    with running(HELLO) as server:
        client = Client(server.url)
        client.ask(ANTHROPIC)
        server.stop()
        with pytest.raises(OSError):
            Client(server.url).ask(ANTHROPIC)


def test_a_port_that_is_taken_is_told_at_once():
    with running(HELLO) as server:
        with pytest.raises(OSError):
            LabServer(script_of(HELLO), port=server.port)


def test_it_serves_inside_an_event_loop():
    async def main():
        told = []
        async with anyio.create_task_group() as tasks:

            async def ready_then_ask(server):
                client = Client(server.url)
                told.append(await anyio.to_thread.run_sync(client.ask, ANTHROPIC))
                tasks.cancel_scope.cancel()

            await serve(script_of(HELLO), 0, lambda server: tasks.start_soon(ready_then_ask, server))
        return told

    (answer,) = anyio.run(main)
    assert answer.json["content"][0]["text"] == "Hello"


def test_it_serves_as_a_process(tmp_path):
    (tmp_path / "s.yaml").write_text("steps:\n  - text: From a process.\n")
    words = [sys.executable, "-m", "codi.lab.server", str(tmp_path / "s.yaml"), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert Client(url).ask(ANTHROPIC).json["content"][0]["text"] == "From a process."
        process.terminate()


def test_a_broken_script_is_one_line_and_a_hint(tmp_path):
    (tmp_path / "s.yaml").write_text("steps:\n  - txet: x\n")
    words = [sys.executable, "-m", "codi.lab.server", str(tmp_path / "s.yaml")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and "\nhint: " in done.stderr
    assert "step 1" in done.stderr and "Traceback" not in done.stderr


def test_what_breaks_the_server_itself_is_told_when_it_stops():
    with pytest.raises(ExceptionGroup) as broken:
        with running(HELLO) as server:
            del server.service.player
            with pytest.raises(http.client.RemoteDisconnected):
                Client(server.url).ask(ANTHROPIC)
    assert broken.group_contains(AttributeError)


def test_a_service_may_have_a_model_without_tools():
    with running(HELLO, takes_tools=False) as server:
        client = Client(server.url)
        shown = client.post("/api/show", {"model": "big"}, {}).json
        assert "tools" not in shown["capabilities"]
        tool = {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}
        asked = {"model": "big", "messages": [{"role": "user", "content": "hi"}], "stream": False}
        refusal = client.post("/api/chat", asked | {"tools": [tool]}, {})
        assert refusal.status == 400 and "does not support tools" in refusal.json["error"]
        assert client.post("/api/chat", asked, {}).status == 200 and server.violations == []
