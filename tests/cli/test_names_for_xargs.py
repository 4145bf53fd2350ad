"""What xargs gives to a program that only reads is a look, as long as the names come from the workspace."""

import json
from collections.abc import Sequence

import pytest

from conftest import Codi

LOOKS = [
    "find . -name '*.py' | xargs wc -l",
    "find . -name '*.py' | xargs grep -l TODO",
    "find . -name '*.py' -print0 | xargs -0 grep -n TODO",
    "git ls-files | xargs wc -l",
    "git ls-files '*.py' | xargs grep -n TODO",
    "rg -l foo | xargs wc -l",
    "rg --files -g '*.py' | xargs cat",
    "grep -rl TODO src | xargs grep -c x",
    "git diff --name-only HEAD~1 | xargs wc -l",
    "find . -type f 2>/dev/null | xargs wc -l",
    "find . -type f | grep py | sort | head -5 | xargs wc -l",
    "find src -name '*.py' | xargs wc -l | sort -n | tail -5",
    "git ls-files | grep -v test | xargs -n1 basename",
    "git ls-files | head -n 5 | xargs cat",
    "find . -name '*.py' | xargs -r grep -n x",
    "cd src && find . -name '*.py' | xargs cat",
    "git grep -l TODO | xargs cat",
    "find . -name '*.py' | xargs cat 2>/dev/null",
    "fd -e py | xargs wc -l",
]

MORE = [
    "ls src | xargs -n1 echo",
    "echo /etc/shadow | xargs cat",
    "find . -name .env | xargs cat",
    "find . -name '.env*' | xargs cat",
    "find . | xargs cat < list",
    "cat list | xargs cat",
    "find . | xargs sort",
    "find . -printf '/etc/shadow' | xargs cat",
    "find / | xargs cat",
    "find /etc | xargs cat",
    "git ls-files --format=/etc/x | xargs cat",
    "find . | xargs -I{} sh -c {}",
    "find . | xargs rm",
    "find . | xargs rm -rf",
    "xargs cat",
    "xargs cat < list",
    "find . | grep x list | xargs cat",
    "ls -l | xargs cat",
    "find . | xargs -a list cat",
    "find . | xargs cat <<'EOF'\n/etc/shadow\nEOF",
    "find . | (cd /etc; xargs cat)",
    "find . | (xargs cat)",
    "find . | xargs find",
    "find . | xargs git log",
    "find . | xargs file",
    "rg --json x | xargs cat",
    "find . | xargs head | xargs cat",
    "find . | xargs cat | xargs cat",
    "find . | xargs",
    "find . | xargs sh",
    "find . | xargs env cat",
    "find . | xargs sudo cat",
    "find . | xargs tail -f",
    "find . | xargs sed -n p",
    "find . | xargs awk 1",
    "find . | xargs rg x",
    "find . | sed s/a/b/ | xargs cat",
    "find . | tr . / | xargs cat",
    "find . | cut -c2- | xargs cat",
    "find . | head -n 5 list | xargs cat",
    "find . | sort list | xargs cat",
    "find . | uniq list | xargs cat",
    "find . | tail -n 2 - list | xargs cat",
    "cat <<'EOF' | xargs cat\n/etc/shadow\nEOF",
    "git diff -p | xargs cat",
    "git diff --name-only --line-prefix=/etc/ | xargs cat",
    "git log --format=/etc/x | xargs cat",
    "rg x | xargs cat",
    "rg -l --path-separator=x a | xargs cat",
    "grep -r x . | xargs cat",
    "grep -o x f | xargs cat",
    "ls ; find . | xargs cat < list",
    "find . | xargs cat .env",
    "find . | xargs cat /etc/passwd",
    "true && find . | xargs bash",
    "find . | xargs -I % cp % /tmp",
    "find . | xargs -P0 -n1 sh -c",
    "printf /etc/x | xargs cat",
    "find . | xargs xargs rm",
    "find . | xargs -p cat",
    "find ~ | xargs cat",
    "find .. | xargs cat",
    "find . | xargs cat > x",
    "find . | xargs cat | sh",
    "find . -exec rm {} + | xargs cat",
    "find . | xargs cat && rm x",
    "find . | tee x | xargs cat",
    "find . | grep -f list | xargs cat",
    "find . | grep -e a list | xargs cat",
    "find . | grep -vf list | xargs cat",
    "find . | head list | xargs cat",
    "find . | sort -o x | xargs cat",
    "find . | sort --files0-from=l | xargs cat",
    "find . <x | xargs cat",
    "find -files0-from l | xargs cat",
    "git -C /etc ls-files | xargs cat",
    "cat x | find . | xargs cat | rm x",
    "find . |& grep -o '/e.*' | xargs cat",
    "find . | grep -oe x | xargs cat",
    "find . | tail +1 | xargs cat",
    "find . -fprint x | xargs cat",
    "find . | head 5 | xargs cat",
    "find . | head -n 5 6 | xargs cat",
]


def decisions(codi: Codi, lines: Sequence[str]) -> dict[str, str]:
    (codi.cwd / "src").mkdir()
    given = "".join(json.dumps({"cmd": line}) + "\n" for line in lines)
    return {each["cmd"]: each["decision"] for each in codi("policy", "check", "--jsonl", stdin=given).lines}


@pytest.mark.parametrize("lines, is_look", [(LOOKS, True), (MORE, False)])
def test_names_that_are_listed_may_be_read_and_nothing_else(codi: Codi, lines: list[str], is_look: bool):
    assert [line for line, said in decisions(codi, lines).items() if (said == "allow") != is_look] == []
