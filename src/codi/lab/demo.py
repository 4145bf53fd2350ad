"""The main job before everybody's eyes: the installed program, its real tools and a real repository; only the model is scripted.

What is checked is what a person would look for: the answer, the files, the tests, and that every request was one that the
service would have taken.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from codi.lab.library import scenario
from codi.lab.program import ScratchHome, command, environment
from codi.lab.report import Check, Report
from codi.lab.repository import REPOSITORIES, make_repository
from codi.lab.running import RunningServer, running
from codi.protocol.errors import ConfigError
from codi.providers.script import Script, in_order

Show = Callable[[str], None]

_CHANGING = ("edit", "write", "apply_patch")
_TESTS = ("-B", "-m", "unittest")
_WIDTH = 100


class _Stream(Struct):
    """What was heard of the program's own event stream."""

    result: dict[str, Any] = {}
    begun: Counter[str] = msgspec.field(default_factory=Counter)
    ended: Counter[str] = msgspec.field(default_factory=Counter)


def playable(name: str) -> Script:
    """The scenario of that name; raises ConfigError where there is none, or none that has a repository to work in."""
    script = scenario(name)
    if name not in REPOSITORIES:
        raise ConfigError(
            f"the scenario {name} has no repository to work in", hint=f"Choose one of: {', '.join(REPOSITORIES)}."
        )
    return script


def play(name: str, *, keep: bool, show: Show) -> Report:
    """Play a scenario with this very program, telling each step as it happens. Raises CodiError."""
    script, began = playable(name), time.monotonic()
    scratch = os.path.realpath(tempfile.mkdtemp(prefix="codi-demo-"))
    try:
        repository = os.path.join(scratch, name)
        commit = make_repository(repository, name)
        before = _files(repository)
        show(f"{name}: {script.description}")
        show(f"repository  {repository}" + ("" if commit else " (without git, which is not installed)"))
        show(f"tests       {_test_summary(_run_tests(repository))}")
        with running(script) as server, ScratchHome(repository) as home:
            show(f"model       scripted, behind Anthropic's wire format on {server.url}; all else is real")
            show(f"\n> {script.prompt}\n")
            heard, status = _run(script, server, home, repository, show)
            tests = _run_tests(repository)
            changed = sorted(path for path, text in _files(repository).items() if before.get(path) != text)
            checks = _checks(script, server, heard, status, tests, changed)
        return Report(
            scenario=name,
            passed=all(check.passed for check in checks),
            checks=checks,
            requests=len(server.requests),
            session_id=heard.result.get("sessionId") or "",
            session_file=heard.result.get("sessionFile") or "",
            repository=repository,
            diff=_diff(repository) if commit else "",
            seconds=round(time.monotonic() - began, 2),
        )
    finally:
        if not keep:
            shutil.rmtree(scratch, ignore_errors=True)


def _run(script: Script, server: RunningServer, home: ScratchHome, repository: str, show: Show) -> tuple[_Stream, int]:
    words = [*command(), "-p", script.prompt, "--output-format", "stream-json", "-y", "--session-dir", home.sessions]
    words += ["--model", f"anthropic/{script.model}", "--no-context-files"]
    words += ["--max-turns", str(len(in_order(script.steps)))]
    heard = _Stream()
    with subprocess.Popen(
        words,
        cwd=repository,
        env=environment(home.path, server.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            for told in _told(msgspec.json.decode(line), heard):
                show(told)
    return heard, process.returncode


def _told(line: dict[str, Any], heard: _Stream) -> Iterator[str]:
    """What a person is shown of a line of the event stream, which is counted meanwhile."""
    match line:
        case {"type": "message_end", "message": {"role": "assistant", "content": blocks}}:
            text = "".join(block["text"] for block in blocks if block["type"] == "text").strip()
            if text:
                yield f"model       {text.replace(chr(10), chr(10) + ' ' * 12)}"
        case {"type": "tool_execution_start", "toolCallId": call, "toolName": tool, "args": arguments}:
            heard.begun[call] += 1
            yield _cut(f"  {tool:<10}{_said(arguments)}")
        case {"type": "tool_execution_end", "toolCallId": call, "result": result, "isError": failed}:
            heard.ended[call] += 1
            yield _cut(f"            {'x' if failed else '='} {_short(result)}")
        case {"type": "approval_given", "decision": "allow"}:
            yield "            allowed by -y"
        case {"type": "approval_given", "decision": decision, "by": by}:
            yield f"            {decision} by {by}"
        case {"type": "warning", "message": message}:
            yield f"warning     {message}"
        case {"type": "result", "error": {"message": message, "hint": hint}}:
            heard.result = line
            yield f"error       {message} ({hint})"
        case {"type": "result"}:
            heard.result = line


def _said(arguments: Mapping[str, Any]) -> str:
    return " ".join(value for value in arguments.values() if isinstance(value, str))


def _short(result: Mapping[str, Any]) -> str:
    """The line of a result that says most: of a command's output the last, of all else the first."""
    text = "".join(part.get("text", "") for part in result["content"])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    exit_line = lines.pop() if lines and lines[-1].startswith("Command exited") else ""
    if not lines:
        return exit_line or "(nothing)"
    if exit_line or lines[-1] == "OK":
        return f"{lines[-1]} - {exit_line}" if exit_line else lines[-1]
    more = len(lines) - 1
    return f"{lines[0]}  (+{more} {'line' if more == 1 else 'lines'})" if more else lines[0]


def _cut(line: str) -> str:
    line = line.replace("\n", " ")
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _checks(
    script: Script,
    server: RunningServer,
    heard: _Stream,
    status: int,
    tests: subprocess.CompletedProcess[str],
    changed: list[str],
) -> tuple[Check, ...]:
    last = in_order(script.steps)[-1].step.text.strip()
    answer = str(heard.result.get("answer", "")).strip()
    changes = any(call.name in _CHANGING for place in in_order(script.steps) for call in place.step.calls)
    unmet = [*server.violations, *server.failures]
    calls, results = _on_the_wire(server)
    once = calls == results == heard.begun == heard.ended and all(count == 1 for count in calls.values())
    return (
        Check("exit status 0", status == 0, f"it was {status}"),
        Check(
            "the answer is the scripted one",
            answer == last,
            f"{len(answer)} characters, {len(server.requests)} requests",
        ),
        Check(
            "files changed" if changes else "no file changed", bool(changed) == changes, ", ".join(changed) or "none"
        ),
        Check("the tests pass", tests.returncode == 0, _test_summary(tests)),
        Check(
            "the service would have taken each request",
            not unmet,
            unmet[0] if unmet else f"{len(server.requests)} requests on the wire",
        ),
        Check("each call was answered once", once, f"{len(calls)} calls, {sum(results.values())} results"),
    )


def _on_the_wire(server: RunningServer) -> tuple[Counter[str], Counter[str]]:
    """How often each call, and each result, stands in the longest conversation that was sent."""
    longest: list[dict[str, Any]] = max(
        (request.json["messages"] for request in server.requests if request.json), key=len, default=[]
    )
    blocks = [block for message in longest if isinstance(message["content"], list) for block in message["content"]]
    calls = Counter(str(block["id"]) for block in blocks if block["type"] == "tool_use")
    return calls, Counter(str(block["tool_use_id"]) for block in blocks if block["type"] == "tool_result")


def _run_tests(repository: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *_TESTS], cwd=repository, capture_output=True, text=True, check=False)


def _test_summary(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines() or ["they did not run"]
    ran = next((line.partition(" in ")[0] for line in lines if line.startswith("Ran ")), "")
    return f"{ran}: {lines[-1]}" if ran else lines[-1]


def _files(folder: str) -> dict[str, str]:
    found = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__")]
        for name in names:
            path = os.path.join(at, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def _diff(repository: str) -> str:
    words = ["git", "-c", "core.pager=", "diff", "--no-color", "--no-ext-diff", "HEAD"]
    return subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False).stdout
