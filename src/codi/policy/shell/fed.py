"""Programs that `xargs` gives words which nobody sees before: the names of files, as another program lists them.

Such a word may look like an option, so only programs qualify of which no option does more than read. And it is opened like any
path, so the words must come from what lists the folder that is worked in, at most sieved, and cannot be made up on the line.
"""

import re
from collections.abc import Sequence

_READERS = frozenset({"basename", "cat", "cksum", "cut", "dirname", "du", "echo", "egrep", "fgrep", "fold", "grep", "head", "ls", "md5sum", "nl",
                      "readlink", "realpath", "rev", "sha1sum", "sha256sum", "sha512sum", "stat", "tac", "wc"})  # fmt: skip
_SIEVES = {
    "grep": "-E -F -P -i -v -w -x -a --text",
    "egrep": "-i -v -w -x",
    "fgrep": "-i -v -w -x",
    "head": "-n -z",
    "tail": "-n -z",
    "sort": "-u -r -V -z",
    "uniq": "-u -d -z",
}
"""What passes some of the lines on and changes none, with the options that leave it so."""

_LISTS = {
    ("git", "ls-files"): "-z -c --cached -m --modified -o --others --exclude-standard -d --deleted --full-name",
    ("git", "diff"): "--name-only --cached --staged -z --relative",
    ("git", "grep"): "-l --files-with-matches --name-only -i -w -E -F -P -z --cached",
    ("rg",): "-l --files-with-matches --files -i -s -S -w -F -P -t --type -g --glob --iglob -0 --null --sort",
    (
        "grep",
    ): "-r --recursive -l --files-with-matches -i -w -E -F -P -n -s -Z --null --include --exclude --exclude-dir",
}
_MUST = {
    ("git", "diff"): ("--name-only",),
    ("git", "grep"): ("-l", "--files-with-matches", "--name-only"),
    ("rg",): ("-l", "--files-with-matches", "--files"),
    ("grep",): ("-l", "--files-with-matches"),
}
"""Without one of these it prints more than names."""

_FIND_PRINTS = frozenset({"-printf", "-ls"})


def only_reads_what_is_listed(words: Sequence[str], fed_by: Sequence[Sequence[str]]) -> bool:
    """Whether a program that looks, run by xargs in a pipeline after these, looks at nothing but the files of the workspace."""
    if words[0] not in _READERS or not fed_by or not _lists(list(fed_by[0])):
        return False
    return all(_sieves(list(each)) for each in fed_by[1:])


def _lists(words: list[str]) -> bool:
    if words[0] == "find":
        return not _FIND_PRINTS.intersection(words)
    if words[0] == "fd":
        return True
    name = tuple(words[:2] if words[0] == "git" else words[:1])
    given = _options(words[len(name) :])
    must = _MUST.get(name, ())
    return name in _LISTS and given <= set(_LISTS[name].split()) and (not must or bool(given.intersection(must)))


def _sieves(words: list[str]) -> bool:
    """Nothing but what is looked for, or how many, may stand beside the options: a file would take the place of the input."""
    known = _SIEVES.get(words[0])
    operands = [word for word in words[1:] if not word.startswith("-")]
    if known is None or len(operands) > 1:
        return False
    if words[0] in ("head", "tail"):
        return re.fullmatch(r"( -\d+| -n \d+| -n\d+)?", "".join(f" {word}" for word in words[1:])) is not None
    if words[0] in ("sort", "uniq") and operands:
        return False
    return _options(words[1:]) <= set(known.split())


def _options(words: Sequence[str]) -> set[str]:
    """As they are written, joined letters apart and values cut off."""
    found: set[str] = set()
    for word in words:
        if word.startswith("--"):
            found.add(word.partition("=")[0])
        elif word.startswith("-") and word != "-":
            found |= {f"-{letter}" for letter in word[1:]}
    return found - {"--"}
