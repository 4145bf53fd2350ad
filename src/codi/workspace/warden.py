"""The warden: a small process beside codi that starts its commands and sees to it that nothing of them lives on.

codi itself does not fork. It starts this file once, as a program of its own (it imports nothing of codi, and little of the
standard library, so as to be ready within milliseconds), and holds a socket to it, the door. For each command the warden forks
a *keeper*. The keeper adopts every orphan that descends from its command, even one that began a session of its own, and
so can end them all: when the command ends, when its time is up, when codi says so, and when codi is killed, which closes the
keeper's socket.

Door: one byte (`PLAIN` or `CONFINED`) with three descriptors: the keeper's socket, the writing and the reading end of the output
pipe; with a fourth where the command gets a standard input, or a terminal for all three. Socket:
messages are a length (4 bytes) and a marshalled value; first codi's request, then what the keeper has to tell. After the
request codi sends orders of one byte.
"""

import _socket  # the half of `socket` written in C: the other half takes as long to load as all the rest
import gc
import marshal
import os
import select
import signal
import sys
from time import monotonic

PLAIN = b"p"
CONFINED = b"c"
"""Knocks: the second for a command that comes with orders for a sandbox."""
STOP = b"s"
"""Order: TERM, and KILL after `GRACE_S`."""
KILL = b"k"
"""Order: KILL."""

GRACE_S = 2.0
ORPHANED_GRACE_S = 1.0
"""Grace after codi itself was killed: nothing may live for more than 2 s."""
HELD_S = 0.5
"""How long the output is still read after the shell ended, when something else holds it open."""
HELD_GRACE_S = 0.25
_CROWD_S = 10.0
"""How long the kernel may take to end a whole namespace of processes, as many as a flood can make."""
_UNKILLABLE_S = 1.0
"""After so long a process that KILL does not end (it sleeps in the kernel, or is another user's) is given up."""

NOTES_BYTES = 8192
"""How much is handed to codi of what a command wrote to its notes."""

# prctl(2)
_SET_DEATH_SIGNAL = 1
_SET_NAME = 15
_ADOPT_ORPHANS = 36
_TAKE_TERMINAL = 0x540E
"""ioctl TIOCSCTTY"""

Request = tuple[list[bytes], bytes, dict[bytes, bytes], float, int, bytes]
"""Words, directory, environment, seconds, the descriptor under which the command finds its notes: a file apart from
the output, in memory, whose content codi is told at the end (0: none), and what confines it (`launcher.Orders`; empty: nothing)."""


Told = tuple[str] | tuple[str, int] | tuple[str, int, bool] | tuple[str, int, bool, bytes]
"""`forked` with the shell's process; then `started`, or `failed` with an errno and whether it was because of the
directory; then `ended` with the shell's status, whether its time was up, and its notes."""


def framed(value: Request | Told) -> bytes:
    message = marshal.dumps(value)
    return len(message).to_bytes(4, "little") + message


def descendants(ancestor: int) -> list[tuple[int, int]]:
    """All living processes below one with their groups, children before grandchildren."""
    children: dict[int, list[tuple[int, int]]] = {}
    for process, parent, group, _ in _living():
        children.setdefault(parent, []).append((process, group))
    found = list(children.get(ancestor, ()))
    for process, _ in found:
        found += children.get(process, ())
    return found


def members(session: int) -> list[int]:
    """All living processes of a session."""
    return [process for process, _, _, its_session in _living() if its_session == session]


def _living() -> list[tuple[int, int, int, int]]:
    """Process, parent, group and session of whatever runs (proc_pid_stat(5); zombies do not)."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY)
                try:
                    stat = os.read(descriptor, 4096)
                finally:
                    os.close(descriptor)
            except OSError:
                continue  # it ended meanwhile
            state, parent, group, session = stat[stat.rindex(b")") + 2 :].split(b" ", 4)[:4]
            if state not in b"ZX":
                found.append((int(name), int(parent), int(group), int(session)))
    return found


def _prctl(option: int, argument: int | bytes) -> None:
    import ctypes  # by the warden alone: codi reads this file too, and has no need of it

    ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def _serve(door: int) -> None:
    """Fork a keeper for whoever knocks, until codi is gone."""
    _prctl(_SET_NAME, b"codi-warden")
    # A command like `pkill python` must not take away what keeps the commands. Keepers are not waited for.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))  # inherited from whoever started codi
            except OSError:
                pass  # the listing's own
    gc.freeze()  # what is here already is not looked through again, and so stays shared with every keeper
    os.get_exec_path({})  # loads what `execvpe` needs once, not in every child
    socket = _socket.socket(fileno=door)
    while True:
        knock, ancillary, _, _ = socket.recvmsg(1, _socket.CMSG_SPACE(16), _socket.MSG_CMSG_CLOEXEC)
        if not knock:
            return
        numbers = ancillary[0][2]
        handed = [int.from_bytes(numbers[at : at + 4], sys.byteorder) for at in range(0, len(numbers), 4)]
        if knock == CONFINED:
            _load_launcher()  # here, so that it is loaded once and not by every keeper
        try:
            if os.fork() == 0:
                status = 1
                try:
                    _close_door(door)
                    _keep(*handed)
                    status = 0
                finally:
                    os._exit(status)
        except OSError:
            pass  # no more processes: codi sees its end of the socket close
        for descriptor in handed:
            os.close(descriptor)


def _load_launcher() -> None:
    """Make the launcher known. This file runs as a program, so codi's own folder is not where Python looks for modules."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if folder not in sys.path:
        sys.path.append(folder)
    from codi.workspace.launching import launcher  # noqa: F401 - by the warden alone

    gc.freeze()


def _close_door(door: int) -> None:
    # Its number is that of standard input, which must not fall to another descriptor.
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, door)
    os.close(nothing)


def _keep(socket: int, output: int, held: int, given: int = 0) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    _prctl(_ADOPT_ORPHANS, 1)
    request = _request(socket)
    notes = os.memfd_create("notes")
    failed, failed_told = os.pipe()
    leash, held_leash = os.pipe()
    shell = os.fork()
    if shell == 0:
        os.close(held_leash)
        _become(request, socket, given, output, notes, failed_told, leash)
    os.close(leash)
    os.close(output)
    if given:
        os.close(given)
    os.close(failed_told)
    failure = os.read(failed, 64)
    if failure:
        os.waitpid(shell, 0)
        what, number = failure.split()
        _tell(socket, ("failed", int(number), what == b"directory"))
        return
    _tell(socket, ("started",))
    keeper = _Keeper(socket, shell, _CROWD_S if request[5] else _UNKILLABLE_S)
    ended_by = keeper.wait(monotonic() + request[3])
    if ended_by == "end":
        keeper.wait_for_release(held)
        keeper.end_all(HELD_GRACE_S)
    else:
        keeper.end_all({"kill": 0.0, "orphaned": ORPHANED_GRACE_S}.get(ended_by, GRACE_S))
    _tell(socket, ("ended", keeper.status, ended_by == "timeout", os.pread(notes, NOTES_BYTES, 0)))


def _tell(socket: int, value: Told) -> None:
    try:
        os.write(socket, framed(value))
    except OSError:
        pass  # codi is gone; waiting will find out


def _request(socket: int) -> Request:
    length = int.from_bytes(_read_exactly(socket, 4), "little")
    request: Request = marshal.loads(_read_exactly(socket, length))
    return request


def _read_exactly(socket: int, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = os.read(socket, size - len(read))
        if not part:
            os._exit(0)  # codi went away before it said what it wanted
        read += part
    return read


def _become(request: Request, socket: int, given: int, output: int, notes: int, failed: int, leash: int) -> None:
    """In the forked child: become the command, with nothing of codi's but what it needs. Does not return."""
    words, directory, environment, _, notes_at, orders = request
    at = b"directory"
    try:
        os.setsid()
        _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        _tell(socket, ("forked", os.getpid()))  # told before the command can kill its keeper
        confined = None
        if orders:
            from codi.workspace.launching import launcher  # the warden has loaded it

            confined = launcher.Confined(launcher.orders_of(orders), leash, output, given)
            confined.enter()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # what is ignored stays so across exec; Python ignores the last two
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        if given:
            os.dup2(given, 0)
            if os.isatty(0):
                _take_terminal()
        os.dup2(output, 1)
        os.dup2(output, 2)
        if notes_at:
            os.dup2(notes, notes_at)
        os.chdir(directory)
        at = b"program"
        if confined:
            words = confined.lock(words, [failed, notes_at])
        os.execvpe(words[0], words, environment)
    except OSError as error:
        os.write(failed, b"%s %d" % (at, error.errno or 0))
    finally:
        os._exit(127)


def _take_terminal() -> None:
    import fcntl  # for the few that get one

    fcntl.ioctl(0, _TAKE_TERMINAL, 0)


class _Keeper:
    def __init__(self, socket: int, shell: int, unkillable_s: float) -> None:
        self.status = 0
        """The shell's, as waitpid tells it."""
        self._socket = socket
        self._shell = shell
        self._unkillable_s = unkillable_s
        self._shell_lives = True

    def wait(self, until: float) -> str:
        """Wait for what comes first: end, timeout, stop, kill, orphaned."""
        shell = os.pidfd_open(self._shell)
        ready = select.poll()
        ready.register(shell, select.POLLIN)
        ready.register(self._socket, select.POLLIN)
        while True:
            left = until - monotonic()
            if left <= 0:
                return "timeout"
            happened = dict(ready.poll(min(left, 3600.0) * 1000 + 1))
            if shell in happened:
                self._shell_lives = False
                self.status = os.waitpid(self._shell, 0)[1]
                return "end"
            if happened:
                return self._order()

    def _order(self) -> str:
        try:
            order = os.read(self._socket, 1)
        except ConnectionResetError:  # codi was killed before it had read everything
            return "orphaned"
        return {STOP: "stop", KILL: "kill"}.get(order, "orphaned")

    def wait_for_release(self, held: int) -> None:
        """Wait until nobody holds the output any more, or codi grows impatient, or time is up."""
        ready = select.poll()
        ready.register(held, 0)  # a hang-up is told unasked, however much there still is to read
        ready.register(self._socket, select.POLLIN)
        ready.poll(HELD_S * 1000)

    def end_all(self, grace_s: float) -> None:
        """TERM to all that descends from the command, and KILL to what still lives after the grace."""
        if self._all_ended():
            return
        if grace_s:
            self._tell_all(signal.SIGTERM)
            self._tell_all(signal.SIGCONT)  # a stopped process does not hear TERM
            if self._wait_for_all(grace_s):
                return
        given_up = monotonic() + self._unkillable_s
        while monotonic() < given_up:
            self._tell_all(signal.SIGKILL)
            if self._wait_for_all(0.02):
                return

    def _tell_all(self, number: signal.Signals) -> None:
        if self._shell_lives:
            try:
                os.killpg(self._shell, number)  # these all at once
            except OSError:
                pass
        for process, group in descendants(os.getpid()):
            if self._shell_lives and group == self._shell:
                continue
            try:
                os.kill(process, number)
            except OSError:
                pass

    def _wait_for_all(self, seconds: float) -> bool:
        until = monotonic() + seconds
        while not self._all_ended():
            left = until - monotonic()
            if left <= 0:
                return False
            signal.sigtimedwait({signal.SIGCHLD}, left)
        return True

    def _all_ended(self) -> bool:
        """Reap what ended; whether that was all."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if process == 0:
                return False
            if process == self._shell:
                self._shell_lives = False
                self.status = status


if __name__ == "__main__":
    _serve(0)
