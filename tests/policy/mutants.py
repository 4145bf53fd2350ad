"""Lines that nobody wrote: plain looks that were cut, crossed, wrapped and poisoned, and programs with options at random."""

import random
from collections.abc import Iterator, Sequence

_SIGNS = [
    *list(";|&<>$()`\n\\'\"{}[]*?~#!=-+@%^,.:/ \t0aZ"),
    "&&",
    "||",
    ";;",
    "<<",
    ">>",
    "$(",
    "${",
    "<(",
    ">(",
    "\\\n",
    "$'",
    '$"',
    "2>",
    "&>",
    "((",
    "[[",
    "]]",
    "\r",
    "\u200b",
]
_POISON = [
    "; touch PWNED", "&& touch PWNED", "| tee PWNED", "$(touch PWNED)", "`touch PWNED`", "> PWNED", ">> PWNED", ">PWNED", "2>PWNED", "&>PWNED", "\ntouch PWNED\n", "& touch PWNED", "|| touch PWNED",
    "--output=PWNED", "--output PWNED", "-o PWNED", "-oPWNED", "-O PWNED", "--output-document=PWNED", "-exec touch PWNED ;", "-exec touch PWNED \\;", "-delete", "-fprint PWNED", "-fls PWNED", "--pre=./PWN.sh",
    "--pre ./PWN.sh", "-i", "-w", "-i.bak", "--in-place", "--ext-diff", "--textconv", "-c core.pager=./PWN.sh", "--open-files-in-pager=./PWN.sh", "--compress-program=./PWN.sh", "-T.", "PWNED", "a.txt PWNED",
    "'w PWNED'", "'s/a/b/w PWNED'", "'1e touch PWNED'", "'{print > \"PWNED\"}'", "'{system(\"touch PWNED\")}'", "'BEGIN{system(\"touch PWNED\")}'", "xargs touch PWNED", "| xargs touch", "| sh", "| bash", "touch PWNED",
    "./PWN.sh", "PATH=.", "PAGER=./PWN.sh", "env ./PWN.sh", "time ./PWN.sh", "timeout 5 ./PWN.sh", "nice ./PWN.sh", "command ./PWN.sh", "sh -c 'touch PWNED'", "eval touch PWNED", "exec touch PWNED",
    "source PWN.sh", ". ./PWN.sh", "<<EOF\n$(touch PWNED)\nEOF\n", "<<'EOF'\nEOF\ntouch PWNED\n", "# \\\ntouch PWNED", "<(touch PWNED)", ">(touch PWNED)", "${x:-$(touch PWNED)}", "${x:=y}", "$((x=1))",
    "'a[$(touch PWNED)]'", "-v 'a[$(touch PWNED)]'", "%n", "-eq", "branch PWNED", "tag PWNED", "stash", "config a.b c", "rm a.txt", "mv a.txt PWNED", "'", '"', "--", "-", "\\",
]  # fmt: skip
_AROUND = ["({})", "{{ {}; }}", "! {}", "time {}", "timeout 5 {}", "nice {}", "env {}", "command {}", "stdbuf -oL {}", "cd src && {}", "cd docs && {}", "{} 2>&1", "{} 2>/dev/null", "{} | head", "{} | sort", "{} # x",
           "{} || true", "{};", "\n{}\n", "  {}  ", "[ -f a.txt ] && {}", "cat <<'EOF' | {}\nx\nEOF", "{} <<'EOF'\ntouch PWNED\nEOF", "{} < a.txt", "{} &", "sh -c '{}'", "bash -c \"{}\""]  # fmt: skip
_OPTIONS = [f"-{letter}" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"] + [
    f"--{name}"
    for name in ("output", "output=PWNED", "out=PWNED", "file=a.txt", "exec", "delete", "write", "in-place", "follow", "pre", "all", "force", "color", "sort=name", "format=%H", "check", "backup", "paginate", "edit",
                 "set", "log-file=PWNED", "reverse", "count", "unique", "merge", "recursive", "null", "debug", "help", "version", "list", "stdin", "batch", "cached", "no-index", "exec-path=.", "verbose", "compile",
                 "filter", "patch", "stat", "raw", "name-only", "verify", "quiet", "directory", "create", "remove", "move", "copy", "track", "unset", "add", "replace-all", "global", "system", "local", "worktree")
]  # fmt: skip
_OPERANDS = [
    "a.txt",
    "src",
    "src/app.py",
    "PWNED",
    "HEAD",
    "main",
    ".",
    "-",
    "x",
    "1",
    "'1p'",
    "'{print}'",
    "+%F",
    "data.json",
    "docs",
    "'w PWNED'",
    "a.b",
    "2",
    "HEAD:a.txt",
    "'*.py'",
]


def mutants(seed: int, lines: Sequence[str], programs: Sequence[str]) -> Iterator[str]:
    """Without an end. The same seed makes the same lines."""
    dice = random.Random(seed)
    while True:
        line = _soup(dice, programs) if dice.random() < 0.35 else dice.choice(lines)
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            line = dice.choice(_WAYS)(dice, line, lines)
        yield line


def _soup(dice: random.Random, programs: Sequence[str]) -> str:
    words = [dice.choice(_OPTIONS if dice.random() < 0.55 else _OPERANDS) for _ in range(dice.randint(0, 4))]
    if dice.random() < 0.2:
        words = ["-" + "".join(word[1] for word in words if word.startswith("-") and len(word) == 2), *words[1:]]
    return " ".join([dice.choice(programs), *words])


def _with_sign(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    at = dice.randint(0, len(line))
    return line[:at] + dice.choice(_SIGNS) + line[at + dice.choice((0, 0, 1)) :]


def _poisoned(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    words = line.split(" ")
    words.insert(dice.randint(0, len(words)), dice.choice(_POISON))
    return " ".join(words)


def _around(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    return dice.choice(_AROUND).format(line)


def _joined(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    return line + dice.choice((" | ", " && ", " || ", "; ", "\n", "|", "&&", ";", " |& ")) + dice.choice(lines)


def _crossed(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    other = dice.choice(lines)
    return line[: dice.randint(0, len(line))] + other[dice.randint(0, len(other)) :]


def _shuffled(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    words = line.split(" ")
    at, other = dice.randrange(len(words)), dice.randrange(len(words))
    words[at], words[other] = words[other], words[at]
    return " ".join(words)


def _cut(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    at = dice.randint(0, len(line))
    return line[:at] + line[at + dice.randint(1, 4) :]


def _quoted(dice: random.Random, line: str, lines: Sequence[str]) -> str:
    words = line.split(" ")
    at = dice.randrange(len(words))
    words[at] = dice.choice(("'{}'", '"{}"', "\\{}", "{}''", '{}""', "$'{}'")).format(words[at])
    return " ".join(words)


_WAYS = (_with_sign, _with_sign, _poisoned, _poisoned, _around, _joined, _crossed, _shuffled, _cut, _quoted)
