"""The first thing that runs of `codi.pyz`, under whatever Python it was given: so it is written for old ones too.

What is inside is unpacked once, to `<CODI_HOME>/cache/app/<build>-<python>`, because native modules cannot be loaded from an
archive. At each start sizes and times are compared with those of the unpacking; a cache that was damaged is unpacked anew.
"""

import os
import sys

import built


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"codi {built.VERSION}")
        return
    complaint = unfit()
    if complaint:
        sys.exit(complaint)
    folder = os.path.join(home(), "cache", "app", f"{built.BUILD}-{tag()}")
    if not is_whole(folder):
        import unpacking

        try:
            unpacking.unpack(sys.argv[0], folder, tag(), is_whole)
        except OSError as error:
            sys.exit(
                f"error: codi cannot unpack itself to {error.filename or folder}: {error.strerror or error}\n"
                "hint: Set CODI_HOME to a folder that can be written to."
            )
    sys.path[0] = folder
    from codi.cli.door import main as run

    run()


def tag() -> str:
    return f"cp{sys.version_info[0]}{sys.version_info[1]}"


def unfit() -> "str | None":
    """What is wrong with this Python, and what to do about it; None if nothing is."""
    place = getattr(sys.implementation, "_multiarch", sys.platform)
    if sys.implementation.name == "cpython" and tag() in built.TAGS and place == built.PLATFORM:
        return None
    pythons = [f"{each[2]}.{each[3:]}" for each in built.TAGS]
    return (
        f"error: this codi.pyz is for CPython {', '.join(pythons)} on {built.PLATFORM}, and this is "
        f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]} on {place}\n"
        f"hint: Run it with another Python, as in `python{pythons[0]} codi.pyz`, or install codi with pipx or uv."
    )


def home() -> str:
    return os.path.abspath(os.path.expanduser(os.environ.get("CODI_HOME") or "~/.codi"))


def is_whole(folder: str) -> bool:
    """Every file of the unpacking is there, of the size and time that it had then."""
    try:
        with open(os.path.join(folder, "MANIFEST")) as file:
            lines = file.read().split("\n")
        if lines.pop() != "end":
            return False
        for line in lines:
            size, time, name = line.split(" ", 2)
            found = os.stat(os.path.join(folder, name))
            if found.st_size != int(size) or found.st_mtime_ns != int(time):
                return False
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
