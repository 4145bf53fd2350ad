"""On which line of a TOML text each key stands. Only for texts that a parser has accepted already."""

from collections.abc import Iterator

Path = tuple[str, ...]


def lines_of(text: str) -> dict[Path, int]:
    """The line, counted from 1, of every table and of every key with a value; what stands inside of a value is not told
    apart. The keys of the second and later tables of a list of tables count as those of the first."""
    lines: dict[Path, int] = {}
    for table, key, line, statement in statements_of(text):
        if key:
            for length in range(len(table) + 1, len(table) + len(key) + 1):
                lines.setdefault((table + key)[:length], line)
        elif statement.lstrip().startswith("["):
            lines.setdefault(table, line)
    return lines


def statements_of(text: str) -> Iterator[tuple[Path, Path, int, str]]:
    """Every statement: the table in which it stands (or that it begins), the key that it sets there, its line and its text. A
    comment sets no key. The texts together are the whole text."""
    table: Path = ()
    at, number = 0, 1
    while at < len(text):
        end = _end_of_statement(text, at)
        statement = text[at:end]
        begin = statement.lstrip()
        line = number + statement[: len(statement) - len(begin)].count("\n")
        key: Path = ()
        if begin.startswith("["):
            table = _path(begin, header=True)
        elif begin and not begin.startswith("#"):
            key = _path(begin[: _end_of_key(begin)], header=False)
        yield table, key, line, statement
        number += statement.count("\n")
        at = end


def _end_of_statement(text: str, at: int) -> int:
    """Where a line ends, with the lines on which its value goes on."""
    depth = 0
    is_header = text[at:].lstrip(" \t").startswith("[")
    while at < len(text):
        sign = text[at]
        if sign == "\n" and depth <= 0:
            return at + 1
        if sign == "#":
            newline = text.find("\n", at)
            at = len(text) if newline < 0 else newline
            continue
        if sign in "\"'":
            at = _end_of_string(text, at)
            continue
        if not is_header:
            depth += (sign in "[{") - (sign in "]}")
        at += 1
    return at


def _end_of_string(text: str, at: int) -> int:
    quote = text[at]
    mark = quote * 3 if text.startswith(quote * 3, at) else quote
    at += len(mark)
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
        elif text.startswith(mark, at):
            at += len(mark)
            # Up to two more quotes may belong to the end of a long string.
            while len(mark) == 3 and at < len(text) and text[at] == quote:
                at += 1
            return at
        else:
            at += 1
    return at


def _end_of_key(statement: str) -> int:
    at = 0
    while at < len(statement) and statement[at] != "=":
        at = _end_of_string(statement, at) if statement[at] in "\"'" else at + 1
    return at


def _path(text: str, *, header: bool) -> Path:
    """The parts of a key or a header, as the parser itself reads them."""
    import tomllib  # for those who have a file to ask about

    tree = tomllib.loads(text if header else f"{text} = 0")
    parts: list[str] = []
    while isinstance(tree, dict) and tree:
        ((part, inner),) = tree.items()
        parts.append(part)
        tree = inner[0] if isinstance(inner, list) else inner
    return tuple(parts)
