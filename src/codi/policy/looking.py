"""Whether a command surely only looks: then nobody need be asked, and nothing of it need be taken back.

All of the line must be understood, each program of it must be known to look with exactly these options, and nothing may be
written. Where the place matters, all that is looked at must lie in the workspace and hold no secrets.
"""

import os

from codi.policy.shell.analysis import Analysis, SimpleCommand, analyse
from codi.policy.shell.fed import only_reads_what_is_listed
from codi.policy.shell.looks import LOOKED_THROUGH, seen_by
from codi.policy.territory import Territory
from codi.protocol.effects import Runs

SECRET_PLACE = "a place where secrets are kept"
_NULL = "/dev/null"
_GLOBS = ("-g", "--glob", "--iglob", "--include")
_OWN_GIT = frozenset(
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


def only_looks(command: Runs, territory: Territory | None = None) -> bool:
    """Without a territory: whether it changes nothing, wherever it looks."""
    return why_not_looking(command, territory) is None


def why_not_looking(command: Runs, territory: Territory | None = None) -> tuple[str, ...] | None:
    """Why a command may do more than look, or looks where it should not, part by part; None where it surely only looks."""
    analysis = analyse(command)
    reasons = [f"{doubt.segment}: {doubt.reason}" if doubt.segment else doubt.reason for doubt in analysis.doubts]
    reasons += _beyond(analysis, command.cwd, territory)
    return tuple(dict.fromkeys(reasons)) or None


def is_own_git(command: Runs) -> bool:
    analysis = analyse(command)
    words = [one.words for one in analysis.commands if not one.wrappers and one.cwd == command.cwd]
    return analysis.understood and not analysis.redirections and len(words) == 1 and words[0] in _OWN_GIT


def _beyond(analysis: Analysis, cwd: str, territory: Territory | None) -> list[str]:
    reasons = []
    for command in analysis.commands:
        why = _why_not(command, cwd, territory)
        if why:
            reasons.append(f"{command.text}: {why}")
    for redirection in analysis.redirections:
        if redirection.writes:
            reasons.append(f"> {redirection.target or '?'}: writes a file")
        elif territory and redirection.target and (why := _why_not_there(redirection.target, "/", territory)):
            reasons.append(f"< {why}")
    return reasons


def _why_not(command: SimpleCommand, cwd: str, territory: Territory | None) -> str | None:
    is_fed = "xargs" in command.wrappers and _is_fed_names(command, territory)
    if unknown := next((each for each in command.wrappers if each not in LOOKED_THROUGH and not is_fed), None):
        return f"{unknown} does more than look"
    seen = seen_by(command.words)
    if seen is None:
        return "not known to only look"
    if command.words[0] == "git":
        if command.cwd != cwd:
            return "git looks at another folder than the one that is worked in"
        if territory and territory.git_obeys(command.cwd):
            return "the configuration of the repository, or of one within it, may name programs that git runs"
    if territory is None:
        return None
    for path in (*seen.paths, "."):
        if why := _why_not_there(path, command.cwd, territory):
            return why
    if secret := next(
        (value for name, value in seen.options if name in _GLOBS and territory.seeks_secrets(value or "")), None
    ):
        return f"{secret} is {SECRET_PLACE}"
    return None


def _is_fed_names(command: SimpleCommand, territory: Territory | None) -> bool:
    """Whether xargs alone stands before it, and gives it the names of files that are no secrets."""
    if command.wrappers != ("xargs",) or not only_reads_what_is_listed(command.words, command.fed_by):
        return False
    sought = (word.partition("=")[2] or word for words in command.fed_by for word in words)
    return territory is None or not any(map(territory.seeks_secrets, sought))


def _why_not_there(path: str, cwd: str, territory: Territory) -> str | None:
    if path in ("-", _NULL):
        return None
    written = os.path.join(cwd, path)
    real = territory.real(written)
    if territory.is_secret(real) or territory.is_secret(os.path.normpath(written)):
        return f"{path} is {SECRET_PLACE}"
    return None if territory.holds(real) else f"{path} is outside the workspace {territory.root}"
