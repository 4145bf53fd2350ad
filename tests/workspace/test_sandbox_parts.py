"""The parts of the sandbox that are pure: the filter of calls, the plans of other systems, the checks of the proxy, the guard."""

import os
import struct
from pathlib import Path

import pytest

from codi.workspace.launching import filters
from codi.workspace.launching.orders import View
from codi.workspace.sandbox import job_object, places, seatbelt
from codi.workspace.sandbox.guard import Guard
from codi.workspace.sandbox.proxy import Refused, checked, target_of

ALLOWED, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
X86, ARM = 0xC000003E, 0xC00000B7


def verdict(program: bytes, machine: int, number: int, *arguments: int) -> int:
    """What the kernel would say, by the rules of its filters."""
    data = struct.pack("=IIQ6Q", number, machine, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    at, value = 0, 0
    while True:
        code, yes, no, number = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, number)
            case 0x54:
                value &= number
            case 0x15:
                at += yes if value == number else no
            case 0x35:
                at += yes if value >= number else no
            case 0x45:
                at += yes if value & number else no
            case 0x06:
                return number


CALLS = {"x86_64": (X86, 0), "aarch64": (ARM, 1)}
SOCKET, CONNECT, CLONE, IOCTL, SENDTO, PAIR = (41, 198), (42, 203), (56, 220), (16, 29), (44, 206), (53, 199)


@pytest.mark.parametrize("machine", CALLS)
def test_the_filter_refuses_what_leads_out(machine):
    kind, at = CALLS[machine]
    program = filters.program(machine, "none")
    for refused in (
        (101, 117),
        (310, 270),
        (425, 425),
        (321, 280),
        (323, 282),
        (250, 219),
        (165, 40),
        (272, 97),
        (308, 268),
        (304, 265),
        (438, 438),
    ):
        assert verdict(program, kind, refused[at]) == EPERM
    for family in (2, 10, 16, 17, 40):
        assert verdict(program, kind, SOCKET[at], family, 1) == EPERM
    assert verdict(program, kind, SOCKET[at], 1, 1) == ALLOWED and verdict(program, kind, CONNECT[at]) == ALLOWED
    assert verdict(program, kind, 435) == ENOSYS
    assert verdict(program, kind, CLONE[at], 0x10000000) == EPERM and verdict(program, kind, CLONE[at], 0x11) == ALLOWED
    assert (
        verdict(program, kind, IOCTL[at], 0, 0x5412) == EPERM
        and verdict(program, kind, IOCTL[at], 0, 0x5401) == ALLOWED
    )
    assert verdict(program, kind, IOCTL[at], 0, 0x1_0000_5412) == EPERM  # the kernel looks at the lower half alone


@pytest.mark.parametrize("machine", CALLS)
def test_other_interfaces_of_the_kernel_are_refused(machine):
    kind, _ = CALLS[machine]
    program = filters.program(machine, "none")
    for other in (0x40000003, 0x40000028, ARM if kind == X86 else X86):
        assert verdict(program, other, 1) == EPERM
    assert verdict(program, kind, 0x40000000 + 1) == EPERM


@pytest.mark.parametrize("machine", CALLS)
def test_networks(machine):
    kind, at = CALLS[machine]
    proxied = filters.program(machine, "proxy")
    assert (
        verdict(proxied, kind, SOCKET[at], 2, 1 | 0o2000000) == ALLOWED
        and verdict(proxied, kind, SOCKET[at], 10, 1) == ALLOWED
    )
    assert verdict(proxied, kind, SOCKET[at], 2, 2) == EPERM and verdict(proxied, kind, SOCKET[at], 16, 3) == EPERM
    assert verdict(filters.program(machine, "host"), kind, SOCKET[at], 16, 3) == ALLOWED
    alone = filters.program(machine, "none", connects=False)
    assert verdict(alone, kind, CONNECT[at]) == EPERM
    assert verdict(alone, kind, SOCKET[at], 1, 2) == EPERM and verdict(alone, kind, SOCKET[at], 1, 1) == ALLOWED
    assert verdict(alone, kind, PAIR[at], 1, 2) == EPERM and verdict(alone, kind, PAIR[at], 1, 1) == ALLOWED
    assert (
        verdict(alone, kind, SENDTO[at], 3, 0, 0, 0, 1 << 33) == EPERM
        and verdict(alone, kind, SENDTO[at], 3) == ALLOWED
    )


def test_an_unknown_machine_has_no_filter():
    with pytest.raises(ValueError, match="riscv64"):
        filters.program("riscv64", "none")


VIEW: View = {
    "writable": ["/work"],
    "fixed": ["/work/.git"],
    "kept": ["/work/.git/hooks", "/work/.git/config"],
    "hidden": ["/Users/a/.ssh"],
    "private": {"/tmp": "/private/tmp/codi-1"},
    "shown": [],
    "proxy": None,
    "nothing_writable": False,
}


def test_the_profile_of_macos():
    assert seatbelt.profile(VIEW, "none").splitlines() == [
        "(version 1)",
        "(deny default)",
        "(allow process-fork process-exec)",
        "(allow signal (target same-sandbox))",
        "(allow sysctl-read)",
        "(allow file-read*)",
        '(allow file-write-data (literal "/dev/null"))',
        '(allow file-write-data (literal "/dev/zero"))',
        '(allow file-write-data (literal "/dev/tty"))',
        '(allow file-write-data (literal "/dev/dtracehelper"))',
        '(allow file-write* (subpath "/work"))',
        '(allow file-write* (subpath "/private/tmp/codi-1"))',
        '(deny file-write* (subpath "/work/.git/hooks"))',
        '(deny file-write* (subpath "/work/.git/config"))',
        '(deny file-write-unlink file-write-create (literal "/work/.git"))',
        '(deny file-read* file-write* (subpath "/Users/a/.ssh"))',
        "(deny network*)",
    ]
    looks = seatbelt.profile({**VIEW, "nothing_writable": True, "hidden": ['/a"b\\c']}, "none")
    assert "(allow file-write* " not in looks and '"/a\\"b\\\\c"' in looks


def test_the_limits_of_windows():
    plan = job_object.plan(VIEW, 100, 5)
    assert len(plan.limits) == 144 and plan.integrity == "S-1-16-4096" and plan.token_flags == 0xD
    per_process, _, flags = struct.unpack_from("<qqI", plan.limits)
    assert per_process == 50_000_000 and flags == 0x2000 | 0x8 | 0x400 | 0x2
    assert struct.unpack_from("<I", plan.limits, 40) == (100,)
    assert [path for path, _ in plan.access] == [
        "/work",
        "/private/tmp/codi-1",
        "/work/.git/hooks",
        "/work/.git/config",
    ]
    assert job_object.LEVEL == 1.5


@pytest.mark.skipif(os.uname().sysname != "Darwin", reason="macOS alone has sandbox-exec")
def test_the_profile_is_one_that_macos_takes(tmp_path):
    assert os.system(f"sandbox-exec -p '{seatbelt.profile(VIEW, 'none')}' true") == 0


@pytest.mark.parametrize(
    "host",
    [b"attacker\0.allowed.com", b"attacker.com\0.allowed.com", b"allowed.com.", b"127.0.0.1", b"2130706433", b"0x7f.1", b"[::1]", b"::1", b"evil.com",
     b"allowed.com.evil.com", b"xallowed.com", b"-a.allowed.com", b"all_owed.com", "\u0430llowed.com".encode(), b"allowed.com\r\nX: y", b"", b"a" * 64 + b".allowed.com"],
)  # fmt: skip
def test_names_that_the_proxy_refuses(host):
    with pytest.raises(Refused):
        checked(host, 443, ["allowed.com", "*.allowed.com"])


def test_what_an_allowed_name_leads_to_is_looked_at_and_so_is_the_port():
    with pytest.raises(Refused, match="no public address"):
        checked(b"localhost", 443, ["localhost"])
    for port, hosts in ((8080, ["localhost"]), (443, ["localhost:8080"])):
        with pytest.raises(Refused, match="not among"):
            checked(b"LocalHost", port, hosts)


def test_requests_that_the_proxy_understands():
    assert target_of(b"CONNECT a.b:443 HTTP/1.1\r\nHost: other\r\n\r\n") == (b"a.b", 443, b"")
    host, port, onward = target_of(
        b"GET http://a.b/x?y HTTP/1.1\r\nHost: other\r\nProxy-Authorization: z\r\nAccept: */*\r\n\r\n"
    )
    assert (host, port) == (b"a.b", 80)
    assert onward == b"GET /x?y HTTP/1.1\r\nHost: a.b\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    for broken in (
        b"GET /x HTTP/1.1\r\n\r\n",
        b"CONNECT a.b HTTP/1.1\r\n\r\n",
        b"CONNECT a.b:99999 HTTP/1.1\r\n\r\n",
        b"x\r\n\r\n",
    ):
        with pytest.raises(Refused):
            target_of(broken)


def test_the_guard_puts_back(tmp_path: Path):
    hooks = tmp_path / ".git" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "kept").write_text("as it was")
    (hooks / "link").symlink_to("kept")
    (tmp_path / ".git" / "objects").mkdir()
    places_ = [str(hooks), str(tmp_path / ".codi"), str(tmp_path / ".envrc")]
    guard = Guard(places_, [str(tmp_path / ".git")])
    assert guard.put_back() == []
    (tmp_path / ".git").rename(tmp_path / "g")
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    (tmp_path / "g" / "hooks" / "kept").write_text("changed")
    (tmp_path / "g" / "hooks" / "new").write_text("x")
    (tmp_path / "g" / "hooks" / "link").unlink()
    (tmp_path / ".codi").mkdir()
    (tmp_path / ".codi" / "config.toml").write_text("x")
    assert guard.put_back() == [str(tmp_path / ".git"), str(hooks), str(tmp_path / ".codi")]
    assert (
        sorted(path.name for path in hooks.iterdir()) == ["kept", "link"]
        and (hooks / "kept").read_text() == "as it was"
    )
    assert (hooks / "link").readlink() == Path("kept") and (tmp_path / ".git" / "objects").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git"]


def test_a_worktree_keeps_what_leads_to_it_and_can_commit(tmp_path: Path):
    own = tmp_path / "main" / ".git" / "worktrees" / "w"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {own}\n")
    found = places.git_around(str(tmp_path / "w"))
    assert found and found.folders == (str(tmp_path / "main" / ".git"), str(own))
    assert {str(own / "commondir"), str(tmp_path / "main" / ".git" / "hooks")} <= set(found.kept)


def test_what_is_shown_lies_open_in_a_hidden_folder(tmp_path: Path):
    for name in ("a/b/c", "a/d", "e"):
        (tmp_path / name).mkdir(parents=True)
    shown = str(tmp_path / "a" / "b")
    assert sorted(places.around(str(tmp_path), [shown])) == [str(tmp_path / "a" / "d"), str(tmp_path / "e")]
    assert places.around(str(tmp_path), [str(tmp_path / "a" / "b" / "c")]) and places.around(shown, [shown]) == []
    assert places.around(str(tmp_path), ["/elsewhere"]) == [str(tmp_path)]
