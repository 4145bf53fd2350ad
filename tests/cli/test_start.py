"""What each way to start loads: a start is as fast as what it leaves alone."""

import ast
import os
import subprocess
import sys

import pytest

_TELL = """
import sys
before = set(sys.modules)
sys.argv = ["codi", *sys.argv[1:]]
from codi.cli.door import main
try:
    main()
finally:
    print(sorted(set(sys.modules) - before), file=sys.stderr)
"""

NOT_FOR_HELP = {
    "anyio",
    "apsw",
    "asyncio",
    "email",
    "hashlib",
    "httpx2",
    "json",
    "logging",
    "msgspec",
    "pathlib",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "tomllib",
    "urllib",
    "yaml",
    "codi.agent",
    "codi.lab",
    "codi.providers",
    "codi.sessions",
    "codi.tools",
    "codi.workspace",
}
NOT_FOR_A_LIST = (NOT_FOR_HELP | {"codi.engine.engine", "codi.providers.choice", "codi.sessions.trash", "yaml"}) - {
    "apsw",  # the catalogue
    "json",  # what msgspec refuses
    "msgspec",
    "tomllib",  # the configuration
    "codi.agent",  # whose settings are among the settings
    "codi.providers",
    "codi.sessions",
    "codi.workspace",
}
NOT_FOR_A_REQUEST = {
    "codi.cli.terminal",
    "codi.engine.replaying",
    "codi.frontends.chat",
    "codi.frontends.json_lines",
    "codi.frontends.tui",
    "codi.policy.danger",
    "codi.providers.local_servers",
    "codi.tools.edit",
    "codi.tools.grep",
    "codi.tools.read",
    "codi.tools.run_tests",
    "codi.tools.shell",
    "codi.tools.struct_tool",
    "codi.tools.web_search",
    "codi.tools.write",
    "email",
    "html",
    "http",
    "httpcore2",
    "httpx2",
    "importlib.metadata",
    "tree_sitter",
    "apsw",
    "codi.cli.demo",
    "codi.frontends.event_schema",
    "codi.lab",
    "codi.providers.google",
    "codi.providers.ollama",
    "codi.providers.openai_chat",
    "codi.providers.openai_responses",
    "codi.providers.script",
    "multiprocessing",
    "pydoc",
    "sqlite3",
    "tomlkit",
    "trio",
    "unittest",
    "yaml",
    "xml",
}
NOT_FOR_A_PROMPT = {
    "anyio._core",
    "apsw",
    "asyncio",
    "codi.agent.agent",
    "codi.agent.calls",
    "codi.credentials.detectors",
    "codi.credentials.vault",
    "codi.engine.assembly",
    "codi.engine.engine",
    "codi.engine.local",
    "codi.frontends.approval_text",
    "codi.engine.reception",
    "codi.frontends.chat",
    "codi.frontends.tui.app",
    "codi.policy.policy",
    "codi.providers.failures",
    "codi.tools.kit",
    "codi.workspace.git",
    "codi.workspace.local",
    "codi.workspace.sandbox.sandbox",
    "h11",
    "hashlib",
    "html",
    "httpx2",
    "logging",
    "markdown_it",
    "pygments",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "wcwidth",
}
"""What a person who is greeted does not wait for: an answer needs it, a prompt does not."""

FOR_THE_INTERFACE = {"anyio._core", "asyncio", "codi.engine.reception", "codi.frontends.tui.app", "logging"} | {
    "socket",
    "ssl",
    "subprocess",
}


def loaded(codi, *words):
    """The modules that a run loads beyond those of a bare interpreter."""
    ran = subprocess.run(
        [sys.executable, "-c", _TELL, *words], cwd=codi.cwd, env=codi.env, capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    return set(ast.literal_eval(ran.stderr.splitlines()[-1]))


def unwanted(modules, forbidden):
    """A package that is forbidden stands for all of its modules."""
    return sorted(
        module
        for module in modules
        if any(module == name or module.startswith(f"{name}.") for name in forbidden if name != "codi")
    )


def test_the_version_loads_these_and_nothing_else(codi):
    assert loaded(codi, "--version") == {
        "codi",
        "codi.cli",
        "codi.cli.door",
        "codi.engine",
        "codi.engine.version",
        "gc",
        "itertools",  # built in
    }


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["help", "--model"],
        ["sessions", "--help"],
        ["models", "--help"],
        ["tool", "call", "--help"],
    ],
)
def test_help_loads_no_machinery(codi, words):
    assert unwanted(loaded(codi, *words), NOT_FOR_HELP) == []


@pytest.mark.parametrize("words", [["demo", "--help"], ["lab", "--help"], ["schema", "--help"]])
def test_help_of_the_lab_starts_no_server(codi, words):
    assert unwanted(loaded(codi, *words), {"anyio", "asyncio", "httpx2", "ssl", "socket"}) == []


def test_a_list_of_sessions_loads_no_model_and_no_tool(codi):
    assert unwanted(loaded(codi, "sessions"), NOT_FOR_A_LIST) == []


def test_the_way_to_a_request_leaves_alone_what_it_does_not_need(codi, lab):
    lab("hello")
    modules = loaded(codi, "-p", "hi")
    assert "codi.providers.anthropic" in modules
    assert unwanted(modules, NOT_FOR_A_REQUEST) == []


def test_mistakes_are_told_without_loading_the_rest(codi):
    ran = codi("sesions")
    assert ran.status == 2 and "codi sessions" in ran.err


def own(modules):
    return [name for name in modules if name.startswith("codi.")]


def test_a_request_takes_no_more_modules_than_it_does(codi, lab):
    lab("hello")
    assert len(own(loaded(codi, "-p", "hi"))) <= 330


def told_by(codi, program, **streams):
    """The modules that a program prints to standard error."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=codi.cwd,
        env=codi.env,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        **streams,
    )
    assert ran.returncode == 0, ran.stderr
    return ast.literal_eval(ran.stderr.splitlines()[-1])


_GREETED = """
import sys
from codi.cli.main import run

class Painted:
    def greet(self, text):
        assert text.startswith("codi 0"), text
        print(sorted(sys.modules), file=sys.stderr)
        raise SystemExit

    def withdraw(self):
        pass

run([], Painted())
"""


def test_who_is_greeted_waits_for_no_agent_and_no_event_loop(codi):
    codi.env |= {"ANTHROPIC_API_KEY": "k", "TERM": "xterm-256color"}
    here, there = os.openpty()
    try:
        modules = told_by(codi, _GREETED, stdin=there, stdout=there)
    finally:
        os.close(here)
        os.close(there)
    assert unwanted(modules, NOT_FOR_A_PROMPT) == []
    assert len(own(modules)) <= 90


def test_the_interface_is_drawn_without_the_agent(codi):
    modules = told_by(
        codi,
        "import sys, codi.cli.chat, codi.cli.receiving, codi.cli.terminal; print(sorted(sys.modules), file=sys.stderr)",
    )
    assert unwanted(modules, NOT_FOR_A_PROMPT - FOR_THE_INTERFACE) == []
    assert len(own(modules)) <= 168


def test_the_first_frame_is_painted_with_next_to_nothing(codi):
    modules = told_by(codi, "import sys, codi.frontends.tui.opening; print(sorted(sys.modules), file=sys.stderr)")
    assert unwanted(modules, NOT_FOR_HELP | NOT_FOR_A_PROMPT | {"argparse", "re", "typing"}) == []
    assert len(own(modules)) <= 17
