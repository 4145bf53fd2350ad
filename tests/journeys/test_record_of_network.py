"""Every connection that codi makes is written down once; offline it makes none."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conftest import Codi, call, says


class Door:
    """Counts who comes in on this machine, and what they send, and leads them on to a server."""

    def __init__(self, port: int) -> None:
        self.come: list[list[int]] = []
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._listening.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", self._to))
            went = [0, 0]
            self.come.append(went)
            for source, sink, at in ((one, other, 0), (other, one, 1)):
                threading.Thread(target=self._carry, args=(source, sink, went, at), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, went: list[int], at: int) -> None:
        try:
            while piece := source.recv(65536):
                went[at] += len(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listening.close()


@contextmanager
def door_to(server) -> Iterator[Door]:
    door = Door(int(server.url.rpartition(":")[2]))
    yield door
    door.close()


def ledger(codi: Codi, *words: str) -> list[dict]:
    return [json.loads(line) for line in codi("log", "network", "--json", *words).out.splitlines()]


def test_the_ledger_equals_what_came_in(codi, lab):
    server = lab([says("", call("read", path="a.txt")), says("Done.")])
    (codi.cwd / "a.txt").write_text("a")
    with door_to(server) as door:
        codi.env["ANTHROPIC_BASE_URL"] = f"http://localhost:{door.port}"
        codi.json("read it")
    lines = ledger(codi)
    assert len(lines) == len(door.come) == 1
    (line,) = lines
    assert line | {"time": ""} == {
        "time": "", "host": "localhost", "address": "127.0.0.1", "port": door.port, "purpose": "model",
        "asked_by": "anthropic", "up": door.come[0][0], "down": door.come[0][1], "verdict": "allowed",
    }  # fmt: skip
    assert stat.S_IMODE((codi.home / "network.jsonl").stat().st_mode) == 0o600
    assert codi("log", "network").rows[0][1:5] == ["localhost", "127.0.0.1", str(door.port), "model"]
    assert ledger(codi, "--since", "1h") == lines and ledger(codi, "--since", "2999-01-01") == []


def test_pages_and_what_was_not_reached_are_told_too(codi, lab):
    page = lab([says("a page")], used=False)
    lab(
        [
            says("", call("web_fetch", url=f"{page.url}/nothing"), call("web_fetch", url="http://10.0.0.1/x")),
            says("Done."),
        ]
    )
    codi.set_up(f'web.allow_private = ["{page.url.removeprefix("http://")}"]\n')
    codi.json("fetch", "--allow", "reach(*)")
    told = {(line["purpose"], line["host"]): line for line in ledger(codi)}
    assert set(told) == {("model", "127.0.0.1"), ("web", "127.0.0.1"), ("web", "10.0.0.1")}
    assert told["web", "127.0.0.1"]["down"] > 0
    refused = told["web", "10.0.0.1"]
    assert refused["verdict"].startswith("refused: ") and refused["address"] == "" and refused["up"] == 0


def test_offline_refuses_all_but_this_machine_before_a_name_is_looked_up(codi, lab):
    lab([says("", call("web_fetch", url="https://example.org/")), says("Done.")])
    codi.json("fetch", "--allow", "reach(*)", "--offline")
    assert [(line["host"], line["verdict"]) for line in ledger(codi)] == [
        ("example.org", "refused: offline"),
        ("127.0.0.1", "allowed"),
    ]
    codi.env["ANTHROPIC_BASE_URL"] = "https://model.example"
    run = codi.json("hello", "--offline")
    assert run.status == 1 and "Offline: no network." in run.err
    assert ledger(codi)[-1]["verdict"] == "refused: offline" and ledger(codi)[-1]["host"] == "model.example"


@pytest.mark.parametrize("telemetry", [None, "on"])
def test_nothing_is_sent_that_nobody_asked_for(codi, lab, telemetry):
    lab([says("Hello.")])
    if telemetry:
        codi.env["CODI_TELEMETRY"] = telemetry
    codi.json("hello")
    assert [line["purpose"] for line in ledger(codi)] == ["model"]
