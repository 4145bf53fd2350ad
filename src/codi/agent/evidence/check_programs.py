"""The programs that test, build, lint and check types, as data."""

import re
from collections.abc import Mapping

from msgspec import Struct

from codi.protocol.events import Check


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TESTERS = _words(
    "pytest py.test tox nox nose nose2 nosetests trial jest vitest mocha ava tap karma jasmine qunit playwright cypress ctest "
    "rspec minitest cucumber phpunit pest bats prove behave busted kotest gotestsum nextest unittest doctest"
)
_LINTERS = _words(
    "ruff flake8 pylint pyflakes pycodestyle pydocstyle eslint oxlint stylelint standard xo jshint biome golangci-lint "
    "staticcheck golint gofmt goimports shellcheck rubocop clang-tidy hadolint yamllint markdownlint black isort yapf prettier "
    "pre-commit lint-imports bandit vulture phpcs php-cs-fixer ktlint swiftlint swiftformat checkstyle credo rustfmt "
    "clang-format cppcheck luacheck tflint dprint"
)
_TYPE_CHECKERS = _words(
    "mypy dmypy pyright basedpyright tsc vue-tsc pytype pyre ty flow phpstan psalm dialyzer steep sorbet srb"
)
_BUILDERS = _words(
    "ninja gcc g++ cc c++ clang clang++ javac kotlinc scalac rustc ghc webpack rollup esbuild parcel py_compile compileall "
    "build msbuild xcodebuild tsup"
)
BY_PROGRAM: Mapping[str, Check] = {
    **dict.fromkeys(_TESTERS, "test"),
    **dict.fromkeys(_LINTERS, "lint"),
    **dict.fromkeys(_TYPE_CHECKERS, "types"),
    **dict.fromkeys(_BUILDERS, "build"),
}
FORMATTERS = _words("black isort yapf prettier gofmt goimports rustfmt clang-format swiftformat dprint php-cs-fixer")
"""These only look when they are told to."""
WITH_SUBCOMMAND = _words("dmypy biome pre-commit ty playwright cypress nextest")
LOOKS_ONLY = _words(
    "--check --check-only -c -l -d --diff --list-different --dry-run --verify --lint --Werror -n check --verify-no-changes --check-formatted"
)

SUBCOMMANDS: Mapping[str, Mapping[str, Check]] = {
    "go": {"test": "test", "build": "build", "install": "build", "vet": "lint"},
    "cargo": {
        **dict.fromkeys(("test", "t", "nextest"), "test"),
        **dict.fromkeys(("build", "b", "check", "c"), "build"),
        **dict.fromkeys(("clippy", "fmt"), "lint"),
    },
    "dotnet": {"test": "test", "build": "build", "publish": "build", "format": "lint"},
    "swift": {"test": "test", "build": "build"},
    "mix": {"test": "test", "compile": "build", "credo": "lint", "dialyzer": "types", "format": "lint"},
    "deno": {"test": "test", "lint": "lint", "check": "types", "fmt": "lint"},
    "bazel": {"test": "test", "build": "build"},
    "zig": {"test": "test", "build": "build"},
    "stack": {"test": "test", "build": "build"},
    "cabal": {"test": "test", "build": "build"},
    "sbt": {"test": "test", "compile": "build"},
    "lein": {"test": "test", "compile": "build"},
    "dart": {"test": "test", "analyze": "lint", "compile": "build"},
    "flutter": {"test": "test", "analyze": "lint", "build": "build"},
    "meson": {"test": "test", "compile": "build"},
    "hatch": {"test": "test", "build": "build"},
    "uv": {"build": "build"},
    "poetry": {"build": "build"},
    "rails": {"test": "test"},
    "ng": {"test": "test", "build": "build", "lint": "lint"},
    "next": {"build": "build", "lint": "lint"},
    "vite": {"build": "build"},
    "wasm-pack": {"test": "test", "build": "build"},
    "docker": {"build": "build"},
    "bun": {"test": "test", "build": "build"},
    "composer": {"test": "test"},
    "forge": {"test": "test", "build": "build"},
}
_TARGET_WORDS: Mapping[Check, str] = {
    "types": "type-?check|types?|check-?types|mypy|pyright|tsc",
    "lint": "lint|linter|eslint|ruff|clippy|style|vet|format-?check|check-?format|fmt-?check|check-?fmt",
    "test": "tests?|check|specs?|unit|e2e|integration|ci|verify|pytest|jest|vitest|unittests?",
    "build": "build|compile|bundle|dist|package|assemble",
}
TARGETS: Mapping[Check, re.Pattern[str]] = {
    kind: re.compile(rf"(?:(?:run|all|full|quick)[-_:.])?(?:{words})(?:[-_:.].*)?|.*[-_:.](?:{words})", re.IGNORECASE)
    for kind, words in _TARGET_WORDS.items()
}
"""What a target of a task runner is for, by the words in its name."""
RUNNERS = _words("ant make gmake just task rake mvn mvnw gradle gradlew invoke inv doit grunt gulp mage")
SCRIPT_RUNNERS = _words("npm yarn pnpm bun")
COMPILED = _words("mvn mvnw gradle gradlew")

NO_RUN = _words(
    "--help -h --version --collect-only --co --fixtures --markers --setup-plan --setup-only --listTests --list-tests --list "
    "--dry-run --just-print --showConfig --show-settings --show-files --init --print-config --trace-config"
)
SUCCEEDS_ANYHOW = _words("--exit-zero --no-fail --no-exit --force")
"""With one of these the exit status tells nothing."""


class Options(Struct, frozen=True):
    """Of a test program: `choosing` options make it run a part of the tests, `valued` ones take the next word."""

    choosing: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()


def _options(choosing: str, valued: str) -> Options:
    return Options(frozenset(choosing.split()), frozenset(valued.split()))


PYTEST = _options(
    "-k -m --lf --last-failed --sw --stepwise --deselect --ignore --ignore-glob",
    "-k -m -p -c -o -n -W -r --rootdir --maxfail --timeout --durations --cov --cov-report --confcutdir --basetemp --junitxml "
    "--deselect --ignore --ignore-glob --color --tb --numprocesses",
)
UNITTEST = _options("-k -p --pattern", "-k -p --pattern -s --start-directory -t --top-level-directory")
GO = _options("-run -skip", "-run -skip -count -timeout -parallel -C -p -tags")
CARGO = _options(
    "-p --package --lib --bin --bins --doc --test --example --exact --ignored --skip -E",
    "-p --package --bin --test --example --skip -E -j --jobs --features --target --target-dir --manifest-path --profile "
    "--color --test-threads",
)
CTEST = _options("-R -L -E -I", "-R -L -E -I -j --parallel --test-dir -C --build-config --timeout --output-log")
MAKE = _options("-k", "-k")
OTHERS = _options(
    "-t -k -g -f --grep --fgrep --testNamePattern --testPathPattern --testPathPatterns --test-name-pattern --onlyChanged -o "
    "--changed --filter --only --exclude --exclude-tag -e --example --tag --tags --testsuite --group --stale --failed",
    "-t -k -g -f --grep --fgrep --testNamePattern --testPathPattern --testPathPatterns --test-name-pattern --filter --only "
    "--exclude -e --example --tag --tags --testsuite --group --config --reporter --reporters --require -r --coverageDirectory "
    "--environment --env --maxWorkers --logger --configuration -c -s",
)
OPTIONS: Mapping[str, Options] = {
    "pytest": PYTEST,
    "py.test": PYTEST,
    "unittest": UNITTEST,
    "go": GO,
    "cargo": CARGO,
    "ctest": CTEST,
    **dict.fromkeys(("tox", "nox"), _options("", "-e -s")),
    **dict.fromkeys(("make", "just", "task", "mvn", "mvnw", "gradle", "gradlew"), MAKE),
}
TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?\.\w+|run_?tests?\.\w+|test_[^/]*\.\w+|[^/]*_(?:test|spec|tests)\.\w+|[^/]*\.(?:test|spec|cy)\.[cm]?[jt]sx?"
    r"|[^/]*(?:Tests?|Spec|IT)\.(?:java|kt|cs|php|scala|groovy|swift)|__tests__/[^/]+)$"
)
FAMILY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("pytest", "py.test", "unittest", "nose2", "nosetests", "python"), (".py",)),
    **dict.fromkeys(
        ("jest", "vitest", "mocha", "ava", "node", "npm", "yarn", "pnpm", "bun", "deno"),
        (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"),
    ),
    "go": (".go",),
    "rspec": (".rb",),
    "phpunit": (".php",),
    "mix": (".exs",),
}
"""In which files the tests of a program stand; in any where it is not here."""

FOLDER_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "make": ("-C", "--directory"),
    "gmake": ("-C", "--directory"),
    "ninja": ("-C",),
    "go": ("-C",),
    "npm": ("--prefix", "-C"),
    "pnpm": ("--dir", "-C"),
    "yarn": ("--cwd",),
    "mvn": ("-f", "--file"),
    "gradle": ("-p", "--project-dir"),
    "cargo": ("--manifest-path", "-C"),
    "pytest": ("--rootdir",),
    "unittest": ("-t", "--top-level-directory"),
    "just": ("-d", "--working-directory"),
}
"""Options that lead a program to another folder."""
