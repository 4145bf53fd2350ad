"""A configuration file to begin with: every key with its meaning and its default, all of it commented out."""

import textwrap

import msgspec

from codi.engine import keys
from codi.engine.keys import Key

_HEAD = (
    "# What codi is to do otherwise. Take away the # before a key to set it; `codi config explain KEY` tells more.\n"
)
_WIDTH = 118


def template() -> str:
    parts = [_HEAD]
    section = ""
    known = keys.every_key()
    sections = list(dict.fromkeys(key.path[0] for key in known))
    # A section's own keys stand before the tables in it, for none may be opened twice.
    for key in sorted(known, key=lambda key: (len(key.path) > 1 and sections.index(key.path[0]) + 1, len(key.path))):
        here = ".".join(key.path[:-1])
        if here != section:
            parts.append(f"\n[{here}]\n")
            section = here
        parts.append(_told(key))
    return "".join(parts)


def _told(key: Key) -> str:
    meaning = ": ".join(part for part in (key.kind.expected, key.kind.meaning) if part)
    lines = textwrap.wrap(meaning, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    if key.kind.is_table:
        name = key.name if len(key.path) > 1 else f"{key.path[-1]}.NAME"
        return "\n".join(["", *lines, f"#[{name}]", ""])
    value = "" if key.default is None else f" {msgspec.json.encode(key.default).decode()}"
    return "\n".join([*lines, f"#{key.path[-1]} ={value}", ""])
