"""What is dangerous in a command line, with reasons, and what no one may run at all.

All of this only ever raises the risk; it allows nothing. The deny floor holds in every mode and against every rule, also for
a line that cannot be parsed or where no parser is installed: so it reads tolerantly, and sees too much rather than too little.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from codi.policy.command_line import SHELLS, UNKNOWN, Command, commands_of, names_known
from codi.policy.looking import SECRET_PLACE, only_looks, why_not_looking
from codi.policy.shell.analysis import analyse
from codi.policy.territory import Territory
from codi.protocol.effects import Runs

_DEVICE = re.compile(r"/dev/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|loop|mapper/|md|dm-|nbd|sr|rdisk)")
_FORK_BOMB = re.compile(r"([^\s(){};&|]{1,64})\s{0,9}\(\)\s{0,9}\{\s*\1\s*\|\s*\1\s*&")
_SYSTEM = re.compile(
    r"/(?:bin|boot|dev|etc|home|lib\w*|opt|proc|root|sbin|srv|sys|usr|var|Users|System|Library|Applications)?"
)
_EVERYTHING_IN = re.compile(r"(?:/(?:\*\*?|\.\*|\?\*|\.\[!?\^?\.\]\*|\{[^/}]+\}|\[[^/]*\]\*))+/?$")
"""The end of a path that names all there is in a folder."""

_INTERPRETER = re.compile(r"(?:python|pypy|perl|ruby|node|deno|bun|php|lua|tclsh|awk|osascript)[\d.]*")
_FORMATS = re.compile(r"mkfs(?:\..*)?|mke2fs|wipefs|blkdiscard|mkswap")
_PARTITIONS = frozenset(
    {"fdisk", "sfdisk", "gdisk", "sgdisk", "parted", "cryptsetup", "pvcreate", "vgremove", "lvremove", "mdadm", "zpool"}
)
_WRITES_ALL = frozenset({"tee", "rm", "rmdir", "unlink", "shred", "truncate", "touch", "mkdir", "chmod", "chown", "chgrp", "chattr", "mv", "dd",
                         "mkfifo", "mknod", "patch", "ed", "ex"})  # fmt: skip
_WRITES_LAST = frozenset({"cp", "ln", "install", "rsync", "scp", "ditto"})
_PRIVILEGE = frozenset({"sudo", "doas", "su", "pkexec", "runuser"})
_SYSTEM_TOOLS = frozenset({"crontab", "at", "batch", "systemctl", "service", "launchctl", "shutdown", "reboot", "halt", "poweroff", "init",
                           "telinit", "mount", "umount", "insmod", "rmmod", "modprobe", "sysctl", "iptables", "ip6tables", "nft", "ufw",
                           "firewall-cmd", "useradd", "userdel", "usermod", "groupadd", "adduser", "deluser", "passwd", "chpasswd", "visudo",
                           "setenforce", "chroot", "nsenter", "killall", "swapoff", "losetup", "setcap", "loginctl"})  # fmt: skip
_ALWAYS_RUN = frozenset({"make", "npx", "uvx", "bunx", "tox", "nox"})
_RUNNERS = _ALWAYS_RUN | {"npm", "pnpm", "yarn", "bun", "uv", "cargo", "go", "poetry"}
_RUN_WORDS = frozenset({"run", "test", "start", "exec", "build", "t"})
_FILTERS = re.compile(
    r"-(?:i?name|i?path|i?wholename|i?regex|newer\w*|size|empty|[acm]time|[acm]min|user|group|perm|inum|samefile)"
)
_GIT_LATER = re.compile(r"(?i:core\.(?:hookspath|pager|editor|fsmonitor|sshcommand|askpass|attributesfile)|alias\.|credential\.|diff\.|filter\.|"
                        r"merge\.|gpg\.|pager\.|sequence\.|include|url\.|protocol\.|safe\.|sendemail\.|uploadpack\.)")  # fmt: skip

_PATTERNS = (
    (8, "reads where secrets are kept", r"(?:\.ssh/|\.aws/|\.gnupg|\.netrc|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/(?:g?shadow|sudoers)|/proc/[^ ]*environ)"),
    (8, "opens a connection of its own", r"/dev/(?:tcp|udp)/|\b(?:nc|ncat|netcat)\b[^;&|\n]{0,300}\s-\w*[ec]\b|\bsocat\b[^;&|\n]{0,300}\b(?:EXEC|SYSTEM):"),
    (8, "may delete everything", r"(?:rmtree|rmSync|rm_rf|remove_tree|unlink)\s*\(\s*['\"](?:/|~)['\"/]"),
    (8, "gives a program another's rights", r"\bchmod\b[^;&|\n]{0,300}\s(?:\S*\+\w*s|0*[2-7]\d{3})\b"),
    (8, "hands the machine to a container", r"\b(?:docker|podman|nerdctl)\b[^;&|\n]{0,300}(?:--privileged|(?:-v|--volume)[ =]?/:|docker\.sock|--pid[ =]host)"),
    (7, "rewrites history or pushes by force", r"\bgit\b[^;&|\n]{0,300}\b(?:push\b[^;&|\n]{0,300}(?:--force|\s-\w*f\b|\s\+|--mirror|--delete|\s:)|reset\s+--hard|filter-branch|filter-repo|rebase|reflog\s+expire|update-ref\s+-d)"),
    (6, "deletes recursively", r"\brm\b[^;&|\n]{0,300}\s-\w*[rR]|\bfind\b[^;&|\n]{0,300}\s-delete\b"),
    (6, "deletes what is not tracked", r"\bgit\s+clean\b|\bgit\s+checkout\s+(?:--\s+)?\.|\bgit\s+restore\b|\bgit\s+stash\s+(?:drop|clear)"),
    (5, "installs packages", r"\b(?:pip\d?|pipx|uv|npm|pnpm|yarn|bun|cargo|go|gem|apt|apt-get|brew|dnf|yum|pacman|apk)\s+(?:install|add|get|i|-S)\b"),
    (5, "runs a script given on the line", r"\b(?:python\d?|node|perl|ruby|bash|sh|zsh)\s+-\w*[ce]\b"),
    (4, "reaches the network", r"\b(?:curl|wget|ssh|scp|sftp|rsync|nc|ncat|telnet|ftp)\b|\bgit\s+(?:push|pull|fetch|clone)\b"),
)  # fmt: skip
"""Risk, reason, and the pattern, which is compiled when a command is first judged."""


_LOOKED_AT = 16_384
"""Characters of a line in which patterns are looked for: their time grows with the square of it."""


class Danger(Struct, frozen=True):
    """`forbidden` is why nobody may run it, not even when asked for; `risk` is 0 to 10."""

    risk: int
    reasons: tuple[str, ...]
    forbidden: str | None = None


def danger_of(line: str, cwd: str, territory: Territory) -> Danger:
    """What is known of a line that is run in `cwd`. One of which nothing is known has risk 3: it may write. What only looks has
    none. What is disguised, or no shell line at all, has 2 more than it would have otherwise."""
    known = _Known(cwd, territory)
    commands = commands_of(line[: 4 * _LOOKED_AT], known.names)
    if why := _forbidden(line, commands, known):
        return Danger(10, (why,), why)
    why_not = why_not_looking(Runs(line, cwd), territory)
    if why_not is None:
        return Danger(0, ("only looks",))
    found = [(risk, reason) for risk, reason, pattern in _PATTERNS if re.search(pattern, line[:_LOOKED_AT])]
    if len(line) > _LOOKED_AT:
        found.append((8, "is too long to be looked through"))
    for command in commands:
        found += [(risk, reason) for risk, reason in _risks(command, known)]
    if any("/" in one.words[0] for one in analyse(Runs(line, cwd)).commands):
        found.append((5, "runs a program by its place"))
    if any(SECRET_PLACE in why for why in why_not):
        found.append((8, "reads where secrets are kept"))
    if not found and only_looks(Runs(line, cwd)):
        return Danger(4, ("looks at what is not the workspace's",))
    found = sorted(found, key=lambda one: -one[0]) or [(3, "runs a command")]
    hidden = next((doubt for doubt in analyse(Runs(line, cwd)).doubts if doubt.hides), None)
    if hidden:
        found.append((0, f"{hidden.reason} (2 more)"))
    return Danger(min(found[0][0] + 2 * bool(hidden), 10), tuple(dict.fromkeys(reason for _, reason in found)))


class _Known:
    """Where a command runs, and what that makes of the paths in it."""

    def __init__(self, cwd: str, territory: Territory) -> None:
        self.territory = territory
        self.names = names_known(territory.home, cwd, territory.codi_home)
        self._cwd = cwd
        self._kept = (territory.root, territory.home, territory.codi_home, cwd)

    def path(self, word: str) -> str:
        """Absolute and without `..`, as far as the text goes."""
        return os.path.normpath("/" + os.path.join(self._cwd, word).lstrip("/"))

    def is_everything(self, word: str) -> bool:
        """The root of the file system or a folder of the system, the person's home, the workspace, or what holds one of them."""
        if not word:
            return False
        path = self.path(_EVERYTHING_IN.sub("/", "./" + word if not word.startswith("/") else word))
        return _SYSTEM.fullmatch(path) is not None or any(_holds(path, kept) for kept in self._kept)

    def is_codi_home(self, word: str) -> bool:
        return _holds(self.territory.codi_home, self.path(word))

    def is_outside(self, word: str) -> bool:
        path = self.path(word)
        return not (self.territory.holds(path) or path.startswith(("/tmp/", "/var/tmp/", "/dev/")))


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _forbidden(line: str, commands: Iterable[Command], known: _Known) -> str | None:
    if _FORK_BOMB.search(line):
        return "is a fork bomb"
    for command in commands:
        words, program = command.words, command.program
        written = list(_written(command))
        if any(_DEVICE.match(word) for word in written) or (
            program == "cat" and any(map(_DEVICE.match, command.targets))
        ):
            return "writes over a disk"
        if any(known.is_codi_home(word) for word in written):
            return "changes codi's own folder"
        if _FORMATS.fullmatch(program):
            return "formats a disk"
        if program == "rm" and _is_recursive(words):
            for word in _operands(words):
                if UNKNOWN not in word and word != "{}" and known.is_everything(word):
                    return f"deletes {word} and all below it"
        if program == "find" and _deletes(words):
            for word in _roots(words):
                if UNKNOWN not in word and known.is_everything(word) and not any(map(_FILTERS.fullmatch, words)):
                    return f"deletes {word} and all below it"
    return None


def _risks(command: Command, known: _Known) -> Iterator[tuple[int, str]]:
    words, program = command.words, command.program
    for check in (_hidden, _runs_input, _runs_scripts, _system, _deletions, _places):
        if words or check is _places:
            yield from check(command, program, words, known)


def _hidden(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    if UNKNOWN in words[0]:
        yield 8, "hides what it runs"
    if program == "eval":
        yield 8, "evaluates text as a command"


def _runs_input(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    operands = list(_operands(words))
    if program in SHELLS:
        if any(UNKNOWN in word for word in words[1:]):
            yield 8, "runs text that is not known before"
        elif command.is_fed and (not operands or "-s" in words or "{}" in words):
            yield 8, "runs what comes out of a pipe"
        elif command.script and UNKNOWN in command.script:
            yield 8, "runs text that is not known before"
    elif program in ("source", ".") and any(UNKNOWN in word for word in operands):
        yield 8, "runs text that is not known before"
    elif _INTERPRETER.fullmatch(program):
        bare = not operands or operands == ["-"]
        if command.is_fed and bare and not any(re.match(r"-\w*[cem]", word) for word in words[1:]):
            yield 8, "runs what comes out of a pipe"
        elif any(word == UNKNOWN for word in operands[:1]) and not any(
            re.match(r"-\w*[cem]", word) for word in words[1:]
        ):
            yield 8, "runs text that is not known before"


def _runs_scripts(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    operands = [word for word in _operands(words) if word != "-"]
    if (program in SHELLS or program in ("source", ".") or _INTERPRETER.fullmatch(program)) and operands:
        yield 5, "runs a script"
    elif program in _RUNNERS and (program in _ALWAYS_RUN or _RUN_WORDS.intersection(operands[:1])):
        yield 5, "runs what the project says"


def _system(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    if program in _PRIVILEGE:
        yield 8, "raises its privileges"
    if program in _SYSTEM_TOOLS or program in _PARTITIONS:
        yield 8, "changes the system"
    if program == "kill" and any(word in ("-1", "1", "0") for word in list(words)[2:] or list(words)[1:2]):
        yield 8, "ends processes that are not its own"
    if (
        program == "git"
        and "config" in words
        and any(word in ("--global", "--system") or _GIT_LATER.match(word) for word in words[1:])
    ):
        yield 8, "changes what git runs later"


def _deletions(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    operands = list(_operands(words))
    if (
        program == "rm"
        and _is_recursive(words)
        and (command.is_fed or any(UNKNOWN in word and _is_bare(word, known) for word in operands))
    ):
        yield 8, "deletes what it does not name"
    if (
        program == "find"
        and _deletes(words)
        and any(
            UNKNOWN in word or _SYSTEM.fullmatch(known.path(word)) or known.path(word) == known.territory.home
            for word in _roots(words)
        )
    ):
        yield 8, "deletes beyond the workspace"
    if (
        program in ("chmod", "chown", "chgrp")
        and any(re.fullmatch(r"-\w*R\w*|--recursive", word) for word in words)
        and any(known.is_everything(word) and known.path(word) != known.territory.root for word in operands[1:])
    ):
        yield 8, "changes the rights of everything"
    if program == "mv" and any(known.is_everything(word) for word in operands[:-1]):
        yield 8, "moves everything away"
    if (
        program == "rsync"
        and any(word.startswith("--del") for word in words)
        and operands
        and known.is_everything(operands[-1])
    ):
        yield 8, "deletes what it does not name"
    if program == "git" and "clean" in words and any(known.is_everything(word) for word in operands[1:]):
        yield 8, "deletes all that is not tracked"


def _places(command: Command, program: str, words: Sequence[str], known: _Known) -> Iterator[tuple[int, str]]:
    for word in (*words[1:], *command.targets):
        if ("/" in word or word.startswith((".", "id_")) or word.endswith(".pem")) and known.territory.is_secret(
            known.path(word)
        ):
            yield 8, "reads where secrets are kept"
            break
    for word in _written(command):
        if UNKNOWN not in word and known.is_outside(word):
            yield 8, "writes outside of the workspace"
        elif UNKNOWN not in word and known.territory.is_protected(known.path(word)):
            yield 7, f"{word} is protected: what stands there acts later, by itself"


def _written(command: Command) -> Iterator[str]:
    """The paths that a command surely writes to, as far as its words tell."""
    yield from command.targets
    program, operands = command.program, list(_operands(command.words))
    if program == "dd":
        yield from (word[3:] for word in operands if word.startswith("of="))
    elif program in ("chmod", "chown", "chgrp", "chattr"):
        yield from operands[1:]
    elif program in _WRITES_ALL or (
        program == "sed" and any(re.match(r"-\w*i|--in-place", word) for word in command.words)
    ):
        yield from operands
    elif program in _WRITES_LAST and len(operands) > 1 and ":" not in operands[-1]:
        yield operands[-1]


def _operands(words: Sequence[str]) -> Iterator[str]:
    for at, word in enumerate(words[1:], 1):
        if word == "--":
            yield from words[at + 1 :]
            return
        if not word.startswith("-") or word == "-":
            yield word


def _is_recursive(words: Sequence[str]) -> bool:
    return any(re.fullmatch(r"-[a-zA-Z]*[rR][a-zA-Z]*|--rec\w*|--no-preserve-root", word) for word in words[1:])


def _is_bare(word: str, known: _Known) -> bool:
    """Whether a word names everything, or nothing at all, when its unknown parts are empty."""
    left = word.replace(UNKNOWN, "")
    return not left.strip("/.*") or known.is_everything(left)


def _deletes(words: Sequence[str]) -> bool:
    after = {
        words[at + 1].rpartition("/")[2]
        for at, word in enumerate(words[:-1])
        if word in ("-exec", "-execdir", "-ok", "-okdir")
    }
    return "-delete" in words or bool(after & {"rm", "shred", "unlink", *SHELLS})


def _roots(words: Sequence[str]) -> list[str]:
    roots: list[str] = []
    for word in words[1:]:
        if word.startswith(("-", "(", "!")):
            if roots or word not in ("-L", "-H", "-P"):
                break
        else:
            roots.append(word)
    return roots or ["."]
