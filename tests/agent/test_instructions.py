"""The system prompt, part by part."""

import platform

from codi.agent.context_files import ContextFile
from codi.agent.instructions import MODE_RULES, ROLE, RULES, Part, Surroundings, instructions, prompt_of
from codi.protocol.tooling import ToolSpec

TOOLS = [
    ToolSpec("read", "Read a file\nof the workspace. More of it.", {}),
    ToolSpec("shell", "Run a command.", {}),
]
FILES = [ContextFile("/home/AGENTS.md", "be kind"), ContextFile("/project/AGENTS.md", "be quick")]
HERE = Surroundings(root="/project", shell="bash", git={"branch": "main", "dirty": False})


def test_the_whole_text():
    assert (
        prompt_of(instructions(TOOLS, "plan", FILES, HERE))
        == f"""\
<role>
{ROLE}
</role>

<tools>
- read: Read a file of the workspace.
- shell: Run a command.
</tools>

<rules>
{RULES}
{MODE_RULES["plan"]}
</rules>

<project_context>
<project_instructions path="/home/AGENTS.md">
be kind
</project_instructions>
<project_instructions path="/project/AGENTS.md">
be quick
</project_instructions>
</project_context>

<environment>
Operating system: {platform.system()} {platform.machine()}
Shell: bash
Workspace root: /project
Git: branch main, clean when the session began
</environment>"""
    )


def test_a_prompt_of_ones_own_stands_for_role_and_rules_alone():
    own = Part("role", "You are a poet.", "/home/SYSTEM.md")
    added = [Part("role", "Rhyme.", "--append-system-prompt")]
    parts = instructions(TOOLS, "plan", FILES, HERE, replaced=own, appended=added)
    assert [part.tag for part in parts] == ["role", "tools", "rules", "appended", "project_context", "environment"]
    assert parts[0] == own and parts[2].text == MODE_RULES["plan"]
    assert (parts[3].text, parts[3].origin) == ("Rhyme.", "--append-system-prompt")


def test_what_is_not_there_is_not_told():
    parts = instructions([], "default", [], Surroundings(root="/", shell="sh"), replaced=Part("role", "x", "y"))
    assert [part.tag for part in parts] == ["role", "environment"]
    assert parts[-1].text.endswith("Git: not a repository")
