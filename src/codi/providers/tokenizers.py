"""The very tokens of a model, where its vocabulary is on this machine: what the extra `tokens` installs.

OpenAI's encodings come from tiktoken, all others from the `tokenizer.json` that a model's `tokenizer` names. Nothing is ever
downloaded: a vocabulary that is not here yet is one that cannot be used.
"""

import os
from collections.abc import Callable
from hashlib import sha1
from importlib import import_module
from typing import Any

from codi.protocol.errors import CodiError

Tokenizer = Callable[[str], int]
"""The tokens of a text."""

_VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_OF_OPENAI = {"o200k": "o200k_base", "cl100k": "cl100k_base"}
_EXTRA = "pip install 'codi[tokens]' brings it, or unset the model's tokenizer."


class NoTokenizer(CodiError):
    """The tokenizer that is named for a model cannot be used here."""

    code = "tokenizer"


def tokenizer_called(name: str) -> Tokenizer:
    """The tokenizer of that name: an encoding of tiktoken, or the path of a `tokenizer.json`. Raises NoTokenizer."""
    return _of_file(os.path.expanduser(name)) if name.endswith(".json") else _of_encoding(_OF_OPENAI.get(name, name))


def _of_encoding(name: str) -> Tokenizer:
    tiktoken = _imported("tiktoken", name)
    if name in _OF_OPENAI.values() and not os.path.exists(_kept_at(name)):
        raise NoTokenizer(
            f"the vocabulary {name} is not on this machine, and codi downloads none",
            hint=f"python -c 'import tiktoken; tiktoken.get_encoding(\"{name}\")' fetches it.",
        )
    try:
        encoding = tiktoken.get_encoding(name)
    except (ValueError, OSError, KeyError) as error:
        raise NoTokenizer(f"the tokenizer {name} cannot be loaded: {error}", hint=_EXTRA) from error
    return lambda text: len(encoding.encode_ordinary(text))


def _kept_at(name: str) -> str:
    """Where tiktoken keeps a vocabulary: in its cache, under the hash of its address."""
    folder = next((os.environ[key] for key in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR") if key in os.environ), None)
    if folder is None:
        from tempfile import gettempdir  # with all that it needs to make files

        folder = os.path.join(gettempdir(), "data-gym-cache")
    return os.path.join(folder, sha1(_VOCABULARY.format(name).encode()).hexdigest())


def _of_file(path: str) -> Tokenizer:
    tokenizers = _imported("tokenizers", path)
    try:
        with open(path, "rb") as file:
            loaded = tokenizers.Tokenizer.from_buffer(file.read())
    except OSError as error:
        raise NoTokenizer(f"{path} cannot be read: {error.strerror}", hint="Correct the model's tokenizer.") from error
    except ValueError as error:
        raise NoTokenizer(f"{path} is no tokenizer: {error}", hint="Name a tokenizer.json.") from error
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids)


def _imported(module: str, wanted: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise NoTokenizer(f"{wanted} needs {module}, which is not installed", hint=_EXTRA) from error
