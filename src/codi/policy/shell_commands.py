"""The few commands that surely only look. Everything else asks.

A line passes if it is nothing but plain words (no quotes, no variables, no globs, no operators), its program is in the
table, and every flag is one that the table lists. Paths must lie below the working directory as they are written.
"""

import re

from codi.protocol.effects import Runs

_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_LOOKING: dict[str, frozenset[str]] = {
    "pwd": frozenset({"-P", "-L"}),
    "ls": frozenset({"-l", "-a", "-la", "-al", "-A", "-lA", "-1", "-R", "-h", "-lh", "-lah", "-t", "-lt", "-F", "-d", "--all"}),
    "whoami": frozenset(),
    "uname": frozenset({"-a", "-s", "-r", "-m"}),
    "date": frozenset({"-u", "+%Y", "+%F", "+%T", "+%s"}),  # a word without a sign would set the clock
    "wc": frozenset({"-l", "-w", "-c"}),
    "true": frozenset(),
    "echo": frozenset(),
    "basename": frozenset(),
    "dirname": frozenset(),
    "nproc": frozenset(),
}  # fmt: skip
_VERSIONS = frozenset({"python", "python3", "pip", "node", "npm", "cargo", "rustc", "go", "java", "make", "git", "uv"})
OWN_GIT = frozenset(
    {
        ("git", "status"),
        ("git", "status", "--short"),
        ("git", "status", "--short", "--branch"),
        ("git", "log", "--oneline", "-20"),
        ("git", "branch", "--show-current"),
        ("git", "rev-parse", "HEAD"),
    }
)
"""The fixed lines in which codi itself looks at a repository; they run with the repository's own configuration silenced."""


def only_looks(command: Runs) -> bool:
    words = _plain_words(command)
    if not words:
        return False
    if words in OWN_GIT or (len(words) == 2 and words[0] in _VERSIONS and words[1] == "--version"):
        return True
    flags = _LOOKING.get(words[0])
    if flags is None:
        return False
    if words[0] == "date" and not all(word.startswith(("-", "+")) for word in words[1:]):
        return False
    for word in words[1:]:
        if word.startswith(("-", "+")):
            if word not in flags:
                return False
        elif word.startswith("/") or ".." in word.split("/"):
            return False
    return True


def is_own_git(command: Runs) -> bool:
    return _plain_words(command) in OWN_GIT


def _plain_words(command: Runs) -> tuple[str, ...]:
    words = tuple(command.command.strip(" ").split(" ")) if isinstance(command.command, str) else command.command
    return words if words and all(_WORD.fullmatch(word) for word in words) else ()
