"""What a line for the shell would run, as far as can be seen without running it.

A tolerant reading: it sees too many commands rather than too few, and serves what denies and what warns, never what
allows. Quotes are taken off; the person's home and the directory of the command are filled in; what only the shell could
know is `UNKNOWN`. Commands within commands count too: `$(...)`, `<(...)`, `sh -c '...'`, `eval`, and what `sudo`, `env`,
`xargs`, `find -exec` and their like are told to run.
"""

import os
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

UNKNOWN = "\0"
"""Stands in a word for what is not known before it runs."""

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh"})

_LAUNCHERS = SHELLS | {
    "sudo", "doas", "su", "runuser", "pkexec", "env", "nohup", "nice", "ionice", "chrt", "taskset", "time", "timeout", "stdbuf",
    "unbuffer", "command", "builtin", "exec", "xargs", "parallel", "setsid", "chroot", "nsenter", "unshare", "strace", "ltrace",
    "watch", "script", "flock", "busybox", "toybox", "find", "fd", "caffeinate", "systemd-run", "eval", "trap", "ssh", "coproc",
}  # fmt: skip
_KEYWORDS = frozenset({"{", "}", "!", "if", "then", "elif", "else", "fi", "do", "done", "while", "until", "in"})
_ASSIGNMENT = re.compile(r"\w+\+?=")
_PLAIN = re.compile(r"[^\s\"'\\$`;&|()<>#{}]+")
_NAME = re.compile(r"\w+|[?!@*#$-]")
_REDIRECTION = re.compile(r"&>>|&>|>>|>\||>&|<<<|<<-|<<|<&|<>|>|<")
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_SIGNS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MOST_DEPTH = 6
_MOST_LAUNCHED = 60


class Command(Struct, kw_only=True):
    """A simple command. `words` begin with the program; `targets` are what redirections write to. `is_fed` says that its input
    comes from a pipe, `script` is the text that it is given as its input."""

    words: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    is_fed: bool = False
    script: str | None = None

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2] if self.words else ""


def commands_of(line: str, names: Mapping[str, str] = {}) -> list[Command]:
    """All commands of a line, those within others after them. `names` are the variables that are known, and `~`."""
    found: list[Command] = []
    _collect(line, names, found, 0)
    return found


def _collect(line: str, names: Mapping[str, str], found: list[Command], depth: int) -> None:
    if depth > _MOST_DEPTH:
        found.append(Command(words=[UNKNOWN]))
        return
    reading = _Reading(line, names)
    reading.read()
    for command in reading.commands:
        found.append(command)
        for inner in _launched(command):
            found.append(inner)
        for script in _scripts(command):
            _collect(script, names, found, depth + 1)
    for inside in reading.inside:
        _collect(inside, names, found, depth + 1)


def _launched(command: Command) -> Iterator[Command]:
    """What a launcher might be told to run: any of its words may be the first of a command."""
    if command.program not in _LAUNCHERS:
        return
    left = _MOST_LAUNCHED
    for at in range(1, len(command.words)):
        word = command.words[at]
        is_root = word == "." and command.program in ("find", "fd")
        if not word.startswith("-") and not _ASSIGNMENT.match(word) and not is_root:
            left -= 1
            if left < 0:
                yield Command(words=[UNKNOWN])
                return
            words = command.words[at:]
            yield Command(words=words, targets=command.targets, is_fed=command.is_fed or command.program == "xargs")


def _scripts(command: Command) -> Iterator[str]:
    """Texts that a command is told to run as a shell would."""
    words = command.words
    for at, word in enumerate(words[:_MOST_LAUNCHED]):
        program = word.rpartition("/")[2]
        if program in SHELLS or program in ("su", "runuser"):
            for place in range(at + 1, len(words) - 1):
                if re.fullmatch(r"-\w*c|--command", words[place]):
                    yield words[place + 1]
            if command.script is not None and not any(not other.startswith("-") for other in words[at + 1 :]):
                yield command.script
        elif program in ("eval", "trap", "ssh", "watch"):
            yield " ".join(words[at + 1 :])
        if command.program not in _LAUNCHERS:
            break


class _Reading:
    """One pass over a line."""

    def __init__(self, line: str, names: Mapping[str, str]) -> None:
        self.commands: list[Command] = []
        self.inside: list[str] = []
        self._line = line
        self._names = names
        self._at = 0
        self._command = Command()
        self._word: list[str] | None = None
        self._redirects: str | None = None
        self._documents: list[tuple[Command, str, bool]] = []

    def read(self) -> None:
        line = self._line
        while self._at < len(line):
            sign = line[self._at]
            plain = _PLAIN.match(line, self._at)
            if plain:
                self._add(plain[0])
                self._at = plain.end()
            elif sign == "\n":
                self._end_command()
                self._at += 1
                self._skip_documents()
            elif sign in " \t\r\v\f":
                self._end_word()
                self._at += 1
            elif sign == "#" and self._word is None:
                end = line.find("\n", self._at)
                self._at = len(line) if end < 0 else end
            elif found := _REDIRECTION.match(line, self._at):
                self._redirection(found)
            elif sign in ";&|()":
                piped = sign == "|" and not line.startswith("||", self._at)
                self._at += 2 if line[self._at : self._at + 2] in ("&&", "||", ";;", "|&") else 1
                self._end_command()
                self._command.is_fed = piped
            else:
                self._part(quoted=False)
        self._end_command()

    def _part(self, *, quoted: bool) -> None:
        """One quote, escape, expansion or single sign."""
        line, sign = self._line, self._line[self._at]
        if sign == "\\":
            escaped = line[self._at + 1 : self._at + 2]
            if quoted and escaped not in ("$", "`", '"', "\\", "\n"):
                escaped = "\\" + escaped
            self._at += 2
            if escaped != "\n":
                self._add(escaped)
        elif sign == "`":
            end = self._at + 1
            while end < len(line) and line[end] != "`":
                end += 2 if line[end] == "\\" else 1
            self.inside.append(re.sub(r"\\([`$\\])", r"\1", line[self._at + 1 : end]))
            self._at = end + 1
            self._add(UNKNOWN)
        elif sign == "$":
            self._dollar(quoted=quoted)
        elif sign == "'" and not quoted:
            end = line.find("'", self._at + 1)
            end = len(line) if end < 0 else end
            self._add(line[self._at + 1 : end])
            self._at = end + 1
        elif sign == '"' and not quoted:
            self._add("")
            self._at += 1
            while self._at < len(line) and line[self._at] != '"':
                if line[self._at] in "\\`$":
                    self._part(quoted=True)
                else:
                    begin = self._at
                    while self._at < len(line) and line[self._at] not in '"\\`$':
                        self._at += 1
                    self._add(line[begin : self._at])
            self._at += 1
        else:
            self._add(sign)
            self._at += 1

    def _dollar(self, *, quoted: bool) -> None:
        line, after = self._line, self._line[self._at + 1 : self._at + 2]
        if after == "(":
            self._inner(self._at + 2)
        elif after == "{":
            end = line.find("}", self._at)
            end = len(line) if end < 0 else end
            self._variable(line[self._at + 2 : end], quoted=quoted)
            self._at = end + 1
        elif after == "'" and not quoted:
            end = self._at + 2
            while end < len(line) and line[end] != "'":
                end += 2 if line[end] == "\\" else 1
            self._add(_ANSI.sub(_ansi_sign, line[self._at + 2 : end]))
            self._at = end + 1
        elif after == '"' and not quoted:
            self._at += 1
        elif name := _NAME.match(line, self._at + 1):
            self._variable(name[0], quoted=quoted)
            self._at = name.end()
        else:
            self._add("$")
            self._at += 1

    def _variable(self, name: str, *, quoted: bool) -> None:
        if name == "IFS":
            if quoted:
                self._add(" ")
            else:
                self._end_word()
        else:
            self._add(self._names.get(name, UNKNOWN))

    def _inner(self, begin: int) -> None:
        """A command in round brackets, whose end is looked for with the quotes in it."""
        line, at, depth = self._line, begin, 1
        while at < len(line) and depth:
            if line[at] == "\\":
                at += 1
            elif line[at] in "'\"":
                end = line.find(line[at], at + 1)
                at = len(line) if end < 0 else end
            else:
                depth += {"(": 1, ")": -1}.get(line[at], 0)
            at += 1
        self.inside.append(line[begin : at if depth else at - 1])
        self._at = at
        self._add(UNKNOWN)

    def _redirection(self, found: re.Match[str]) -> None:
        if found[0] in ("<", ">") and self._line.startswith("(", found.end()):
            self._inner(found.end() + 1)
            return
        if self._word and "".join(self._word).isdigit():
            self._word = None
        self._end_word()
        self._at = found.end()
        self._redirects = found[0]

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
            if text.startswith("~") and self._line[self._at] == "~":
                home, slash, rest = text.partition("/")
                text = (self._names.get("~", UNKNOWN) if home == "~" else "/home/" + home[1:]) + slash + rest
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        redirects, self._redirects = self._redirects, None
        if redirects is None:
            if self._command.words or not (word in _KEYWORDS or _ASSIGNMENT.match(word)):
                self._command.words.append(word)
        elif redirects.startswith("<<<"):
            self._command.script = word
        elif redirects.startswith("<<"):
            self._documents.append((self._command, word, redirects == "<<-"))
        elif ">" in redirects and not (redirects == ">&" and re.fullmatch(r"\d+|-", word)):
            self._command.targets.append(word)

    def _end_command(self) -> None:
        self._end_word()
        if self._command.words or self._command.targets:
            self.commands.append(self._command)
        self._command = Command()

    def _skip_documents(self) -> None:
        """What stands in a here-document is text, and a script only for a shell."""
        for command, end, has_tabs in self._documents:
            lines = []
            while self._at < len(self._line):
                line_end = self._line.find("\n", self._at)
                text = self._line[self._at : line_end if line_end >= 0 else len(self._line)]
                self._at += len(text) + 1
                if (text.lstrip("\t") if has_tabs else text) == end:
                    break
                lines.append(text)
            command.script = "\n".join(lines)
        self._documents = []


def _ansi_sign(found: re.Match[str]) -> str:
    for digits in found.group(1, 2, 3):
        if digits:
            return chr(min(int(digits, 16), 0x10FFFF))
    if found[4]:
        return chr(int(found[4], 8) & 0xFF)
    return _ANSI_SIGNS.get(found[5], found[5])


def names_known(home: str, cwd: str, codi_home: str) -> dict[str, str]:
    """The variables whose values are clear beforehand."""
    user = os.path.basename(home)
    return {"~": home, "HOME": home, "PWD": cwd, "CODI_HOME": codi_home, "USER": user, "LOGNAME": user}
