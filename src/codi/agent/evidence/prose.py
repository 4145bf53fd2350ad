"""An answer as sentences: what is said in it, apart from what is quoted, shown as code, asked, hoped or ruled out.

Code in backticks, paths and quotations stand in a sentence as numbered tokens, so that their words are not taken for the
sentence's own.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

TOKEN = r"⟦(\d+)⟧"
_ENDINGS = [
    "py",
    "pyi",
    "js",
    "jsx",
    "ts",
    "tsx",
    "mjs",
    "cjs",
    "go",
    "rs",
    "java",
    "kt",
    "rb",
    "php",
    "c",
    "h",
    "cc",
    "cpp",
    "hpp",
    "cs",
    "md",
    "rst",
    "txt",
    "json",
    "toml",
    "yaml",
    "yml",
    "ini",
    "cfg",
    "conf",
    "html",
    "css",
    "scss",
    "sass",
    "less",
    "sh",
    "bash",
    "sql",
    "xml",
    "lock",
    "env",
    "csv",
    "tsv",
    "vue",
    "svelte",
    "swift",
    "ex",
    "exs",
    "erl",
    "hs",
    "ml",
    "scala",
    "clj",
    "lua",
    "r",
    "jl",
    "dart",
    "proto",
    "gradle",
    "cmake",
    "mk",
    "ipynb",
    "tf",
    "hcl",
    "nix",
    "zig",
    "log",
    "svg",
    "png",
    "j2",
    "tmpl",
]
_PATH = re.compile(
    rf"(?:[\w.@~+-]*/)*[\w.@+-]*\.(?:{'|'.join(_ENDINGS)})|(?:[\w.@~+-]+/)*(?:Makefile|Dockerfile|README|LICENSE|CHANGELOG|Gemfile|Rakefile|Procfile|Justfile"
    r"|\.(?:gitignore|env|editorconfig|dockerignore|prettierrc|eslintrc|npmrc))|(?:[\w.@+-]+/)+",
)
_MARKED = re.compile(
    rf"``(?P<double>[^\n]+?)``|`(?P<code>[^`\n]+)`|(?P<url>\bhttps?://\S+)|[\"“](?P<quote>[^\"“”\n]*)[\"”]"
    rf"|(?<![\w/.-])(?P<path>{_PATH.pattern})(?![\w/-])(?!\.\w)"
)
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+|^\s*#{1,6}\s+|^\s*\|")
_MARKS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|^\s*#{1,6}\s+|^\s*(?:[-*+•]|\d+[.)])\s+|\[[xX]\]\s*")
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)[.!?…]+(?=\s|$|[\"'”)])|[;\n]|\s[—–]\s")


class Sentence(Struct, frozen=True):
    """`words` hold tokens; `tokens` are what they stand for, "" for a quotation, and `written` how that was written."""

    words: str
    tokens: tuple[str, ...]
    written: tuple[str, ...]
    is_question: bool = False

    def restored(self, words: str) -> str:
        """A piece of `words` as it was written."""
        return re.sub(TOKEN, lambda match: self.written[int(match.group(1))], words)


class Shown(Struct, frozen=True):
    """A block of code, and the line that stands before it."""

    lead: str
    content: str


def is_path(text: str) -> bool:
    """Whether a word names a file or, ending in `/`, a folder."""
    return _PATH.fullmatch(text) is not None and not re.fullmatch(r"[\d.]+", text)


def blocks_of(answer: str) -> Iterator[Shown | str]:
    """Paragraphs, items of lists, headings and rows as one line each, and blocks of code. Quotations and open tasks are left
    out."""
    paragraph: list[str] = []
    lines = iter(answer.splitlines())
    lead = ""
    for line in lines:
        fence = re.match(r"\s*(`{3,}|~{3,})", line)
        begins = fence or not line.strip() or _ITEM.match(line) or line.lstrip().startswith(">")
        if begins and paragraph:
            lead = " ".join(paragraph)
            yield lead
            paragraph = []
        if fence:
            content = []
            for inner in lines:
                if inner.strip().startswith(fence.group(1)) and not inner.strip().strip("`~"):
                    break
                content.append(inner)
            yield Shown(lead, "\n".join(content))
        elif _is_prose(line, goes_on=bool(paragraph)):
            paragraph.append(line.strip())
    if paragraph:
        yield " ".join(paragraph)


def _is_prose(line: str, *, goes_on: bool) -> bool:
    """Neither a quotation nor an open task nor, unless a paragraph `goes_on`, code that is indented."""
    if not line.strip() or re.match(r"\s*(?:>|(?:[-*+]\s+)?\[ \])", line):
        return False
    return goes_on or not line.startswith(("    ", "\t")) or _ITEM.match(line) is not None


def sentences_of(block: str) -> Iterator[Sentence]:
    written: list[str] = []
    meant: list[str] = []

    def token(match: re.Match[str]) -> str:
        quote = match.group("quote")
        if quote is not None and " " not in quote.strip():
            return quote
        meant.append("" if quote is not None or match.group("url") else next(filter(None, match.groups()), ""))
        written.append(match.group())
        return f"⟦{len(written) - 1}⟧"

    words = " ".join(_MARKED.sub(token, _MARKS.sub("", block).replace("|", " | ")).split())

    def sentence(begin: int, end: int, mark: str) -> Sentence | None:
        piece = words[begin:end].strip()
        if not piece:
            return None
        return Sentence(piece, tuple(meant), tuple(written), "?" in mark)

    at = 0
    for end in _SENTENCE_END.finditer(words):
        if found := sentence(at, end.start(), end.group()):
            yield found
        at = end.end()
    if found := sentence(at, len(words), ""):
        yield found
