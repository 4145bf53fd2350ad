"""A login in the terminal: the address is shown and opened, the answer awaited."""

import os
import sys
import webbrowser
from collections.abc import Mapping

import anyio
from anyio import to_thread

from codi.credentials.kept import Kept
from codi.credentials.oauth import browser_login, device_login
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer
from codi.frontends.sanitiser import visible


async def log_in(issuer: Issuer, env: Mapping[str, str], *, device: bool, offline: bool) -> Kept:
    """By a browser on this machine; by another device where that is wanted, or where there is no browser here."""
    exchange = Exchange(issuer, env, offline=offline)
    if issuer.device_url and (device or not issuer.authorize_url or not _has_browser(env)):
        return await device_login.log_in(issuer, exchange, _show_code)
    return await browser_login.log_in(issuer, exchange, _show_page, _pasted)


async def _show_code(address: str, code: str, complete: str | None) -> None:
    print(f"Open {visible(address)} in a browser and type the code {visible(code)}", file=sys.stderr)
    if complete:
        print(f"or open {visible(complete)}", file=sys.stderr)
    sys.stderr.flush()


async def _show_page(url: str) -> None:
    print(
        f"Log in on this page, which a browser should open:\n{url}\n"
        "Where the browser runs on another machine, paste the address at which it ends.",
        file=sys.stderr,
        flush=True,
    )
    # In a thread, since some browsers are waited for until they end.
    await to_thread.run_sync(webbrowser.open, url, abandon_on_cancel=True)


async def _pasted() -> str | None:
    """The first line of standard input that is not empty; None where there is none. No thread waits in it, which would outlive
    the login."""
    line = b""
    while True:
        try:
            await anyio.wait_readable(0)
        except (OSError, ValueError):
            pass  # a file, which can always be read
        piece = os.read(0, 1)
        line += piece
        if piece in (b"\n", b""):
            if line.strip() or not piece:
                return line.decode(errors="replace").strip() or None
            line = b""


def _has_browser(env: Mapping[str, str]) -> bool:
    if sys.platform.startswith("linux") and not any(
        env.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
