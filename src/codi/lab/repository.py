"""Small git repositories for scenarios to work in: the same files, and the same commit, each time."""

import os
import subprocess
from collections.abc import Callable, Mapping

from codi.protocol.errors import WorkspaceError

_WHEN = "2026-01-15T12:00:00+00:00"
_WHO = {"NAME": "Codi Lab", "EMAIL": "lab@example.invalid"}


def make_repository(path: str, scenario: str = "fix-the-test") -> str | None:
    """Make the repository of a scenario in an empty or new folder and commit its files. The id of the commit; None where
    there is no git, and the files alone are made. Raises WorkspaceError."""
    files = REPOSITORIES.get(scenario, larder)()
    try:
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            raise WorkspaceError(f"{path} is not empty", hint="Name a folder that does not exist yet.")
        for name, content in files.items():
            target = os.path.join(path, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8", newline="\n") as file:
                file.write(content)
    except OSError as error:
        raise WorkspaceError(
            f"cannot make a repository in {path}: {error.strerror}", hint="Name a folder that can be written to."
        ) from error
    return _commit(path)


def larder() -> Mapping[str, str]:
    """A package of three modules, with one test that fails for a boundary that was missed."""
    return {
        "README.md": _README,
        ".gitignore": "__pycache__/\n",
        "larder/__init__.py": '"""What is in the larder, and what it costs."""\n',
        "larder/stock.py": _STOCK,
        "larder/prices.py": _PRICES,
        "larder/report.py": _REPORT,
        "tests/__init__.py": "",
        "tests/test_stock.py": _TEST_STOCK,
        "tests/test_prices.py": _TEST_PRICES,
    }


def many_files(count: int = 24) -> Mapping[str, str]:
    """A package of `count` modules with a test of them all; the modules 00 to 04 still say `old_rate`."""
    files = {
        "README.md": "# ledger\n\nParts of a ledger, a module each.\n",
        ".gitignore": "__pycache__/\n",
        "ledger/__init__.py": '"""A ledger in many parts."""\n',
        "tests/__init__.py": "",
        "tests/test_parts.py": _TEST_PARTS.replace("COUNT", str(count)),
    }
    for number in range(count):
        rate = "old_rate" if number < 5 else "rate"
        files[f"ledger/part_{number:02}.py"] = _PART.format(number=number, factor=number + 1, rate=rate)
    return files


REPOSITORIES: dict[str, Callable[[], Mapping[str, str]]] = {
    "fix-the-test": larder,
    "many-files": many_files,
    "two-hundred-steps": many_files,
}
"""The files of the repository in which a scenario works, by the scenario's name."""


def _commit(path: str) -> str | None:
    # Neither the person's settings nor the time of day may change the commit.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_{name}": value for name, value in _WHO.items()} | {f"GIT_{role}_DATE": _WHEN}
    told = ""
    for words in (
        ["init", "-q", "-b", "main"],
        ["config", "core.autocrlf", "false"],
        ["config", "core.fileMode", "true"],
        ["add", "-A"],
        ["commit", "-q", "-m", "Begin"],
        ["rev-parse", "HEAD"],
    ):
        try:
            done = subprocess.run(["git", *words], cwd=path, env=env, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            return None
        except subprocess.CalledProcessError as error:
            raise WorkspaceError(
                f"git {words[0]} failed in {path}: {error.stderr.strip()}", hint="Try `git init` there by hand."
            ) from error
        told = done.stdout.strip()
    return told


_README = """\
# larder

Keeps count of what is in the larder and tells what it costs.

    python3 -m unittest
"""

_STOCK = '''\
"""How many pieces of each thing there are."""


class Stock:
    def __init__(self):
        self._pieces = {}

    def put(self, name, pieces=1):
        """Put pieces into the larder."""
        if pieces < 1:
            raise ValueError("put at least one piece")
        self._pieces[name] = self._pieces.get(name, 0) + pieces

    def take(self, name, pieces=1):
        """Take pieces out; there must be enough."""
        left = self.count(name) - pieces
        if left < 0:
            raise ValueError(f"there are only {self.count(name)} pieces of {name}")
        self._pieces[name] = left

    def count(self, name):
        return self._pieces.get(name, 0)

    def names(self):
        return sorted(name for name, pieces in self._pieces.items() if pieces)
'''

_PRICES = '''\
"""What things cost, in cents."""

DISCOUNT_FROM = 10
DISCOUNT_PERCENT = 20


def total(price, pieces):
    """The price of so many pieces. From ten pieces on there is a discount of 20 per cent."""
    full = price * pieces
    if pieces > DISCOUNT_FROM:
        return full - full * DISCOUNT_PERCENT // 100
    return full


def in_euros(cents):
    return f"{cents // 100}.{cents % 100:02} EUR"
'''

_REPORT = '''\
"""The larder as a list, for people."""

from larder.prices import in_euros, total


def report(stock, prices):
    lines = []
    for name in stock.names():
        pieces = stock.count(name)
        lines.append(f"{pieces:4} {name:<12} {in_euros(total(prices[name], pieces))}")
    return "\\n".join(lines)
'''

_TEST_STOCK = """\
import unittest

from larder.stock import Stock


class StockTest(unittest.TestCase):
    def test_what_was_put_in_is_there(self):
        stock = Stock()
        stock.put("jam", 3)
        self.assertEqual(stock.count("jam"), 3)
        self.assertEqual(stock.names(), ["jam"])

    def test_no_more_can_be_taken_than_there_is(self):
        stock = Stock()
        stock.put("jam")
        with self.assertRaises(ValueError):
            stock.take("jam", 2)
"""

_TEST_PRICES = """\
import unittest

from larder.prices import in_euros, total


class PricesTest(unittest.TestCase):
    def test_a_few_pieces_cost_their_price(self):
        self.assertEqual(total(250, 3), 750)

    def test_the_discount_begins_with_the_tenth_piece(self):
        self.assertEqual(total(250, 10), 2000)

    def test_many_pieces_are_cheaper(self):
        self.assertEqual(total(250, 20), 4000)

    def test_cents_are_shown_as_euros(self):
        self.assertEqual(in_euros(1205), "12.05 EUR")
"""

_PART = '''\
"""Part {number:02} of the ledger."""

FACTOR = {factor}


def amount_{number:02}(pieces, {rate}=1):
    """What so many pieces amount to in this part."""
    if pieces < 0:
        raise ValueError("there are no fewer than no pieces")
    return pieces * {rate} * FACTOR


def lines_{number:02}(entries):
    """The entries of this part, a line each."""
    lines = []
    for name, pieces in sorted(entries.items()):
        lines.append(f"{{name}}: {{amount_{number:02}(pieces)}}")
    return lines
'''

_TEST_PARTS = """\
import importlib
import unittest


class PartsTest(unittest.TestCase):
    def test_every_part_amounts_to_its_factor(self):
        for number in range(COUNT):
            part = importlib.import_module(f"ledger.part_{number:02}")
            amount = getattr(part, f"amount_{number:02}")
            self.assertEqual(amount(2), 2 * (number + 1))
"""
