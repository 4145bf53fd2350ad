"""What a model may have meant: other agents' names of tools and parameters, and names that are nearly right.

Models were trained with many tools. A known alias is as good as the name; a guess is taken only when nothing comes near it,
and for what it may do the toolbox looks at the effects. Aliases of parameters hold for a tool that has the parameter.
"""

from collections.abc import Callable, Iterable, Mapping
from shlex import join
from typing import Any

from msgspec import DecodeError, Struct, json

ORDER = (
    "read",
    "write",
    "edit",
    "apply_patch",
    "insert_lines",
    "replace_lines",
    "delete_lines",
    "refactor",
    "shell",
    "run_tests",
    "grep",
    "glob",
    "list",
    "tree",
    "move",
    "delete",
    "web_fetch",
    "web_search",
    "view_image",
    "recall",
    "todo",
    "ask_person",
    "context_status",
)
"""The canonical names, in the order in which a model is told of them."""

SURE = 0.85
"""From this similarity on a guess may be taken, if nothing else is within `RIVAL` of it."""
RIVAL = 0.05
NEAR = 0.60
_LONGEST = 64

Arguments = dict[str, Any]


class Alias(Struct, frozen=True):
    """Another name of a tool; `presets` hold unless the call says otherwise; `rewrite` makes the tool's arguments of the
    alias's own, and says which became which."""

    tool: str
    presets: Mapping[str, Any] = {}
    rewrite: Callable[[Arguments], tuple[Arguments, list[tuple[str, str]]]] | None = None


class UnfitArguments(ValueError):
    """The arguments of an alias do not say enough. `str(error)` names what is wrong."""


def alias_of(name: str, arguments: Mapping[str, Any] = {}) -> Alias | None:
    """What a name stands for. Of some it depends on what they are called with."""
    if folded(name) == "fileop":
        return _file_operation(arguments)
    return _ALIASES.get(name) or _FOLDED.get(folded(name))


def folded(name: str) -> str:
    """Without case and separators: `ReadFile` and `read_file` are one."""
    return "".join(character for character in name.lower() if character not in "_- .")


def similarity(one: str, other: str) -> float:
    """1 for the same name, 0 for nothing in common: 1 - Levenshtein distance / the longer length."""
    longer = max(len(one), len(other))
    if longer == 0 or longer > _LONGEST:
        return float(one == other)
    return 1 - _distance(one, other) / longer


def nearest(name: str, tools: Iterable[str]) -> list[tuple[str, float]]:
    """The tools by how near one of their names is, the nearest first."""
    given = folded(name)
    near = []
    for tool in tools:
        names = {folded(tool), *(folded(alias) for alias, target in _ALIASES.items() if target.tool == tool)}
        near.append((tool, max(similarity(given, other) for other in names)))
    return sorted(near, key=lambda pair: -pair[1])


def is_sure(name: str, near: list[tuple[str, float]]) -> bool:
    """Whether the nearest is meant beyond doubt. In a short name one wrong letter weighs more than the measure allows: there
    it may be one."""
    tool, score = near[0]
    slip = len(name) == len(tool) <= 4 and _distance(folded(name), folded(tool)) == 1
    return (score >= SURE or slip) and (len(near) < 2 or score - near[1][1] > RIVAL)


def no_such_tool(name: str, near: list[tuple[str, float]], available: Iterable[str]) -> str:
    good = [f"{tool} ({round(score * 100)} %)" for tool, score in near[:3] if score >= NEAR]
    if good:
        return f'There is no tool "{name}". Did you mean: {", ".join(good)}?'
    return f'There is no tool "{name}". Available: {", ".join(available)}'


def canonical_arguments(
    tool: str, arguments: Arguments, properties: Mapping[str, Any]
) -> tuple[Arguments, list[tuple[str, str]]]:
    """The arguments under the tool's own names, and what was renamed. What is not understood stays as it is, for the schema
    to refuse."""
    renamed: list[tuple[str, str]] = []
    known: Arguments = {}
    for key, value in arguments.items():
        known[key] = _with_item_names(tool, key, value, renamed) if key in properties else value
    for key in [key for key in known if key not in properties]:
        for target, value in _meaning(key, known[key], known, properties):
            if target not in arguments:
                del known[key]
                known[target] = _with_item_names(tool, target, value, renamed)
                renamed.append((key, target))
    return known, renamed


def mapping_line(name: str, tool: str, renamed: Iterable[tuple[str, str]]) -> str | None:
    """How a result begins whose call was understood under other names; None when there is nothing to say."""
    parts = [f'Tool: "{name}" -> "{tool}"'] if name != tool else []
    params = ", ".join(dict.fromkeys(f"{given} -> {meant}" for given, meant in renamed))
    if params:
        parts.append(f"Params: {params}")
    return f"(Mapped: {'; '.join(parts)})" if parts else None


_PARAMETERS: dict[str, tuple[str, ...]] = {
    "path": ("file", "file_path", "filepath", "filename", "directory", "dir", "folder", "location"),
    "pattern": ("query", "regex", "search", "search_term", "expression"),
    "limit": ("max_results", "head_limit", "max", "count", "num_results", "top_k", "k", "n", "max_lines"),
    "offset": ("start_line", "first_line"),
    "old_text": ("old_string", "old_str", "old_content", "search"),
    "new_text": ("new_string", "new_str", "new_content", "replace"),
    "content": ("contents", "text", "body", "data"),
    "search": ("find", "pattern"),
    "replace": ("replacement", "replace_with"),
    "glob": ("file_pattern", "include", "filter"),
    "ignore_case": ("case_insensitive", "i"),
    "hidden": ("show_hidden", "show_hidden_files", "all"),
    "line": ("line_number", "start_line"),
    "end_line": ("end",),
    "depth": ("max_depth",),
    "source": ("src", "from", "old_path", "source_path"),
    "target": ("destination", "dest", "dst", "to", "new_path", "target_path", "destination_path"),
    "command": ("cmd", "script"),
    "job": ("job_id",),
    "background": ("run_in_background",),
    "timeout_s": ("timeout",),
    "context": ("context_lines",),
    "items": ("todos", "tasks", "plan"),
    "id": ("cache_id", "result_id"),
}
_FOLDER_NAMES = ("directory", "dir", "folder")
_ITEM_NAMES = {
    ("edit", "edits"): {
        folded(alias): name
        for name in ("old_text", "new_text", "replace_all")
        for alias in (name, *_PARAMETERS.get(name, ()))
    },
    ("todo", "items"): {"activeform": "active_form", "step": "content", "task": "content", "title": "content"},
}
_MEANT: dict[str, list[str]] = {}
for _target, _names in _PARAMETERS.items():
    for _name in _names:
        _MEANT.setdefault(folded(_name), []).append(_target)


def _meaning(key: str, value: Any, given: Arguments, properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The parameter that a key stands for, with its value: one, or none."""
    name = folded(key)
    if name == "casesensitive" and "ignore_case" in properties:
        truth = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
        return [("ignore_case", not truth)] if isinstance(truth, bool) else []
    if name == "endline" and {"offset", "limit"} <= properties.keys():
        return _limit_up_to(value, given)
    for candidate in properties:
        if folded(candidate) == name:
            return [(candidate, value)]
    for target in _MEANT.get(name, ()):
        if target in properties:
            return [(target, value)]
    near = sorted(properties, key=lambda other: -similarity(name, folded(other)))
    if near and similarity(name, folded(near[0])) >= SURE and _fits(value, properties[near[0]]):
        return [(near[0], value)]
    return []


def _limit_up_to(end: Any, given: Arguments) -> list[tuple[str, Any]]:
    # Keys are read in their order, so the first line may or may not have got its own name already.
    start = next((given[key] for key in given if folded(key) in ("offset", "startline", "firstline")), 1)
    try:
        return [("limit", int(end) - max(1, int(start)) + 1)]
    except (TypeError, ValueError):
        return []


def _with_item_names(tool: str, key: str, value: Any, renamed: list[tuple[str, str]]) -> Any:
    """A list of records with the names that the tool gives their fields."""
    names = _ITEM_NAMES.get((tool, key))
    if names is None:
        return value
    if isinstance(value, str):
        try:
            value = json.decode(value)
        except (DecodeError, UnicodeEncodeError, RecursionError):
            return value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return value
    return [_renamed_fields(item, names, renamed) if isinstance(item, dict) else item for item in value]


def _renamed_fields(item: Arguments, names: Mapping[str, str], renamed: list[tuple[str, str]]) -> Arguments:
    fields: Arguments = {}
    for key, value in item.items():
        meant = names.get(folded(key), key)
        if meant != key and meant in item:
            meant = key
        if meant != key:
            renamed.append((key, meant))
        fields[meant] = value
    return fields


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    types = {part.get("type") for part in schema.get("anyOf", [schema])}
    match value:
        case bool():
            return "boolean" in types
        case int() | float():
            return bool(types & {"integer", "number"})
        case str():
            return "string" in types or "enum" in schema
        case list():
            return "array" in types
        case dict():
            return "object" in types
    return False


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def _git(subcommand: str, take: Callable[[Arguments], list[str]]) -> Alias:
    def rewrite(given: Arguments) -> tuple[Arguments, list[tuple[str, str]]]:
        rest = dict(given)
        kept: Arguments = {key: rest.pop(key) for key in ("cwd", "timeout_s", "timeout") if key in rest}
        words = ["git", subcommand, *take(rest)]
        named = [(key, "command") for key in given if key not in rest and key not in kept]
        return {"command": join(words), **kept, **rest}, named

    return Alias("shell", rewrite=rewrite)


def _file_operation(arguments: Mapping[str, Any]) -> Alias:
    named = _taken(dict(arguments), "operation", "op", "action")
    operation = str(named).lower()

    def rewrite(given: Arguments) -> tuple[Arguments, list[tuple[str, str]]]:
        rest = dict(given)
        _taken(rest, "operation", "op", "action")
        renamed: list[tuple[str, str]] = []
        if operation == "mkdir":
            key = next((key for key in rest if folded(key) in ("path", "target", "destination", *_FOLDER_NAMES)), None)
            if key is None:
                raise UnfitArguments("file_op mkdir needs a path.")
            rest["path"] = str(rest.pop(key)).rstrip("/") + "/"
            rest["content"] = ""
        elif operation in ("move", "rename", "copy") and "source" not in rest and "path" in rest:
            rest["source"] = rest.pop("path")
            renamed.append(("path", "source"))
        elif operation not in ("move", "rename", "copy", "delete"):
            raise UnfitArguments("operation: one of move, copy, delete, mkdir")
        elif operation == "delete" and "path" not in rest and "source" in rest:
            rest["path"] = rest.pop("source")
            renamed.append(("source", "path"))
        return rest, renamed

    tool = {"delete": "delete", "mkdir": "write"}.get(operation, "move")
    return Alias(tool, presets={"copy": True} if operation == "copy" else {}, rewrite=rewrite)


def _taken(arguments: Arguments, *keys: str) -> Any:
    """The value under one of the keys, which is thereby understood."""
    found = None
    for key in [key for key in arguments if folded(key) in keys]:
        found = arguments.pop(key)
    return found


def _words(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return [str(word) for word in value] if isinstance(value, list) else [str(value)]


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _paths(arguments: Arguments) -> list[str]:
    return _words(_taken(arguments, "path", "paths", "file", "files", "filepath", "filepaths"))


def _status_words(arguments: Arguments) -> list[str]:
    short = ["--short"] if _is_true(_taken(arguments, "short", "porcelain")) else []
    paths = _paths(arguments)
    return [*short, *(["--", *paths] if paths else [])]


def _diff_words(arguments: Arguments) -> list[str]:
    staged = ["--staged"] if _is_true(_taken(arguments, "staged", "cached")) else []
    revisions = _words(_taken(arguments, "ref", "commit", "base", "revision", "target"))
    _refuse_options(revisions)
    paths = _paths(arguments)
    return [*staged, *revisions, *(["--", *paths] if paths else [])]


def _log_words(arguments: Arguments) -> list[str]:
    oneline = ["--oneline"] if _is_true(_taken(arguments, "oneline")) else []
    count = _words(_taken(arguments, "limit", "count", "n", "maxcount", "maxresults"))
    if count and not count[0].isdecimal():
        raise UnfitArguments(f"{count[0]} is no count of commits.")
    paths = _paths(arguments)
    return [*oneline, *(["-n", count[0]] if count else []), *(["--", *paths] if paths else [])]


def _add_words(arguments: Arguments) -> list[str]:
    everything = _is_true(_taken(arguments, "all"))
    paths = _paths(arguments)
    if not paths and not everything:
        raise UnfitArguments("git_add needs files: a list of paths, or all=true.")
    return ["--all"] if everything else ["--", *paths]


def _commit_words(arguments: Arguments) -> list[str]:
    everything = ["--all"] if _is_true(_taken(arguments, "all")) else []
    message = _words(_taken(arguments, "message", "msg", "m"))
    if not message:
        raise UnfitArguments("git_commit needs a message.")
    return [*everything, "-m", "\n\n".join(message)]


def _refuse_options(revisions: list[str]) -> None:
    for revision in revisions:
        if revision.startswith("-"):
            raise UnfitArguments(f"{revision} is no revision.")


_ALIASES: dict[str, Alias] = {
    **{
        name: Alias(tool)
        for tool, names in {
            "read": "read_file Read cat view open_file NotebookRead",
            "write": "write_file create_file Write",
            "edit": "edit_file string_replace str_replace Edit MultiEdit replace",
            "apply_patch": "patch_file diff_edit patch",
            "insert_lines": "insert_line insert",
            "shell": "bash execute_bash Bash run_command exec terminal",
            "grep": "search_file_contents search Grep rg",
            "glob": "find find_files Glob",
            "list": "ls list_directory LS",
            "tree": "print_tree",
            "web_fetch": "fetch_url WebFetch",
            "web_search": "WebSearch",
            "view_image": "analyze_image",
            "ask_person": "ask_user AskUserQuestion",
            "context_status": "get_context_status",
            "todo": "todo_write todo_read write_tasks TodoWrite update_plan",
        }.items()
        for name in names.split()
    },
    "shell_info": Alias("context_status", presets={"include": ["environment"]}),
    "recall_result": Alias("recall", presets={"action": "get"}),
    "git_status": _git("status", _status_words),
    "git_diff": _git("diff", _diff_words),
    "git_log": _git("log", _log_words),
    "git_add": _git("add", _add_words),
    "git_commit": _git("commit", _commit_words),
}
_FOLDED = {folded(name): alias for name, alias in _ALIASES.items()}
