"""Commands of the installed program are confined, told about, and refused where they must be and cannot."""

import json
import os
import signal
import struct
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anyio
import pytest

from codi.protocol.effects import Runs
from codi.workspace.launching import filters, kernel
from codi.workspace.local import LocalWorkspace
from codi.workspace.sandbox import proxy
from codi.workspace.sandbox.sandbox import Sandbox
from codi.workspace.sandbox.settings import SandboxSettings
from conftest import Codi, call, says


@pytest.fixture
def level(codi: Codi) -> int:
    """What holds on this machine, as the doctor tells."""
    text = next(row["text"] for row in json.loads(codi("doctor", "--json").out) if row["name"] == "sandbox")
    return int(text.split()[1].rstrip(","))


@pytest.fixture
def confined(level: int) -> int:
    if level < 2:
        pytest.skip("no sandbox holds on this machine")
    return level


def result_of(codi: Codi, *words: str, command: str, **more) -> dict:
    run = codi(
        "tool", "call", "shell", json.dumps({"command": command}), "--permission-mode", "full-access", *words, **more
    )
    return {**json.loads(run.out), "run": run}


def text_of(result: dict) -> str:
    return result["content"][0]["text"]


def test_a_command_writes_in_the_workspace_and_nowhere_else(codi: Codi, lab, confined):
    home = Path(codi.env["HOME"])
    (codi.cwd / "do.sh").write_text("echo ok > made; echo x > $HOME/probe; echo x > /etc/codi-probe; echo end")
    lab([says("", call("shell", command="sh do.sh")), says("Done.")])
    run = codi.json("go", "--permission-mode", "full-access", "--sandbox", "require")
    assert run.status == 0 and "end" in run.result["toolCalls"][0]["result"]
    assert (codi.cwd / "made").read_text() == "ok\n"
    assert not (home / "probe").exists() and not Path("/etc/codi-probe").exists()
    assert codi("undo", "--all").status == 0 and not (codi.cwd / "made").exists()


def test_jobs_terminals_and_tests_are_confined_too(codi: Codi, lab, confined):
    probe = Path(codi.env["HOME"]) / "probe"
    (codi.cwd / "test_it.py").write_text(f"def test_it():\n    open({str(probe)!r}, 'w')\n")
    lab(
        [
            says("", call("shell", command="echo x > $HOME/probe; echo said", background=True, wait_s=20)),
            says("", call("shell", command="echo x > $HOME/probe; tty; echo said", pty=True)),
            says("", call("run_tests", paths=["test_it.py"])),
            says("Done."),
        ]
    )
    run = codi.json("go", "--permission-mode", "full-access")
    job, terminal, tests = (each["result"] for each in run.result["toolCalls"])
    assert "said" in job and "said" in terminal and "test_it" in tests
    assert not probe.exists()


def bare() -> None:
    """What a machine is like that lets nobody confine anything: neither namespaces nor Landlock."""
    without_landlock = struct.pack(
        "=HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, 444, 0x06, 0, 0, 0x00050026, 0x06, 0, 0, 0x7FFF0000
    )
    kernel.forbid_new_privileges()
    kernel.obey(filters.program(os.uname().machine, "host"))
    kernel.obey(without_landlock)


def without_namespaces() -> None:
    kernel.forbid_new_privileges()
    kernel.obey(filters.program(os.uname().machine, "host"))


def test_where_nothing_holds_it_is_said_once_and_require_refuses(codi: Codi, lab):
    twice = [says("", call("shell", command="touch one")), says("", call("shell", command="touch two")), says("Done.")]
    lab([*twice, says("", call("shell", command="touch three")), says("Done.")])
    run = codi.json("go", "--permission-mode", "full-access", preexec=bare)
    said = [warning for warning in run.result["warnings"] if "unconfined" in warning]
    assert len(said) == 1 and "new namespaces" in said[0] and (codi.cwd / "two").exists()
    refused = codi.json("go", "--permission-mode", "full-access", "--sandbox", "require", preexec=bare)
    assert "commands must be confined at level 2" in refused.result["toolCalls"][0]["result"]
    assert not (codi.cwd / "three").exists()
    rows = json.loads(codi("doctor", "--json", "--sandbox", "require", preexec=bare).out)
    (row,) = (row for row in rows if row["name"] == "sandbox")
    assert (
        row["status"] == "broken" and row["cure"] and codi("doctor", "--sandbox", "require", preexec=bare).status == 1
    )


def test_without_namespaces_landlock_holds(codi: Codi, level):
    if level < 2:
        pytest.skip("no Landlock on this machine")
    (codi.cwd / "do.sh").write_text("echo ok > made; echo x > $HOME/probe; mkdir .codi; echo end")
    required = {"CODI_SANDBOX_MODE": "require"}
    result = result_of(codi, command="sh do.sh", env=required, preexec=without_namespaces)
    text = text_of(result)
    assert "end" in text and "[.codi: a command may not change this; it is as it was]" in text
    assert (codi.cwd / "made").exists() and not (codi.cwd / ".codi").exists()
    assert not Path(codi.env["HOME"], "probe").exists()


def test_a_required_level_that_does_not_hold_refuses(codi: Codi, confined):
    codi.set_up("[sandbox]\nmode = 'require'\nrequire_level = 3\n")
    assert "must be confined at level 3" in text_of(result_of(codi, command="touch made", preexec=without_namespaces))
    assert not (codi.cwd / "made").exists()


def test_off_is_off(codi: Codi):
    probe = Path(codi.env["HOME"]) / "probe"
    (codi.cwd / "do.sh").write_text("echo x > $HOME/probe")
    result = result_of(codi, command="sh do.sh", env={"CODI_SANDBOX_MODE": "off"})
    assert probe.exists() and "unconfined" not in result["run"].err


def test_a_project_may_only_tighten(codi: Codi, confined):
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi" / "config.toml").write_text("[sandbox]\nmode = 'off'\nrequire_level = 1\nnetwork = 'host'\n")
    run = codi("config", "check", "--trust-project")
    assert "a project may not loosen this to off" in run.err and "a project may not lower this below 2" in run.err
    assert "a project may not loosen this to host" in run.err
    (codi.cwd / ".codi" / "config.toml").write_text("[sandbox]\nmode = 'require'\nrequire_level = 3\n")
    assert "may not" not in codi("config", "check", "--trust-project").err


def test_the_level_is_told_with_the_question(codi: Codi, lab, level):
    lab([says("", call("shell", command="touch x")), says("No.")])
    (asked,) = codi.stream("go").of_type("approval_asked")
    assert asked.get("sandboxLevel", 1) == level
    lab([says("", call("shell", command="touch x")), says("No.")])
    (asked,) = codi.stream("go", "--sandbox", "off").of_type("approval_asked")
    assert asked.get("sandboxLevel", 1) == 1


@pytest.mark.parametrize("mode", ["plan", "read-only", "default"])
def test_a_look_that_nobody_is_asked_about_writes_nothing(codi: Codi, confined, mode):
    look = codi("tool", "call", "shell", json.dumps({"command": "ls -la"}), "--permission-mode", mode)
    assert look.status == 0
    # The look is what it is called, but what it runs is not: only the sandbox can tell.
    (codi.cwd / "bin").mkdir()
    (codi.cwd / "bin" / "ls").write_text(f"#!/bin/sh\necho x > {codi.cwd}/probe\necho mine\n")
    (codi.cwd / "bin" / "ls").chmod(0o755)
    path = f"{codi.cwd}/bin:{codi.env['PATH']}"
    words = ["tool", "call", "shell", json.dumps({"command": "ls"}), "--permission-mode", mode]
    assert "mine" in codi(*words, env={"PATH": path}).out and not (codi.cwd / "probe").exists()


def test_a_host_that_is_allowed_is_reached_and_no_other(folder, tmp_path, monkeypatch, level):
    if level < 3:
        pytest.skip("a proxy needs a network of the command's own")

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"hello to {self.headers['Host']}{self.path}".encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    real = proxy.checked

    def checked(host: bytes, port: int, hosts) -> tuple[str, int]:
        with pytest.raises(proxy.Refused, match="no public address" if host == b"localhost" else "not among"):
            real(host, port, hosts)
        if host == b"localhost":
            return "127.0.0.1", server.server_port  # as if it were everybody's
        raise proxy.Refused("not among the hosts")

    monkeypatch.setattr(proxy, "checked", checked)

    async def said(url: str) -> str:
        settings = SandboxSettings(network="proxy", hosts=("localhost",))
        sandbox = Sandbox(settings, roots=[str(folder)], home=str(tmp_path), codi_home=str(tmp_path / "none"))
        workspace = LocalWorkspace(str(folder), sandbox=sandbox)
        script = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        runs = Runs(("/usr/bin/python3", "-c", script, url))
        outcome = await workspace.run(runs, timeout_s=20, keep_head=9000, keep_tail=9000)
        await workspace.aclose()
        return (outcome.head + outcome.tail).decode()

    assert "hello to localhost/x" in anyio.run(said, "http://localhost/x")
    assert "403" in anyio.run(said, "http://elsewhere.example/x")
    server.shutdown()


def test_the_doctor_closes_what_is_open(codi: Codi):
    codi.set_up("")
    codi.home.chmod(0o755)
    (codi.home / "config.toml").chmod(0o644)
    told = codi("doctor")
    assert told.status == 1 and "others may look into" in told.out and "codi doctor --fix" in told.out
    assert codi("doctor", "--fix").status == 0 and codi("doctor").status == 0
    assert codi.home.stat().st_mode & 0o777 == 0o700 and (codi.home / "config.toml").stat().st_mode & 0o777 == 0o600


def test_the_doctor_names_what_is_missing(codi: Codi, tmp_path):
    (tmp_path / "bin").mkdir()
    rows = {row["name"]: row for row in json.loads(codi("doctor", "--json", env={"PATH": str(tmp_path / "bin")}).out)}
    assert rows["git"]["status"] == rows["rg"]["status"] == "missing" and "ripgrep" in rows["rg"]["cure"]
    assert codi("doctor", "--fix", "--quiet").status == 0


def test_the_network_of_the_machine_is_asked_about_and_told(codi: Codi, lab, confined):
    codi.set_up("[sandbox]\nnetwork = 'host'\n")
    stated = "it has the network of this machine (sandbox.network = host)"
    lab(
        [
            says("", call("shell", command="touch made")),
            says("No."),
            says("", call("shell", command="ls")),
            says("Yes."),
        ]
    )
    run = codi.stream("go", "--allow", "run(touch made)")
    (asked,) = run.of_type("approval_asked")
    assert stated in asked["reasons"] and run.status == 3 and not (codi.cwd / "made").exists()
    assert codi.stream("look").of_type("approval_asked") == []
    lab([says("", call("shell", command="touch made")), says("Yes.")] * 2)
    assert codi.json("go", "--allow", "run(touch made)", "--allow", "reach(*)").status == 0
    (codi.cwd / "made").unlink()
    assert codi.json("go", "--permission-mode", "full-access").status == 0 and (codi.cwd / "made").exists()


def features(codi: Codi, *words: str, **more) -> dict[str, dict]:
    run = codi("doctor", "--features", "--json", *words, **more)
    rows = {row["name"]: row for row in json.loads(run.out)}
    assert all(row["status"] in ("active", "available", "unavailable") and row["reason"] for row in rows.values()), rows
    return rows | {"status": run.status}


def test_the_doctor_tells_of_each_feature_whether_it_is_there_and_why(codi: Codi, confined):
    rows = features(codi)
    assert rows["sandbox"]["status"] == "active" and rows["status"] == 0
    assert rows["audit log"]["status"] == "available" and rows["model"]["status"] == "unavailable"
    codi.set_up("[audit]\nenabled = true\n[sandbox]\npreview = true\n")
    assert features(codi, env={"ANTHROPIC_API_KEY": "k"})["model"]["status"] == "active"
    assert features(codi)["audit log"]["status"] == "active"
    nothing = features(codi, "--sandbox", "require", preexec=bare)
    assert nothing["status"] == 1 and "new namespaces" in nothing["sandbox"]["reason"]
    assert nothing["overlay preview"]["status"] == "unavailable"
    assert codi("doctor", "--features", "--fix").status == 2


def test_the_health_is_what_works_and_what_does_not(codi: Codi):
    assert codi("doctor", "--health").rows == codi("doctor").rows
    codi.home.mkdir()
    codi.home.chmod(0o755)
    assert codi("doctor", "--health").status == 1
    assert codi("doctor", "--fix").status == 0 and codi("doctor", "--health").status == 0


def test_in_a_conversation_the_sandbox_is_told_and_chosen(codi: Codi, lab, terminals, confined):
    probe = Path(codi.env["HOME"]) / "probe"
    script = [says("", call("shell", command="sh do.sh")), says("Once.")]
    lab([*script, says("", call("shell", command="sh do.sh")), says("Twice.")])
    (codi.cwd / "do.sh").write_text("echo x > $HOME/probe")
    talk = terminals("--permission-mode", "full-access")
    talk.type("/sandbox\r")
    talk.wait_for(f"sandbox auto: level {confined}")
    talk.type("go\r")
    talk.wait_for("Once.")
    assert not probe.exists()
    talk.type("/sandbox off\r")
    talk.wait_for("sandbox off: level 1, unconfined")
    talk.type("again\r")
    talk.wait_for("Twice.")
    assert probe.exists() and any(row.endswith("sandbox off") for row in talk.rows)
    talk.type("/sandbox never\r")
    talk.wait_for("usage: /sandbox off|auto|require|status")


def own_folders(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_nothing_temporary_is_left_and_what_a_killed_one_left_goes(codi: Codi, lab, tmp_path, confined):
    place = tmp_path / "temporary"
    place.mkdir()
    codi.env["TMPDIR"] = str(place)
    loud = call(
        "shell", command="yes | head -c 3000000; echo x > $TMPDIR/kept; mkdir $TMPDIR/shut; chmod 0 $TMPDIR/shut"
    )
    lab([says("", loud), says("Done."), says("", call("shell", command="echo on; sleep 60"))])
    assert codi.json("go", "-y").status == 0 and own_folders(place) == []
    killed = codi.start("go", "-y")
    killed.wait_for("tool_execution_update", holding="on")
    assert own_folders(place)
    killed.signal(signal.SIGKILL)
    killed.end()
    left = own_folders(place)
    (place / "codi-0123456789abcdef").mkdir()  # not ours, as far as anybody can tell
    lab([says("", loud), says("Done.")])
    assert left and codi.json("go", "-y", "--no-session").status == 0
    assert own_folders(place) == ["codi-0123456789abcdef"]


def test_the_whole_of_a_long_output_of_ones_own_lies_with_the_session_without_secrets(codi: Codi, lab, terminals):
    (codi.cwd / ".env").write_text("API_TOKEN=s3cr3tvalue-of-this-test-1234\n")
    (codi.cwd / "long.sh").write_text("cat .env; yes | head -c 200000; echo the end\n")
    lab([says("Hello."), says("Bye.")])
    talk = terminals("say hello")
    talk.wait_for("Hello.")
    talk.type("!sh long.sh\r")
    talk.wait_for("the end")
    talk.type("bye\r")
    talk.wait_for("Bye.")
    (path,) = codi.home.glob("sessions/*/*.results/*.txt")
    assert path.read_text().rstrip().endswith("the end") and "s3cr3tvalue" not in path.read_text()
    assert str(path) in json.dumps(codi.session())


@pytest.mark.parametrize("mode", ["plan", "read-only"])
def test_what_is_checked_is_judged_as_the_sandbox_holds_here(codi: Codi, confined, mode):
    lines = "".join(json.dumps({"cmd": cmd}) + "\n" for cmd in ("ls -la", "touch x"))

    def decisions(**more) -> list[str]:
        return [
            row["decision"] for row in codi("policy", "check", "--jsonl", "--mode", mode, stdin=lines, **more).lines
        ]

    assert decisions() == ["allow", "deny"]
    assert decisions(env={"CODI_SANDBOX_MODE": "off"}) == ["deny", "deny"]
