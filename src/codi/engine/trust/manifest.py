"""Everything that a project brings and that would be obeyed.

A configuration file in TOML is taken apart by its statements: each verify list, server and hook is an item of its own, and all
the rest of the file is one more. Every byte belongs to exactly one item, so that a change makes that one alone pending.
Files in other forms are one item each, and are not parsed before somebody trusts them.
"""

import os
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from codi.agent.context_files import Ground, context_files
from codi.engine import config_files
from codi.engine.config_files import BrokenFile, ConfigFile
from codi.engine.model_map_files import MAPS
from codi.engine.places import Places
from codi.engine.toml_lines import statements_of
from codi.engine.trust.item import Item, item_of

Path = tuple[str, ...]

STEMS = ("config", "config.local")
PROMPTS = ("SYSTEM.md", "APPEND_SYSTEM.md")
RULES = "exec-rules.json"
THEMES = "themes"

_APART = {("verify",): "verify", ("mcp", "servers", "*"): "mcp", ("lsp", "*"): "lsp", ("hooks", "*"): "hook"}
"""What is an item of its own, by its place; `*` is any name."""
_INTERPRETERS = frozenset(
    [
        "sh",
        "bash",
        "dash",
        "zsh",
        "ksh",
        "fish",
        "env",
        "python",
        "python3",
        "node",
        "deno",
        "bun",
        "ruby",
        "perl",
        "php",
        "lua",
        "pwsh",
        "Rscript",
        "uv",
        "npx",
        "uvx",
        "run",
        "poetry",
        "pipenv",
    ]
)
_MOST_BYTES = 1024 * 1024


def manifest(places: Places) -> tuple[Item, ...]:
    """The items of a project, in a fixed order. What cannot be read is none."""
    found: list[Item] = []
    folder = os.path.join(places.root, ".codi")
    if not _is_same(folder, places.home):
        for stem in STEMS:
            for form in config_files.FORMS:
                path = os.path.join(folder, f"{stem}.{form}")
                if (content := _content(path)) is not None:
                    found += items_of_bytes(path, content, places.root)
        for name in PROMPTS:
            if (content := _content(os.path.join(folder, name))) is not None:
                found.append(item_of_prompt(name, content))
        found += themes_of(folder)
        if (content := _content(os.path.join(folder, RULES))) is not None and b"allow" in content:
            found.append(item_of_rules(content))
    for name in MAPS:
        if (content := _content(os.path.join(places.root, name))) is not None:
            found.append(item_of_map(name, content))
    found += _reaching(places)
    return tuple(found)


def items_of(file: ConfigFile, root: str) -> list[Item]:
    """The items of a configuration file that was read: the last one is the rest of it."""
    return list(_items_of_file(file, root))


def item_of_prompt(name: str, content: bytes) -> Item:
    return item_of(name, "system-prompt", f".codi/{name}", content)


def themes_of(folder: str) -> list[Item]:
    """The theme files in `.codi`: they may hide what a person must see."""
    try:
        names = sorted(os.listdir(os.path.join(folder, THEMES)))
    except OSError:
        return []
    contents = {
        name: _content(os.path.join(folder, THEMES, name)) for name in names if name.endswith((".toml", ".json"))
    }
    return [
        item_of(f"{THEMES}/{name}", "theme", f".codi/{THEMES}/{name}", content)
        for name, content in contents.items()
        if content is not None
    ]


def item_of_rules(content: bytes) -> Item:
    """What the rules of a repository allow; what they deny needs nobody's trust."""
    return item_of(RULES, "rules", f".codi/{RULES}", content)


def item_of_map(name: str, content: bytes) -> Item:
    """A model map beside `.codi`: it says whom a project's conversations are sent to."""
    return item_of(name, "models", name, content)


def item_of_context(path: str, root: str) -> Item | None:
    """An instruction file that brings in what lies outside of the project; None where it cannot be read."""
    content = _content(path)
    named = os.path.relpath(path, root)
    return None if content is None else item_of(named, "context", named, content)


def items_of_bytes(path: str, content: bytes, root: str) -> Iterator[Item]:
    """The same of a file that is not parsed, if its form is not TOML, or that cannot be."""
    try:
        if path.endswith(".toml"):
            yield from _items_of_file(config_files.parsed(path, content), root)
        else:
            yield _whole(path, config_files.text_of(path, content).encode(), root)
    except BrokenFile:  # told when it is obeyed
        yield _whole(path, content, root)


def _items_of_file(file: ConfigFile, root: str) -> Iterator[Item]:
    if not file.path.endswith(".toml"):
        yield _whole(file.path, file.text.encode(), root)
        return
    named = os.path.relpath(file.path, root)
    local = ".local" if "config.local." in os.path.basename(file.path) else ""
    texts: dict[Path, list[str]] = {(): []}
    lines: dict[Path, int] = {}
    for table, key, line, text in statements_of(file.text):
        place = _apart(table + key, file.tree)
        texts.setdefault(place, []).append(text)
        lines.setdefault(place, line)
    rest: Any = file.tree
    for place in [place for place in texts if place]:
        value = value_at(file.tree, place)
        rest = without(rest, place)
        id = f"{'.'.join(place)}{local}"
        told, scripts = _told(value, root)
        yield item_of(
            id,
            _kind(place) or "",
            named,
            "".join(texts[place]).encode(),
            meaning=value,
            scripts=scripts,
            key=place,
            line=lines[place],
            **told,
        )
    yield item_of(f"config{local}", "config", named, "".join(texts[()]).encode(), meaning=rest, line=lines.get((), 1))


def _whole(path: str, content: bytes, root: str) -> Item:
    local = ".local" if "config.local." in os.path.basename(path) else ""
    return item_of(f"config{local}", "config", os.path.relpath(path, root), content)


def _apart(path: Path, tree: Mapping[str, Any]) -> Path:
    """The item to which a statement belongs; the empty path is the rest of the file."""
    for length in range(1, len(path) + 1):
        place = path[:length]
        if _kind(place) and value_at(tree, place) is not None:
            return place
    return ()


def _kind(place: Path) -> str | None:
    return next(
        (
            kind
            for pattern, kind in _APART.items()
            if len(pattern) == len(place)
            and all(part in ("*", name) for part, name in zip(pattern, place, strict=True))
        ),
        None,
    )


def value_at(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def without(tree: Mapping[str, Any], path: Path) -> dict[str, Any]:
    first, *rest = path
    left = dict(tree)
    if not rest:
        left.pop(first, None)
    elif isinstance(left.get(first), Mapping):
        left[first] = without(left[first], tuple(rest))
    return left


def _told(value: Any, root: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Command, arguments, names of variables and address of an item, and the scripts that it starts."""
    told: dict[str, Any] = {}
    lines: list[list[str]] = []
    for entry in value if isinstance(value, list) else [value]:
        table = entry if isinstance(entry, Mapping) else {"command": entry}
        command, args = table.get("command"), table.get("args")
        words = [str(arg) for arg in args] if isinstance(args, list) else []
        if isinstance(command, list):
            lines.append([*map(str, command), *words])
        elif isinstance(command, str):
            lines.append([*(_words(command)), *words])
        if isinstance(table.get("env"), Mapping):
            told["env"] = tuple(sorted(table["env"]))
        if isinstance(table.get("url"), str):
            told["url"] = table["url"]
    if len(lines) == 1 and lines[0]:
        told |= {"command": lines[0][0], "args": tuple(lines[0][1:])}
    elif lines:
        told["command"] = "; ".join(shlex.join(words) for words in lines)
    from hashlib import sha256  # 3 ms, and most projects bring nothing

    scripts = {}
    for words in lines:
        for path in _scripts(words, root):
            with open(os.path.join(root, path), "rb") as file:
                scripts[path] = sha256(file.read()).hexdigest()
    return told, scripts


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line.replace("&&", " && ").replace(";", " ; ").replace("|", " | "))
    except ValueError:
        return line.split()


def _scripts(words: list[str], root: str) -> Iterator[str]:
    """The files of the project that these words start: programs by a path, and what interpreters are given."""
    expected = True
    for word in words:
        if word in ("&&", ";", "|", "||"):
            expected = True
            continue
        path = os.path.normpath(os.path.join(root, os.path.expanduser(word)))
        if expected and os.path.isfile(path) and path.startswith(root.rstrip("/") + "/"):
            yield os.path.relpath(path, root)
        elif os.path.basename(word) in _INTERPRETERS or word.startswith("-") or "=" in word:
            continue
        expected = False


def _reaching(places: Places) -> Iterator[Item]:
    ground = Ground(home=places.home, root=places.root, cwd=places.cwd)
    for path in context_files(ground).reaching:
        if item := item_of_context(path, places.root):
            yield item


def _content(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= _MOST_BYTES else None


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
