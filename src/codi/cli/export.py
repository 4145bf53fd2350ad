"""`codi export`: a session as one file for others, without secrets."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import anyio
from msgspec import to_builtins

from codi.cli.exporting import Desk, default_name, is_sure, write_new
from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json
from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.frontends.outcome import Outcome
from codi.protocol.errors import CodiError, UsageError
from codi.sessions.exports.markdown import markdown_of
from codi.sessions.exports.page import page_of
from codi.sessions.exports.plain import text_of
from codi.sessions.exports.taken import Taken, changed
from codi.sessions.json_lines import encoded

ENDINGS = {"html": "html", "md": "md", "jsonl": "jsonl", "json": "json", "text": "txt"}
_FORMATS = {
    "html": "html",
    "htm": "html",
    "md": "md",
    "markdown": "md",
    "jsonl": "jsonl",
    "json": "json",
    "txt": "text",
}


def declare(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--format", choices=tuple(ENDINGS), help="else by the ending of PATH, else html")
    parser.add_argument("--out", metavar="PATH", help="the file; - is standard output")
    parser.add_argument("--all", action="store_true", help="all branches, not the present path alone")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--no-redact", action="store_true", help="leave secrets, home and name in; asks")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi export", description="Write a session as one file, without secrets.")
    declare(parser)
    add_general(parser)
    return export(parser.parse_args(words))


def export(args: Any) -> int:
    form = args.format or _format_of(args.out)
    desk = Desk(args)
    if args.no_redact and not is_sure(
        args, "Write it with all secrets, paths and names that it may hold?", "leaving secrets in"
    ):
        print("nothing was written", file=sys.stderr)
        return 1
    redacted = not args.no_redact
    taken = desk.taken(everything=args.all, redacted=redacted)
    content = _content(form, taken, desk, redacted=redacted)
    if args.out == "-":
        if sys.stdout.isatty():  # what is text can be read there, and must do nothing
            sys.stdout.write(content.decode(errors="replace"))
        else:
            sys.stdout.buffer.write(content)
        return 0
    path = os.path.join(desk.places.cwd, os.path.expanduser(args.out or default_name(taken, ENDINGS[form])))
    write_new(path, content, force=args.force)
    if args.json:
        print_json({"path": path, "format": form, "bytes": len(content), "redactions": desk.redaction.told()})
    if not args.quiet:
        print(f"exported to: {path}", file=sys.stderr)
    return 0


def _format_of(out: str | None) -> str:
    ending = os.path.splitext(out or "")[1][1:].lower()
    if not out or out == "-" or not ending:
        return "html"
    if ending not in _FORMATS:
        raise UsageError(f"no format has the ending .{ending}", hint=f"Name one with --format: {', '.join(ENDINGS)}.")
    return _FORMATS[ending]


def _content(form: str, taken: Taken, desk: Desk, *, redacted: bool) -> bytes:
    match form:
        case "jsonl":
            return taken.content()
        case "md":
            return _utf8(markdown_of(taken))
        case "text":
            return _utf8(text_of(taken))
        case "json":
            return encoded(_as_json(taken)) + b"\n"
    prompt, tools = _surroundings(desk)
    if redacted:
        prompt, tools = prompt and desk.redaction(prompt), changed(tools, desk.redaction)
    return _utf8(page_of(taken, system_prompt=prompt, tools=tools))


def _as_json(taken: Taken) -> dict[str, Any]:
    """The messages in the shapes of version 3, and what a run would have told of itself."""
    outcome = Outcome()
    for entry in taken.entries:
        outcome.hear(entry)
    told = outcome.as_json(session_id=str(taken.header.get("id")), session_file=None, cwd=str(taken.header.get("cwd")))
    messages = [json["message"] for json in taken.objects if json.get("type") == "message" and "message" in json]
    return {**told, "type": "session", "title": taken.title, "header": taken.header, "messages": messages}


def _surroundings(desk: Desk) -> tuple[str | None, list[dict[str, Any]]]:
    """The system prompt and the tools as codi would offer them here today; a session does not keep them."""
    try:
        engine = Engine(desk.places, desk.settings, Options(keep=False))
        prompt = "\n\n".join(part.tagged for part in anyio.run(engine.prompt_parts))
        return prompt, [to_builtins(tool) for tool in engine.tools()]
    except CodiError:
        return None, []


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
