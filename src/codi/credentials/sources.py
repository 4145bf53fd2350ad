"""Where values stand that are secret because of their names: the environment, and the `.env` files of a project."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

from codi.credentials.surroundings import has_digit, has_letter, is_plain
from codi.credentials.vault import is_distinct

Named = tuple[str, str]

_SECRET_WORDS = frozenset(
    [
        "KEY",
        "TOKEN",
        "SECRET",
        "SECRETS",
        "PASSWORD",
        "PASSWD",
        "PASSWORT",
        "PASS",
        "PWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "CREDENTIALS",
        "APIKEY",
        "AUTHTOKEN",
        "PAT",
        "DSN",
        "AUTH",
        "PIN",
        "SALT",
        "WEBHOOK",
        "COOKIE",
        "JWT",
        "BEARER",
        "PRIVATE",
        "SIGNATURE",
    ]
)
_PLACES = frozenset(
    [
        "FILE",
        "PATH",
        "DIR",
        "SOCK",
        "SOCKET",
        "NAME",
        "ID",
        "USER",
        "USERNAME",
        "HOST",
        "PORT",
        "TYPE",
        "HELPER",
        "ASKPASS",
        "METHOD",
        "MODE",
        "PROMPT",
        "BACKEND",
        "ADDRESS",
        "TTL",
    ]
)
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".defaults", ".schema", ".md")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\n]*))")
_ADDRESS = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_MOST_BYTES = 1 << 20


def secrets_in(variables: Mapping[str, str], names: Iterable[str] = ()) -> Iterator[Named]:
    """Those variables whose names say that they are secret, the `names` that the person gave, and passwords in addresses."""
    named = frozenset(names)
    for name, value in variables.items():
        if name in named:
            if len(value) >= 4:
                yield name, value
        elif says_secret(name) and _may_be_secret(value):
            yield name, value
        yield from _in_address(name, value)


def says_secret(name: str) -> bool:
    words = re.split(r"[^A-Z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper())
    return not _SECRET_WORDS.isdisjoint(words) and words[-1] not in _PLACES


class DotEnv:
    """The `.env` files in some folders. Nothing in them enters an environment."""

    def __init__(self, folders: Sequence[str], names: Iterable[str] = ()) -> None:
        self._folders = tuple(dict.fromkeys(folders))
        self._names = tuple(names)
        self._seen: dict[str, tuple[int, int]] = {}

    def news(self) -> Iterator[Named]:
        """What stands in those that are new or have changed since this was last asked."""
        for path in sorted(self._files()):
            try:
                facts = os.stat(path)
                state = (facts.st_mtime_ns, facts.st_size)
                if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MOST_BYTES or self._seen.get(path) == state:
                    continue
                self._seen[path] = state
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    text = file.read()
            except OSError:
                continue  # it cannot be read by a tool either
            yield from secrets_of_file(text, self._names)

    def _files(self) -> Iterator[str]:
        for folder in self._folders:
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            for name in names:
                if (name.startswith(".env") or name.endswith(".env")) and not name.endswith(_EXAMPLES):
                    yield os.path.join(folder, name)


def secrets_of_file(text: str, names: Iterable[str] = ()) -> Iterator[Named]:
    """What is secret in the lines of a `.env` file: what its name says to be, and what looks like nothing else."""
    variables = {}
    for line in _LINE.finditer(text.encode("utf-8", "replace").decode()):
        quoted, single, bare = line[2], line[3], line[4]
        value = quoted if quoted is not None else single
        if value is None:
            value = re.split(r"\s#", bare or "", maxsplit=1)[0].strip()
        if value:
            variables[line[1]] = value
    yield from secrets_in(variables, names)
    for name, value in variables.items():
        if not says_secret(name) and _looks_drawn(value):
            yield name, value


def _may_be_secret(value: str) -> bool:
    is_path = value.startswith(("/", "~", "./", "../", "file:"))
    is_address = "://" in value
    return (
        not is_path and not is_address and not value.startswith("$") and is_distinct(value.encode("utf-8", "replace"))
    )


def _looks_drawn(value: str) -> bool:
    encoded = value.encode()
    return (
        len(encoded) >= 12
        and not re.search(r"[\s/:,@]|^\d[\d.]*$|\.\w{2,4}$", value)
        and has_digit(encoded)
        and has_letter(encoded)
        and not is_plain(encoded)
        and len(set(encoded)) >= 8
        and (sum(map(str.isdigit, value)) >= 3 or value.isalnum())
    )


def _in_address(name: str, value: str) -> Iterator[Named]:
    for found in _ADDRESS.finditer(value):
        password = found[1]
        if is_distinct(password.encode("utf-8", "replace")):
            yield f"{name}_PASSWORD", password
