"""Pages, searches and images, through the installed program and services on this machine."""

import base64
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from calling import results
from conftest import Codi, call, says

PAGE = """<html><head><title>T</title><script>evil()</script></head><body><nav>menu</nav><main><h1>Title</h1>
<p>Hello <a href="/more">more</a> and <b>bold</b>.</p><ul><li>one</li></ul></main></body></html>"""


@pytest.fixture
def site() -> Iterator[Any]:
    """A web site: `site.pages` maps a path to status, headers and body; `site.heard` are the paths asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.heard.append(self.path)  # type: ignore[attr-defined]
            status, headers, body = server.pages.get(self.path.partition("?")[0], (404, {}, b"nothing"))  # type: ignore[attr-defined]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # who had enough has hung up

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.heard, server.pages = [], {}  # type: ignore[attr-defined]
    server.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(url: str, **more):
    return call("web_fetch", url=url, **more)


def test_pages_are_read_and_private_hosts_refused(codi: Codi, lab, site):
    codi.set_up("web.allow_private = ['127.0.0.1']\n[agent]\nmax_failed_steps = 1000\n")
    html = {"Content-Type": "text/html; charset=latin-1"}
    site.pages |= {
        "/": (200, html, (PAGE.replace("Hello", "Hellö")).encode("latin-1")),
        "/json": (200, {"Content-Type": "application/json"}, b'{"a":[1,2]}'),
        "/binary": (200, {"Content-Type": "application/zip"}, b"PK\3\4" + bytes(2000)),
        "/big": (200, {"Content-Type": "text/plain"}, b"x" * 99 + b"\n" + b"0123456789abcdef\n" * 400_000),
        "/there": (302, {"Location": "/json"}, b""),
        "/name": (302, {"Location": f"http://localhost:{site.server_port}/json"}, b""),
        "/private": (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""),
        "/other": (302, {"Location": f"http://127.0.0.2:{site.server_port}/json"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
        "/round": (302, {"Location": "/round"}, b""),
    }
    paths = ("/", "/json", "/binary", "/big", "/there", "/name", "/private", "/other", "/file", "/round", "/gone")
    told = dict(zip(paths, results(codi, lab, *(fetch(site.url + path, max_chars=2000) for path in paths))))
    assert told["/"].startswith(f"{site.url}/ 200 text/html") and "# Title" in told["/"]
    assert f"Hellö [more]({site.url}/more) and **bold**" in told["/"] or "Hellö [more](/more) and **bold**" in told["/"]
    assert "evil" not in told["/"] and "untrusted" in told["/"].lower()
    assert '"a": [' in told["/json"] and "PK" not in told["/binary"] and "application/zip" in told["/binary"]
    assert len(told["/big"]) < 4000 and told["/there"].startswith(f"{site.url}/json 200")
    for path in ("/private", "/other", "/file", "/name", "/round"):
        assert '"a"' not in told[path], told[path]
    assert told["/round"].startswith("ERROR") and told["/gone"].startswith("ERROR") and "404" in told["/gone"]
    assert site.heard.count("/round") <= 6 and site.heard.count("/json") == 2


def test_without_a_network_both_tools_say_so(codi: Codi, lab, site):
    codi.set_up(f"web = {{searxng_url = '{site.url}', allow_private = ['127.0.0.1']}}\nnetwork.offline = true\n")
    told = results(codi, lab, fetch(site.url), call("web_search", query="x"))
    assert told[0] == "ERROR: Offline: no network." and "Offline: no network." in told[1] and site.heard == []


def test_a_search_names_what_failed_and_sends_what_was_asked(codi: Codi, lab, site):
    codi.set_up(f"web = {{searxng_url = '{site.url}'}}\n[agent]\nmax_failed_steps = 1000\n")
    found = {"results": [{"title": "T", "url": "https://t.example/1", "content": "snippet"}]}
    site.pages["/search"] = (200, {"Content-Type": "application/json"}, json.dumps(found).encode())
    told = results(
        codi,
        lab,
        call("web_search", query="a & b", date_range="week", site="t.example", limit=5),
        call("web_search", query="x" * 501),
        call("web_search", query="y", engine="brave"),
    )
    assert "T" in told[0] and "https://t.example/1" in told[0] and "snippet" in told[0]
    assert "a+%26+b" in site.heard[0] and "site%3At.example" in site.heard[0] and "time_range=week" in site.heard[0]
    assert told[1].startswith('ERROR: Validation failed for tool "web_search":') and "brave" in told[2]
    site.pages["/search"] = (500, {}, b"")
    (failed,) = results(codi, lab, call("web_search", query="z"))
    assert failed.startswith("ERROR") and "searxng" in failed and "500" in failed


def png(width: int, height: int) -> bytes:
    """A black picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = zlib.compress(b"".join(b"\0" + bytes(3 * width) for _ in range(height)), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_images_are_shown_to_a_model_that_sees(codi: Codi, lab, folder):
    codi.set_up(
        "[models.m]\nprovider = 'anthropic'\nmodel = 'x'\nabilities = ['tools', 'vision']\n"
        "[agent]\nmax_failed_steps = 1000\n"
    )
    (folder / "small.txt").write_bytes(png(3, 2))
    (folder / "large.png").write_bytes(png(2500, 1000))
    (folder / "cut.png").write_bytes(png(300, 200)[:50])
    (folder / "no.png").write_bytes(b"not a picture")
    server = lab([
        *(says("", call("view_image", path=name)) for name in ("small.txt", "large.png", "cut.png", "no.png", "gone.png")),
        says("", call("read", path="small.txt")),
        says("Done."),
    ])  # fmt: skip
    run = codi.json("look")
    assert run.status == 0, run
    told = [each["result"] for each in run.result["toolCalls"]]
    assert told[0].startswith("Read image file [image/png]") and told[5].startswith("Read image file [image/png]")
    assert [each["isError"] for each in run.result["toolCalls"]] == [False, False, True, True, True, False]
    assert "2500x1000 shown as 2000x800" in told[1] and "no.png" in told[3] and "File not found: gone.png" in told[4]
    sent = list(_images(server.requests[-1].json["messages"]))
    assert len(sent) == 3 and sent[0] == sent[2] == png(3, 2)
    assert struct.unpack(">II", sent[1][16:24]) == (2000, 800) or sent[1].startswith(b"\xff\xd8")


def _images(told: Any) -> Iterator[bytes]:
    if isinstance(told, dict):
        if told.get("type") == "base64":
            yield base64.b64decode(told["data"])
        for each in told.values():
            yield from _images(each)
    elif isinstance(told, list):
        for each in told:
            yield from _images(each)
