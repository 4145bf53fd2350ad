"""`codi share`: a session as a bundle that goes on elsewhere, shown and confirmed before it is written."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from codi.cli.exporting import Desk, default_name, is_sure, write_new
from codi.cli.flags import Parser, add_general
from codi.cli.printing import print_json
from codi.frontends.sanitiser import visible
from codi.sessions.bundles import Bundle, bundle_of
from codi.sessions.exports.page import page_of
from codi.sessions.json_lines import encoded


def run(words: Sequence[str]) -> int:
    parser = Parser(prog="codi share", description="Write a session as a bundle, without secrets, to go on elsewhere.")
    parser.add_argument("id", metavar="ID", help="the beginning of an id, a name, or a path")
    parser.add_argument("--html", action="store_true", help="in a page that shows it")
    parser.add_argument("--gist", action="store_true", help="as a secret gist, by the program gh where it is there")
    parser.add_argument("--out", metavar="PATH", help="the file")
    parser.add_argument("--all", action="store_true", help="all branches, not the present path alone")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--dry-run", action="store_true", help="say what it holds, and write nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_general(parser)
    args = parser.parse_args(words)
    desk = Desk(args)
    taken = desk.taken(everything=args.all)
    bundle = bundle_of(taken, desk.redaction.told())
    ending = "html" if args.html else "codi.json"
    path = os.path.join(desk.places.cwd, os.path.expanduser(args.out or default_name(taken, ending)))
    if args.dry_run:
        print_json({"path": path, **contents_json(bundle)}) if args.json else print(contents(bundle, path))
        return 0
    if not args.yes:
        print(contents(bundle, path), file=sys.stderr)
    if not is_sure(args, "Write it?", "sharing"):
        print("nothing was written", file=sys.stderr)
        return 1
    content = encoded(bundle)
    if args.html:
        content = page_of(taken, bundle=content).encode("utf-8", "backslashreplace")
    write_new(path, content, force=args.force)
    url = _gist(path, quiet=args.quiet) if args.gist else None
    if args.json:
        print_json({"path": path, "url": url, **contents_json(bundle)})
    else:
        print(url or path)
    return 0


def contents(bundle: Bundle, path: str) -> str:
    """What a bundle holds, for who decides whether to give it away."""
    told = contents_json(bundle)
    lines = [
        f"{path} would hold:",
        f"  session    {told['session']}",
        f"  entries    {told['entries']} ({', '.join(f'{count} {kind}' for kind, count in told['kinds'].items())})",
        f"  images     {told['images']}",
        f"  files      {told['files']}",
        f"  commands   {told['commands']}",
        "  taken out  " + (", ".join(f"{row['count']} {row['kind']}" for row in bundle.redactions) or "nothing"),
    ]
    return visible("\n".join(lines))


def contents_json(bundle: Bundle) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    commands = 0
    for entry in bundle.entries:
        message = entry.get("message")
        role = message.get("role") if isinstance(message, dict) else None
        kinds[str(role or entry.get("customType") or entry.get("type"))] += 1
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else []:
            commands += isinstance(block, dict) and block.get("name") == "shell"
    return {
        "session": bundle.header.get("id"),
        "entries": len(bundle.entries),
        "kinds": dict(kinds.most_common()),
        "images": len(bundle.blobs),
        "files": len(bundle.files) if isinstance(bundle.files, dict) else 0,
        "commands": commands,
        "redactions": bundle.redactions,
    }


def _gist(path: str, *, quiet: bool) -> str | None:
    program = shutil.which("gh")
    if program is None:
        if not quiet:
            print(f"gh is not installed; the file is {path}", file=sys.stderr)
        return None
    done = subprocess.run([program, "gist", "create", path], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        print(f"warning: gh made no gist ({done.stderr.strip()}); the file is {path}", file=sys.stderr)
        return None
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else None
