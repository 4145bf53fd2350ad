"""Which command runs the tests of a project, and how it is told to run some of them alone."""

import os
import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import DecodeError, Struct
from msgspec.json import decode

from codi.tools.project import Project
from codi.tools.tool import ToolFailed

Kind = Literal["pytest", "unittest", "jest", "vitest", "mocha", "bun", "script", "go", "cargo", "make", "command"]

_PYTEST_STYLE = re.compile(r"^(?:import pytest|from pytest|(?:async )?def test_)", re.MULTILINE)
_MOST_LOOKED_AT = 20
_NO_SCRIPT = "no test specified"


class Runner(Struct, frozen=True):
    """`before` is what stands between the command and arguments of the runner itself, where it is started by a script."""

    kind: Kind
    words: tuple[str, ...]
    before: tuple[str, ...] = ()

    def with_filter(self, text: str) -> "Runner":
        """Only the tests whose names fit. Raises ToolFailed where the runner cannot tell them apart."""
        flag = {
            "pytest": "-k",
            "unittest": "-k",
            "jest": "-t",
            "vitest": "-t",
            "bun": "-t",
            "mocha": "--grep",
            "go": "-run",
        }
        if self.kind == "cargo":
            return self._with(text)
        if self.kind not in flag:
            raise ToolFailed(f"{' '.join(self.words)} takes no filter. Give the whole command.")
        return self._with(flag[self.kind], text)

    def of_files(self, files: Sequence[str]) -> "Runner":
        """Only the tests in these files. Raises ToolFailed where that cannot be said."""
        match self.kind:
            case "pytest" | "jest" | "vitest" | "mocha" | "bun":
                return self._with(*files)
            case "unittest":
                return Runner("unittest", (*self.words[:3], *files))
            case "go":
                folders = dict.fromkeys(f"./{os.path.dirname(file)}".rstrip("/") for file in files)
                return Runner("go", (*self.words[:-1], *folders))
        raise ToolFailed(f"changed_only cannot be told to {' '.join(self.words)}. Leave it out, or give a filter.")

    def _with(self, *words: str) -> "Runner":
        before = () if self.before and self.before[0] in self.words else self.before
        if self.kind == "go":
            return Runner("go", (*self.words[:-1], *words, self.words[-1]))
        return Runner(self.kind, (*self.words, *before, *words), self.before)


def runner_of(project: Project, cwd: str) -> Runner:
    """Raises ToolFailed where no tests are found."""
    finders: tuple[Callable[[Project, str], Runner | None], ...] = (_pytest, _unittest, _script, _go, _cargo, _make)
    for finder in finders:
        runner = finder(project, cwd)
        if runner is not None:
            return runner
    raise ToolFailed(
        "No tests were found here: no pytest, unittest, package.json, go.mod, Cargo.toml or Makefile with a test. "
        "Give the command that runs them, or the cwd where they are."
    )


def runner_in(command: str | tuple[str, ...]) -> Runner:
    """The runner that a command of the model's own starts, as far as its words tell."""
    words = tuple(command.split()) if isinstance(command, str) else command
    known: tuple[Kind, ...] = ("pytest", "vitest", "jest", "mocha", "unittest")
    for kind in known:
        if any(os.path.basename(word) == kind for word in words):
            return Runner(kind, words)
    if words[:2] in (("go", "test"), ("cargo", "test"), ("bun", "test")):
        return Runner(words[0], words if words[0] != "go" or len(words) > 2 else (*words, "."))  # type: ignore[arg-type]
    return Runner("command", words)


def tests_for(changed: Sequence[str], known: Sequence[str], kind: Kind) -> list[str]:
    """The test files that belong to changed files: those themselves, and those named after them."""
    tests = [file for file in known if _is_test(file, kind)]
    wanted = set(changed)
    names = {_plain_name(file) for file in changed if not _is_test(file, kind) and _is_source(file, kind)}
    if kind == "go":
        folders = {os.path.dirname(file) for file in changed if file.endswith(".go")}
        return [file for file in tests if os.path.dirname(file) in folders]
    return [file for file in tests if file in wanted or _plain_name(file) in names]


_SOURCES: dict[str, tuple[str, ...]] = {
    "pytest": (".py",),
    "unittest": (".py",),
    "go": (".go",),
}
_SCRIPTS = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")


def _is_source(file: str, kind: Kind) -> bool:
    return file.endswith(_SOURCES.get(kind, _SCRIPTS))


def _is_test(file: str, kind: Kind) -> bool:
    if not _is_source(file, kind):
        return False
    name = os.path.basename(file)
    if kind in ("pytest", "unittest"):
        return name.startswith("test_") or name.endswith("_test.py")
    if kind == "go":
        return name.endswith("_test.go")
    return ".test." in name or ".spec." in name or "__tests__" in file.split("/")


def _plain_name(file: str) -> str:
    """`src/app/parser.py` and `tests/test_parser.py` are about the same."""
    name = os.path.basename(file).partition(".")[0]
    return name.removeprefix("test_").removesuffix("_test")


def _at(cwd: str, name: str) -> str:
    return name if cwd in (".", "") else f"{cwd.rstrip('/')}/{name}"


def _pytest(project: Project, cwd: str) -> Runner | None:
    said = any(
        mark in (project.text(_at(cwd, name)) or "")
        for name, mark in (("pyproject.toml", "pytest"), ("setup.cfg", "[tool:pytest]"), ("tox.ini", "[pytest]"))
    )
    here = project.names(cwd)
    folders = [folder for folder in ("tests", "test") if folder in here]
    said = said or "pytest.ini" in here or "conftest.py" in here
    said = said or any("conftest.py" in project.names(_at(cwd, folder)) for folder in folders)
    if not said and not any(_PYTEST_STYLE.search(project.text(file) or "") for file in _python_tests(project, cwd)):
        return None
    return Runner("pytest", (*_python(project, cwd), "-m", "pytest", "-rfE"))


def _unittest(project: Project, cwd: str) -> Runner | None:
    tests = _python_tests(project, cwd)
    if not tests:
        return None
    here = any(os.path.dirname(file) == (cwd if cwd != "." else "") for file in tests)
    start = "." if here else os.path.basename(os.path.dirname(tests[0]))
    top = () if here or "__init__.py" in project.names(_at(cwd, start)) else ("-t", start)
    where = () if here else ("-s", start, *top)
    return Runner("unittest", (*_python(project, cwd), "-m", "unittest", "discover", *where))


def _python_tests(project: Project, cwd: str) -> list[str]:
    found = [
        _at(folder, name) if folder != "." else name
        for folder in (cwd, _at(cwd, "tests"), _at(cwd, "test"))
        for name in project.names(folder)
        if name.endswith(".py") and name.startswith("test")
    ]
    return found[:_MOST_LOOKED_AT]


def _python(project: Project, cwd: str) -> tuple[str, ...]:
    for folder in (".venv", "venv"):
        if project.is_program(_at(cwd, f"{folder}/bin/python")):
            return (f"{folder}/bin/python",)
    return ("uv", "run", "python") if "uv.lock" in project.names(cwd) else ("python3",)


class _Package(Struct):
    scripts: dict[str, str] = {}
    dependencies: dict[str, str] = {}
    dev_dependencies: dict[str, str] = {}


def _script(project: Project, cwd: str) -> Runner | None:
    text = project.text(_at(cwd, "package.json"))
    if text is None:
        return None
    try:
        package = decode(text.replace('"devDependencies"', '"dev_dependencies"'), type=_Package)
    except DecodeError:
        return None
    script = package.scripts.get("test", "")
    here = project.names(cwd)
    known = {**package.dependencies, **package.dev_dependencies}
    kinds: tuple[Kind, ...] = ("vitest", "jest", "mocha")
    kind: Kind = next(
        (kind for kind in kinds if kind in script), next((kind for kind in kinds if kind in known), "script")
    )
    locks = (("bun.lock", "bun"), ("bun.lockb", "bun"), ("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"))
    manager = next((manager for lock, manager in locks if lock in here), "npm")
    if script and _NO_SCRIPT not in script:
        if "bun test" in script:
            kind = "bun"
        return Runner(kind, (manager, "run", "test"), ("--",) if manager == "npm" else ())
    if kind != "script":
        words = {"vitest": ("vitest", "run")}.get(kind, (kind,))
        start = {"npm": ("npx",), "pnpm": ("pnpm", "exec"), "yarn": ("yarn", "run"), "bun": ("bunx",)}[manager]
        return Runner(kind, (*start, *words))
    return Runner("bun", ("bun", "test")) if manager == "bun" else None


def _go(project: Project, cwd: str) -> Runner | None:
    return Runner("go", ("go", "test", "-json", "./...")) if "go.mod" in project.names(cwd) else None


def _cargo(project: Project, cwd: str) -> Runner | None:
    return Runner("cargo", ("cargo", "test")) if "Cargo.toml" in project.names(cwd) else None


def _make(project: Project, cwd: str) -> Runner | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        text = project.text(_at(cwd, name))
        if text is not None and re.search(r"^test\s*:(?!=)", text, re.MULTILINE):
            return Runner("make", ("make", "test"))
    return None
