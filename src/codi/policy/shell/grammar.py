"""The parser of shell lines, loaded when the first line is judged: a start that judges none does not pay for it."""

import logging
from functools import cache
from importlib import import_module
from typing import Any

logger = logging.getLogger(__name__)


def tree_of(source: bytes) -> Any | None:
    """The root node of a line, or None where the grammar is not installed."""
    parser = _parser()
    return None if parser is None else parser.parse(source).root_node


@cache
def _parser() -> Any | None:
    try:
        library, grammar = import_module("tree_sitter"), import_module("tree_sitter_bash")
        return library.Parser(library.Language(grammar.language()))
    except (ImportError, ValueError) as trouble:  # ValueError: a grammar of another generation than the library
        logger.warning("tree-sitter is missing, so every command is asked about: %s", trouble)
        return None
