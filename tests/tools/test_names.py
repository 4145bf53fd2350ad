"""A model's names are understood where they can only mean one thing, and never guessed where something could be done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.protocol.effects import Runs
from codi.tools.names import alias_of, canonical_arguments, nearest, similarity
from codi.tools.tool import ToolFailed

ALIASES = {
    "read": ["read_file", "Read", "cat", "view", "open_file", "NotebookRead"],
    "write": ["write_file", "create_file", "Write"],
    "edit": ["edit_file", "string_replace", "str_replace", "Edit", "MultiEdit", "replace"],
    "apply_patch": ["patch_file", "diff_edit", "patch"],
    "shell": ["bash", "execute_bash", "Bash", "run_command", "exec", "terminal"],
    "grep": ["search_file_contents", "search", "Grep", "rg"],
    "glob": ["find", "find_files", "Glob"],
    "insert_lines": ["insert_line", "insert"],
    "tree": ["print_tree"],
    "view_image": ["analyze_image"],
    "web_fetch": ["fetch_url", "WebFetch"],
    "list": ["ls", "list_directory", "LS"],
    "recall": ["recall_result"],
    "todo": ["todo_write", "todo_read", "write_tasks", "TodoWrite", "update_plan"],
}
CALLS = {
    "read": {"path": "a.txt"},
    "write": {"path": "new.txt", "content": "x"},
    "edit": {"path": "a.txt", "old_text": "a", "new_text": "b"},
    "apply_patch": {"patch": "*** Begin Patch\n*** Add File: b.txt\n+x\n*** End Patch"},
    "shell": {"command": "echo hi"},
    "grep": {"pattern": "a"},
    "glob": {"pattern": "*.txt"},
    "insert_lines": {"path": "a.txt", "line": 1, "content": "x"},
    "tree": {"depth": 1},
    "view_image": {"path": "a.png"},
    "web_fetch": {"url": "https://example.org"},
    "list": {"path": "."},
    "recall": {"action": "list"},
    "todo": {"items": []},
}


@pytest.mark.parametrize(("tool", "alias"), [(tool, alias) for tool, names in ALIASES.items() for alias in names])
def test_every_alias_is_known(tool, alias):
    assert alias_of(alias).tool == tool


@pytest.mark.parametrize(("tool", "alias"), [(tool, alias) for tool in CALLS for alias in ALIASES[tool]])
def test_an_alias_is_the_same_call(bench, tool, alias):
    direct = bench.toolbox.resolve(tool, CALLS[tool])
    mapped = bench.toolbox.resolve(alias, CALLS[tool])
    assert (mapped.name, mapped.arguments, mapped.action) == (tool, direct.arguments, direct.action)
    assert mapped.mapped == f'(Mapped: Tool: "{alias}" -> "{tool}")' and direct.mapped is None


@pytest.mark.parametrize("name", ["READ", "Read-File", "readFile", "read file", "GREP", "searchFileContents"])
def test_case_and_separators_do_not_count(bench, name):
    tool = "grep" if "ar" in name or name == "GREP" else "read"
    resolved = bench.toolbox.resolve(name, CALLS[tool])
    assert (resolved.name, resolved.mapped) == (tool, f'(Mapped: Tool: "{name}" -> "{tool}")')


@pytest.mark.parametrize(
    ("tool", "given_", "meant", "mapped"),
    [
        ("read", {"file_path": "a"}, {"path": "a"}, "file_path -> path"),
        *[
            ("read", {key: "a"}, {"path": "a"}, f"{key} -> path")
            for key in ("file", "filepath", "filename", "directory", "dir", "folder", "location", "filePath")
        ],
        *[
            ("grep", {key: "a"}, {"pattern": "a"}, f"{key} -> pattern")
            for key in ("query", "regex", "search", "search_term", "expression", "searchTerm")
        ],
        *[
            ("glob", {"pattern": "a", key: 5}, {"pattern": "a", "limit": 5}, f"{key} -> limit")
            for key in ("max_results", "maxResults", "head_limit", "max", "count", "num_results", "top_k", "k", "n")
        ],
        ("read", {"path": "a", "max_lines": 5}, {"path": "a", "limit": 5}, "max_lines -> limit"),
        ("read", {"path": "a", "first_line": 5}, {"path": "a", "offset": 5}, "first_line -> offset"),
        (
            "read",
            {"path": "a", "start_line": 5, "end_line": 9},
            {"path": "a", "offset": 5, "limit": 5},
            "start_line -> offset, end_line -> limit",
        ),
        (
            "read",
            {"path": "a", "endLine": "9", "startLine": "5"},
            {"path": "a", "offset": "5", "limit": 5},
            "endLine -> limit, startLine -> offset",
        ),
        ("read", {"path": "a", "end_line": 9}, {"path": "a", "limit": 9}, "end_line -> limit"),
        *[
            ("edit", {"path": "a", old: "x", new: "y"}, {"path": "a", "old_text": "x", "new_text": "y"},
             f"{old} -> old_text, {new} -> new_text")
            for old, new in (("old_string", "new_string"), ("oldText", "newText"), ("old_str", "new_str"),
                             ("old_content", "new_content"), ("search", "replace"))
        ],
        *[
            ("write", {"path": "a", key: "x"}, {"path": "a", "content": "x"}, f"{key} -> content")
            for key in ("contents", "text", "body", "data")
        ],
        *[
            ("grep", {"pattern": "a", key: "*.c"}, {"pattern": "a", "glob": "*.c"}, f"{key} -> glob")
            for key in ("file_pattern", "include", "filter")
        ],
        *[
            ("grep", {"pattern": "a", key: True}, {"pattern": "a", "ignore_case": True}, f"{key} -> ignore_case")
            for key in ("case_insensitive", "i", "ignoreCase", "-i")
        ],
        ("grep", {"pattern": "a", "caseSensitive": True}, {"pattern": "a", "ignore_case": False},
         "caseSensitive -> ignore_case"),
        ("grep", {"pattern": "a", "case_sensitive": "false"}, {"pattern": "a", "ignore_case": True},
         "case_sensitive -> ignore_case"),
        *[
            ("list", {key: False}, {"hidden": False}, f"{key} -> hidden")
            for key in ("show_hidden", "showHiddenFiles", "all")
        ],
        *[("shell", {key: "ls"}, {"command": "ls"}, f"{key} -> command") for key in ("cmd", "script")],
        ("shell", {"command": "ls", "timeout": 5}, {"command": "ls", "timeout_s": 5}, "timeout -> timeout_s"),
        *[
            ("grep", {"pattern": "a", key: 2}, {"pattern": "a", "context": 2}, f"{key} -> context")
            for key in ("contextLines", "context_lines")
        ],
        ("grep", {"pattern": "a", "wholeWord": True}, {"pattern": "a", "whole_word": True}, "wholeWord -> whole_word"),
        ("grep", {"patern": "a"}, {"pattern": "a"}, "patern -> pattern"),
    ],
)  # fmt: skip
def test_parameters(bench, tool, given_, meant, mapped):
    resolved = bench.toolbox.resolve(tool, given_)
    assert resolved.arguments == meant
    assert resolved.mapped == f"(Mapped: Params: {mapped})"


def test_tool_and_parameters_together(bench):
    resolved = bench.toolbox.resolve("read_file", {"file_path": "a"})
    assert resolved.mapped == '(Mapped: Tool: "read_file" -> "read"; Params: file_path -> path)'


@pytest.mark.parametrize(
    "edits",
    [
        [{"old_string": "a", "new_string": "b"}, {"oldText": "c", "newText": "d", "replaceAll": True}],
        '[{"old_string": "a", "new_string": "b"}, {"search": "c", "replace": "d", "replace_all": true}]',
    ],
)
def test_several_edits_in_other_forms(bench, edits):
    resolved = bench.toolbox.resolve("MultiEdit", {"file_path": "a", "edits": edits})
    assert resolved.arguments == {
        "path": "a",
        "edits": [{"old_text": "a", "new_text": "b"}, {"old_text": "c", "new_text": "d", "replace_all": True}],
    }


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("git_status", {}, "git status"),
        ("git_status", {"short": True, "path": "a b"}, "git status --short -- 'a b'"),
        ("git_diff", {}, "git diff"),
        ("git_diff", {"staged": True, "file": "$(x)"}, "git diff --staged -- '$(x)'"),
        ("git_diff", {"ref": "main", "paths": ["a", "-b"]}, "git diff main -- a -b"),
        ("git_log", {"limit": 5, "oneline": "true"}, "git log --oneline -n 5"),
        ("git_add", {"files": ["a", "b;c"]}, "git add -- a 'b;c'"),
        ("git_add", {"all": True}, "git add --all"),
        ("git_commit", {"message": "it's done"}, """git commit -m 'it'"'"'s done'"""),
    ],
)
def test_git_tools_become_command_lines(bench, name, arguments, line):
    resolved = bench.toolbox.resolve(name, arguments)
    assert (resolved.name, resolved.arguments) == ("shell", {"command": line})
    assert list(resolved.action.effects()) == [Runs(line, ".")]
    assert resolved.mapped.startswith(f'(Mapped: Tool: "{name}" -> "shell"')


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("git_add", {}, "git_add needs files"),
        ("git_commit", {}, "git_commit needs a message"),
        ("git_diff", {"ref": "--output=/etc/x"}, "--output=/etc/x is no revision"),
        ("git_log", {"limit": "5; rm"}, "5; rm is no count"),
        ("git_status", {"evil": 1}, "evil: unknown parameter"),
    ],
)
def test_git_tools_with_unfit_arguments(bench, name, arguments, reason):
    with pytest.raises(ToolFailed, match="Validation failed") as failed:
        bench.toolbox.resolve(name, arguments)
    assert reason in str(failed.value)


def test_unmapped_keys_are_an_error(bench):
    with pytest.raises(ToolFailed, match="colour: unknown parameter"):
        bench.toolbox.resolve("read", {"path": "a", "colour": "red"})
    with pytest.raises(ToolFailed, match="file_path: unknown parameter"):
        bench.toolbox.resolve("read", {"path": "a", "file_path": "b"})
    with pytest.raises(ToolFailed, match="patern: unknown parameter"):
        bench.toolbox.resolve("grep", {"patern": 5})


def test_a_slip_runs_what_only_looks(bench):
    bench.write("a.txt", "hello\n")
    resolved = bench.toolbox.resolve("reed", {"path": "a.txt"})
    assert (resolved.name, resolved.mapped) == ("read", '(Mapped: Tool: "reed" -> "read")')
    resolved = bench.toolbox.resolve("list_directry", {"path": "."})
    assert resolved.name == "list"


@pytest.mark.parametrize("name", ["writ_file", "write_fil", "exeecute_bash", "edit_fille", "run_comand"])
def test_a_guess_never_does_anything(bench, name):
    tool = nearest(name, CALLS)[0][0]
    with pytest.raises(ToolFailed, match=f'There is no tool "{name}"\\. Did you mean: {tool} \\(\\d+ %\\)'):
        bench.toolbox.resolve(name, CALLS[tool])


def test_a_folded_name_is_no_guess_and_judged_like_any_call(bench):
    resolved = bench.toolbox.resolve("writefile", CALLS["write"])
    assert resolved.name == "write" and [type(e).__name__ for e in resolved.action.effects()] == ["Writes"]


def test_unknown_tools(bench):
    assert bench.call("reads").text == 'There is no tool "reads". Did you mean: read (80 %)?'
    available = ", ".join(bench.toolbox.names)
    assert bench.call("frobnicate").text == f'There is no tool "frobnicate". Available: {available}'
    assert "There is no tool" in bench.call("").text
    assert "There is no tool" in bench.call("x" * 10_000).text


def test_aliases_of_tools_that_are_not_offered(bench):
    nano = bench.toolbox.in_profile("nano")
    with pytest.raises(ToolFailed, match='There is no tool "ls"'):
        nano.resolve("ls", {})


@given(st.text(max_size=12), st.text(max_size=12))
def test_similarity_is_a_measure(one, other):
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == similarity(other, one)
    assert (similarity(one, other) == 1) == (one == other)


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=5) | st.none(), max_size=5))
def test_no_argument_is_lost(arguments):
    properties = {"path": {"type": "string"}, "limit": {"type": "integer"}, "offset": {"type": "integer"}}
    meant, renamed = canonical_arguments("read", arguments, properties)
    assert len(meant) == len(arguments)
    assert {key for key in arguments if key not in meant} == {given for given, _ in renamed}
