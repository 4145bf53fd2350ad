"""Which commands are checks, of what, where, and whether the exit status of the line is theirs."""

import pytest

from codi.agent.evidence.checks import checks_in, is_partial
from codi.agent.evidence.run_reports import Counts, counts_in, outcome_in

KINDS = {
    "pytest": "test",
    "python3.11 -B -m pytest -q": "test",
    "python -m unittest discover -s tests": "test",
    "uv run --extra dev pytest -x": "test",
    "env A=b npm test -- --watch=false": "test",
    "A=b timeout 60 ./venv/bin/pytest": "test",
    "npm run build && npm run lint": "build lint",
    "yarn typecheck": "types",
    "pnpm vitest run": "test",
    "bun test": "test",
    "npx -y tsc --noEmit -p .": "types",
    "go test ./...": "test",
    "go -C sub vet ./...": "lint",
    "go build ./...": "build",
    "cargo test --workspace": "test",
    "cargo clippy -- -D warnings": "lint",
    "cargo check": "build",
    "cargo test --no-run": "build",
    "make": "build",
    "make lint build test": "lint build test",
    "mvn -q package": "build test",
    "mvn package -DskipTests": "build",
    "./gradlew :app:test": "test",
    "ruff check src && ruff format --check . && mypy": "lint lint types",
    "black --check .": "lint",
    "coverage run -m pytest tests": "test",
    "python -m coverage run -m unittest": "test",
    "python test_x.py": "test",
    "./run_tests.sh": "test",
    "bash scripts/test.sh": "test",
    "bash -lc 'cd a && pytest | tail'": "test",
    "(cd a && pytest) && flake8": "test lint",
    "tox -e py311": "test",
    "dotnet test": "test",
    "ctest --test-dir build": "test",
    "cmake --build build": "build",
    "bundle exec rspec": "test",
    "vendor/bin/phpunit": "test",
    "node --test": "test",
    "python manage.py test": "test",
    "npx eslint .": "lint",
    "pyright": "types",
    "cat > x <<'EOF'\npytest (\nEOF\nmypy": "types",
    "ruff format .": "",
    "black .": "",
    "cargo fmt": "",
    "pytest --collect-only": "",
    "pytest --version": "",
    "make -n test": "",
    "echo pytest": "",
    "grep -rn pytest .": "",
    "git commit -m 'run pytest && mypy'": "",
    "python gen_test_data.py": "",
    "pip install pytest": "",
    "npm install": "",
    "cat test.py": "",
    "docker compose run app pytest": "",
    "python -c 'import pytest'": "",
    "echo 'not closed && pytest": "",
}


@pytest.mark.parametrize(("line", "kinds"), KINDS.items())
def test_a_line_is_known_for_what_it_checks(line, kinds):
    assert [check.kind for check in checks_in(line)] == kinds.split()


@pytest.mark.parametrize(
    ("line", "speaks"),
    [
        ("pytest", True),
        ("cd x && pytest && echo ok", True),
        ("pytest > log 2>&1", True),
        ("pytest | tail -3", False),
        ("set -o pipefail; pytest | tail -3", True),
        ("pytest || true", False),
        ("pytest; echo $?", False),
        ("set -e\npytest\necho ok", True),
        ("pytest &", False),
        ("if pytest; then echo ok; fi", False),
        ("! pytest", False),
        ("flake8 --exit-zero", False),
        ("bash -c 'pytest || true'", False),
    ],
)
def test_the_exit_status_of_a_line_is_that_of_the_check_or_not(line, speaks):
    (check,) = checks_in(line)
    assert check.speaks is speaks


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("pytest", ""),
        ("cd a && cd b && pytest", "a/b"),
        ("(cd a && true); pytest", ""),
        ("make -C /tmp/x test", "/tmp/x"),
        ("npm --prefix web test", "web"),
        ("uv run --directory a pytest", "a"),
        ("cd a && cargo test --manifest-path b/Cargo.toml", "a/b"),
        ("cd a && bash -c 'cd b && pytest'", "a/b"),
    ],
)
def test_a_check_is_made_in_a_folder(line, folder):
    (check,) = checks_in(line)
    assert check.folder == folder


@pytest.mark.parametrize(
    ("line", "partial"),
    [
        ("pytest", False),
        ("pytest tests", False),
        ("pytest -x --maxfail 2 -n auto", False),
        ("pytest tests/test_a.py tests/sub/test_b.py", False),
        ("pytest tests/sub", True),
        ("pytest tests/test_a.py", True),
        ("pytest -k add", True),
        ("pytest --lf", True),
        ("pytest tests/test_a.py::test_x", True),
        ("PYTEST_ADDOPTS='-k x' pytest", True),
        ("python -m unittest", False),
        ("python -m unittest tests.test_a tests.sub.test_b", False),
        ("python -m unittest tests.test_a", True),
        ("npx jest src", False),
        ("npx jest -t adds", True),
        ("npm test -- src/a.test.ts", False),
        ("go test ./...", False),
        ("go test ./pkg", False),
        ("go test .", True),
        ("cargo test parser", True),
        ("make test TESTS=a", True),
    ],
)
def test_a_run_of_some_tests_is_partial(line, partial):
    (check,) = checks_in(line)
    files = ["src/a.ts", "src/a.test.ts", "tests/test_a.py", "tests/sub/test_b.py", "pkg/x_test.go", "README.md"]
    assert is_partial(check, files) is partial


@pytest.mark.parametrize(
    ("output", "passed", "failed", "skipped"),
    [
        ("===== 2 failed, 12 passed, 1 skipped, 3 warnings in 0.31s =====", 12, 2, 1),
        ("no tests ran in 0.01s", 0, 0, 0),
        ("1 error in 0.05s", 0, 1, 0),
        ("Ran 12 tests in 0.1s\n\nOK (skipped=2)", 10, 0, 2),
        ("Ran 3 tests in 0.000s\n\nFAILED (failures=1, errors=1)", 1, 2, 0),
        ("Tests:       1 failed, 2 skipped, 5 passed, 8 total", 5, 1, 2),
        (" Tests  3 failed | 5 passed | 1 skipped (9)", 5, 3, 1),
        ("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 3, 0, 1),
        ("  12 passing (3ms)\n  1 pending\n  2 failing", 12, 2, 1),
        ("12 examples, 1 failure, 2 pending", 9, 1, 2),
        ("OK (12 tests, 30 assertions)", 12, 0, 0),
        ("Tests: 12, Assertions: 30, Failures: 1, Skipped: 1.", 10, 1, 1),
        ("[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 1", 11, 0, 1),
        ("12 tests completed, 1 failed, 2 skipped", 9, 1, 2),
        ("Passed!  - Failed:     0, Passed:    12, Skipped:     1, Total:    13", 12, 0, 1),
        ("100% tests passed, 0 tests failed out of 12", 12, 0, 0),
        ("ok | 12 passed | 0 failed (3ms)", 12, 0, 0),
        ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)", 1, 1, 0),
        ("4 runs, 5 assertions, 0 failures, 0 errors, 1 skips", 3, 0, 1),
        ("ok  \tpkg\t0.1s", None, None, None),
        ("12 files passed the review", None, None, None),
    ],
)
def test_counts_are_read_and_never_invented(output, passed, failed, skipped):
    assert counts_in(output) == Counts(passed, failed, skipped)


@pytest.mark.parametrize(
    ("kind", "output", "outcome"),
    [
        ("lint", "All checks passed!", True),
        ("lint", "✖ 4 problems (4 errors, 0 warnings)", False),
        ("types", "Success: no issues found in 3 source files", True),
        ("types", "a.py:1: error: x\nFound 1 error in 1 file", False),
        ("build", "BUILD SUCCESSFUL in 3s", True),
        ("build", "make: *** [all] Error 2", False),
        ("build", "something", None),
        ("test", "3 passed in 0.1s", True),
        ("test", "1 failed, 3 passed in 0.1s", False),
        ("test", "3 skipped in 0.1s", None),
    ],
)
def test_where_the_status_is_hidden_the_output_may_tell(kind, output, outcome):
    assert outcome_in(kind, output) is outcome
