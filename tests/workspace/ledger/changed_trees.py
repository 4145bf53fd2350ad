"""Real trees, changed by real shells, as programs of random actions; and what a tree is, byte for byte and mode for mode."""

import os
import random
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from codi.workspace.ledger.coverage import EXCLUDED, UndoSettings
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.states import Cause, Step

Digest = dict[str, tuple[str, int, bytes]]

NOT_COVERED = {os.fsencode(name) for name in EXCLUDED}

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "x@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Place:
    """A workspace with its ledger; a new `Place` on the same folder is a second process, as far as the ledger can tell."""

    def __init__(self, folder: Path, settings: UndoSettings | None = None, session: str = "s1") -> None:
        self.root = folder / "work"
        self.root.mkdir(exist_ok=True)
        self.home = folder / "home"
        self.session = session
        self.turn = 0
        self.ledger = Ledger(str(self.home), str(self.root), settings or UndoSettings())

    def shell(self, script: str, *, check: bool = True) -> None:
        """A command of the agent's."""
        with_step = self.ledger.begin(self.cause("shell", script), (), True)
        try:
            self.by_hand(script, check=check)
        finally:
            self.ledger.end(with_step)
        self.last = with_step

    def write(self, path: str, content: bytes | None) -> None:
        """A change by a tool of the agent's; None deletes."""
        place = self.root / path
        under_way = self.ledger.begin(self.cause("write", path), (str(place),), False)
        if content is None:
            place.unlink()
        else:
            with suppress(FileExistsError, IsADirectoryError, NotADirectoryError):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        self.ledger.end(under_way)
        self.last = under_way

    def cause(self, tool: str, what: str) -> Cause:
        return Cause(session=self.session, turn=self.turn, call_id=f"c{what[:8]}", tool=tool, what=what, title="prompt")

    def by_hand(self, script: str, *, check: bool = False) -> None:
        """What a person does, or what a command does by itself."""
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script],
            cwd=self.root,
            env=ENVIRONMENT,
            check=check,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )

    def steps(self) -> list[Step]:
        return self.ledger.reversal.undoable(self.session)

    def digest(self) -> Digest:
        return digest_of(self.root)


def digest_of(root: Path) -> Digest:
    """Everything but git's object store, whose leftovers mean nothing, and the times within its index."""
    found: Digest = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        if folder.endswith(b"/.git"):
            folders[:] = [name for name in folders if name != b"objects"]
        folders[:] = [name for name in folders if name not in NOT_COVERED]
        for name in [*names, *folders]:
            place = os.path.join(folder, name)
            status = os.lstat(place)
            path = os.fsdecode(os.path.relpath(place, os.fsencode(root)))
            kind = stat.S_IFMT(status.st_mode)
            content = b""
            if kind == stat.S_IFLNK:
                content = os.readlink(place)
            elif kind == stat.S_IFREG:
                with open(place, "rb") as file:
                    content = file.read()
            found[path] = (oct(kind), stat.S_IMODE(status.st_mode) if kind != stat.S_IFLNK else 0, content)
    return found


def seed_tree(root: Path, rng: random.Random, *, with_git: bool) -> None:
    for number in range(rng.randrange(4, 14)):
        folder = root / rng.choice(["", "src", "src/deep", "docs", "data"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}.txt").write_bytes(content(rng))
    (root / ".gitignore").write_text("*.log\nignored/\n")
    (root / "ignored").mkdir(exist_ok=True)
    (root / "ignored" / "secret.log").write_bytes(content(rng))
    os.symlink("docs", root / "to-docs")
    (root / "empty").mkdir()
    if with_git:
        commit = "git init -q -b main . && git add -A && git commit -qm first"
        subprocess.run(["bash", "-c", commit], cwd=root, env=ENVIRONMENT, check=True, capture_output=True)


def content(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.1:
        return rng.randbytes(rng.randrange(1, 5000))
    if kind < 0.15:
        return b""
    end = b"\r\n" if kind > 0.9 else b"\n"
    lines = [b"line %d %d" % (number, rng.randrange(1000)) for number in range(rng.randrange(1, 60))]
    return end.join(lines) + (end if kind < 0.8 else b"")


FILES = "$(find . -path ./.git -prune -o -type f -print | sort | sed -n '{}p')"
FOLDERS = "$(find . -path ./.git -prune -o -type d -print | sort | sed -n '{}p')"


def command(rng: random.Random, *, with_git: bool) -> str:
    """One command line. It may fail in the middle: what it did until then is undone all the same."""
    one, two = FILES.format(rng.randrange(1, 15)), FILES.format(rng.randrange(1, 15))
    folder = FOLDERS.format(rng.randrange(2, 8))
    name = f"n{rng.randrange(1000)}"
    lines = [
        f"sed -i 's/line 3/changed {name}/' \"{one}\"",
        f'echo {name} >> "{one}"',
        f'rm -f "{one}" "{two}"',
        f'rm -rf "{folder}"',
        f'mv "{one}" {name}.txt',
        f'mv "{folder}" {name}',
        f'mkdir -p {name}/a/b && cp "{one}" {name}/a/b/ && touch {name}/empty',
        f'chmod {rng.choice(["600", "755", "444", "640"])} "{one}"',
        f'chmod {rng.choice(["700", "755", "555"])} "{folder}"',
        f'ln -sfn {name} link-{name}; ln -s "{one}" {name}.lnk',
        "rm -f to-docs; mkdir -p to-docs; echo x > to-docs/x",
        f'for i in $(seq 1 {rng.randrange(2, 30)}); do mkdir -p gen/$i; echo "$i {name}" > gen/$i/out.py; done',
        "rm -rf gen",
        f"head -c {rng.randrange(1, 200000)} /dev/urandom > {name}.bin",
        f'cp "{one}" tmp && mv -f tmp "{two}"',
        f'f="{one}"; rm -f "$f"; mkdir -p "$f"; echo inner > "$f/inner"',
        f"mkfifo {name}.fifo",
        f'truncate -s 0 "{one}"',
        f'ln "{one}" {name}.hard; echo more >> "{one}"',
        "printf 'a' > $'new\\nline'; printf 'b' > $'bad\\xff\\xfename'",
        f'touch "{one}"',
        f"echo {name} > ignored/secret.log; mkdir -p node_modules; echo ok",
        f"python3 - <<'E'\nimport os\nopen('{name}.gen','w').write('x'*{rng.randrange(1, 9999)})\nE",
        "rm -rf -- ./* ",
    ]
    of_git = [
        "git add -A && git commit -qm change",
        "git reset -q --hard",
        "git reset -q --hard HEAD~1",
        "git checkout -q -b side-$RANDOM",
        "git checkout -q main",
        "git stash -q -u",
        "git stash pop -q",
        "git stash drop -q",
        "git clean -fdxq",
        "git branch -D $(git branch --format='%(refname:short)' | grep side | head -1)",
        "git rm -q --cached -r src",
        "git tag t-$RANDOM",
        "git gc -q --prune=now",
        "git merge -q $(git branch --format='%(refname:short)' | grep side | head -1)",
        "git status; git log --oneline | cat",
    ]
    return rng.choice(of_git if with_git and rng.random() < 0.35 else lines)
