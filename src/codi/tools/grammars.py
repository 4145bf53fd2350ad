"""Where a source text does not parse, as the grammar of its language sees it.

The parsers of tree-sitter go on behind a fault, so each text has a tree; what did not fit stands in it as an error, and what was
missed as a node of no width. A language whose grammar is not installed has no opinion.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "python": ("tree_sitter_python", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
_ENDINGS = {
    "python": "py pyi pyw",
    "bash": "sh bash",
    "c": "c",
    "cpp": "cc cpp cxx h hh hpp hxx",
    "go": "go",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "rust": "rs",
    "tsx": "tsx",
    "typescript": "ts mts cts",
}
_LANGUAGES = {ending: language for language, endings in _ENDINGS.items() for ending in endings.split()}
_SHOWN = 40


def language_of(ending: str) -> str | None:
    """The language of files with this ending, which is in lower case and without its dot."""
    return _LANGUAGES.get(ending)


def first_fault(language: str, text: str) -> tuple[int, int, str] | None:
    """Line and column (from 1) of the first place that does not fit, and why. Takes about 0.1 s a megabyte."""
    parser = _parser(language)
    if parser is None:
        return None
    source = text.encode("utf-8", "replace")
    root = parser.parse(source).root_node
    if not root.has_error:
        return None
    fault = min(_faults(root), key=lambda node: node.start_byte, default=root)
    begin = source.rfind(b"\n", 0, fault.start_byte) + 1
    column = len(source[begin : fault.start_byte].decode("utf-8", "replace")) + 1
    if fault.is_missing:
        return fault.start_point[0] + 1, column, f"{fault.type!r} is missing"
    there = source[fault.start_byte : fault.end_byte].decode("utf-8", "replace").strip().split("\n")[0][:_SHOWN]
    return fault.start_point[0] + 1, column, f"syntax error at {there!r}" if there else "syntax error"


@cache
def _parser(language: str) -> Any:
    """None where there is no grammar. They are loaded when first wanted, since most sessions change no file of most languages."""
    module, function = _GRAMMARS[language]
    try:
        import tree_sitter

        return tree_sitter.Parser(tree_sitter.Language(getattr(import_module(module), function)()))
    except ImportError:
        return None


def _faults(root: Any) -> Iterator[Any]:
    """The innermost errors: around one that spans half a file there is nothing to point at."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        inside = [child for child in node.children if child.has_error or child.is_missing]
        waiting += inside
        if not inside and (node.is_error or node.is_missing):
            yield node
