"""Options with which programs that seem to look, or to do one thing, write files or run others.

A rule such as `run(git log *)` means the program's own work. None of these is covered by its `*`: whoever wants one
writes it into the rule.
"""

from collections.abc import Sequence

_LONG: dict[str, tuple[str, ...]] = {
    "git": ("--output", "--ext-diff", "--textconv", "--exec", "--upload-pack", "--receive-pack", "--config", "--config-env",
            "--open-files-in-pager", "--template", "--exec-path", "--git-dir", "--work-tree", "--no-index", "--filters", "--ssh-option"),
    "rg": ("--pre", "--hostname-bin"),
    "sort": ("--output", "--compress-program"),
    "tar": ("--to-command", "--checkpoint-action", "--use-compress-program", "--info-script", "--new-volume-script", "--rsh-command",
            "--rmt-command"),
    "zip": ("--unzip-command",),
    "rsync": ("--rsh", "--rsync-path"),
    "sed": ("--in-place",),
    "curl": ("--output", "--config", "--remote-name", "--upload-file", "--output-dir", "--dump-header", "--cookie-jar", "--trace"),
    "wget": ("--output-document", "--output-file", "--use-askpass", "--config", "--execute", "--post-file"),
    "npm": ("--prefix", "--script-shell", "--userconfig", "--globalconfig", "--node-options"),
    "yarn": ("--cwd", "--use-yarnrc"),
    "pnpm": ("--dir", "--script-shell"),
    "pip": ("--target", "--prefix", "--root", "--index-url", "--extra-index-url", "--python"),
    "make": ("--file", "--makefile", "--eval", "--directory"),
    "cargo": ("--config", "--manifest-path"),
    "go": ("-exec", "-toolexec", "-overlay", "-modfile"),
    "pytest": ("--rootdir", "--confcutdir", "--config-file"),
    "node": ("--require", "--eval", "--print", "--import", "--loader", "--experimental-loader"),
    "man": ("--pager", "--html"),
    "find": ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf", "-fls"),
    "fd": ("--exec", "--exec-batch"),
    "date": ("--set",),
    "ls": (),
}  # fmt: skip
"""An abbreviation of a long option is the option to most programs."""

_SHORT: dict[str, str] = {
    "git": "O", "sort": "o", "tar": "IF", "rsync": "e", "sed": "i", "curl": "oOKTDc", "wget": "OoeP", "npm": "C", "make": "fCI", "node": "repi",
    "man": "PH", "fd": "xX", "date": "s", "pytest": "pc", "uniq": "", "zip": "T",
}  # fmt: skip


def break_out(words: Sequence[str]) -> bool:
    """Whether these words, the first of which is the program, hold an option of that kind."""
    program = words[0].rpartition("/")[2]
    long, short = _LONG.get(program, ()), _SHORT.get(program, "")
    return any(_is_one(word, long, short) for word in words[1:])


def _is_one(word: str, long: tuple[str, ...], short: str) -> bool:
    if not word.startswith("-") or word == "-":
        return False
    name = word.partition("=")[0]
    if word.startswith("--"):
        return len(name) > 3 and any(option.startswith(name) for option in long)
    return name in long or any(letter in short for letter in name[1:])
