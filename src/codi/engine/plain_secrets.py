"""Secrets that stand in a configuration file, where they are read by backups, by other programs and by who looks on."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]

ADVICE = "looks like a secret; keep it with `codi auth login`, or name a variable"

_SECRET = re.compile(
    r"\b(?:sk-[\w-]{16,}|AIza[\w-]{30,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abpr]-[\w-]{10,}|"
    r"AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}\.|xai-\w{20,}|gsk_\w{20,}|hf_\w{20,})|-----BEGIN [A-Z ]*PRIVATE KEY|"
    r"(?i:^(?:bearer|basic)\s+(?!\$)\S{8,})"
)
_NAME = re.compile(r"(?i)(?:api[-_]?key|token|secret|password|passwd|credential)s?$")
_SHORTEST = 8


def keys_with_secrets(tree: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    for name, value in tree.items():
        place = (*path, name)
        if isinstance(value, Mapping):
            yield from keys_with_secrets(value, place)
        elif any(_is_secret(name, text) for text in (value if isinstance(value, list) else [value])):
            yield place


def _is_secret(name: str, value: Any) -> bool:
    if not isinstance(value, str) or "$" in value:
        return False
    return bool(_SECRET.search(value)) or bool(_NAME.search(name) and len(value) >= _SHORTEST)
