"""Folders, pipes and plain files where codi expects something of its own: refused in a line, never waited for."""

import os

import pytest

from conftest import Codi


@pytest.mark.parametrize(
    "name, words, status",
    [
        ("exec-rules.json", ("policy", "test", "ls"), 3),
        ("trust.json", ("trust",), 0),
        ("network.jsonl", ("log", "network"), 0),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_set_aside_or_passed_over(
    codi: Codi, name: str, words: tuple[str, ...], status: int
):
    codi.home.mkdir(mode=0o700)
    (codi.home / name).mkdir()
    run = codi(*words)
    assert run.status == status and "bug" not in run.err, run
    assert name == "network.jsonl" or len(list(codi.home.glob(f"{name}.bad-*"))) == 1


def test_a_file_in_the_place_of_the_audit_log_holds_no_lines(codi: Codi):
    codi.home.mkdir(mode=0o700)
    (codi.home / "audit").write_text("x")
    assert codi("audit", "verify").status == 0


def test_nobody_waits_for_a_pipe_in_the_place_of_the_settings(codi: Codi):
    codi.home.mkdir(mode=0o700)
    os.mkfifo(codi.home / "config.toml", 0o600)
    run = codi("policy", "test", "ls")
    assert run.status == 2 and "is no ordinary file" in run.err
