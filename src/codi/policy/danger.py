"""What is dangerous in a command line, with reasons, and what no one may run at all.

Patterns only ever raise the risk; they allow nothing. The deny floor holds in every mode and against every rule.
"""

import re

_SEPARATORS = re.compile(r"&&|\|\||[;&|\n(){}`]|\$\(|<\(|>\(")
_QUOTES = re.compile(r"[\"'\\]")
_WRAPPERS = {
    "sudo",
    "doas",
    "env",
    "nohup",
    "nice",
    "time",
    "timeout",
    "command",
    "exec",
    "builtin",
    "stdbuf",
    "xargs",
    "then",
    "do",
    "else",
    "!",
}
_DEVICE = r"/dev/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|loop|mapper/|md)"

_RISKS = (
    (9, "runs what it downloads", r"\b(?:curl|wget|fetch)\b[^;&\n]*\|\s*(?:sudo\s+)?(?:\w*sh|python\d?|perl|ruby|node)\b"),
    (8, "raises its privileges", r"\b(?:sudo|doas|su|pkexec)\b"),
    (8, "reads where secrets are kept", r"(?:\.ssh/|\.aws/|\.gnupg/|\.netrc|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/shadow|/proc/[^ ]*environ)"),
    (8, "decodes and runs", r"\bbase64\s+(?:-d|--decode|-D)\b[^;&\n]*\|\s*\w*sh\b"),
    (8, "evaluates text as a command", r"\beval\b"),
    (8, "writes outside of the workspace", r">{1,2}\s*(?:/etc|/usr|/bin|/boot|/lib|/sbin|/root|~)"),
    (7, "rewrites history or pushes by force", r"\bgit\b[^;&|\n]*\b(?:push\b[^;&|\n]*(?:--force|\s-f\b)|reset\s+--hard|filter-branch|rebase|reflog\s+expire)"),
    (6, "deletes recursively", r"\brm\b[^;&|\n]*\s-\w*[rR]"),
    (6, "deletes what is not tracked", r"\bgit\s+clean\b"),
    (5, "installs packages", r"\b(?:pip\d?|uv|npm|pnpm|yarn|bun|cargo|go|gem|apt|apt-get|brew|dnf)\s+(?:install|add|get|i)\b"),
    (5, "runs a script given on the line", r"\b(?:python\d?|node|perl|ruby|bash|sh|zsh)\s+-\w*[ce]\b"),
    (4, "reaches the network", r"\b(?:curl|wget|ssh|scp|rsync|nc|telnet|ftp)\b|\bgit\s+(?:push|pull|fetch|clone)\b"),
)  # fmt: skip
"""Risk, reason, and the pattern, which is compiled when a command is first judged."""


def risk_of(line: str) -> tuple[int, tuple[str, ...]]:
    """0 to 10 with the reasons for it. A command that nothing is known of has 3: it may write."""
    found = [(risk, reason) for risk, reason, pattern in _RISKS if re.search(pattern, line)]
    if not found:
        return 3, ("runs a command",)
    return max(risk for risk, _ in found), tuple(reason for _, reason in found)


def parts_of(line: str) -> list[list[str]]:
    """The words of each simple command in a line, as far as a glance tells: quotes dropped, wrappers and assignments
    skipped. It sees too many commands rather than too few, and serves rules that deny; never one that allows."""
    parts = []
    for text in _SEPARATORS.split(line):
        words = _QUOTES.sub("", text).split()
        while words and (words[0] in _WRAPPERS or re.match(r"\w+=", words[0]) or _is_option(words[0])):
            words = words[1:]
        if words:
            parts.append(words)
    return parts


def _is_option(word: str) -> bool:
    """Options and numbers that stand between a wrapper and its command."""
    return word.startswith("-") or word.isdigit()


def forbidden(line: str, *, root: str, home: str) -> str | None:
    """Why nobody may run this, not even when asked for; None for all else."""
    squeezed = re.sub(r"\s+", "", line)
    if re.search(r"(?:(\w+)|:)\(\)\{.*\|.*&\}?;?", squeezed) and ":|:&" in squeezed:
        return "a fork bomb"
    if re.search(rf">\s*{_DEVICE}", line):
        return "writes over a disk"
    for words in parts_of(line):
        program = words[0].rsplit("/", 1)[-1]
        if program.startswith("mkfs") or program in {"wipefs", "blkdiscard"}:
            return "formats a disk"
        if program == "dd" and any(re.match(rf"of={_DEVICE}", word) for word in words):
            return "writes over a disk"
        if program == "rm" and _is_recursive(words):
            for word in words[1:]:
                if _is_everything(word, root, home):
                    return f"deletes {word} and all below it"
    return None


def _is_recursive(words: list[str]) -> bool:
    return any(re.fullmatch(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive|--no-preserve-root", word) for word in words[1:])


def _is_everything(word: str, root: str, home: str) -> bool:
    bare = re.sub(r"/(?:\./|/)*", "/", word)
    bare = re.sub(r"(?:/\*|/\.|/)+$", "", bare) if bare != "/" else ""
    if word.startswith("/") and bare in {"", "/*", "/."}:
        return True
    places = {"~", "$HOME", "${HOME}", "*", ".", "..", "./*", "$PWD", "${PWD}", root.rstrip("/"), home.rstrip("/")}
    top = re.fullmatch(r"/(?:\*|bin|boot|dev|etc|home|lib\w*|opt|proc|root|sbin|srv|sys|usr|var)", bare)
    return bare in places or top is not None
