"""A small world in which lines are run for real, and of which it can be told whether anything in it changed."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from codi.workspace.git import for_commands
from codi.workspace.processes import environment_for

_EACH_S = 3
_RUN_ALL = f"""while IFS= read -r -d '' line; do
    timeout -k 1 {_EACH_S} bash --noprofile --norc -c "$line" </dev/null >/dev/null 2>&1
done
true"""


class Scratch:
    """`root` is the workspace; beside it lie a home and files that nothing may touch."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.root = place / "work"
        self.home = place / "home"
        for folder in (self.root / "src", self.root / "docs", self.home / ".ssh", place / "outside"):
            folder.mkdir(parents=True)
        for name, text in {
            "a.txt": "one two\nthree four\nfoo bar\n",
            "src/app.py": "import os\n\n\ndef main():\n    # TODO\n    return 1\n",
            "docs/read me.md": "# x\n",
            "data.json": '{"name": "x"}\n',
            ".env": "TOKEN=canary\n",
            "PWN.sh": "#!/bin/sh\ntouch PWNED\n",
            "../home/.ssh/id_rsa": "canary\n",
            "../outside/canary": "canary\n",
        }.items():
            (self.root / name).write_text(text)
        (self.root / "PWN.sh").chmod(0o755)
        self._git("init", "-q", "-b", "main")
        self._git("add", ".")
        self._git("commit", "-qm", "one")
        (self.root / "a.txt").write_text("one two\nthree four five\nfoo bar\n")
        self._git("commit", "-qam", "two")
        (self.root / "src/app.py").write_text("import os\n\n\ndef main():\n    return 2\n")
        evil = f"touch {self.root}/PWNED;"
        for key in ("core.pager", "core.fsmonitor", "core.editor", "pager.log", "core.sshCommand"):
            self._git("config", key, evil)
        hook = self.root / ".git/hooks/post-index-change"
        hook.write_text(f"#!/bin/sh\n{evil}\n")
        hook.chmod(0o755)

    def run(self, lines: Sequence[str]) -> None:
        """One after the other, each in a shell of its own as codi starts it, where possible without a network."""
        given = {"HOME": str(self.home), "TMPDIR": str(self._place / "temporary")}
        os.makedirs(given["TMPDIR"], exist_ok=True)
        environment = environment_for(os.environ, {**given, **for_commands(str(self.root))})
        subprocess.run(
            [*_alone(), "bash", "--noprofile", "--norc", "-c", _RUN_ALL],
            cwd=self.root,
            env=environment,
            input=b"".join(line.encode() + b"\0" for line in lines),
            check=True,
        )

    def state(self) -> dict[str, str]:
        """All there is, by path: kind, rights, time of change and contents."""
        seen = {}
        for folder, folders, files in os.walk(self._place):
            if folder == str(self._place):
                folders[:] = [name for name in folders if name != "temporary"]
            for name in [*files, *folders]:
                path = os.path.join(folder, name)
                facts = os.lstat(path)
                if os.path.islink(path):
                    told = os.readlink(path)
                elif name in files:
                    told = f"{facts.st_mtime_ns} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}"
                else:
                    told = ""
                seen[path] = f"{facts.st_mode} {told}"
        return seen

    def _git(self, *words: str) -> None:
        words = (
            "git",
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@y",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            *words,
        )
        subprocess.run(
            words,
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            check=True,
            capture_output=True,
        )


def _alone() -> tuple[str, ...]:
    for words in (("unshare", "-n"), ("unshare", "-rn")):
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
        except OSError:
            break
    return ()
