"""Code as styled lines. What the styles look like is the theme's to say; what is what, pygments knows.

Lexers are imported one by one by their module: the registry of all of them costs more than any of them. While code is still
being written it is looked at in stretches that begin at a line without indentation, so a line's colours never change again and
a long listing costs no more a line than a short one.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from codi.frontends.tui.lines import Line

_MOST_LINES = 2000
_STRETCH = 16

_LEXERS = {
    "python": "python:PythonLexer", "py": "python:PythonLexer", "python3": "python:PythonLexer", "pyi": "python:PythonLexer",
    "javascript": "javascript:JavascriptLexer", "js": "javascript:JavascriptLexer", "jsx": "javascript:JavascriptLexer",
    "mjs": "javascript:JavascriptLexer", "typescript": "javascript:TypeScriptLexer", "ts": "javascript:TypeScriptLexer",
    "tsx": "javascript:TypeScriptLexer", "json": "data:JsonLexer", "jsonc": "data:JsonLexer", "yaml": "data:YamlLexer",
    "yml": "data:YamlLexer", "toml": "configs:TOMLLexer", "ini": "configs:IniLexer", "cfg": "configs:IniLexer",
    "dockerfile": "configs:DockerLexer", "rust": "rust:RustLexer", "rs": "rust:RustLexer", "go": "go:GoLexer",
    "c": "c_cpp:CLexer", "h": "c_cpp:CLexer", "cpp": "c_cpp:CppLexer", "cc": "c_cpp:CppLexer", "c++": "c_cpp:CppLexer",
    "hpp": "c_cpp:CppLexer", "java": "jvm:JavaLexer", "kotlin": "jvm:KotlinLexer", "kt": "jvm:KotlinLexer",
    "scala": "jvm:ScalaLexer", "ruby": "ruby:RubyLexer", "rb": "ruby:RubyLexer", "php": "php:PhpLexer",
    "csharp": "dotnet:CSharpLexer", "cs": "dotnet:CSharpLexer", "swift": "objective:SwiftLexer", "lua": "scripting:LuaLexer",
    "perl": "perl:PerlLexer", "bash": "shell:BashLexer", "sh": "shell:BashLexer", "shell": "shell:BashLexer",
    "zsh": "shell:BashLexer", "console": "shell:BashSessionLexer", "powershell": "shell:PowerShellLexer",
    "sql": "sql:SqlLexer", "html": "html:HtmlLexer", "xml": "html:XmlLexer", "css": "css:CssLexer", "scss": "css:ScssLexer",
    "diff": "diff:DiffLexer", "patch": "diff:DiffLexer", "makefile": "make:MakefileLexer", "make": "make:MakefileLexer",
    "haskell": "haskell:HaskellLexer", "elixir": "erlang:ElixirLexer", "markdown": "markup:MarkdownLexer",
    "md": "markup:MarkdownLexer", "tex": "markup:TexLexer",
}  # fmt: skip
_STYLES = (
    ("Comment", "syntax.comment"), ("Keyword.Type", "syntax.type"), ("Keyword", "syntax.keyword"),
    ("Name.Function", "syntax.function"), ("Name.Class", "syntax.type"), ("Name.Decorator", "syntax.function"),
    ("Name.Builtin", "syntax.type"), ("Name.Tag", "syntax.keyword"), ("Name.Attribute", "syntax.name"),
    ("Literal.String", "syntax.string"), ("Literal.Number", "syntax.number"), ("Operator", "syntax.operator"),
    ("Generic.Inserted", "added"), ("Generic.Deleted", "removed"), ("Generic.Heading", "heading"),
    ("Generic.Subheading", "hunk"),
)  # fmt: skip


def highlighted(code: Sequence[str], language: str) -> list[Line]:
    """Each line of the code, styled; plain where the language is not known or the code is very long."""
    lexer = _lexer(language.lower())
    if lexer is None or len(code) > _MOST_LINES:
        return [((text, "code.text"),) if text else () for text in code]
    lines: list[Line] = []
    for begin, end in stretches(code):
        lines += _stretch(lexer, code[begin:end])
    return lines


def language_of(path: str) -> str:
    """What a file is likely written in, by its name."""
    name = path.rpartition("/")[2].lower()
    return name if name in _LEXERS else name.rpartition(".")[2]


def stretches(code: Sequence[str]) -> list[tuple[int, int]]:
    """Where the code may be cut: before a line at the margin, when enough lines are together. More lines behind change nothing
    of the cuts before."""
    begins = [0]
    for at, text in enumerate(code):
        if at - begins[-1] >= _STRETCH and text[:1] not in ("", " ", "\t", "}", ")", "]", '"', "'", "#"):
            begins.append(at)
    return list(zip(begins, [*begins[1:], len(code)], strict=True)) if code else []


@lru_cache(maxsize=16)
def _lexer(language: str) -> Any:
    place = _LEXERS.get(language)
    if place is None:
        return None
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(f"pygments.lexers.{module}"), name)(stripnl=False, ensurenl=False)
    except (ImportError, AttributeError):
        return None  # an older or missing library: code without colours


def _stretch(lexer: Any, code: Sequence[str]) -> list[Line]:
    rows: list[list[tuple[str, str]]] = [[]]
    for token, text in lexer.get_tokens("\n".join(code)):
        style = _style(token)
        for number, piece in enumerate(text.split("\n")):
            if number:
                rows.append([])
            if piece:
                if rows[-1] and rows[-1][-1][1] == style:
                    rows[-1][-1] = (rows[-1][-1][0] + piece, style)
                else:
                    rows[-1].append((piece, style))
    rows += [[] for _ in range(len(code) - len(rows))]
    return [tuple(row) for row in rows[: len(code)]]


@lru_cache(maxsize=256)
def _style(token: Any) -> str:
    name = str(token).removeprefix("Token.")
    return next((style for prefix, style in _STYLES if name.startswith(prefix)), "code.text")
