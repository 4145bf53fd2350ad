"""What every journey needs: a home, a repository, a scripted service behind real wire formats, and the installed program."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from codi.lab.repository import make_repository
from codi.lab.running import RunningServer, running

PROGRAM = Path(sys.executable).parent / "codi"
SOAK = os.environ.get("CODI_SOAK") == "1"
SHARED = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[1].parent / "shared"))

# What lands is judged by the same examples each time; the soak looks for new ones, from a seed that it prints.
settings.register_profile("again", derandomize=True, deadline=None)
settings.register_profile("soak", print_blob=True, deadline=None)
settings.load_profile("soak" if SOAK else "again")

TIMEOUT_S = 30.0
"""Longer than anything here takes; a test that reaches it hangs."""

ADDRESSES: dict[str, tuple[str, str]] = {
    "anthropic": ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "openai-chat": ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "openai-responses": ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "google": ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"),
    "ollama": ("OLLAMA_HOST", ""),
    "azure": ("AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY"),
}
"""The variables that lead a wire format to another address, and that hold its key."""


def commands_in(folder: Path) -> list[int]:
    """The processes of commands that run for a program with this working directory. A command knows itself by another number than
    the machine does, so it cannot be asked; what it has of the program is its home."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit():
                environment = (process / "environ").read_bytes()
                if f"HOME={folder.parent}/person\0".encode() in environment and b"CODI_HOME=" not in environment:
                    found.append(int(process.name))
        except OSError:
            continue  # it ended, or is another's
    return sorted(found)


class Run:
    """How a run of the program ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def result(self) -> dict[str, Any]:
        """The result object: all of the output, or its last line."""
        return json.loads(self.out.strip().rpartition("\n")[2])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of an event stream. Every one of them is an object."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table that was printed for a pipe."""
        return [line.split("\t") for line in self.out.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == kind]

    def __repr__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Running:
    """The program while it runs, with its event stream read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait_for(self, kind: str, *, holding: str = "") -> dict[str, Any]:
        """The first line of that type with that text in it, as soon as it is there."""
        found: list[dict[str, Any]] = []

        def seen() -> bool:
            found[:] = [line for text in self._lines if holding in text and (line := json.loads(text))["type"] == kind]
            return bool(found) or self._is_over

        with self._changed:
            assert self._changed.wait_for(seen, TIMEOUT_S), f"no {kind} came:\n{''.join(self._lines)}"
        assert found, f"the program ended without a {kind}:\n{''.join(self._lines)}"
        return found[0]

    def after(self, count: int) -> int:
        """Wait until so many lines have come, or all."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._lines) >= count or self._is_over, TIMEOUT_S)
            return len(self._lines)

    def lines(self) -> list[dict[str, Any]]:
        """All lines that came whole, once the program has ended."""
        self._reader.join()
        return [json.loads(line) for line in self._lines if line.endswith("\n")]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> Run:
        """Wait until the program has ended by itself."""
        status = self.process.wait(TIMEOUT_S)
        self._reader.join()
        assert self.process.stderr
        return Run(status, "".join(self._lines), self.process.stderr.read())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class Codi:
    """The installed program, in an environment made for it: no keys of this machine, no proxies, no settings."""

    def __init__(self, home: Path, cwd: Path) -> None:
        self.home = home
        self.cwd = cwd
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home.parent / "person"),
            "CODI_HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "CODI_SESSIONS_TITLE": "false",  # a request for a title would take a step of the script
        }
        self._running: list[Running] = []
        (home.parent / "person").mkdir(exist_ok=True)

    def use(self, server: RunningServer, wire: str = "anthropic", *, key: str = "k") -> None:
        """From now on ask this server, through that wire format."""
        address, variable = ADDRESSES[wire]
        self.env |= {address: server.url, "CODI_MODEL": f"{wire}/x"}
        if variable:
            self.env[variable] = key

    def set_up(self, toml: str) -> None:
        """The person's configuration."""
        self.home.mkdir(exist_ok=True)
        (self.home / "config.toml").write_text(toml)

    def __call__(
        self,
        *words: str,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = TIMEOUT_S,
        preexec: Callable[[], None] | None = None,
    ) -> Run:
        sent = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=cwd or self.cwd,
            env=self.env | dict(env or {}),
            capture_output=True,
            timeout=timeout,
            preexec_fn=preexec,
            **({"stdin": subprocess.DEVNULL} if sent is None else {"input": sent}),  # type: ignore[call-overload]
        )
        run = Run(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in run.err, run
        return run

    def json(self, *words: str, **more: Any) -> Run:
        """One shot whose output is the result object and nothing else."""
        run = self("-p", "--output-format", "json", *words, **more)
        if run.out:
            assert run.result["exitCode"] == run.status, run
        return run

    def stream(self, *words: str, **more: Any) -> Run:
        """One shot whose output is a line for each event."""
        run = self("-p", "--output-format", "stream-json", *words, **more)
        assert run.lines[0]["type"] == "session" and run.lines[-1]["type"] == "result", run
        assert run.result["exitCode"] == run.status, run
        return run

    def start(self, *words: str, env: Mapping[str, str] | None = None, ignoring: int | None = None) -> Running:
        """One shot with an event stream, not waited for; `ignoring` is a signal that it finds ignored."""
        process = subprocess.Popen(
            [PROGRAM, "-p", "--output-format", "stream-json", *words],
            cwd=self.cwd,
            env=self.env | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=None if ignoring is None else lambda: signal.signal(ignoring, signal.SIG_IGN),
        )
        self._running.append(Running(process))
        return self._running[-1]

    def sessions(self) -> list[Path]:
        return sorted(self.home.glob("sessions/*/*.jsonl"))

    def session(self) -> list[dict[str, Any]]:
        """The lines of the only session there is."""
        (path,) = self.sessions()
        return [json.loads(line) for line in path.read_text().splitlines()]

    def close(self) -> None:
        for each in self._running:
            each.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Codi's home; nothing is in it."""
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def codi(home: Path, folder: Path) -> Iterator[Codi]:
    program = Codi(home, folder)
    yield program
    program.close()


@pytest.fixture
def terminals(codi: Codi) -> Iterator[Callable[..., Any]]:
    """Starts the program in real terminals (`eye.Terminal`)."""
    from eye import Terminal  # it needs what stands above

    opened: list[Any] = []

    def start(*words: str, **more: Any) -> Any:
        opened.append(Terminal(codi, *words, **more))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def broken_system(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes calls of the system fail for a program (`broken_system.BrokenSystem`)."""
    from broken_system import BrokenSystem  # a compiler is asked for once somebody wants it

    return BrokenSystem(tmp_path_factory.mktemp("system"))


@pytest.fixture
def repository(folder: Path) -> Callable[[str], Path]:
    """Makes the repository of a scenario in the folder."""

    def make(scenario: str) -> Path:
        make_repository(str(folder), scenario)
        return folder

    return make


@pytest.fixture
def lab(codi: Codi) -> Iterator[Callable[..., RunningServer]]:
    """Starts a server that plays a script, which the program asks from then on. At the end every request must have been one
    that the service accepts and that the script expects."""
    with ExitStack() as servers:
        started: list[RunningServer] = []

        def start(
            script: str | Mapping[str, Any] | Sequence[Any],
            wire: str = "anthropic",
            *,
            used: bool = True,
            **options: Any,
        ) -> RunningServer:
            server = servers.enter_context(running(script, **options))
            if used:
                codi.use(server, wire)
            started.append(server)
            return server

        yield start
        for server in started:
            assert not server.violations
            assert not server.failures


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A call in a script."""
    return {"name": name, "arguments": arguments}


def says(text: str = "", *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step of a script."""
    return {"text": text, "calls": list(calls), **more}
