"""What `make build` makes, where there is neither network nor an environment."""

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
WITHOUT_NETWORK = [
    "unshare",
    "--map-root-user",
    "--net",
    "--",
    "sh",
    "-c",
    'ip link set lo up 2>/dev/null; exec "$@"',
    "sh",
]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "tools/build.py", "--out", out, "--only-this-python"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def isolation():
    """Words that take the network away, where this system lets a person do that."""
    if shutil.which("unshare") and subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True).returncode == 0:
        return WITHOUT_NETWORK
    return []


class OneFile:
    def __init__(self, path, home, isolation):
        self.path = path
        self.home = home
        self.isolation = isolation

    @property
    def cache(self):
        return self.home / ".codi" / "cache" / "app"

    @property
    def unpacked(self):
        (folder,) = [path for path in self.cache.iterdir() if path.is_dir()]
        return folder

    def __call__(self, *words, python=PYTHON, **env):
        return subprocess.run(
            [*self.isolation, python, self.path, *words],
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), **env},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def onefile(built, tmp_path, isolation):
    return OneFile(built / "codi.pyz", tmp_path, isolation)


@pytest.fixture(scope="session")
def unpacked_home(built, tmp_path_factory, isolation):
    home = tmp_path_factory.mktemp("unpacked")
    assert OneFile(built / "codi.pyz", home, isolation)("sessions").returncode == 0
    return home


@pytest.fixture
def unpacked(onefile, unpacked_home):
    """One that was started before; its files keep their times."""
    shutil.copytree(unpacked_home, onefile.home, dirs_exist_ok=True)
    return onefile


def test_the_wheel_is_for_every_system(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl") and wheel.stat().st_size < 5_000_000
    names = zipfile.ZipFile(wheel).namelist()
    assert {"codi/lab/scenarios/fix-the-test.yaml", "codi/providers/models.json", "codi/py.typed"} <= set(names)
    assert not [name for name in names if not name.startswith("codi")]


def test_it_is_one_executable_file_below_twenty_megabytes(onefile):
    status = onefile.path.stat()
    assert status.st_size < 20_000_000 and status.st_mode & 0o111 == 0o111
    assert onefile.path.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_what_never_runs_is_left_out_and_licences_stay(onefile):
    names = zipfile.ZipFile(onefile.path).namelist()
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyi", ".pyc", "RECORD"))]
    assert [name for name in names if "msgspec" in name and "LICENSE" in name]


def test_the_version_needs_no_unpacking(onefile):
    ran = onefile("--version")
    assert ran.returncode == 0 and ran.stdout.startswith("codi ")
    assert not (onefile.home / ".codi").exists()


def test_the_demo_runs_without_network_and_environment(onefile):
    ran = onefile("demo")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "PASS demo fix-the-test" in ran.stdout


def test_what_is_unpacked_is_for_the_person_alone(unpacked):
    for folder in (unpacked.home / ".codi", unpacked.home / ".codi" / "cache", unpacked.cache, unpacked.unpacked):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_is_unpacked_once(unpacked):
    folder = unpacked.unpacked
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert unpacked("sessions").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in unpacked.unpacked.rglob("*")} == before


def _cut(folder):
    path = folder / "codi" / "cli" / "main.py"
    path.write_bytes(path.read_bytes()[:100])


def _cut_compiled(folder):
    path = next((folder / "codi" / "cli" / "__pycache__").glob("main.*.pyc"))
    path.write_bytes(path.read_bytes()[:100])


def _replace(folder):
    path = folder / "codi" / "cli" / "sessions.py"
    path.write_bytes(b"#" * path.stat().st_size)


def _remove(folder):
    shutil.rmtree(folder / "msgspec")


def _remove_manifest(folder):
    (folder / "MANIFEST").unlink()


def _cut_manifest(folder):
    path = folder / "MANIFEST"
    path.write_bytes(path.read_bytes()[:200])


def _become_a_file(folder):
    shutil.rmtree(folder)
    folder.write_text("")


@pytest.mark.parametrize(
    "damage", [_cut, _cut_compiled, _replace, _remove, _remove_manifest, _cut_manifest, _become_a_file]
)
def test_a_damaged_cache_is_unpacked_anew(unpacked, damage):
    folder = unpacked.unpacked
    damage(folder)

    ran = unpacked("sessions")

    assert ran.returncode == 0, ran.stderr
    assert unpacked.unpacked == folder and (folder / "MANIFEST").read_text().endswith("\nend")
    assert sorted(path.name for path in unpacked.cache.iterdir()) == sorted([folder.name, "lock"])


def test_what_an_interrupted_unpacking_left_is_swept_away(onefile):
    left = onefile.cache / ".new-left"
    left.mkdir(parents=True)
    assert onefile("sessions").returncode == 0
    assert not left.exists()


def test_several_starts_at_once_unpack_it_once(onefile):
    words = [*onefile.isolation, PYTHON, onefile.path, "sessions"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(onefile.home)}
    running = [subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
    assert onefile.unpacked.is_dir()


def test_codi_home_says_where(onefile, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    assert onefile("sessions", CODI_HOME=str(elsewhere)).returncode == 0
    assert (elsewhere / "cache" / "app").is_dir() and not (onefile.home / ".codi").exists()


def test_a_place_that_cannot_be_written_is_told_in_one_line(onefile):
    (onefile.home / ".codi").write_text("")
    ran = onefile("sessions")
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    assert ran.stderr.startswith("error: codi cannot unpack itself to ") and "\nhint: " in ran.stderr


def test_another_python_is_told_which_would_do(built, tmp_path):
    """As a Python sees it for which nothing is inside: the archive is told that it is for another."""
    other = tmp_path / "codi.pyz"
    with zipfile.ZipFile(built / "codi.pyz") as source, open(other, "wb") as out:
        out.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(out, "w") as target:
            for name in ("__main__.py", "built.py"):
                content = source.read(name)
                target.writestr(name, content.replace(b"TAGS = ['cp3", b"TAGS = ['cp9"))
    ran = OneFile(other, tmp_path, [])("sessions")
    assert ran.returncode == 1 and ran.stderr.startswith("error: this codi.pyz is for CPython 9.")
    assert "\nhint: " in ran.stderr


def test_the_same_tree_gives_the_same_file(built, tmp_path):
    words = [sys.executable, "tools/build.py", "--out", tmp_path, "--only-this-python"]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "codi.pyz").read_bytes() == (built / "codi.pyz").read_bytes()
