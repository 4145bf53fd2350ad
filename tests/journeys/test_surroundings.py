"""Surroundings that are not as they should be: closed or full outputs, names that are no characters, a home that is no folder."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import PROGRAM, TIMEOUT_S, Codi, call, says


def in_shell(codi: Codi, redirections: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The program, its standard streams led elsewhere."""
    script = f'exec "$0" "$@" {redirections}'
    return subprocess.run(
        ["sh", "-c", script, str(PROGRAM), *words],
        cwd=codi.cwd,
        env=codi.env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_quietly_and_spoil_no_file(codi: Codi, lab, closed):
    lab([says("", call("shell", command="echo heard")), says("Done.")])
    run = in_shell(codi, closed, "-p", "hi", "--allow", "run(echo heard)")

    assert run.returncode == 0 and not run.stderr
    kept = codi.session()
    assert [line["type"] for line in kept].count("session") == 1
    assert kept[-1]["data"]["reason"] == "done"


@pytest.mark.parametrize("words", [("-p", "hi"), ("-p", "hi", "-f", "stream-json"), ("--version",), ("--help",)])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_an_output_that_is_full_is_told(codi: Codi, lab, words):
    lab("hello").violations.clear()
    run = in_shell(codi, ">/dev/full", *words)

    assert run.returncode == 1
    assert "No space left on device" in run.stderr and "bug" not in run.stderr and "Traceback" not in run.stderr


def test_a_folder_whose_name_is_no_text(codi: Codi, lab, tmp_path: Path):
    server = lab([says("", call("list")), says("One."), says("Two.")])
    place = os.fsencode(tmp_path) + b"/line\nend \xff\xfe"
    os.mkdir(place)
    codi.cwd = Path(os.fsdecode(place))

    assert codi.json("first").status == 0
    assert codi.json("-c", "second").result["answer"] == "Two."
    assert len(codi("sessions").out.splitlines()) == 1
    assert "\ufffd" in json.dumps(server.requests[0].json["system"], ensure_ascii=False)


def test_a_prompt_that_is_no_text(codi: Codi, lab):
    server = lab("hello")
    run = subprocess.run(
        [PROGRAM, b"-p", b"say \xff\xfe this"], cwd=codi.cwd, env=codi.env, capture_output=True, timeout=TIMEOUT_S
    )

    assert run.returncode == 0, run
    assert server.requests[0].json["messages"][0]["content"][0]["text"] == "say \ufffd\ufffd this"


def test_an_output_without_all_characters_gets_escapes(codi: Codi, lab):
    lab([says("naïve →")])
    run = codi("-p", "hi", env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})

    assert (run.status, run.out) == (0, "na\\xefve \\u2192\n")


def test_a_home_that_is_no_folder(codi: Codi, tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    for words in (("-p", "hi"), ("sessions",), ("tool", "list")):
        run = codi(*words, env={"CODI_HOME": str(tmp_path / "file")})
        assert run.status == 2 and "not a directory" in run.err and "CODI_HOME" in run.err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("words", [("--add-dir", "no/such"), ("--fork", ""), ("--session", "")])
def test_what_is_named_must_exist(codi: Codi, lab, words):
    server = lab("hello")
    assert codi("-p", "hi", *words).status in (1, 2)
    assert not server.requests
