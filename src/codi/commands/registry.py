"""All commands by their names. A registry with a collision cannot be built, so an unhandled or ambiguous one cannot exist."""

import re
from collections.abc import Iterable, Sequence
from importlib import import_module

from msgspec import Struct

from codi.commands.command import Ask, Command, Desk, Do, Fail, Open, Outcome, Running, Show
from codi.protocol.ops import Prompt

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_BEHIND = re.compile(r"(?:^|(?<=\s))--(?:\s|$)")
FRESH = "--fresh"
"""Behind a command that is a prompt: it is asked in a new session."""

_HELP = ("-h", "--help", "help", "?")


ASKED = "--ask"
"""Behind a fact that was typed as `#text`: the person is asked for its scope, once."""


class Typed(Struct, frozen=True):
    """A line that is a command, taken apart."""

    command: Command
    words: tuple[str, ...]


class Registry:
    """Raises ValueError where names collide, a form has no example, a summary is missing, or a name is not in kebab case."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.commands = tuple(commands)
        self._by_name: dict[str, Command] = {}
        for command in self.commands:
            self._check(command)
            for name in (command.name, *command.aliases):
                other = self._by_name.setdefault(name, command)
                if other is not command:
                    raise ValueError(f"/{name} is /{other.name} and /{command.name}")

    def _check(self, command: Command) -> None:
        wrong = [name for name in (command.name, *command.aliases) if not _NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name of a command")
        if not command.summary or not command.forms:
            raise ValueError(f"/{command.name} says not what it does")
        if len({command.name, *command.aliases}) != 1 + len(command.aliases):
            raise ValueError(f"/{command.name} has a name twice")
        missing = [form.words for form in command.forms if not form.example.startswith(f"/{command.name}")]
        if missing:
            raise ValueError(f"/{command.name} {missing[0]} has no example")

    def find(self, name: str) -> Command | None:
        return self._by_name.get(name.lower())

    def is_command(self, line: str) -> bool:
        """Whether a line is meant as one: it begins with a single slash, and is no path of a file that nobody calls so; or it is
        `?`, `?WORD` or `#TEXT`, which stand for one."""
        line = _spelled(line)
        if not line.startswith("/") or line.startswith("//"):
            return False
        word = line[1:].split(None, 1)[0] if line[1:].strip() else ""
        return self.find(word) is not None or "/" not in word

    def read(self, line: str) -> Typed | Fail:
        """The command that a line says, with its words; text in quotes is one word, and behind `--` all is one as it was typed."""
        name, _, rest = _spelled(line)[1:].strip().partition(" ")
        command = self.find(name)
        if command is None:
            return self.unknown(name)
        before, *behind = _BEHIND.split(rest, maxsplit=1)
        return Typed(command, (*words_of(before), *(word for raw in behind for word in ("--", raw.strip()))))

    async def run(self, line: str, desk: Desk) -> Outcome:
        """Do what a line says. Whatever goes wrong is told as a failure."""
        typed = self.read(line)
        if isinstance(typed, Fail):
            return typed
        command, words = typed.command, typed.words
        if len(words) == 1 and words[0] in _HELP and not (words[0] == "help" and "help" in command.words()):
            return Show(command.usage, f"/{command.name}")
        if desk.is_busy and command.during_turn == "refuse":
            return Fail("stop the turn first (Esc)")
        if command.kind == "prompt" and FRESH in words:
            return _elsewhere(await function_of(command)([word for word in words if word != FRESH], desk))
        outcome = await function_of(command)(words, desk)
        return Ask(outcome.prompt, outcome.images, later=True) if isinstance(outcome, Ask) and desk.is_busy else outcome

    def unknown(self, name: str) -> Fail:
        """What a name is answered that no command has."""
        begins = sorted(known for known in self._by_name if name and known.startswith(name.lower()))
        near = [(steps, known) for known in self._by_name if (steps := _distance(name.lower(), known)) <= 2]
        if near:  # of those that are as near letters in another order are likelier than one too many
            nearest = min(near, key=lambda each: (each[0], abs(len(each[1]) - len(name)), each[1]))[1]
            return Fail(f"unknown command /{name} - did you mean /{nearest}?", "/help lists the commands.")
        if begins:
            candidates = ", ".join(f"/{known}" for known in begins[:6])
            return Fail(f"unknown command /{name} - it begins like {candidates}", "Write one of them whole.")
        return Fail(f"unknown command /{name}", "/help lists the commands.")


def _spelled(line: str) -> str:
    """The command that another form of input stands for."""
    if re.fullmatch(r"\?[\w-]*", line):
        return f"/help {line}".removesuffix(" ?")
    return f"/remember {line[1:].strip()} {ASKED}" if re.fullmatch(r"#(?!#)\s?\S[^\n]*", line) else line


def _elsewhere(outcome: Outcome) -> Outcome:
    """What would be asked here, asked in a new conversation."""
    match outcome:
        case Ask(prompt, images):
            return Open("session", ops=(Prompt(prompt, images),))
        case Do(ops) if ops:
            return Open("session", ops=ops)
    return outcome


def usage_of(command: Command) -> Fail:
    """What a command answers to words that mean nothing to it."""
    return Fail("usage: " + "\n       ".join(f"/{command.name} {form.words}".rstrip() for form in command.forms))


def function_of(command: Command) -> Running:
    """The function that answers; raises ImportError or AttributeError where there is none."""
    module, _, name = command.run.partition(":")
    function: Running = getattr(import_module(module), name)
    return function


def words_of(text: str) -> list[str]:
    """The words of a line; quotes hold one together, and one that is left open ends with the line."""
    return [quoted or single or plain for quoted, single, plain in re.findall(r"\"([^\"]*)\"?|'([^']*)'?|(\S+)", text)]


def ranked(query: str, names: Sequence[str]) -> list[str]:
    """Those that a person may mean by `query`: that begin so, then with a word that does, then with these letters in order."""
    query = query.lower()

    def rank(name: str) -> int:
        low = name.lower()
        if low.startswith(query):
            return 0
        if any(word.startswith(query) for word in re.split(r"[-_/. ]", low)):
            return 1
        letters = iter(low)
        return 2 if all(letter in letters for letter in query) else 3

    return [name for place, name in sorted((rank(name), name) for name in names) if place < 3]


def _distance(one: str, other: str) -> int:
    """How many letters must be exchanged, added or left out, two neighbours that changed places counting once."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above, row = row, [at]
        for place, wanted in enumerate(other, 1):
            cost = min(row[-1] + 1, above[place] + 1, above[place - 1] + (letter != wanted))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == wanted:
                cost = min(cost, before[place - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
