"""The programs that surely only look, and what they may be told so that it stays a look.

The options are those of the GNU, BSD and common versions that read. What writes (`sort -o`, the second operand of `uniq`),
runs (`find -exec`, `rg --pre`), follows links out of a folder (`find -L`) or reads a list of further files is left out.
"""

import re
from collections.abc import Callable, Sequence

from codi.policy.shell import scripts
from codi.policy.shell.git_looks import git_seen
from codi.policy.shell.usage import Seen, Usage, seen_in

_GREP = Usage(
    "-E --extended-regexp -F --fixed-strings -G --basic-regexp -P --perl-regexp -e: --regexp: -f/ --file/ -i --ignore-case --no-ignore-case -v "
    "--invert-match -w --word-regexp -x --line-regexp -c --count --color? --colour? -L --files-without-match -l --files-with-matches -m: --max-count: "
    "-o --only-matching -q --quiet --silent -s --no-messages -b --byte-offset -H --with-filename -h --no-filename -n --line-number "
    "--label: -T --initial-tab -Z --null -A: --after-context: -B: --before-context: -C: --context: -# -a --text --binary-files: -D: -d: "
    "--exclude: --exclude-dir: --exclude-from/ -I --include: -r --recursive -U -z --null-data --line-buffered",
    operands="text then paths",
    pattern_options=("-e", "--regexp", "-f", "--file"),
)
_RG = Usage(
    "-e: --regexp: -f/ --file/ -A: --after-context: -B: --before-context: -C: --context: --color: --colors: --column --no-column -c --count "
    "--count-matches --crlf --debug -E: --encoding: --engine: -F --fixed-strings -l --files-with-matches --files-without-match --files -g: --glob: "
    "--iglob: --glob-case-insensitive --heading --no-heading -i --ignore-case -s --case-sensitive -S --smart-case -v --invert-match --json "
    "-n --line-number -N --no-line-number --line-buffered -x --line-regexp -M: --max-columns: --max-columns-preview -m: --max-count: --max-depth: -d: "
    "--max-filesize: --mmap --no-mmap -U --multiline --multiline-dotall --no-config --no-messages -0 --null -o --only-matching --passthru -P --pcre2 "
    "-p --pretty -q --quiet -r: --replace: --sort: --sortr: --stats -a --text -j: --threads: --trim -t: --type: -T: --type-not: --type-list --vimgrep -H "
    "--with-filename -I --no-filename -w --word-regexp --one-file-system --path-separator: --no-unicode --context-separator: -V --version",
    operands="text then paths",
    pattern_options=("-e", "--regexp", "-f", "--file", "--files", "--type-list", "-V", "--version"),
)
_SUMS = Usage("-b --binary -t --text --tag -z --zero -a: -l:")
_VERSION = Usage("--version -V -VV", operands="none")
_USAGES = {
    "ls": Usage("-a --all -A --almost-all --author -b --escape --block-size: -B --ignore-backups -c -C --color? -d --directory -f -F --classify? "
                "--file-type --format: --full-time -g --group-directories-first -G --no-group -h --human-readable --si -H -i --inode -I: --ignore: "
                "--hide: --indicator-style: -k --kibibytes -l -m -n --numeric-uid-gid -N --literal -o -p -q -Q --quote-name --quoting-style: -r "
                "--reverse -R --recursive -s --size -S --sort: --time: --time-style: -t -T: -u -U -v -w: --width: -x -X -1 --zero"),
    "cat": Usage("-A --show-all -b --number-nonblank -e -E --show-ends -n --number -s --squeeze-blank -t -T --show-tabs -u -v --show-nonprinting"),
    "head": Usage("-c: --bytes: -n: --lines: -q --quiet --silent -v --verbose -z --zero-terminated -#"),
    "tail": Usage("-c: --bytes: -n: --lines: -q --quiet --silent -v --verbose -z --zero-terminated -# -r"),
    "wc": Usage("-c --bytes -m --chars -l --lines -L --max-line-length -w --words --total:"),
    "stat": Usage("-L --dereference -f --file-system -c: --format: --printf: -t --terse -x -s"),
    "file": Usage("-b --brief -i --mime --mime-type --mime-encoding -L --dereference -h --no-dereference -k --keep-going -r --raw -N --no-pad -s -0 -F:"),
    "grep": _GREP, "egrep": _GREP, "fgrep": _GREP,
    "rg": _RG,
    "sort": Usage("-b --ignore-leading-blanks -d --dictionary-order -f --ignore-case -g --general-numeric-sort -i --ignore-nonprinting -M --month-sort "
                  "-h --human-numeric-sort -n --numeric-sort -R --random-sort -r --reverse --sort: -V --version-sort -c --check? -C -k: --key: -m --merge "
                  "-s --stable -t: --field-separator: -u --unique -z --zero-terminated --debug --parallel:"),
    "uniq": Usage("-c --count -d --repeated -D --all-repeated? -f: --skip-fields: --group? -i --ignore-case -s: --skip-chars: -u --unique -z "
                  "--zero-terminated -w: --check-chars:", most=1, ordered=True),
    "cut": Usage("-b: --bytes: -c: --characters: -d: --delimiter: -f: --fields: -n --complement -s --only-delimited --output-delimiter: -z --zero-terminated"),
    "tr": Usage("-c -C --complement -d --delete -s --squeeze-repeats -t --truncate-set1", operands="texts"),
    "diff": Usage("--normal -q --brief -s --report-identical-files -c -C: --context? -u -U: --unified? -e --ed -n --rcs -y --side-by-side -W: --width: "
                  "--left-column --suppress-common-lines -p --show-c-function -F: --show-function-line: --label: -t --expand-tabs -T --initial-tab -N "
                  "--new-file -r --recursive --no-dereference -x: --exclude: -X/ --exclude-from/ -i --ignore-case -E -Z -b --ignore-space-change -w "
                  "--ignore-all-space -B --ignore-blank-lines -I: --ignore-matching-lines: -a --text --strip-trailing-cr -d --minimal --color? --horizon-lines:"),
    "cmp": Usage("-b --print-bytes -i: --ignore-initial: -l --verbose -n: --bytes: -s --quiet --silent"),
    "comm": Usage("-1 -2 -3 --check-order --nocheck-order --output-delimiter: --total -z"),
    "du": Usage("-a --all --apparent-size -B: --block-size: -b --bytes -c --total -d: --max-depth: -h --human-readable --inodes -k -m -l -S "
                "--separate-dirs --si -s --summarize -t: --threshold: --time? --time-style: --exclude: -x --one-file-system -0 --null"),
    "df": Usage("-a --all -B: --block-size: -h --human-readable -H --si -i --inodes -k -l --local --output? -P --portability -t: --type: -T --print-type "
                "-x: --exclude-type: --total"),
    "tree": Usage("-a -d -f -i -s -h -p -u -g -D -F -C -n -r -t -U -q -N -x -L: -P: -I: --dirsfirst --filesfirst --noreport --prune --matchdirs --charset: "
                  "--gitignore --filelimit: --du --si --sort? -J -X --ignore-case --inodes --device"),
    "pwd": Usage("-L -P", operands="none"),
    "which": Usage("-a -s --all", operands="texts"),
    "type": Usage("-a -t -p -P -f", operands="texts"),
    "date": Usage("-u --utc --universal -R --rfc-email -I? --iso-8601? --rfc-3339: -d: --date: -j", operands="texts", most=1),
    "basename": Usage("-a --multiple -s: --suffix: -z --zero", operands="texts"),
    "dirname": Usage("-z --zero", operands="texts"),
    "realpath": Usage("-e -m -L -P -q -s -z --relative-to/ --relative-base/ --canonicalize-existing --canonicalize-missing"),
    "readlink": Usage("-f -e -m -n -q -s -v -z --canonicalize --no-newline"),
    "nl": Usage("-b: -d: -f: -h: -i: -l: -n: -p -s: -v: -w: --body-numbering:"),
    "tac": Usage("-b -r -s: --before --regex --separator:"),
    "rev": Usage(),
    "fold": Usage("-b -s -w: --bytes --spaces --width:"),
    "fmt": Usage("-c -s -t -u -w: -p: --width:"),
    "column": Usage("-t --table -s: --separator: -o: --output-separator: -c: -x -n -e -L"),
    "paste": Usage("-d: --delimiters: -s --serial -z"),
    "join": Usage("-a: -e: -i -j: -o: -t: -v: -1: -2: --check-order --nocheck-order --header -z"),
    "expand": Usage("-i -t: --initial --tabs:"), "unexpand": Usage("-a -t: --all --first-only --tabs:"),
    "od": Usage("-A: -j: -N: -S: -t: -v -w? -a -b -c -d -f -i -l -o -s -x --address-radix: --skip-bytes: --read-bytes: --format: --output-duplicates --width?"),
    "xxd": Usage("-a -b -c: -C -e -g: -i -l: -o: -p -ps -s: -u -d -E", most=1, ordered=True),
    "hexdump": Usage("-b -c -C -d -e: -n: -o -s: -v -x"),
    "strings": Usage("-a --all -n: --bytes: -t: --radix: -e: --encoding: -o -w -f --print-file-name -#"),
    "md5sum": _SUMS, "sha1sum": _SUMS, "sha224sum": _SUMS, "sha256sum": _SUMS, "sha384sum": _SUMS, "sha512sum": _SUMS, "b2sum": _SUMS, "cksum": _SUMS,
    "base64": Usage("-w: --wrap:", most=1), "whereis": Usage("-b -m -s", operands="texts"),
    "seq": Usage("-f: -s: -w --format: --separator: --equal-width", operands="texts"),
    "whoami": Usage(operands="none"), "nproc": Usage("--all --ignore:", operands="none"), "arch": Usage(operands="none"),
    "tty": Usage("-s", operands="none"), "users": Usage(operands="none"), "uptime": Usage("-p -s", operands="none"),
    "id": Usage("-a -G -g -n -r -u -z", operands="texts"), "groups": Usage(operands="texts"),
    "uname": Usage("-a --all -s -n -r -v -m -p -i -o --kernel-name --kernel-release --machine --operating-system", operands="none"),
    "hostname": Usage("-s -f -d -i -I", operands="none"),
    "free": Usage("-b -k -m -g -h -w -t -l --human --mega --giga --total --wide", operands="none"),
    "ps": Usage("-A -a -d -e -f -F -l -L -j -H -w -u: -U: -p: -C: -o: --pid: --ppid: --sort: --no-headers --forest -ef -eo:", operands="texts"),
    "expr": Usage(operands="texts"), "factor": Usage(operands="texts"), "tsort": Usage(), "zcat": Usage("-f --force"),
    "lscpu": Usage("-a -b -c -e? -J -p?", operands="none"), "who": Usage("-a -b -H -q -r -u", operands="none"), "w": Usage("-h -s", operands="none"),
    "pgrep": Usage("-a -l -f -x -c -n -o -u: -v", operands="texts"), "vmstat": Usage("-s -a -w", operands="texts", most=2),
    "unzip": Usage("-l -v -Z -1", most=1), "zipinfo": Usage("-1 -s -m -l -h -t", most=1),
    "cal": Usage("-1 -3 -m -y", operands="texts"),
    "getconf": Usage(operands="texts", most=1), "locale": Usage("-a -m", operands="none"),
    "jq": Usage("-r --raw-output -c --compact-output -e --exit-status -s --slurp -n --null-input -R --raw-input -S --sort-keys -M --monochrome-output -C "
                "--color-output -a --ascii-output -j --join-output --tab --indent: --seq -f/ --from-file/ -V --version",
                operands="text then paths", pattern_options=("-f", "--from-file", "-V", "--version")),
    "sed": Usage("-n --quiet --silent -E -r --regexp-extended -e: --expression: -s --separate -u --unbuffered -z --null-data --posix --sandbox -l:",
                 operands="text then paths", pattern_options=("-e", "--expression")),
    "awk": Usage("-F:", operands="text then paths"), "gawk": Usage("-F:", operands="text then paths"), "mawk": Usage("-F:", operands="text then paths"),
    "fd": Usage("-g --glob -e: --extension: -t: --type: -d: --max-depth: --min-depth: --exact-depth: -E: --exclude: -i --ignore-case -s --case-sensitive "
                "-p --full-path -a --absolute-path -0 --print0 -F --fixed-strings -c: --color: -S: --size: --changed-within: --changed-before: -1 "
                "--max-results: -q --quiet -H --hidden -I --no-ignore -u --unrestricted", operands="text then paths"),
    "cd": Usage(most=1),
    "python": _VERSION, "python3": _VERSION, "pip": Usage("--version -V", operands="none"), "pip3": Usage("--version -V", operands="none"),
    "node": Usage("--version -v", operands="none"), "npm": Usage("--version -v", operands="none"), "ruby": Usage("--version -v", operands="none"),
    "perl": Usage("--version -v", operands="none"), "php": Usage("--version -v", operands="none"), "java": Usage("--version -version", operands="none"),
    "javac": Usage("--version -version", operands="none"), "make": Usage("--version -v", operands="none"),
    "gcc": Usage("--version", operands="none"), "g++": Usage("--version", operands="none"), "clang": Usage("--version", operands="none"),
    "cc": Usage("--version", operands="none"), "cmake": Usage("--version", operands="none"), "uv": Usage("--version -V", operands="none"),
    "docker": Usage("--version -v", operands="none"), "bash": Usage("--version", operands="none"), "curl": Usage("--version -V", operands="none"),
    "tar": Usage("--version", operands="none"), "deno": Usage("--version -V", operands="none"), "tsc": Usage("--version -v", operands="none"), "sqlite3": Usage("--version -version", operands="none"),
}  # fmt: skip
"""Missing: programs whose `--version` is answered by what a project names (cargo, go, yarn, pnpm: toolchains of the folder), and
`pip list`, which asks rustc for its version."""

_BARE = frozenset({"python", "python3", "pip", "pip3", "deno", "tsc", "node", "npm", "ruby", "perl", "php", "java", "javac", "make", "gcc", "g++", "clang",
                   "cc", "cmake", "uv", "docker", "bash", "curl", "tar", "sqlite3"})  # fmt: skip
"""Without an option these do their work."""

LOOKED_THROUGH = frozenset({"time", "timeout", "nice", "stdbuf", "command", "env"})
"""Wrappers around which a look is still one."""


def seen_by(words: Sequence[str]) -> Seen | None:
    """What a program that only looks is given; None where it may do more, or nothing is known of it."""
    program, arguments = words[0], list(words[1:])
    special = _SPECIAL.get(program)
    if special:
        return special(arguments)
    usage = _USAGES.get(program)
    seen = usage and seen_in(arguments, usage)
    if not seen or (program in _BARE and not seen.options):
        return None
    check = _CHECKS.get(program)
    return seen if check is None or check(seen) else None


def _texts(arguments: list[str]) -> Seen | None:
    return Seen((), tuple(arguments), ())


def _nothing(arguments: list[str]) -> Seen | None:
    return None if arguments else Seen((), (), ())


def _tested(arguments: list[str]) -> Seen | None:
    operands = scripts.test_operands(arguments)
    return None if operands is None else Seen(tuple(operands), (), ())


def _bracketed(arguments: list[str]) -> Seen | None:
    return _tested(arguments[:-1]) if arguments[-1:] in (["]"], ["]]"]) else None


def _printed(arguments: list[str]) -> Seen | None:
    if not arguments or arguments[0].startswith("-") or not scripts.printf_only_prints(arguments[0]):
        return None
    return Seen((), tuple(arguments), ())


def _looked_up(arguments: list[str]) -> Seen | None:
    return Seen((), tuple(arguments), ()) if arguments[:1] in (["-v"], ["-V"]) else None


_FIND_ALONE = frozenset({"-empty", "-print", "-print0", "-prune", "-not", "!", "-o", "-or", "-a", "-and", "(", ")", ",", "-executable", "-readable",
                         "-writable", "-xdev", "-mount", "-depth", "-quit", "-true", "-false", "-ls", "-nouser", "-nogroup", "-daystart"})  # fmt: skip
_FIND_TEXTS = frozenset({"-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename", "-regex", "-iregex", "-regextype", "-printf", "-lname",
                         "-ilname", "-newermt", "-fstype", "-user", "-group", "-type", "-xtype"})  # fmt: skip
_FIND_NUMBERS = frozenset({"-maxdepth", "-mindepth", "-size", "-mtime", "-mmin", "-atime", "-amin", "-ctime", "-cmin", "-links", "-inum", "-uid", "-gid",
                           "-used"})  # fmt: skip
_FIND_NUMBER = r"[-+]?\d+[a-zA-Z]?"
_FIND_RIGHTS = r"[-/]?[0-7ugoa+=rwxst,]+"
_FIND_PATHS = frozenset({"-newer", "-anewer", "-cnewer", "-samefile"})


def _found(arguments: list[str]) -> Seen | None:
    at = 0
    while at < len(arguments) and arguments[at] in ("-P", "-H"):
        at += 1
    paths: list[str] = []
    while at < len(arguments) and not arguments[at].startswith(("-", "(", "!", ",")):
        paths.append(arguments[at])
        at += 1
    while at < len(arguments):
        word, value = arguments[at], arguments[at + 1] if at + 1 < len(arguments) else None
        at += 1
        if word in _FIND_ALONE:
            continue
        at += 1
        if value is None:
            return None
        if word in _FIND_PATHS and not value.startswith("-"):
            paths.append(value)
        elif not (
            (word in _FIND_TEXTS and not value.startswith("-"))
            or (word in _FIND_NUMBERS and re.fullmatch(_FIND_NUMBER, value))
            or (word == "-perm" and re.fullmatch(_FIND_RIGHTS, value))
        ):
            return None
    return Seen(tuple(paths or ["."]), (), ())


def _clients_version(arguments: list[str]) -> Seen | None:
    """Without `--client` a cluster is asked, through a program that the configuration names."""
    return Seen((), (), ()) if arguments == ["version", "--client"] else None


_SPECIAL: dict[str, Callable[[list[str]], Seen | None]] = {
    "git": git_seen,
    "find": _found,
    "kubectl": _clients_version,
    "echo": _texts,
    "printf": _printed,
    "test": _tested,
    "[": _bracketed,
    "[[": _bracketed,
    "true": _nothing,
    "false": _nothing,
    "command": _looked_up,
}


def _scripts_of(seen: Seen, *names: str) -> list[str]:
    return [*seen.texts, *(value for name, value in seen.options if name in names and value is not None)]


def _sed_prints(seen: Seen) -> bool:
    given = _scripts_of(seen, "-e", "--expression")
    return bool(given) and all(map(scripts.sed_only_prints, given))


def _awk_prints(seen: Seen) -> bool:
    return bool(seen.texts) and scripts.awk_only_prints(seen.texts[0]) and not any("=" in path for path in seen.paths)


def _jq_filters(seen: Seen) -> bool:
    return all(map(scripts.jq_only_filters, seen.texts)) and not seen.has("-f", "--from-file")


def _only_formats(seen: Seen) -> bool:
    """A word without a sign would set the clock."""
    return all(text.startswith("+") for text in seen.texts)


def _lists_processes(seen: Seen) -> bool:
    """The letter e would show their environment, with the keys in it."""
    return all(re.fullmatch(r"[auxfwlj]+|\d+", text) for text in seen.texts)


_CHECKS: dict[str, Callable[[Seen], bool]] = {
    "sed": _sed_prints,
    "awk": _awk_prints,
    "gawk": _awk_prints,
    "mawk": _awk_prints,
    "jq": _jq_filters,
    "date": _only_formats,
    "ps": _lists_processes,
    "cd": lambda seen: len(seen.paths) == 1,
    "unzip": lambda seen: seen.has("-l", "-v", "-Z"),
}
