"""What weak models write: calls in every dialect with its variations, and texts that only look like calls."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from codi.agent.dialects.vocabulary import Vocabulary
from codi.tools.kit import built_in
from codi.tools.limiting import Limits
from codi.tools.output import cap_for
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.toolbox import Toolbox

Call = tuple[str, dict[str, Any]]


def toolbox() -> Toolbox:
    limits = Limits(Results(None), lambda: cap_for(None))
    return Toolbox(built_in(limits=limits, gate=SyntaxGate("on"), ripgrep=None))


def vocabulary() -> Vocabulary:
    return Vocabulary(toolbox())


CALLS: list[Call] = [
    ("read", {"path": "src/app.py"}),
    ("read", {"path": "a=b.py", "offset": 10, "limit": 5}),
    ("write", {"path": "notes.md", "content": "# Notes\n\n```sh\nmake x=1\n```\n\ndone\n"}),
    ("write", {"path": "a.xml", "content": "<doc>\n  <content>x = 'y'</content>\n  <path>z</path>\n</doc>"}),
    ("write", {"path": "q.py", "content": 'print("it\'s \\"so\\"")\nd = {"a": [1, 2], "b": "}"}'}),
    ("edit", {"path": "m.py", "edits": [{"old_text": "x = 1", "new_text": "x = 2  # <b>two</b>"}]}),
    ("shell", {"command": 'grep -rn "a=b" . | head -5 && echo \'{"k": 1}\''}),
    ("grep", {"pattern": "def \\w+\\(", "path": "src", "ignore_case": True}),
    ("bash", {"command": "ls -la"}),
]

JSON_CALLS = [
    *CALLS,
    ("write", {"path": "doc.md", "content": "<tool_call>\n{}\n</tool_call>\n</content>\n```json\n{}\n```"}),
]


def _json(call: Call, key: str = "arguments") -> str:
    return json.dumps({"name": call[0], key: call[1]})


def _single_quoted(call: Call) -> str | None:
    text = repr({"name": call[0], "arguments": call[1]})
    return text if '"' not in text else None


def _raw_breaks(call: Call) -> str:
    return _json(call).replace("\\n", "\n").replace("\\\n", "\\\\n")


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _tags(call: Call, *, lines: bool = False) -> str:
    space = "\n" if lines else ""
    inside = "".join(f"<{key}>{space}{_raw(value)}{space}</{key}>\n" for key, value in call[1].items())
    return f"<{call[0]}>\n{inside}</{call[0]}>"


def _parameters(call: Call) -> str:
    inside = "".join(f"<parameter={key}>\n{_raw(value)}\n</parameter>\n" for key, value in call[1].items())
    return f"<function={call[0]}>\n{inside}</function>"


def _dsml(call: Call, mark: str = "｜DSML｜") -> str:
    inside = "".join(
        f'<{mark}parameter name="{key}" string="{str(isinstance(value, str)).lower()}">{_raw(value)}</{mark}parameter>\n'
        for key, value in call[1].items()
    )
    return f'<{mark}function_calls>\n<{mark}invoke name="{call[0]}">\n{inside}</{mark}invoke>\n</{mark}function_calls>'


def _python(call: Call) -> str:
    return f"{call[0]}({', '.join(f'{key}={value!r}' for key, value in call[1].items())})"


FORMS: dict[str, Callable[[Call], str | None]] = {
    "hermes": lambda call: f"<tool_call>\n{_json(call)}\n</tool_call>",
    "hermes on one line": lambda call: f"<tool_call>{_json(call)}</tool_call>",
    "hermes with parameters": lambda call: f"<tool_call>\n{_json(call, 'parameters')}\n</tool_call>",
    "hermes in reverse": lambda call: f"<tool_call>{json.dumps({'arguments': call[1], 'name': call[0]})}</tool_call>",
    "hermes unclosed": lambda call: f"<tool_call>\n{_json(call)}",
    "hermes without its last bracket": lambda call: f"<tool_call>\n{_json(call)[:-1]}\n</tool_call>",
    "hermes unclosed without both brackets": lambda call: f"<tool_call>\n{_json(call)[:-2]}",
    "hermes in single quotes": lambda call: (
        f"<tool_call>{text}</tool_call>" if (text := _single_quoted(call)) else None
    ),
    "hermes with a comma too much": lambda call: f"<tool_call>{_json(call)[:-1]},}}</tool_call>",
    "hermes with raw line breaks": lambda call: f"<tool_call>\n{_raw_breaks(call)}\n</tool_call>",
    "hermes around a function": lambda call: f"<tool_call>\n{_parameters(call)}\n</tool_call>",
    "hermes around tags": lambda call: f"<tool_call>\n{_tags(call)}\n</tool_call>",
    "function with JSON": lambda call: f"<function={call[0]}>{json.dumps(call[1])}</function>",
    "function with parameters": _parameters,
    "tags": _tags,
    "tags on lines": lambda call: _tags(call, lines=True),
    "tags in a fence": lambda call: f"```xml\n{_tags(call, lines=True)}\n```",
    "JSON": _json,
    "JSON on many lines": lambda call: json.dumps({"name": call[0], "arguments": call[1]}, indent=2),
    "JSON with input": lambda call: json.dumps({"type": "tool_use", "id": "x1", "name": call[0], "input": call[1]}),
    "JSON of a function": lambda call: json.dumps({"function": {"name": call[0], "arguments": call[1]}}),
    "JSON in JSON": lambda call: json.dumps(
        {
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": call[0], "arguments": json.dumps(call[1])}}
            ]
        }
    ),
    "JSON in a fence": lambda call: f"```json\n{_json(call)}\n```",
    "JSON in a bare fence": lambda call: (
        f"```\n{json.dumps([{'name': call[0], 'parameters': call[1]}], indent=1)}\n```"
    ),
    "JSON in a fence of its own": lambda call: f"```tool_call\n{_json(call)}\n```",
    "DSML": _dsml,
    "invoke": lambda call: _dsml(call, ""),
    "mistral": lambda call: f"[TOOL_CALLS][{_json(call)}]",
    "mistral by name": lambda call: f"[TOOL_CALLS]{call[0]}[ARGS]{json.dumps(call[1])}",
    "python tag": lambda call: f"<|python_tag|>{_json(call, 'parameters')}<|eom_id|>",
    "python tag with a call": lambda call: f"<|python_tag|>{call[0]}.call({_python(call)[len(call[0]) + 1 :]}",
    "tool code": lambda call: f"```tool_code\n{_python(call)}\n```",
    "tool code printed": lambda call: f"```tool_code\nprint(default_api.{_python(call)})\n```",
}

BEFORE = [
    "",
    "I'll look at the file first.\n\n",
    "<think>\nWhich tool? Perhaps <tool_call>\n</think>\n\n",
    "The code is this:\n\n```python\nx = {1: 2}\n```\n\nNow the next step:\n",
]
AFTER = ["", "\n\nI wait for the result.", "\n"]


def recoverable() -> Iterator[tuple[str, str, Call]]:
    """A form's name, a text in it, and the call that it means."""
    number = 0
    for name, form in FORMS.items():
        for call in JSON_CALLS if name == "hermes" or name.startswith("JSON") else CALLS:
            text = form(call)
            if text is None:
                continue
            for _ in range(2):
                number += 1
                before = BEFORE[number % len(BEFORE)]
                after = "" if "unclosed" in name else AFTER[number // 2 % len(AFTER)]
                yield name, f"{before}{text}{after}", call


def quoted() -> Iterator[str]:
    """Texts in which every call is shown and none is made."""
    for call in CALLS[:7]:
        hermes, tags, plain = FORMS["hermes"](call), _tags(call), _json(call)
        for text in (hermes, tags, plain, _parameters(call), f"[TOOL_CALLS][{plain}]"):
            assert text is not None
            yield "````\n" + text + "\n````"
            yield "```python\n" + text + "\n```"
            yield "> " + text.replace("\n", "\n> ")
            yield "An example of a call looks like this:\n\n" + text
        one_line = f"<tool_call>{plain}</tool_call>"
        yield f"You write `{one_line}` to call it."
        yield f"The form {one_line} is what the model is taught."
        yield f"One would write {plain} for that."
        yield f"````markdown\n# How to call\n\n```json\n{plain}\n```\n````"
        yield "The text was:\n\n    " + plain
        yield f"~~~\n{one_line}\n~~~"
        yield f"  12\t{one_line}"
    yield from (
        "Let me read src/app.py.",
        "I will use the shell to run `rm -rf build`.",
        "```bash\nrm -rf build\n```",
        "```sh\nread x\n```",
        "```\nls -la\n```",
        "Use read(path='x') for that.",
        "read src/app.py",
        '```json\n{"name": "codi", "version": "1.0"}\n```',
        '{"name": "Anna", "input": "text"}',
        "```python\nread(path='x')\n```",
        "<div>\n<path>x</path>\n</div>",
        "<read>",
        "The tag <read> stands for it.",
        "<html><body><list></list></body></html>",
    )


def truncated() -> Iterator[str]:
    """Beginnings of calls, cut inside of their arguments."""
    for form in FORMS.values():
        for call in CALLS[1:6]:
            text = form(call)
            if text is None:
                continue
            value = str(next(reversed(call[1].values())))[:4] if not isinstance(call[1], list) else ""
            inside = text.rfind(value.split("\n")[0][:3]) if value else len(text) // 2
            if inside > 0:
                yield text[: inside + 1]
