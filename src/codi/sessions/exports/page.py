"""A session as a page: one file that opens without a network. What was said is data in it, never markup."""

from base64 import b64encode
from importlib.resources import files
from typing import Any

from codi.sessions.exports.taken import Taken
from codi.sessions.json_lines import encoded


def page_of(
    taken: Taken, *, system_prompt: str | None = None, tools: list[dict[str, Any]] | None = None, bundle: bytes = b""
) -> str:
    """`bundle` is put into the page as it is, for who wants to go on with the session."""
    told = {
        "header": taken.header,
        "entries": taken.objects,
        "leafId": taken.leaf,
        "systemPrompt": system_prompt,
        "tools": tools or [],
    }
    more = (
        f'<script id="codi-share" type="application/octet-stream;base64">{_base64(bundle)}</script>\n' if bundle else ""
    )
    template = files(__package__).joinpath("page.html").read_text("utf-8")
    return template.replace("{{DATA}}", _base64(encoded(told)), 1).replace("{{MORE}}", more, 1)


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
