"""The subcommands of git that look at a repository and change nothing, with the options that leave it so.

Left out on purpose: what writes a file (`--output`, `describe --dirty`, which refreshes the index), runs a program (`--ext-diff`, `--textconv`, `--show-signature`,
`--open-files-in-pager`), reads a configuration of the caller's choice (`-c`, `--git-dir`, `-C`) or reaches a remote.
"""

from collections.abc import Sequence

from codi.policy.shell.usage import Seen, Usage, seen_in

_DIFF = (
    "-p -u --patch -s --no-patch -U: --unified: --raw --patch-with-raw --stat? --compact-summary --numstat --shortstat --dirstat? --cumulative "
    "--summary --patch-with-stat -z --name-only --name-status --color? --no-color --color-moved? --no-color-moved --color-words? --word-diff? "
    "--word-diff-regex: --no-renames --check --full-index --binary --abbrev? -B? -M? -C? -D --find-renames? --find-copies? "
    "--find-copies-harder --diff-filter: -S: -G: --pickaxe-all --pickaxe-regex -R -a --text --ignore-space-at-eol -b --ignore-space-change -w "
    "--ignore-all-space --ignore-blank-lines --inter-hunk-context: -W --function-context --exit-code --quiet -q --no-ext-diff --no-textconv "
    "--ignore-submodules? --src-prefix: --dst-prefix: --no-prefix --minimal --patience --histogram --diff-algorithm: --relative? "
    "--no-relative -c --cc -m --no-indent-heuristic --indent-heuristic --merge-base --rename-empty --no-rename-empty --line-prefix: "
)
_COMMITS = (
    "-n: -# --max-count: --skip: --since: --after: --until: --before: --author: --committer: --grep: --all-match --invert-grep -i "
    "--regexp-ignore-case -E --extended-regexp -F --fixed-strings -P --perl-regexp --merges --no-merges --min-parents: --max-parents: "
    "--first-parent --all --branches? --tags? --remotes? --glob: --exclude: --reflog --cherry --cherry-pick --cherry-mark --left-right --left-only "
    "--right-only --ancestry-path --simplify-merges --full-history --dense --sparse --date-order --author-date-order --topo-order --reverse "
    "--boundary -g --walk-reflogs --children --parents --no-walk? --do-walk --count --objects --not "
)
_SHOWN = (
    "--pretty? --format: --oneline --abbrev-commit --no-abbrev-commit --encoding: --graph --no-graph --decorate? --no-decorate --decorate-refs: "
    "--decorate-refs-exclude: --source --date: --relative-date --follow -L: --notes? --no-notes --log-size --full-diff --no-expand-tabs "
    "--expand-tabs? --mailmap --use-mailmap --no-mailmap --clear-decorations "
)
_REFS = "--sort= --format: --contains? --no-contains? --merged? --no-merged? --points-at? --color? --no-color --column? --no-column -i --ignore-case "
_LOOKS = {
    "status": Usage("-s --short -b --branch --show-stash --porcelain? --long -v --verbose -u? --untracked-files? --ignore-submodules? --ignored? -z "
                    "--column? --no-column --ahead-behind --no-ahead-behind --renames --no-renames --find-renames?"),
    "diff": Usage(_DIFF + "--cached --staged --base --ours --theirs -0 -1 -2 -3"),
    "log": Usage(_DIFF + _COMMITS + _SHOWN),
    "show": Usage(_DIFF + _COMMITS + _SHOWN),
    "whatchanged": Usage(_DIFF + _COMMITS + _SHOWN),
    "shortlog": Usage(_COMMITS.removeprefix("-n: ") + "-n -s --summary -e --email --group: --numbered -w? -c"),
    "rev-list": Usage(_COMMITS + "--pretty? --format: --oneline --abbrev-commit --abbrev? --no-abbrev --timestamp --header --quiet --disk-usage"),
    "branch": Usage(_REFS + "-a --all -r --remotes -v --verbose -vv -l --list --show-current --abbrev? --no-abbrev -q --quiet"),
    "tag": Usage(_REFS + "-l --list -n?"),
    "rev-parse": Usage("--verify --quiet -q --abbrev-ref? --short? --symbolic --symbolic-full-name --all --branches? --tags? --remotes? --show-toplevel "
                       "--show-prefix --show-cdup --show-superproject-working-tree --git-dir --absolute-git-dir --git-common-dir "
                       "--is-inside-work-tree --is-inside-git-dir --is-bare-repository --is-shallow-repository --show-object-format? --revs-only "
                       "--no-revs --flags --no-flags --not --sq --local-env-vars --disambiguate: --default: --path-format:"),
    "ls-files": Usage("-z -t -v -f -c --cached -d --deleted -m --modified -o --others -i --ignored -s --stage --directory --no-empty-directory -u "
                      "--unmerged -k --killed -x: --exclude: -X/ --exclude-from/ --exclude-per-directory: --exclude-standard --error-unmatch "
                      "--with-tree: --full-name --abbrev? --debug --deduplicate --eol --format: --sparse"),
    "ls-tree": Usage("-d -r -t -l --long -z --name-only --name-status --object-only --full-name --full-tree --abbrev? --format:"),
    "cat-file": Usage("-t -s -e -p"),
    "blame": Usage("-b --root --show-stats -L: -l -t -S/ --reverse --porcelain -p --line-porcelain --incremental --encoding: --date: -M? -C? -c "
                   "--score-debug -f --show-name -n --show-number -s -e --show-email -w --abbrev: --ignore-rev: --minimal --first-parent --color-lines "
                   "--color-by-age"),
    "grep": Usage("--cached --untracked --no-exclude-standard --exclude-standard -a --text -i --ignore-case -I --max-depth: -w "
                  "--word-regexp -v --invert-match -h -H --full-name -E --extended-regexp -G --basic-regexp -P --perl-regexp -F --fixed-strings -n "
                  "--line-number --column -l --files-with-matches --name-only -L --files-without-match -z --null -o --only-matching -c --count "
                  "--color? --no-color --break --heading -p --show-function -A: -B: -C: --after-context: --before-context: --context: -# -W "
                  "--function-context --threads: -f/ -e: --and --or --not --all-match -q --quiet -m: --max-count: --no-recursive -r --recursive",
                  operands="text then paths", pattern_options=("-e", "-f")),
    "reflog": Usage(_DIFF + _COMMITS + _SHOWN),
    "stash": Usage(_DIFF + "--include-untracked --only-untracked --oneline --format: --pretty? --date: -n: -# --stat? --all"),
    "remote": Usage("-v --verbose --push --all"),
    "config": Usage("--get --get-all --get-regexp --get-urlmatch -l --list --local --worktree --name-only --show-origin --show-scope -z --null --type: "
                    "--bool --int --path --includes --no-includes --default:", operands="texts", ordered=True),
    "describe": Usage("--all --tags --contains --abbrev? --candidates: --exact-match --debug --long --match: --exclude: --always --first-parent"),
    "merge-base": Usage("-a --all --octopus --is-ancestor --independent --fork-point"),
    "name-rev": Usage("--tags --refs: --exclude: --all --name-only --no-undefined --always"),
    "show-ref": Usage("--head --heads --tags --branches -d --dereference -s --hash? --verify --abbrev? -q --quiet"),
    "for-each-ref": Usage(_REFS + "--count: --shell --perl --python --tcl --omit-empty --exclude:"),
    "symbolic-ref": Usage("-q --quiet --short", most=1),
    "count-objects": Usage("-v --verbose -H --human-readable", operands="none"),
    "check-ignore": Usage("-q --quiet -v --verbose -z -n --non-matching --no-index"),
    "check-attr": Usage("-a --all --cached -z"),
    "diff-tree": Usage(_DIFF + _SHOWN + "-r -t --root --no-commit-id -v"),
    "diff-index": Usage(_DIFF + "--cached"),
    "diff-files": Usage(_DIFF + "-0 -1 -2 -3"),
    "cherry": Usage("-v --abbrev?"),
    "range-diff": Usage("--no-dual-color --creation-factor: --stat? --no-patch -s --color? --no-color"),
    "worktree": Usage("-v --verbose --porcelain -z"),
    "version": Usage("--build-options", operands="none"),
}  # fmt: skip
_LISTING = ("-l", "--list", "--contains", "--no-contains", "--merged", "--no-merged", "--points-at")
_PARTS = {"stash": ("list", "show"), "reflog": ("show", "list", "exists"), "worktree": ("list",)}


def git_seen(arguments: Sequence[str]) -> Seen | None:
    """What a look at a repository is given; None where it may be more than a look."""
    at = 0
    while arguments[at : at + 1] in (["--no-pager"], ["-P"], ["--no-optional-locks"], ["--literal-pathspecs"]):
        at += 1
    if arguments[at:] == ["--version"]:
        return Seen((), (), ())
    name, rest = (arguments[at], arguments[at + 1 :]) if at < len(arguments) else ("", [])
    usage = _LOOKS.get(name)
    if usage is None:
        return None
    if name in ("stash", "worktree") or (name == "reflog" and rest and not rest[0].startswith("-")):
        if not rest or rest[0] not in _PARTS[name]:
            return None
        rest = rest[1:]
    seen = seen_in(rest, usage)
    if seen is None or any(_runs_a_check(value) for _, value in seen.options if value):
        return None
    return _named(seen, name) if _is_a_look(name, seen) else None


def _runs_a_check(format: str) -> bool:
    """Whether a format asks for the signature, which the program that the configuration names would check."""
    return "%G" in format or "signature" in format.lower()


def _is_a_look(name: str, seen: Seen) -> bool:
    operands = seen.paths
    match name:
        case "branch" | "tag":
            return not operands or seen.has(*_LISTING)
        case "remote":
            return operands in ((), ("show",)) or (operands[0] == "get-url" and len(operands) == 2)
        case "config":
            if seen.has("--get", "--get-all", "--get-regexp", "--get-urlmatch", "-l", "--list"):
                return True
            return len(seen.texts) == 1 and "." in seen.texts[0]
        case "reflog":
            return not {"expire", "delete", "drop", "write"}.intersection(operands)
        case "cat-file":
            return len(operands) <= 2
    return True


def _named(seen: Seen, name: str) -> Seen:
    """What names a file within a commit (`HEAD:path`) counts as that path too."""
    paths = [path for path in seen.paths if name != "remote"]
    paths += [path.partition(":")[2] for path in seen.paths if ":" in path and name != "remote"]
    return Seen(tuple(path for path in paths if path), seen.texts, seen.options)
