"""What codi itself asks git, reading only, and without letting a repository's configuration run anything."""

import os
from functools import lru_cache

from msgspec import Struct

from codi.workspace import processes
from codi.workspace.roots import repository_of

_STATUS_LIMIT_S = 2.0
_MOST_OUTPUT = 64 * 1024

_FOR_ALL = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "diff.autoRefreshIndex": "false",  # else a look at a file that was only touched writes the index, locks or not
}
_SETTINGS = {**_FOR_ALL, "diff.external": "", "protocol.allow": "never"}

_ALWAYS = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_PAGER": "cat"}
"""A pager of the environment goes before that of one subcommand, which a configuration may name too."""


def neutral(settings: dict[str, str]) -> dict[str, str]:
    """The environment under which git obeys these settings rather than the repository's."""
    numbered = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(settings)}
    numbered |= {f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **numbered, **_ALWAYS}


NEUTRAL = neutral(_SETTINGS)
"""For every git that codi starts for itself: no monitor, hook, pager, external diff or fetch of the repository's choice."""


def for_commands(folder: str) -> dict[str, str]:
    """The environment of a command in a folder. To git a `diff.external` that is empty is one that fails, so there is none where
    the repository names none. Fetching is the command's own business."""
    named = "external" in _configuration_around(folder)
    return neutral({**_FOR_ALL, "diff.external": ""} if named else _FOR_ALL)


_OBEYED = (
    "filter",
    "textconv",
    "command",
    "driver",
    "include",
    "gpg",
    "showsignature",
    "partialclone",
    "promisor",
    "alternaterefs",
)


def obeys(folder: str) -> bool:
    """Whether git, asked about the repository around a folder, would run what its configuration names, or that of a repository
    within it, or may do so."""
    text, top = _configuration_around(folder), repository_of(folder)
    if any(word in text for word in _OBEYED) or _is_in_git_folder(folder):
        return True
    return top is not None and _holds_repositories(os.path.join(_git_folder(top), "index"))


_WITHIN = b"\0\0\xe0\0"
"""The mode under which an index lists a repository within the repository. A size may look the same; then git is asked about."""


def _holds_repositories(index: str) -> bool:
    try:
        facts = os.stat(index)
    except OSError:
        return False
    return _lists_repositories(index, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=8)
def _lists_repositories(index: str, mtime_ns: int, size: int) -> bool:
    try:
        with open(index, "rb") as file:
            return _WITHIN in file.read()
    except OSError:
        return True


def _is_in_git_folder(folder: str) -> bool:
    """Whether a folder, or one around it, is the inside of a repository: git reads its configuration wherever it lies."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        if all(os.path.lexists(os.path.join(folder, name)) for name in ("HEAD", "objects")):
            return True
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return False
    return False


def _configuration_around(folder: str) -> str:
    """All settings of the repository itself, in lower case; empty outside of one."""
    top = repository_of(folder)
    return "" if top is None else _configuration(top).lower()


class GitState(Struct, frozen=True):
    """`branch` is None when detached, `head` (a commit) before the first commit, `dirty` when git was too slow to say."""

    branch: str | None
    head: str | None
    dirty: bool | None


class Commit(Struct, frozen=True):
    """`at` is when it was made, in seconds since 1970."""

    id: str
    at: int


async def commits_since(root: str, at: float) -> tuple[Commit, ...]:
    """The newest commits of the branch that were made since a moment, the newest first; none outside of a repository."""
    if repository_of(root) is None:
        return ()
    told = await _git(("git", "log", "-50", "--format=%H %ct"), root, NEUTRAL)
    lines = (line.split() for line in (told or b"").decode(errors="replace").splitlines())
    commits = (Commit(words[0], int(words[1])) for words in lines if len(words) == 2 and words[1].isdigit())
    return tuple(commit for commit in commits if commit.at >= int(at))


def branches(root: str) -> list[str]:
    """The names of the local branches of the repository around a folder, read without git."""
    top = repository_of(root)
    if top is None:
        return []
    folder = _common_folder(top)
    heads = os.path.join(folder, "refs", "heads")
    found = {os.path.relpath(os.path.join(place, name), heads) for place, _, names in os.walk(heads) for name in names}
    packed = (_text(folder, "packed-refs") or "").splitlines()
    found |= {line.partition(" refs/heads/")[2] for line in packed if " refs/heads/" in line}
    return sorted(found)


async def diff(root: str, ref: str = "", path: str = "") -> str | None:
    """How the working tree below a folder differs from `ref`, or from its last commit, files included that git does not know yet;
    None where there is no such thing to compare with."""
    if ref.startswith("-"):
        return None
    top = repository_of(root) or root
    settings = {**_SETTINGS, **{f"filter.{name}.{way}": "" for name in await _filters(top) for way in _FILTER_WAYS}}
    del settings["diff.external"]  # one that is empty is one that fails; --no-ext-diff leaves it out
    below = ("--", path or ".")
    words = ("--no-color", "--no-ext-diff", "--no-textconv", "-M", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")
    asked = ref or ("HEAD" if _branch_and_head(top)[1] else _EMPTY_TREE)
    told = await _git(("git", "diff", *words, asked, *below), root, neutral(settings), _MOST_OF_DIFF)
    if told is None:
        return None
    new = await _git(("git", "ls-files", "-z", "--others", "--exclude-standard", *below), root, neutral(settings))
    out = [told.decode(errors="replace")]
    for name in os.fsdecode(new or b"").split("\0")[:_MOST_NEW]:
        if name:
            out.append(await _as_new(root, name, settings))
    return "".join(out)


_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_MOST_NEW = 100
_MOST_OF_DIFF = 4_000_000
_MOST_OF_NEW = 1_000_000


async def _as_new(root: str, name: str, settings: dict[str, str]) -> str:
    """A file that git does not know, as the diff that would add it."""
    facts = os.lstat(os.path.join(root, name))
    head = f"diff --git a/{name} b/{name}\nnew file mode {'100755' if facts.st_mode & 0o100 else '100644'}\n"
    blob = await _git(("git", "hash-object", "--no-filters", "--", name), root, neutral(settings))
    head += f"index {'0' * 40}..{(blob or b'').decode().strip()}\n" if blob else ""
    try:
        with open(os.path.join(root, name), "rb") as file:
            content = file.read(_MOST_OF_NEW + 1)
    except OSError:
        return head
    if b"\0" in content[:8192] or len(content) > _MOST_OF_NEW:
        return f"{head}Binary files /dev/null and b/{name} differ\n"
    lines = content.decode(errors="replace").split("\n")
    cut = lines.pop() if lines[-1] == "" else None
    if not lines:
        return head
    body = "".join(f"+{line}\n" for line in lines) + ("" if cut == "" else "\\ No newline at end of file\n")
    return f"{head}--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{body}"


async def state(root: str) -> GitState | None:
    """Of the repository around a folder; None outside of one."""
    top = repository_of(root)
    if top is None:
        return None
    branch, head = _branch_and_head(top)
    return GitState(branch, head, await _dirty(root, top))


def exclude(folder: str, pattern: str) -> None:
    """Keep files out of a repository's sight without a word in what is shared with others; nothing outside of one."""
    top = repository_of(folder)
    if top is None:
        return
    path = os.path.join(_common_folder(top), "info", "exclude")
    known = _text(os.path.dirname(path), "exclude") or ""
    if pattern not in known.splitlines():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{'' if known.endswith(chr(10)) or not known else chr(10)}{pattern}\n")


async def _dirty(root: str, top: str) -> bool | None:
    settings = {**_SETTINGS, **{f"filter.{name}.{way}": "" for name in await _filters(top) for way in _FILTER_WAYS}}
    words = ("git", "status", "--porcelain", "--ignore-submodules=dirty")
    told = await _git(words, root, neutral(settings))
    return None if told is None else bool(told)


_FILTER_WAYS = ("clean", "smudge", "process")


async def _filters(top: str) -> set[str]:
    """The content filters that the repository's own configuration defines: status would run them."""
    words = ("git", "config", "--show-scope", "--name-only", "--get-regexp", r"^filter\.")
    told = await _git(words, top, NEUTRAL) if _may_filter(top) else None
    settings = [line.split("\t", 1) for line in os.fsdecode(told or b"").splitlines()]
    return {name.removeprefix("filter.").rpartition(".")[0] for scope, name in settings if scope in _OF_REPOSITORY}


_OF_REPOSITORY = ("local", "worktree")


def _may_filter(top: str) -> bool:
    text = _configuration(top).lower()
    return any(word in text for word in ("filter", "include"))


def _configuration(top: str) -> str:
    return (_text(_common_folder(top), "config") or "") + (_text(_git_folder(top), "config.worktree") or "")


async def _git(words: tuple[str, ...], cwd: str, more: dict[str, str], most: int = _MOST_OUTPUT) -> bytes | None:
    """What it says, or None when it fails, is not there, or takes too long."""
    try:
        outcome = await processes.run(
            words,
            cwd=cwd,
            environment=processes.environment_for(os.environ, more),
            shell="",
            timeout_s=_STATUS_LIMIT_S,
            keep_head=most,
            keep_tail=0,
            spool=None,
        )
    except OSError:
        return None
    return outcome.head if outcome.exit_code == 0 and not outcome.timed_out else None


def _branch_and_head(top: str) -> tuple[str | None, str | None]:
    folder, common = _git_folder(top), _common_folder(top)
    head = (_text(folder, "HEAD") or "").strip()
    if not head.startswith("ref:"):
        return None, head or None
    name = head.removeprefix("ref:").strip()
    commit = (_text(folder, name) or _text(common, name) or "").strip() or _packed(common, name)
    return name.removeprefix("refs/heads/"), commit


def _packed(common: str, name: str) -> str | None:
    for line in (_text(common, "packed-refs") or "").splitlines():
        commit, _, its_name = line.partition(" ")
        if its_name == name:
            return commit
    return None


def folders_of(top: str) -> tuple[str, str]:
    """The git folder of a repository, and the one that it shares with its other worktrees (mostly the same)."""
    return os.path.normpath(_git_folder(top)), os.path.normpath(_common_folder(top))


def _git_folder(top: str) -> str:
    named = _text(top, ".git")
    if named is None or not named.startswith("gitdir:"):
        return os.path.join(top, ".git")
    return os.path.join(top, named.removeprefix("gitdir:").strip())


def _common_folder(top: str) -> str:
    folder = _git_folder(top)
    return os.path.join(folder, (_text(folder, "commondir") or "").strip())


def _without_waiting(path: str, flags: int) -> int:
    """For somebody to write into what is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _text(folder: str, name: str) -> str | None:
    try:
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8", errors="surrogateescape", opener=_without_waiting) as file:
            return file.read()
    except OSError:
        return None
