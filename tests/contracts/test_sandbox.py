"""What every sandbox holds, whichever way it is made and whoever runs it: the grant, and nothing beyond it."""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codi.workspace.launching import filters, kernel
from codi.workspace.sandbox.probing import ROUTES

SCRIPT = Path(__file__).with_name("confined_commands.py")
SOURCE = Path(__file__).parents[2] / "src"
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
PYTHON = "/usr/bin/python3"
_PLACE = "/var/lib" if os.access("/var/lib", os.W_OK) else Path.home()
"""Not where commands have a folder of their own: there a write would go nowhere, and not fail."""


class Desk:
    """A workspace, a home beside it, and commands that run in the one and not in the other."""

    def __init__(self, route: str, user: str, preexec: Callable[[], None] | None = None) -> None:
        self.route, self.level = route, ROUTES.get(route, 0)
        self.place = Path(tempfile.mkdtemp(prefix="codi-contract-", dir=_PLACE))
        self.root, self.home = self.place / "work", self.place / "home"
        for path in (self.root, self.home, self.home / ".ssh", self.home / ".codi"):
            path.mkdir()
        (self.home / ".ssh" / "id_rsa").write_text("the key of this person\n")
        (self.root / ".env").write_text("PASSWORD=hush\n")
        for words in (["init", "-q"], ["config", "user.name", "A"], ["config", "user.email", "a@b.c"]):
            subprocess.run(["git", *words], cwd=self.root, check=True)
        prefix, python = [], sys.executable
        if user == "ordinary" and os.geteuid() == 0:
            prefix, python = AS_NOBODY, _python_of_all()
            for path in (self.place, *self.place.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        packages = ":".join([str(SOURCE), *(path for path in sys.path if path.endswith("-packages"))])
        self._runner = subprocess.Popen(
            [*prefix, python, str(SCRIPT), str(self.root), str(self.home), route],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=preexec,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": packages,
                "CODI_CANARY": "x",
                "ANTHROPIC_API_KEY": "sk-canary",
            },
        )

    def __call__(self, command: str, **more: Any) -> dict[str, Any]:
        assert self._runner.stdin and self._runner.stdout
        self._runner.stdin.write(json.dumps({"command": command, **more}) + "\n")
        self._runner.stdin.flush()
        told: dict[str, Any] = json.loads(self._runner.stdout.readline())
        return told

    def close(self) -> None:
        assert self._runner.stdin and self._runner.stdout
        self._runner.stdin.close()
        self._runner.wait(10)
        self._runner.stdout.close()
        shutil.rmtree(self.place)


def _python_of_all() -> str:
    """An interpreter that everybody may run, of the same version as this one."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        again = (
            f"open({str(SCRIPT)!r}); os.listdir({str(SOURCE)!r}); sys.exit(subprocess.call([sys.executable, '-c', '']))"
        )
        tried = [*AS_NOBODY, python, "-c", f"import os, subprocess, sys; {again}"]
        if shutil.which("setpriv") and subprocess.run(tried, capture_output=True).returncode == 0:
            return python
    pytest.skip("no interpreter that an ordinary user may run here")


@pytest.fixture(
    scope="module", params=[(route, user) for route in ROUTES for user in ("this", "ordinary")], ids=" as ".join
)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    route, user = request.param
    if route == "bubblewrap" and not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    if user == "ordinary" and os.geteuid() != 0:
        pytest.skip("whoever runs this is an ordinary user")
    desk = Desk(route, user)
    try:
        said = desk("true")
        if said["status"] == 125:
            pytest.skip(f"{route}: {said['out'].strip()}")
        yield desk
    finally:
        desk.close()


def failing(desk: Desk, *commands: str, **more: Any) -> None:
    for command in commands:
        told = desk(command, **more)
        assert told["status"] not in (0, None), (command, told)


def test_it_writes_in_the_workspace_and_nowhere_else(desk: Desk):
    told = desk(
        "echo mine > made && mkdir -p sub && mv made sub/moved && cat sub/moved && echo t > $TMPDIR/t && cat $TMPDIR/t"
    )
    assert (told["out"], told["status"]) == ("mine\nt\n", 0)
    assert (desk.root / "sub" / "moved").read_text() == "mine\n"
    failing(
        desk,
        "echo x > /etc/probe",
        "echo x > $HOME/probe",
        "echo x > ../probe",
        "mkdir /probe",
        "rm -r $HOME/.ssh",
    )
    failing(desk, "sh -c 'setsid sh -c \"echo x > $HOME/probe\"'", f'{PYTHON} -c \'open("{desk.home}/probe", "w")\'')
    assert (
        not (desk.home / "probe").exists() and not Path("/etc/probe").exists() and not (desk.place / "probe").exists()
    )


def test_a_link_out_of_the_workspace_leads_to_what_cannot_be_written(desk: Desk):
    failing(
        desk,
        f"ln -sfn {desk.home} way; echo x > way/probe",
        f"ln {desk.home}/.codi/../.ssh/id_rsa key && echo x >> key",
        "mv /etc/hostname here",
    )
    failing(desk, f"echo x > /proc/self/root{desk.home}/probe", f"cd /proc/1/root && echo x > .{desk.home}/probe")
    assert not (desk.home / "probe").exists()


def test_what_only_looks_writes_nothing(desk: Desk):
    failing(desk, "touch x", "echo x > made", "echo x > $TMPDIR/x", "rm -rf .git", "echo x > /dev/shm/x", looks=True)
    assert desk("ls -d .git", looks=True)["out"] == ".git\n"
    assert not (desk.root / "x").exists()


def test_known_writes_are_the_only_ones(desk: Desk):
    (desk.root / "one").mkdir(exist_ok=True)
    os.chown(desk.root / "one", desk.root.stat().st_uid, -1)
    assert desk("echo x > one/a", writes=["one"])["status"] == 0
    failing(desk, "echo x > two", writes=["one"])


NETWORK = {
    "tcp": "s.socket(s.AF_INET, s.SOCK_STREAM)",
    "tcp6": "s.socket(s.AF_INET6, s.SOCK_STREAM)",
    "udp": "s.socket(s.AF_INET, s.SOCK_DGRAM)",
    "icmp": "s.socket(s.AF_INET, s.SOCK_DGRAM, s.IPPROTO_ICMP)",
    "raw": "s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)",
    "netlink": "s.socket(s.AF_NETLINK, s.SOCK_RAW)",
    "packet": "s.socket(s.AF_PACKET, s.SOCK_RAW)",
    "vsock": "s.socket(40, s.SOCK_STREAM)",
    "dns": "s.getaddrinfo('example.com', 80)",
}


@pytest.mark.parametrize("kind", NETWORK)
def test_no_network(desk: Desk, kind):
    failing(desk, f'{PYTHON} -c "import socket as s; {NETWORK[kind]}"')


def test_sockets_of_others_are_out_of_reach(desk: Desk):
    abstract = f"\0codi-contract-{os.getpid()}-{desk.route}"
    paths = [desk.place / "agent.sock", desk.root / "docker.sock", abstract]
    listening = []
    for path in paths:
        each = socket.socket(socket.AF_UNIX)
        each.bind(str(path))
        each.listen()
        listening.append(each)
        if path != abstract:
            os.chmod(path, 0o777)
    try:
        for path in paths:
            said = str(path).replace("\0", "\\0")
            failing(desk, f"{PYTHON} -c \"import socket; socket.socket(socket.AF_UNIX).connect('{said}')\"")
        if Path("/var/run/docker.sock").exists():
            failing(
                desk, f"{PYTHON} -c \"import socket; socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')\""
            )
    finally:
        for each in listening:
            each.close()
        (desk.root / "docker.sock").unlink()
        paths[0].unlink()  # type: ignore[union-attr]


def test_a_datagram_names_nobody_else(desk: Desk):
    path = desk.place / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        path.chmod(0o777)
        send = f"s.socket(s.AF_UNIX, s.SOCK_DGRAM).sendmsg([b'x'], [], 0, '{path}')"
        failing(desk, f'{PYTHON} -c "import socket as s; {send}"')
        pair = f"s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)[0].sendmsg([b'x'], [], 0, '{path}')"
        failing(desk, f'{PYTHON} -c "import socket as s; {pair}"')
    path.unlink()


@pytest.mark.parametrize(
    "command",
    [
        "unshare -U true", "unshare -m true", "mount -t tmpfs none /mnt", "umount /proc", "chroot / true",
        f"{PYTHON} -c 'import ctypes; l = ctypes.CDLL(None); exit(l.syscall(425, 1, 0) >= 0)' && false",
        f"{PYTHON} -c 'import ctypes, os; exit(ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0)' && false",
        "echo 1 > /proc/sys/kernel/core_pattern", "echo b > /proc/sysrq-trigger", "echo c > /proc/self/uid_map",
        "head -c 1 /dev/sda /dev/vda /dev/nvme0n1 2>/dev/null",
    ],
)  # fmt: skip
def test_ways_out_by_the_kernel_are_shut(desk: Desk, command):
    if command.startswith("head") and desk.level < 3 and desk.home.owner() != "nobody":
        pytest.skip("level 2 keeps nobody from reading")
    failing(desk, command)


def test_protected_places_stay_as_they_are(desk: Desk):
    before = (desk.root / ".git" / "config").read_text()
    tried = [
        "echo x > .git/hooks/x",
        "mv .git g",
        "git config core.hooksPath /tmp",
        "mv .git/hooks h; mkdir .git/hooks",
        "rm .git/config",
    ]
    tried += [
        "mkdir .codi; echo x > .codi/config.toml",
        "echo /tmp > .git/commondir",
        "echo x > .envrc",
        "ln -s /tmp .vscode",
    ]
    for command in tried:
        told = desk(command)
        assert told["status"] != 0 or told["put_back"], (command, told)
        assert (desk.root / ".git" / "config").read_text() == before
        assert not (desk.root / ".git" / "hooks" / "x").exists() and not (desk.root / ".git" / "commondir").exists()
        assert not any((desk.root / name).exists() for name in (".codi", ".envrc", ".vscode"))
        if (desk.root / "g").exists():  # what could be moved was copied back
            shutil.rmtree(desk.root / "g")
    told = desk("echo x > committed && git add committed && git commit -qm one && git log --oneline | wc -l")
    assert told["status"] == 0 and int(told["out"]) >= 1, told


def test_secrets_are_out_of_sight(desk: Desk):
    if desk.level < 3:
        pytest.skip("level 2 keeps nobody from reading")
    for command in ("cat $HOME/.ssh/id_rsa", "ls $HOME/.ssh/id_rsa", "ls $HOME/.codi/x"):
        assert "person" not in desk(command)["out"]
        failing(desk, command)
    assert "hush" not in desk("cat .env", looks=True)["out"]
    assert desk("cat .env")["out"] == "PASSWORD=hush\n"


def test_the_environment_is_made_for_it(desk: Desk):
    told = desk("env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'")
    assert "canary" not in told["out"].lower() and "HOME=" in told["out"]


def test_capabilities_and_privileges_are_gone(desk: Desk):
    told = desk("grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status")["out"].split()
    assert dict(zip(told[::2], told[1::2]))["CapEff:"] == "0" * 16
    assert dict(zip(told[::2], told[1::2]))["NoNewPrivs:"] == "1"
    assert dict(zip(told[::2], told[1::2]))["Seccomp:"] == "2"


def test_a_flood_of_processes_leaves_none(desk: Desk):
    mark = f"flood{time.monotonic_ns()}"
    began = time.monotonic()
    bomb = f": {mark}; b() {{ b & b & wait; }}; b"
    told = desk(bomb if desk.level >= 3 else f": {mark}; for n in $(seq 200); do sleep 60 & done; wait", timeout_s=2)
    assert told["timed_out"] or told["status"] != 0
    assert time.monotonic() - began < 20 and not _having(mark)


@pytest.mark.parametrize(
    "command",
    [
        "setsid sleep 61 & echo up",
        "trap '' TERM; echo up; while :; do sleep 0.1; done",
        "(trap '' TERM; setsid sleep 61 <&- >&- 2>&- &) ; echo up",
    ],
)
def test_nothing_lives_on(desk: Desk, command):
    mark = f"left{time.monotonic_ns()}"
    told = desk(f"export LC_MARK={mark}; {command}", timeout_s=1)
    assert told["out"].startswith("up") and not _having(mark)


def test_a_flood_of_output_is_cut(desk: Desk):
    told = desk("yes | head -c 30000000; echo done")
    assert told["status"] == 0 and len(told["out"]) < 200_000


def test_output_files_have_a_bound_and_there_are_no_cores(desk: Desk):
    assert desk("ulimit -c")["out"] == "0\n" and desk("ulimit -f")["out"].strip() != "unlimited"


def test_statuses_are_those_of_the_command(desk: Desk):
    assert desk("exit 7")["status"] == 7
    assert desk("kill -TERM $$")["status"] in (None, 128 + 15)  # bubblewrap tells of a signal as shells do
    assert desk("cd sub 2>/dev/null; pwd")["status"] == 0


def _having(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if (
                process.name.isdigit()
                and any(mark.encode() in (process / name).read_bytes() for name in ("cmdline", "environ"))
                and int(process.name) != os.getpid()
            ):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def _bare() -> None:
    """A machine that lets nobody make namespaces or use Landlock."""
    without_landlock = struct.pack(
        "=HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, 444, 0x06, 0, 0, 0x00050026, 0x06, 0, 0, 0x7FFF0000
    )
    kernel.forbid_new_privileges()
    kernel.obey(filters.program(os.uname().machine, "host"))
    kernel.obey(without_landlock)


@pytest.mark.parametrize("route", ["own launcher", "Landlock and seccomp"])
def test_a_failed_set_up_runs_nothing(route):
    desk = Desk(route, "this", _bare)
    try:
        told = desk("touch ran")
        assert told["status"] == 125 and told["out"].startswith("codi: the sandbox could not be set up: "), told
        assert not (desk.root / "ran").exists()
    finally:
        desk.close()
