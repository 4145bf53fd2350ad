"""The narrowest rules that would have allowed an effect, offered to the person and never assumed.

Some commands are never offered: what runs text or other programs, what nobody could read, and what is dangerous. A rule for
one of them would be a rule for everything.
"""

import os
import re
from collections.abc import Sequence

from msgspec import Struct

from codi.policy.command_line import SHELLS
from codi.policy.options import break_out
from codi.policy.policy import Policy
from codi.policy.shell.analysis import SimpleCommand, analyse
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Effect, Reaches, Reads, Runs, Writes

MOST_RISK = 7
"""From this risk on nothing is offered."""

_LENGTHS: dict[str, int] = dict.fromkeys(
    ("npm", "yarn", "pnpm", "bun", "git", "go", "cargo", "pip", "pip3", "uv", "mix", "make", "docker", "podman", "kubectl", "helm",
     "terraform", "tofu", "poetry", "gradle", "gradlew", "mvn", "dotnet", "composer", "bundle", "rake", "just", "task", "swift", "dart", "flutter",
     "zig", "bazel", "nx", "turbo", "rustup", "brew", "conda", "pdm", "hatch", "ruff", "pre-commit", "alembic", "prisma", "vercel", "fly",
     "heroku", "ansible", "pulumi", "sbt", "lein", "stack", "cabal", "opam", "dune", "meson", "cmake", "deno", "gem", "systemctl", "hg", "svn"),
    2,
) | dict.fromkeys(("aws", "az", "gh", "glab"), 3) | {"gcloud": 4}  # fmt: skip
"""Programs with commands of their own, and how many words name what is done."""

_LONGER: dict[tuple[str, str], int] = dict.fromkeys(
    [("npm", "run"), ("npm", "run-script"), ("yarn", "run"), ("pnpm", "run"), ("bun", "run"), ("git", "stash"), ("git", "remote"), ("git", "submodule"),
     ("git", "worktree"), ("git", "bisect"), ("git", "config"), ("git", "branch"), ("git", "tag"), ("git", "notes"), ("go", "mod"), ("go", "tool"),
     ("uv", "pip"), ("docker", "compose"), ("docker", "container"), ("docker", "image"), ("docker", "volume"), ("docker", "network"),
     ("docker", "system"), ("docker", "buildx"), ("kubectl", "config"), ("kubectl", "rollout"), ("helm", "repo"), ("terraform", "state"),
     ("terraform", "workspace"), ("cargo", "nextest")],
    3,
)  # fmt: skip

_INTERPRETERS = re.compile(
    r"(?:python|pypy|ipython|perl|ruby|irb|node|nodejs|deno|php|lua|luajit|tclsh|wish|[gmn]?awk|osascript|Rscript|julia|java|jshell|groovy|scala|"
    r"ghci?|runghc|erl|elixir|iex|guile|racket|sbcl|swipl|pwsh|powershell|cmd|sqlite3|psql|mysql|mongosh?|gdb|lldb|vim?|nvim|emacs|ed|ex|tsx|ts-node)[\d.]*"
)  # fmt: skip
_LAUNCHERS = SHELLS | {
    "env", "nohup", "nice", "ionice", "chrt", "taskset", "time", "timeout", "stdbuf", "unbuffer", "command", "builtin", "exec", "eval", "source",
    ".", "xargs", "parallel", "sudo", "doas", "su", "runuser", "pkexec", "setsid", "chroot", "nsenter", "unshare", "strace", "ltrace", "watch",
    "script", "flock", "busybox", "toybox", "caffeinate", "systemd-run", "trap", "ssh", "coproc", "npx", "uvx", "pipx", "bunx", "pnpx", "entr",
    "expect", "screen", "tmux", "at", "batch", "crontab", "nix-shell", "direnv", "dotenv", "op", "sops", "git-bash", "rlwrap", "prlimit",
}  # fmt: skip
"""What is told what to run."""

_RUN_OTHERS = frozenset(
    {("npm", "exec"), ("npm", "x"), ("pnpm", "dlx"), ("pnpm", "exec"), ("yarn", "dlx"), ("yarn", "exec"), ("bun", "x"), ("uv", "run"), ("uv", "tool"),
     ("uv", "x"), ("poetry", "run"), ("pdm", "run"), ("hatch", "run"), ("conda", "run"), ("bundle", "exec"), ("docker", "run"), ("docker", "exec"),
     ("podman", "run"), ("podman", "exec"), ("kubectl", "exec"), ("kubectl", "run"), ("kubectl", "debug"), ("go", "run"), ("deno", "run"),
     ("deno", "eval"), ("nix", "run"), ("nix", "shell"), ("mix", "run"), ("npm", "init"), ("npm", "create"), ("git", "config"), ("git", "bisect"),
     ("cargo", "install"), ("swift", "run"), ("dart", "run"), ("dotnet", "script"), ("dotnet", "exec")}
)  # fmt: skip
"""Commands of programs that run what they are given, or set what is run later."""


class Offer(Struct, frozen=True):
    """`exact` allows the same again and no more; `wide` all that begins the same way, or lies beside it. Both as `--allow`
    takes them."""

    exact: str
    wide: str | None = None


def offer_for(effect: Effect, policy: Policy, territory: Territory, risk: int) -> Offer | None:
    """What may be offered after the person allowed an effect; None where no rule should be."""
    if risk >= MOST_RISK:
        return None
    match effect:
        case Runs():
            return _of_command(effect, policy)
        case Writes(path) | Reads(path):
            if territory.is_protected(path) or territory.is_secret(path):
                return None
            return _of_path("write" if isinstance(effect, Writes) else "read", short(path, territory))
        case Reaches(host, port):
            return Offer(f"reach({host}:{port})", f"reach({host})") if "*" not in host else None


def offered_rule(effect: Effect, territory: Territory) -> str | None:
    """The rule that `--allow` would need; None where there is none."""
    match effect:
        case Runs():
            return f"run({effect.line})" if "\n" not in effect.line else None
        case Writes(path):
            return None if territory.is_protected(path) else f"write({short(path, territory)})"
        case Reads(path):
            return f"read({short(path, territory)})"
        case Reaches(host, port):
            return f"reach({host}:{port})"


def short(path: str, territory: Territory) -> str:
    return path.removeprefix(territory.root.rstrip("/") + "/")


def is_never_offered(command: SimpleCommand) -> bool:
    """Whether a rule for this would be one for much else."""
    words = command.words
    program = os.path.basename(words[0]) if words else ""
    if command.wrappers or not program or program in _LAUNCHERS or _INTERPRETERS.fullmatch(program):
        return True
    if words[1:2] and words[1].startswith("-") and program == "git":
        return True  # git -c, git -C: what follows runs elsewhere, or otherwise
    return words == ("git",) or (program, *words[1:2]) in _RUN_OTHERS or break_out(words)


def literal_prefix(words: Sequence[str]) -> tuple[str, ...] | None:
    """The words that name what a program with commands of its own is to do; None for others, and where an option stands
    among them."""
    if not words or words[0] not in _LENGTHS:
        return None
    length = _LONGER.get((words[0], words[1]) if len(words) > 1 else (words[0], ""), _LENGTHS[words[0]])
    first = tuple(words[:length])
    named = all(re.fullmatch(r"[A-Za-z0-9@][\w@%+:./-]*", word) for word in first)
    return first if len(first) == length and named else None


def _of_command(command: Runs, policy: Policy) -> Offer | None:
    found = analyse(command)
    if not found.understood:
        return None
    if any(map(is_never_offered, found.commands)) or re.search(r"[*\n]", command.line):
        return None
    asking = [part for part in found.commands if not isinstance(policy.otherwise(Runs(part.words, part.cwd)), Allow)]
    if len({part.words for part in asking}) != 1 or found.redirections:
        return Offer(f"run({command.line.strip()})")
    prefix = literal_prefix(asking[0].words)
    return Offer(f"run({asking[0].text})", f"run({' '.join(prefix)} *)" if prefix else None)


def _of_path(head: str, path: str) -> Offer:
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    wide = f"{head}({os.path.join(folder, '*' + extension)})" if stem and extension else None
    return Offer(f"{head}({path})", wide)
