"""A login in the terminal: the address is shown and opened, the answer awaited."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from subprocess import DEVNULL

import anyio

from codi.credentials.kept import Kept
from codi.credentials.oauth import browser_login, device_login
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer
from codi.frontends.sanitiser import visible
from codi.protocol.network import Hear
from codi.workspace.processes import PROVIDER_KEYS

_OWN = ("CODI_CREDENTIALS_KEY", "CODI_PASSPHRASE_FD")


async def log_in(issuer: Issuer, env: Mapping[str, str], *, device: bool, offline: bool, hear: Hear) -> Kept:
    """By a browser on this machine; by another device where that is wanted, or where there is no browser here."""
    exchange = Exchange(issuer, env, offline=offline, hear=hear)
    if issuer.device_url and (device or not issuer.authorize_url or not _has_browser(env)):
        return await device_login.log_in(issuer, exchange, _show_code)
    show = _open_page if _has_browser(env) else _show_page
    return await browser_login.log_in(issuer, exchange, show, _pasted)


async def _show_code(address: str, code: str, complete: str | None) -> None:
    print(f"Open {visible(address)} in a browser and type the code {visible(code)}", file=sys.stderr)
    if complete:
        print(f"or open {visible(complete)}", file=sys.stderr)
    sys.stderr.flush()


async def _show_page(url: str) -> None:
    print(
        f"Log in on this page:\n{url}\nWhere the browser runs on another machine, paste the address at which it ends.",
        file=sys.stderr,
        flush=True,
    )


async def _open_page(url: str) -> None:
    await _show_page(url)
    # In a process of its own, since some browsers are waited for until they end, and most have something to say. No key of
    # a model goes with it, and nothing that lies in the working directory is loaded.
    words = [sys.executable, "-I", "-m", "webbrowser", url]
    env = {name: value for name, value in os.environ.items() if name not in (*PROVIDER_KEYS, *_OWN)}
    with suppress(OSError):
        await anyio.run_process(words, env=env, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, check=False)


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
