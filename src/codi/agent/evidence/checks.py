"""Which commands test, build, lint or check types: told by the words of a command line, through whatever they are wrapped in."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from os.path import basename

from msgspec import Struct
from msgspec.structs import replace

from codi.agent.evidence.check_programs import (
    BY_PROGRAM,
    COMPILED,
    FAMILY,
    FOLDER_OPTIONS,
    FORMATTERS,
    LOOKS_ONLY,
    NO_RUN,
    OPTIONS,
    OTHERS,
    RUNNERS,
    SCRIPT_RUNNERS,
    SUBCOMMANDS,
    SUCCEEDS_ANYHOW,
    TARGETS,
    TEST_FILE,
    WITH_SUBCOMMAND,
    Options,
)
from codi.agent.evidence.command_lines import Step, steps_of
from codi.agent.evidence.wrapped_commands import SHELLS, unwrapped, value_of
from codi.protocol.events import Check

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?")
_CHOOSES = re.compile(r"(?:\w*(?:TEST|FILTER|ONLY)\w*=.|-Dtest=|--tests\b)")
_WHOLE_SUITE = re.compile(r"(?:run_?|all_?)?tests?")


class Checked(Struct, frozen=True):
    """One check that a line makes. `folder`: where, from where the line begins. `chosen`: the only files, folders or modules
    it was asked to look at; `filtered`: of which it was to look at a part. `speaks`: the line succeeds only if it did."""

    kind: Check
    program: str
    folder: str = ""
    chosen: tuple[str, ...] = ()
    filtered: bool = False
    speaks: bool = True
    after: tuple[tuple[str, ...], ...] = ()


def checks_in(command: str | tuple[str, ...]) -> list[Checked]:
    """The checks that a command makes, in their order."""
    steps = steps_of(command) if isinstance(command, str) else [Step(command)]
    return [checked for step in steps for checked in _checks_of(step)]


def is_test_file(path: str) -> bool:
    return TEST_FILE.search(path) is not None


def is_partial(checked: Checked, files: Sequence[str]) -> bool:
    """Whether a check left out some of what there is, given the files below where it ran."""
    if checked.filtered:
        return True
    if not checked.chosen:
        return False
    if checked.kind != "test":
        return all("." in basename(name) and name.strip("./") for name in checked.chosen)
    endings = FAMILY.get(checked.program, ())
    tests = [file for file in files if is_test_file(file) and (not endings or file.endswith(endings))]
    return not all(any(_covers(name, file, checked.program) for name in checked.chosen) for file in tests)


def _covers(chosen: str, file: str, program: str) -> bool:
    name = chosen.removeprefix("./").rstrip("/")
    if "::" in name or "#" in name:
        return False
    if name in ("", ".", "...", "**"):
        return program != "go" or name == "..." or "/" not in file
    if name.endswith("/..."):
        return file.startswith(name[:-3])
    if "*" in name:
        pattern = re.escape(name).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        return re.fullmatch(pattern, file) is not None
    if program == "go":
        return file.rpartition("/")[0] == name
    stem = file.rpartition(".")[0]
    return file in (name, f"{name}.py") or file.startswith(f"{name}/") or stem.replace("/", ".") == name


def _checks_of(step: Step) -> Iterator[Checked]:
    real = unwrapped(step.words)
    if not real.words:
        return
    program, *words = real.words
    folder = joined(step.folder, real.folder)
    if program in SHELLS:
        yield from _checks_of_shell(step, words, folder)
        return
    if NO_RUN.intersection(words):
        return
    folder = joined(folder, _folder_of(value_of(words, FOLDER_OPTIONS.get(program, ()))))
    speaks = step.speaks and not SUCCEEDS_ANYHOW.intersection(words)
    for run in _runs(program, words):
        chosen, filtered = _choice(run)
        yield Checked(run.kind, run.program, folder, chosen, real.chooses or filtered, speaks, step.after)


def _checks_of_shell(step: Step, words: list[str], folder: str) -> Iterator[Checked]:
    line = next((word for option, word in pairwise(words) if re.fullmatch(r"-\w*c", option)), None)
    if line is not None:
        for inner in checks_in(line):
            yield replace(
                inner,
                folder=joined(folder, inner.folder),
                speaks=inner.speaks and step.speaks,
                after=inner.after + step.after,
            )
    elif words and (kind := _kind_of_script(basename(words[0]))):
        yield Checked(kind, basename(words[0]), folder, speaks=step.speaks, after=step.after)


class _Run(Struct, frozen=True):
    kind: Check
    program: str
    words: Sequence[str] = ()


def _runs(program: str, words: Sequence[str]) -> Iterator[_Run]:
    """What a program does with these words."""
    if _PYTHON.fullmatch(program):
        yield from _runs_of_python(words)
    elif program in SCRIPT_RUNNERS:
        yield from _runs_of_package_script(program, words)
    elif program in RUNNERS:
        yield from _runs_of_targets(program, words)
    elif program in SUBCOMMANDS:
        yield from _runs_of_subcommand(program, words)
    elif program == "cmake":
        if "--build" in words:
            yield _Run("build", program)
    elif program == "node":
        if "--test" in words:
            yield _Run("test", program, [word for word in words if word != "--test"])
        elif script := next((word for word in words if not word.startswith("-")), ""):
            yield from _runs_of_script(program, script)
    elif program in FORMATTERS:
        if _only_looks(words):
            yield _Run("lint", program, words)
    elif program == "ruff":
        if words[:1] == ["check"] or (words[:1] == ["format"] and _only_looks(words)):
            yield _Run("lint", program, words[1:])
    elif kind := BY_PROGRAM.get(program):
        yield _Run(kind, program, words[1:] if program in WITH_SUBCOMMAND else words)
    elif kind := _kind_of_script(program):
        yield _Run(kind, program, words)


def _only_looks(words: Sequence[str]) -> bool:
    return not LOOKS_ONLY.isdisjoint(word.partition("=")[0] for word in words)


def _runs_of_python(words: Sequence[str]) -> Iterator[_Run]:
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-m", "-c"):
        at += 2 if words[at] in ("-W", "-X") else 1
    match list(words[at:]):
        case ["-m", "coverage", *rest]:
            real = unwrapped(["coverage", *rest])
            if real.words and real.words[0] != "coverage":
                yield from _runs(real.words[0], list(real.words[1:]))
        case ["-m", module, *rest]:
            yield from _runs(module, rest)
        case ["manage.py" | "setup.py" as script, "test" | "check" | "build" as verb, *rest]:
            kinds: dict[str, Check] = {"test": "test", "check": "lint", "build": "build"}
            yield _Run(kinds[verb], script, rest)
        case [script, *_] if not script.startswith("-"):
            yield from _runs_of_script("python", script)


def _runs_of_script(program: str, script: str) -> Iterator[_Run]:
    if kind := _kind_of_script(basename(script)):
        yield _Run(kind, program)
    elif is_test_file(script):
        yield _Run("test", program, [script])


def _runs_of_package_script(program: str, words: Sequence[str]) -> Iterator[_Run]:
    """A script of a package.json, or a program that is installed beside it."""
    named = _without_values(words, ("--prefix", "-C", "--cwd", "--dir", "--filter", "-w", "--workspace"))
    while named and named[0].startswith("-"):
        named = named[1:]
    match named:
        case ["run" | "run-script", script, *rest]:
            kind = _kind_of_target(script)
        case ["test" | "t" | "tst", *rest]:
            kind = "test"
        case [verb, *rest] if program == "bun" and verb in SUBCOMMANDS["bun"]:
            kind = SUBCOMMANDS["bun"][verb]
        case [verb, *rest] if program in ("yarn", "pnpm"):
            if verb in BY_PROGRAM:
                yield from _runs(verb, rest)
                return
            kind = _kind_of_target(verb)
        case _:
            return
    if kind:
        yield _Run(kind, program, [word for word in rest if word != "--"])


def _runs_of_targets(program: str, words: Sequence[str]) -> Iterator[_Run]:
    named = _without_values(words, ("-C", "-f", "-j", "-p", "--file", "--directory"))
    if program.endswith("make") and not {"-n", "-q"}.isdisjoint(named):
        return
    chosen = [word for word in named if _CHOOSES.match(word)]
    targets = [word for word in named if not word.startswith("-") and "=" not in word]
    if program in ("make", "gmake", "ant") and (not targets or "all" in targets):
        yield _Run("build", program)
    for kind in dict.fromkeys(kind for target in targets for kind in _kinds_of_target(program, target, named)):
        yield _Run(kind, program, ["-k", *chosen] if chosen else [])


def _kinds_of_target(program: str, target: str, words: Sequence[str]) -> Sequence[Check]:
    if program in COMPILED:
        target = target.rpartition(":")[2]
        if target in ("verify", "install", "package", "build", "deploy"):
            without_tests = "-x" in words or any("skipTests" in word or "test.skip" in word for word in words)
            return ("build",) if without_tests else ("build", "test")
    kind = _kind_of_target(target)
    return (kind,) if kind else ()


def _runs_of_subcommand(program: str, words: Sequence[str]) -> Iterator[_Run]:
    named = _without_values(words, ("-C", "--manifest-path", "--project"))
    while named and named[0].startswith(("-", "+")):
        named = named[1:]
    verb, rest = next(iter(named), ""), named[1:]
    kind = SUBCOMMANDS[program].get(verb)
    if kind is None or (verb in ("fmt", "format") and not _only_looks(rest)):
        return
    if "--no-run" in rest:
        kind = "build"
    elif program == "zig" and verb == "build" and "test" in rest:
        kind = "test"
    yield _Run(kind, program, [word for word in rest if (program, word) not in (("cargo", "run"), ("zig", "test"))])


def _kind_of_target(name: str) -> Check | None:
    return next((kind for kind, pattern in TARGETS.items() if pattern.fullmatch(name)), None)


def _kind_of_script(name: str) -> Check | None:
    """Of a script of the project, such as run_tests.sh."""
    stem, dot, ending = name.rpartition(".")
    if not dot or ending not in ("sh", "bash", "py", "js", "mjs", "rb", "bat", "ps1"):
        return None
    return None if is_test_file(name) and not _WHOLE_SUITE.fullmatch(stem) else _kind_of_target(stem)


def _without_values(words: Sequence[str], options: Sequence[str]) -> list[str]:
    return [word for before, word in pairwise(["", *words]) if before not in options]


def _folder_of(path: str) -> str:
    """Of what an option names: a folder, or a file in it."""
    return path.rpartition("/")[0] if path.endswith((".toml", ".xml", ".ini", ".cfg")) else path


def joined(folder: str, inner: str) -> str:
    """A folder as seen from another."""
    if not inner or not folder:
        return inner or folder
    return inner if inner.startswith(("/", "~")) else f"{folder}/{inner}"


def _choice(run: _Run) -> tuple[tuple[str, ...], bool]:
    """Which files a program was asked to look at, and whether at a part of what is in them."""
    if run.kind == "build":
        return (), False
    options = OPTIONS.get(run.program, OTHERS) if run.kind == "test" else Options()
    chosen: list[str] = []
    filtered, words = False, iter(run.words)
    for word in words:
        option, equals, _ = word.partition("=")
        if word.startswith("-"):
            filtered = filtered or option in options.choosing
            value = "" if equals or option not in options.valued else next(words, "")
            if option in ("-s", "--start-directory") and run.program == "unittest":
                chosen.append(value)
        elif word not in ("run", "watch", "discover"):
            chosen.append(word)
    if run.program == "cargo":  # names of tests, not of files
        return (), filtered or (run.kind == "test" and bool(chosen))
    return tuple(chosen), filtered
