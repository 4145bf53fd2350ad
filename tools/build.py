"""`make build`: a wheel for every system, and `codi.pyz`, one executable file for the system that it is built on.

The libraries in `codi.pyz` are those of the lock file. For the Python that builds they are taken from its environment;
native modules for the other Pythons come as wheels, where `uv` can get them.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MOST_BYTES = 20_000_000

_UNUSED_ENDINGS = (".pyi", ".pyc", ".c", ".h", ".pyx", ".pxd", "py.typed")
_UNUSED_PARTS = {"tests", "test", "__pycache__", "sqlite_extra_binaries"}
_NOTICES = ("METADATA", "LICENSE", "LICENCE", "NOTICE", "COPYING", "AUTHORS")
_OWN = f"{sys.version_info[0]}{sys.version_info[1]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="where the results go (dist)")
    parser.add_argument("--only-this-python", action="store_true", help="codi.pyz for the Python that builds it alone")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print(build_wheel(asked.out))
    print(build_archive(asked.out, () if asked.only_this_python else PYTHONS))
    return 0


def build_wheel(out: Path) -> Path:
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: the wheel cannot be built: {done.stderr.strip()}\nhint: uv sync")
    return out / f"codi-{version()}-py3-none-any.whl"


def build_archive(out: Path, pythons: tuple[str, ...]) -> Path:
    files = {f"all/codi/{name}": content for name, content in own_files()}
    native: dict[str, str] = {}
    for name, wanted in locked_core().items():
        found = installed(name, wanted)
        parts = dict(files_of(found))
        if any(is_native(path) for path in parts):
            native[name] = wanted
        for path, content in parts.items():
            files[f"cp{_OWN}/{path}" if is_native(path) else f"all/{path}"] = content
    tags = [f"cp{_OWN}"]
    for python in pythons:
        tag = f"cp{python.replace('.', '')}"
        if tag not in tags and (modules := native_modules(native, python)):
            files |= {f"{tag}/{path}": content for path, content in modules.items()}
            tags.append(tag)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    place = getattr(sys.implementation, "_multiarch", sys.platform)
    files["built.py"] = (
        f"VERSION = {version()!r}\nBUILD = {digest.hexdigest()[:16]!r}\nTAGS = {sorted(tags)!r}\nPLATFORM = {place!r}\n"
    ).encode()
    files["__main__.py"] = (ROOT / "tools/bootstrap.py").read_bytes()
    files["unpacking.py"] = (ROOT / "tools/unpacking.py").read_bytes()
    path = out / "codi.pyz"
    write_archive(path, files)
    if path.stat().st_size >= MOST_BYTES:
        sys.exit(f"error: {path} is {path.stat().st_size} bytes long\nhint: It is to stay below {MOST_BYTES}.")
    return path


def write_archive(path: Path, files: dict[str, bytes]) -> None:
    """The same files give the same bytes."""
    beside = path.with_suffix(".new")
    with open(beside, "wb") as out:
        out.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name)  # of 1980, as all that is built without a clock
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, files[name])
    beside.chmod(0o755)
    beside.replace(path)


def version() -> str:
    text = (ROOT / "src/codi/engine/version.py").read_text()
    return text.partition('VERSION = "')[2].partition('"')[0]


def own_files() -> Iterator[tuple[str, bytes]]:
    package = ROOT / "src/codi"
    for path in sorted(package.rglob("*")):
        if path.is_file() and is_used(path.relative_to(package).as_posix()):
            yield path.relative_to(package).as_posix(), path.read_bytes()


def locked_core() -> dict[str, str]:
    """Name and version of every library that codi needs without extras."""
    with open(ROOT / "uv.lock", "rb") as file:
        packages = {package["name"]: package for package in tomllib.load(file)["package"]}
    core: dict[str, str] = {}
    waiting = [each["name"] for each in packages["codi"]["dependencies"]]
    while waiting:
        name = waiting.pop()
        if name not in core and is_installed(name):  # a library for another system or an older Python is not
            core[name] = packages[name]["version"]
            waiting += [each["name"] for each in packages[name].get("dependencies", [])]
    return core


def is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def installed(name: str, wanted: str) -> Distribution:
    found = distribution(name)
    if found.version != wanted:
        sys.exit(f"error: {name} {found.version} is installed, {wanted} is locked\nhint: uv sync --locked")
    return found


def files_of(found: Distribution) -> Iterator[tuple[str, bytes]]:
    for path in found.files or ():
        name = path.as_posix()
        if not name.startswith(("../", "/")) and is_used(name):
            yield name, Path(str(found.locate_file(path))).read_bytes()


def is_used(name: str) -> bool:
    """Libraries keep what their licences ask for, and lose what never runs."""
    if ".dist-info/" in name:
        return name.rpartition("/")[2].startswith(_NOTICES)
    return not name.endswith(_UNUSED_ENDINGS) and not _UNUSED_PARTS & set(name.split("/"))


def is_native(name: str) -> bool:
    return name.endswith((".so", ".pyd"))


def native_modules(native: dict[str, str], python: str) -> dict[str, bytes] | None:
    """The native modules of these libraries for another Python; None, with a word about it, where they cannot be had."""
    uv = shutil.which("uv", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", ""))))
    complaint = "uv is not installed"
    if uv:
        with tempfile.TemporaryDirectory() as folder:
            words = [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", python]
            words += ["--target", folder, *(f"{name}=={wanted}" for name, wanted in native.items())]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode == 0:
                paths = [path for path in Path(folder).rglob("*") if is_native(path.name)]
                names = {path.relative_to(folder).as_posix(): path for path in paths}
                return {name: path.read_bytes() for name, path in names.items() if is_used(name)}
            complaint = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "uv failed"
    print(f"warning: codi.pyz will not run with Python {python}: {complaint}", file=sys.stderr)
    return None


if __name__ == "__main__":
    sys.exit(main())
