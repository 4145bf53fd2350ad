"""Named sets of rules: kinds of commands, and kinds of files. `run(@run-tests)` and `write(@tests)` stand for all of a set."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "run-tests": ("pytest", "npm test", "npm run {test,tests,test:unit}", "yarn test", "pnpm test", "bun test", "cargo test", "go test",
                  "make {test,tests,check}", "mix test", "dotnet test", "mvn test", "gradle test", "./gradlew test", "swift test", "tox", "nox",
                  "vitest", "jest", "rspec", "phpunit", "ctest"),
    "install-deps": ("npm {ci,install}", "yarn install", "pnpm install", "bun install", "pip install -r", "uv sync", "poetry install",
                     "cargo fetch", "go mod download", "bundle install", "composer install", "mix deps.get"),
    "git-safe": ("git {status,log,diff,show,blame,shortlog,describe,rev-parse,ls-files}", "git branch {--list,--show-current}",
                 "git stash list", "git remote -v", "git tag --list"),
    "git-commit": ("git add", "git commit"),
    "build": ("npm run build", "yarn build", "pnpm build", "bun run build", "cargo {build,check}", "go {build,vet}", "make {all,build}",
              "mvn {compile,package}", "gradle build", "./gradlew build", "dotnet build", "mix compile", "swift build", "tsc", "uv build"),
    "lint-format": ("ruff {check,format}", "black", "isort", "mypy", "pyright", "flake8", "pylint", "eslint", "prettier", "biome {check,lint,format}",
                    "npm run {lint,format}", "yarn lint", "pnpm lint", "cargo {fmt,clippy}", "go fmt", "gofmt", "golangci-lint run", "rubocop",
                    "mix format", "shellcheck", "clang-format"),
    "list-files": ("ls", "tree", "find", "fd", "du"),
    "read-files": ("cat", "head", "tail", "wc", "file", "stat", "nl", "grep", "rg"),
    "docker-read": ("docker {ps,images,logs,inspect,version,info,top,stats,port,diff,history}", "docker compose {ps,logs,config,images}",
                    "docker {container,image,network,volume} {ls,inspect}"),
}  # fmt: skip
"""Each is the beginning of a simple command; `{a,b}` is one of several words."""

PATHS: dict[str, tuple[str, ...]] = {
    "tests": ("**/test/**", "**/tests/**", "**/__tests__/**", "**/spec/**", "**/test_*.py", "**/*_test.*", "**/*.test.*", "**/*.spec.*"),
    "docs": ("**/docs/**", "**/doc/**", "**/*.md", "**/*.rst", "**/*.adoc", "**/*.txt"),
    "config": ("**/*.toml", "**/*.yaml", "**/*.yml", "**/*.ini", "**/*.cfg", "**/*.json", "**/.editorconfig"),
    "styles": ("**/*.css", "**/*.scss", "**/*.sass", "**/*.less"),
    "c": ("**/*.c", "**/*.h", "**/*.cc", "**/*.cpp", "**/*.hpp", "**/*.cxx"),
    "csharp": ("**/*.cs",),
    "elixir": ("**/*.ex", "**/*.exs"),
    "go": ("**/*.go",),
    "java": ("**/*.java",),
    "javascript": ("**/*.js", "**/*.jsx", "**/*.mjs", "**/*.cjs"),
    "kotlin": ("**/*.kt", "**/*.kts"),
    "php": ("**/*.php",),
    "python": ("**/*.py", "**/*.pyi"),
    "ruby": ("**/*.rb",),
    "rust": ("**/*.rs",),
    "swift": ("**/*.swift",),
    "typescript": ("**/*.ts", "**/*.tsx", "**/*.mts"),
}  # fmt: skip
"""Patterns of paths, from the root of the workspace. Protected and secret paths ask all the same."""
