"""From a process that was just forked to one that is confined, in the order in which each step is still possible.

The command runs in namespaces of its own. Three processes make it: the *outer* one, which the keeper knows, waits for the
status and passes it on; the *first* of the new namespace arranges what is seen and reaps what is left behind; the *inner* one
becomes the command. When the first ends, the kernel ends everything else in there. It ends when nothing is left, and when the
keeper lets go of its leash.

Single-threaded, and read by the warden: nothing of codi but this folder, and little of the standard library.
"""

import json
import os
import resource
import select
import signal
from typing import NoReturn

from codi.workspace.launching import bubblewrap, filters, kernel, landlock
from codi.workspace.launching.bridge import Bridge
from codi.workspace.launching.mounts import arrange
from codi.workspace.launching.orders import Orders

OWN = "own launcher"
FAILED = 125
"""Status when it could not be confined; then nothing ran."""

_ALWAYS_NEW = kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_IPC | kernel.NEW_NAMES
_FOR_OWNERS = frozenset({0, 1, 3, 4})
"""CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID: what root needs among files of others."""


def orders_of(told: bytes) -> Orders:
    orders: Orders = json.loads(told)
    return orders


class Confined:
    """One command on its way in: `enter` while it may still arrange things, `lock` last of all."""

    def __init__(self, orders: Orders, leash: int, output: int, given: int) -> None:
        self._orders = orders
        self._leash = leash
        self._output = output
        self._given = given

    def fail(self, error: Exception) -> NoReturn:
        """Say why, and end without having run anything."""
        os.write(self._output, f"codi: the sandbox could not be set up: {error}\n".encode(errors="replace"))
        os._exit(FAILED)

    def enter(self) -> None:
        """Returns in the process that is to become the command."""
        try:
            self._limit()
            if self._orders["route"] == OWN:
                self._go_inside()
        except (OSError, KeyError, ValueError) as error:
            self.fail(error)

    def lock(self, words: list[bytes], kept: list[int]) -> list[bytes]:
        """Give up all that is not needed, but these descriptors. The words to run."""
        self._output = 2  # by now it is that of the command
        try:
            orders = self._orders
            self._limit_processes()
            if orders["route"] == bubblewrap.ROUTE:
                _close_all_but([0, 1, 2, *kept], _opened())
                return bubblewrap.words(orders, os.getcwdb(), self._program_file()) + words
            kernel.keep_capabilities(_FOR_OWNERS if orders["among_others"] else frozenset())
            kernel.forbid_new_privileges()
            self._restrict()
            _close_all_but([0, 1, 2, *kept], _opened())
            kernel.obey(self._program())
        except (OSError, KeyError, ValueError) as error:
            self.fail(error)
        return words

    def _program(self) -> bytes:
        return filters.program(os.uname().machine, self._orders["network"], connects=self._orders["level"] >= 3)

    def _program_file(self) -> int:
        """For another launcher to read."""
        descriptor = os.memfd_create("filter", 0)
        os.write(descriptor, self._program())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _limit(self) -> None:
        _lower(resource.RLIMIT_FSIZE, self._orders["file_bytes"])
        _lower(resource.RLIMIT_CORE, 0)
        if self._orders["cpu_s"] is not None:
            _lower(resource.RLIMIT_CPU, self._orders["cpu_s"])

    def _limit_processes(self) -> None:
        """Inside they are counted anew; outside everything counts that the person runs besides."""
        others = 0 if self._orders["route"] == OWN else _threads_of_machine()
        _lower(resource.RLIMIT_NPROC, others + self._orders["processes"])

    def _restrict(self) -> None:
        if not landlock.version():
            if self._orders["level"] < 3:
                raise OSError("this kernel has no Landlock")
            return  # the mounts hold
        view = self._orders["view"]
        writable = [] if view["nothing_writable"] else [*view["writable"], *view["private"]]
        if self._orders["level"] >= 3:
            devices: list[str | int] = ["/dev"]
            writable += [] if view["nothing_writable"] else ["/dev/shm", "/run"]
        else:
            devices = [*self._orders["devices"]]
            writable = [] if view["nothing_writable"] else [*view["writable"], *view["private"].values()]
        if os.isatty(0):
            devices.append(0)
        landlock.restrict(["/"], writable, devices)

    def _go_inside(self) -> None:
        network = self._orders["network"]
        terminal = os.ttyname(self._given) if self._given and os.isatty(self._given) else None
        status, told = os.pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        opened = _opened()
        kinds = _ALWAYS_NEW | (0 if network == "host" else kernel.NEW_NETWORK)
        _unshare(kinds, self._orders["among_others"])
        if os.fork():
            _pass_on(status, nothing, opened)
        os.close(status)
        try:
            arrange(self._orders["view"], terminal)
            bridge = Bridge() if network == "proxy" else None
            inner = os.fork()
        except (OSError, KeyError, ValueError) as error:
            os.write(told, b"%d" % (FAILED << 8))
            self.fail(error)
        if inner:
            _reap(inner, self._leash, told, nothing, bridge)
        os.setsid()


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _threads_of_machine() -> int:
    with open("/proc/loadavg") as file:
        return int(file.read().split()[3].split("/")[1])


def _unshare(kinds: int, everybody: bool) -> None:
    """With a namespace of users, so that no privilege of this machine is left; where root may not have one, without. In there the
    command is who it was, and with `everybody` all others are too."""
    if everybody:
        _unshare_with_everybody(kinds)
        return
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kinds | kernel.NEW_USERS)
    except OSError:
        if user:
            raise
        kernel.unshare(kinds)
        return
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _unshare_with_everybody(kinds: int) -> None:
    """Others may be mapped only by root, and from outside."""
    maps = {}
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}") as file:
            ranges = [line.split() for line in file]
        maps[name] = "\n".join(f"{inside} {inside} {count}" for inside, _, count in ranges)
    ready, told = os.pipe()
    parent = os.getpid()
    mapper = os.fork()
    if mapper == 0:
        _map_for(parent, maps, ready, told)
    os.close(ready)
    try:
        kernel.unshare(kinds | kernel.NEW_USERS)
    except OSError:
        kernel.unshare(kinds)
    else:
        os.write(told, b"!")
    os.close(told)
    if os.waitpid(mapper, 0)[1]:
        raise OSError("the users of this machine cannot be mapped")


def _map_for(process: int, maps: dict[str, str], ready: int, told: int) -> NoReturn:
    os.close(told)
    status = 1
    try:
        if os.read(ready, 1):  # else there is nothing to map
            for name, ranges in maps.items():
                _write(f"/proc/{process}/{name}", ranges)
        status = 0
    finally:
        os._exit(status)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _opened() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]


def _close_all_but(kept: list[int], opened: list[int]) -> None:
    for descriptor in opened:
        if descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                pass  # the listing's own


def _hold_only(kept: list[int], nothing: int, opened: list[int]) -> None:
    """Whoever only waits must not hold the output open."""
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    _close_all_but([0, 1, 2, *kept], opened)


def _pass_on(status: int, nothing: int, opened: list[int]) -> NoReturn:
    """The outer process: end as the command ended. Of its own /proc the first has made another's."""
    _hold_only([status], nothing, opened)
    told = os.read(status, 16)
    ended = int(told) if told else signal.SIGKILL
    if os.WIFSIGNALED(ended):
        number = os.WTERMSIG(ended)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(ended))


def _reap(inner: int, leash: int, told: int, nothing: int, bridge: Bridge | None) -> NoReturn:
    """The first process: live until everything else has ended, or nobody holds the leash any more."""
    try:
        kernel.keep_capabilities()
        kernel.forbid_new_privileges()
        heard, woken = os.pipe()
        for end in (heard, woken):
            os.set_blocking(end, False)
        _hold_only([leash, told, heard, woken, *(bridge.descriptors if bridge else [])], nothing, _opened())
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        ready = select.poll()
        ready.register(leash, 0)
        ready.register(heard, select.POLLIN)
        if bridge:
            bridge.register(ready)
        while not _all_reaped(inner, told):
            for descriptor, _ in ready.poll():
                if descriptor == leash:
                    os._exit(0)
                if descriptor == heard:
                    os.read(heard, 4096)
                elif bridge:
                    bridge.serve()
    finally:
        os._exit(0)


def _all_reaped(inner: int, told: int) -> bool:
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if process == 0:
            return False
        if process == inner:
            os.write(told, b"%d" % status)
