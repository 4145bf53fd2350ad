"""What a command line runs and where its output goes: all of it, or a doubt that says what is not understood.

A line is parsed, never searched. Only what is listed here is accepted: commands of literal words, lists, pipelines, groups,
tests, comments, quoted here-documents and plain redirections. Every sign of the line must lie in something that was
looked at, for a parser is more lenient than the shell. What is doubted may still be harmless; it is a person's to say.
"""

import os
import re
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from codi.policy.shell.grammar import tree_of
from codi.policy.shell.words import is_bare, literal, misleading_sign
from codi.policy.shell.wrappers import script_of, unwrapped
from codi.protocol.effects import Runs

_MOST_CHARS = 8192
_MOST_DEPTH = 40
_MOST_SHOWN = 120
_WORDS = frozenset({"word", "number", "raw_string", "string", "concatenation"})
_SEPARATORS = frozenset({";", "\n"})
_CHANGES_THE_SHELL = frozenset(
    {"source", ".", "eval", "exec", "trap", "alias", "unalias", "set", "shopt", "export", "declare", "typeset", "local", "readonly", "unset",
     "hash", "enable", "bind", "complete", "compgen", "compopt", "mapfile", "readarray", "read", "pushd", "popd", "dirs", "umask", "ulimit",
     "let", "getopts", "shift", "history", "fc", "bg", "fg", "disown", "suspend", "coproc", "function", "return", "caller", "wait"}
)  # fmt: skip
"""What these do acts on what comes after them, in ways that no word tells."""

_RESERVED = frozenset(
    {
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "do",
        "done",
        "while",
        "until",
        "for",
        "case",
        "esac",
        "select",
        "in",
        "{",
        "}",
        "]]",
    }
)
_HEREDOC = rb"(?P<quote>['\"])(?P<end>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)"


class SimpleCommand(Struct, frozen=True):
    """`words` are what the program is given, the program first; `cwd` is where; `text` is how it is written. `wrappers` are the
    programs that were looked through, the outermost first. `fed_by` are the words of the commands before it in its pipeline,
    where its input comes from nowhere else."""

    words: tuple[str, ...]
    cwd: str
    text: str
    wrappers: tuple[str, ...] = ()
    fed_by: tuple[tuple[str, ...], ...] = ()


class Redirection(Struct, frozen=True):
    """`target` is absolute; None where it cannot be known. The null device is no target."""

    target: str | None
    writes: bool


class Doubt(Struct, frozen=True):
    """Why a part of a line is not understood. `hides` says that it is written as one who has something to hide would, or
    in a way that is no shell at all."""

    reason: str
    segment: str
    hides: bool = False


class Analysis(Struct, frozen=True):
    commands: tuple[SimpleCommand, ...]
    redirections: tuple[Redirection, ...]
    doubts: tuple[Doubt, ...]

    @property
    def understood(self) -> bool:
        return not self.doubts


def analyse(command: Runs) -> Analysis:
    """Pure. What is doubted is still told as far as it is seen."""
    if isinstance(command.command, str):
        return _analysis_of(command.command, command.cwd)
    return _of_words(command.command, command.cwd)


@lru_cache(maxsize=64)
def _analysis_of(line: str, cwd: str, depth: int = 0) -> Analysis:
    if len(line) > _MOST_CHARS:
        return _doubted(f"longer than {_MOST_CHARS} characters", line, hides=True)
    if sign := misleading_sign(line):
        return _doubted(f"holds the sign U+{ord(sign):04X}, which is not what it looks like", line, hides=True)
    source = line.encode()
    root = tree_of(source)
    if root is None:
        return _doubted("tree-sitter is not installed, so no command is understood", line)
    walk = _Walk(source, depth)
    walk.program(root, cwd)
    if walk.is_fed_otherwise:
        walk.commands = [replace(one, fed_by=()) for one in walk.commands]
    return Analysis(tuple(walk.commands), tuple(walk.redirections), tuple(walk.doubts))


def _of_words(words: tuple[str, ...], cwd: str) -> Analysis:
    line = " ".join(words)
    if not words or sum(map(len, words)) > _MOST_CHARS:
        return _doubted("nothing to run" if not words else f"longer than {_MOST_CHARS} characters", line)
    walk = _Walk(b"", 0)
    if sign := misleading_sign(line):
        walk.doubt(f"holds the sign U+{ord(sign):04X}, which is not what it looks like", line, hides=True)
    walk.run(words, cwd, line)
    return Analysis(tuple(walk.commands), (), tuple(walk.doubts))


def _doubted(reason: str, line: str, *, hides: bool = False) -> Analysis:
    return Analysis((), (), (Doubt(reason, _shown(line), hides),))


def _shown(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


class _Places(NamedTuple):
    """Where what follows runs, after a success and after a failure, and where the last command itself ran. None is a folder
    that is not known."""

    success: str | None
    failure: str | None
    last: str | None

    @property
    def after(self) -> str | None:
        return self.success if self.success == self.failure else None


_NOWHERE = _Places(None, None, None)


def _staying(cwd: str | None) -> _Places:
    return _Places(cwd, cwd, cwd)


class _Walk:
    """One way through a tree, leaf by leaf."""

    def __init__(self, source: bytes, depth: int) -> None:
        self.commands: list[SimpleCommand] = []
        self.redirections: list[Redirection] = []
        self.doubts: list[Doubt] = []
        self.is_fed_otherwise = False
        self._source = source
        self._fed_by: tuple[tuple[str, ...], ...] = ()
        self._inside = depth
        self._depth = 0
        self._at = 0
        self._heredocs = 0

    def program(self, root: Any, cwd: str) -> None:
        if root.type != "program" or root.has_error:
            self.doubt("no shell line that can be parsed", self._text(root), hides=True)
        self._sequence(root, cwd)
        if self._source[self._at :].strip(b" \t\n"):
            self.doubt("not accounted for", self._source[self._at :].decode(errors="replace"), hides=True)
        if not self.commands and not self.redirections and not self.doubts:
            self.doubt("nothing to run", "")

    def doubt(self, reason: str, segment: str, *, hides: bool = False) -> None:
        self.doubts.append(Doubt(reason, _shown(segment), hides))

    def run(self, words: tuple[str, ...], cwd: str, text: str) -> None:
        """Take down a simple command, what it wraps, and what a shell in it is told."""
        inner, wrappers, why = unwrapped(words)
        self.commands.append(SimpleCommand(inner, cwd, text, wrappers, self._fed_by))
        if why:
            self.doubt(why, text)
        program = inner[0]
        if program in _CHANGES_THE_SHELL:
            self.doubt(f"{program} changes what comes after it", text)
        elif program in _RESERVED:
            self.doubt(f"{program} is a word of the shell's own", text)
        elif program == "printf" and inner[1:2] and inner[1].startswith("-"):
            self.doubt("printf may set a variable", text)
        elif program in ("test", "[", "[[") and {"-v", "-R"}.intersection(inner):
            self.doubt("a test of a variable may run what its name holds", text)
        script = script_of(inner)
        if script is not None:
            self.doubt(f"{program} runs a line of its own", text)
            if self._inside == 0:
                within = _analysis_of(script, cwd, 1)
                self.commands += [
                    SimpleCommand(one.words, one.cwd, one.text, (*wrappers, program, *one.wrappers))
                    for one in within.commands
                ]
                self.redirections += within.redirections
                self.doubts += within.doubts

    def _visit(self, node: Any, cwd: str | None) -> _Places:
        self._depth += 1
        try:
            if self._depth > _MOST_DEPTH:
                self._skip(node, "nested too deeply", hides=True)
                return _NOWHERE
            match node.type:
                case "command":
                    return self._command(node, cwd)
                case "list":
                    return self._list(node, cwd)
                case "pipeline":
                    return self._pipeline(node, cwd)
                case "redirected_statement":
                    return self._redirected(node, cwd)
                case "subshell":
                    self._group(node, cwd, "(", ")")
                    return _staying(cwd)
                case "compound_statement":
                    after = self._group(node, cwd, "{", "}")
                    return _Places(after, after, cwd)
                case "negated_command":
                    return self._negated(node, cwd)
                case "test_command":
                    return self._test(node, cwd)
            self._skip(node, f"{node.type.replace('_', ' ')} is not looked into")
            return _NOWHERE
        finally:
            self._depth -= 1

    def _sequence(self, node: Any, cwd: str | None) -> str | None:
        for child in node.children:
            cwd = self._member(child, cwd)
        return cwd

    def _member(self, child: Any, cwd: str | None) -> str | None:
        if child.type == "comment":
            self._comment(child)
        elif not child.is_named:
            if child.type in _SEPARATORS:
                self._leaf(child)
            elif child.type == "&":
                self._skip(child, "something is left running")
            else:
                self._skip(child, "not what may stand here", hides=True)
        else:
            return self._visit(child, cwd).after
        return cwd

    def _group(self, node: Any, cwd: str | None, opening: str, closing: str) -> str | None:
        for child in node.children:
            if child.type in (opening, closing) and not child.is_missing:
                self._leaf(child)
            else:
                cwd = self._member(child, cwd)
        return cwd

    def _list(self, node: Any, cwd: str | None) -> _Places:
        if [child.type for child in node.children if child.type != "comment"][1:2] not in (["&&"], ["||"]):
            self._skip(node, "no list that is known")
            return _NOWHERE
        left, operator, *rest = (child for child in node.children if child.type != "comment")
        if len(rest) != 1 or len(node.children) != 3:
            self._skip(node, "no list that is known")
            return _NOWHERE
        before = self._visit(left, cwd)
        self._leaf(operator)
        if operator.type == "&&":
            last = self._visit(rest[0], before.success)
            return _Places(last.success, last.failure if last.failure == before.failure else None, last.last)
        last = self._visit(rest[0], before.failure)
        return _Places(last.success if last.success == before.success else None, last.failure, last.last)

    def _pipeline(self, node: Any, cwd: str | None) -> _Places:
        after, place = _staying(cwd), cwd
        before: tuple[tuple[str, ...], ...] | None = ()
        for child in node.children:
            if child.type in ("|", "|&"):
                self._leaf(child)
            elif child.is_named and child.type != "comment":
                known = len(self.commands)
                is_plain = child.type in ("command", "redirected_statement")
                self._fed_by = (before or ()) if is_plain else ()
                places = self._visit(child, place)
                self._fed_by = ()
                found = self.commands[known:]
                is_one = is_plain and before is not None and len(found) == 1
                before = (*(before or ()), (*found[0].wrappers, *found[0].words)) if is_one else None
                place = places.last
                if _is_list(child):
                    # `a && b 2>&1 | c` is parsed as if the list were piped; the shell pipes b alone.
                    after = places if places.success == places.last else _NOWHERE
            else:
                self._skip(child, "not what may stand in a pipeline")
        return after

    def _negated(self, node: Any, cwd: str | None) -> _Places:
        places = _staying(cwd)
        for child in node.children:
            if child.type == "!":
                self._leaf(child)
            else:
                places = self._visit(child, cwd)
        return _Places(places.failure, places.success, places.last)

    def _redirected(self, node: Any, cwd: str | None) -> _Places:
        places, place = _staying(cwd), cwd
        for child in node.children:
            if child.type == "file_redirect":
                self._redirect(child, place)
            elif child.type == "heredoc_redirect":
                self._heredoc(child, place)
            else:
                places = self._visit(child, cwd)
                place = places.last
        return places

    def _command(self, node: Any, cwd: str | None) -> _Places:
        words: list[str] = []
        is_known = True
        for child in node.children:
            if child.type == "file_redirect":
                self._redirect(child, cwd)
                continue
            source = self._text(child)
            if child.type == "command_name":
                word = source if is_bare(source) else None
                if word is None and literal(source) is not None:
                    self._skip(child, "the name of the program is disguised", hides=True)
                    is_known = False
                    continue
            else:
                word = literal(source) if child.type in _WORDS else None
                if child.start_byte and self._source[child.start_byte - 1 : child.start_byte] not in (b" ", b"\t"):
                    word = None
            if word is None:
                self._skip(child, _why_not(child))
                is_known = False
            else:
                self._leaf(child)
                words.append(word)
        if not is_known or not words:
            return _NOWHERE
        if cwd is None:
            self.doubt("runs in a folder that is not known before", self._text(node))
            return _NOWHERE
        text = self._text(node).strip()
        self.run(tuple(words), cwd, text)
        return self._moved(words, cwd, text)

    def _moved(self, words: list[str], cwd: str, text: str) -> _Places:
        if words[0] != "cd":
            return _staying(cwd)
        if len(words) != 2 or words[1].startswith("-") or not words[1]:
            self.doubt("where it goes is not known before", text)
            return _NOWHERE
        return _Places(os.path.normpath(os.path.join(cwd, words[1])), cwd, cwd)

    def _test(self, node: Any, cwd: str | None) -> _Places:
        """`[ ... ]` and `[[ ... ]]`: literal words between blanks."""
        source = self._text(node)
        words = [literal(word) if word not in ("[", "[[", "]", "]]") else word for word in _blank_separated(source)]
        known = [word for word in words if word is not None]
        if len(known) != len(words) or not words or words[-1] != {"[": "]", "[[": "]]"}.get(words[0] or ""):
            self._skip(node, "a test of what is not known before")
            return _staying(cwd)
        self._leaf(node)
        if cwd is None:
            self.doubt("runs in a folder that is not known before", source)
        else:
            self.run(tuple(known), cwd, source)
        return _staying(cwd)

    def _redirect(self, node: Any, cwd: str | None) -> None:
        children = list(node.children)
        if children and children[0].type == "file_descriptor":
            before = self._source[max(children[0].start_byte - 1, 0) : children[0].start_byte]
            if not re.fullmatch(r"[0-9]", self._text(children[0])) or before not in (
                b"",
                b" ",
                b"\t",
                b"|",
                b";",
                b"(",
            ):
                self._skip(node, "no redirection that is known")
                return
            children = children[1:]
        if len(children) != 2:
            self._skip(node, "no redirection that is known")
            return
        operator, target = children[0].type, children[1]
        self.is_fed_otherwise |= operator == "<"
        source = self._text(target)
        if operator == ">&" and source in ("1", "2") and target.type == "number":
            self._leaf(node)
            return
        word = literal(source) if target.type in _WORDS else None
        if operator not in ("<", ">", ">>", ">|", "&>", "&>>"):
            self._skip(node, "no redirection that is known")
        elif word is None or not word:
            self.redirections.append(Redirection(None, operator != "<"))
            self._skip(node, "where it leads is not known before")
        elif word == "/dev/null":
            self._leaf(node)
        elif word.startswith(("/dev/tcp", "/dev/udp")):
            self._skip(node, "opens a connection", hides=True)
        elif cwd is None and not word.startswith("/"):
            self.redirections.append(Redirection(None, operator != "<"))
            self._skip(node, "where it leads is not known before")
        else:
            self._leaf(node)
            self.redirections.append(Redirection(os.path.join(cwd or "/", word), operator != "<"))

    def _heredoc(self, node: Any, cwd: str | None) -> None:
        """One document, its end in quotes, with nothing in its way: where it ends is found as the shell finds it."""
        children = list(node.children)
        kinds = [child.type for child in children]
        self._heredocs += 1
        self.is_fed_otherwise = True
        opening = children[1] if kinds[:2] == ["<<", "heredoc_start"] else None
        named = opening and re.compile(_HEREDOC).fullmatch(self._source, opening.start_byte, opening.end_byte)
        if not named or self._heredocs > 1 or kinds[-2:] != ["heredoc_body", "heredoc_end"]:
            self._skip(node, "no here-document whose end is quoted")
            return
        body, end = children[-2:]
        first = self._source.find(b"\n", named.end()) + 1
        lines = self._source[first:].split(b"\n")
        size = 0
        for line in lines:
            if line == named["end"]:
                break
            size += len(line) + 1
        is_plain = b"\\" not in self._source[:first] and self._source[:first].count(b"'") + self._source[:first].count(
            b'"'
        )
        if (
            body.start_byte != first
            or end.start_byte != first + size
            or self._source[end.start_byte : end.end_byte] != named["end"]
            or not is_plain
        ):
            self._skip(node, "a here-document that may end elsewhere", hides=True)
            return
        for child in children:
            if child.type == "pipeline":
                for part in child.children:
                    if part.type in ("|", "|&"):
                        self._leaf(part)
                    else:
                        self._visit(part, cwd)
            elif child.type == "file_redirect":
                self._redirect(child, cwd)
            elif child.type in ("<<", "heredoc_start", "heredoc_body", "heredoc_end"):
                self._leaf(child)
            else:
                self._skip(child, "not what may stand after a here-document")

    def _comment(self, node: Any) -> None:
        before = self._source[max(node.start_byte - 1, 0) : node.start_byte]
        after = self._source[node.end_byte : node.end_byte + 1]
        if before not in (b"", b" ", b"\t", b"\n", b";") or after not in (b"", b"\n"):
            self._skip(node, "may be no comment", hides=True)
        else:
            self._leaf(node)

    def _leaf(self, node: Any) -> None:
        """Account for a node, and for the blanks before it."""
        gap = self._source[self._at : node.start_byte]
        if node.is_missing or node.has_error or node.start_byte < self._at or gap.strip(b" \t\n"):
            continued = gap.strip(b" \t\n") == b"\\"
            reason = "a line that goes on after its end" if continued else "not accounted for"
            self.doubt(reason, gap.decode(errors="replace") or self._text(node), hides=not continued)
        self._at = max(self._at, node.end_byte)

    def _skip(self, node: Any, reason: str, *, hides: bool = False) -> None:
        self.doubt(reason, self._text(node), hides=hides)
        self._at = max(self._at, node.end_byte)

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode(errors="replace")


def _is_list(node: Any) -> bool:
    return "list" in (node.type, node.children[0].type if node.type == "redirected_statement" else "")


def _why_not(node: Any) -> str:
    match node.type:
        case "variable_assignment":
            return "sets a variable"
        case "process_substitution" | "command_substitution":
            return "runs a command within a word"
        case "herestring_redirect":
            return "no redirection that is known"
    return "a word of which only the shell knows what it will be"


def _blank_separated(source: str) -> list[str]:
    return re.findall(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+""", source)
