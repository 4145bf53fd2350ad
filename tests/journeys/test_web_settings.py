"""Searching and fetching through the installed program: what each key of `[web]` does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import Codi, call, says


@pytest.fixture
def searxng() -> Iterator[ThreadingHTTPServer]:
    """A search engine of one's own, with twenty results for everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.heard.append(self.path)
            results = [{"title": f"T{n}", "url": f"https://t.org/{n}", "content": "c"} for n in range(20)]
            body = json.dumps({"results": results}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.heard = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def used(codi: Codi, tool: str, *words: str, **arguments):
    run = codi("tool", "call", tool, json.dumps(arguments), "-y", *words)
    return json.loads(run.out)["content"][0]["text"] if run.out else run.err


def test_a_search_engine_of_ones_own(codi: Codi, searxng):
    codi.set_up(f"web = {{searxng_url = '{searxng.url}', max_results = 3}}")
    text = used(codi, "web_search", query="a b", site="t.org")
    assert text.startswith("Results of searxng.") and "3. T2" in text and "4. T3" not in text
    assert searxng.heard == ["/search?q=a+b+site%3At.org&format=json"]
    assert codi("tool", "call", "web_search", '{"query": "x"}').status == 3


def test_an_engine_that_is_wanted_alone(codi: Codi, searxng):
    codi.set_up(f"web = {{searxng_url = '{searxng.url}', engine = 'brave'}}")
    assert used(codi, "web_search", query="x") == "The engine brave is not set up. There is searxng."


def test_an_address_that_is_none(codi: Codi):
    codi.set_up("web.searxng_url = 'nowhere'")
    run = codi("tool", "call", "web_fetch", '{"url": "https://example.org"}', "-y")
    assert run.status == 2 and "web.searxng_url: nowhere is no http or https URL." in run.err


def test_searching_is_offered_when_it_is_set_up(codi: Codi):
    def offered() -> set[str]:
        return {tool["name"] for tool in json.loads(codi("tool", "list", "--json").out)}

    assert "web_search" not in offered()
    codi.set_up("web.duckduckgo = true")
    assert "web_search" in offered()


def test_results_are_kept(codi: Codi, searxng, lab):
    for ttl, times in ((3600, 1), (0, 2)):
        searxng.heard.clear()
        codi.set_up(f"web = {{searxng_url = '{searxng.url}', cache_ttl_s = {ttl}}}")
        lab([says("", call("web_search", query="x")), says("", call("web_search", query="x")), says("done")])
        assert codi("-p", "go", "-y").status == 0
        assert len(searxng.heard) == times


def test_hosts_of_ones_own(codi: Codi, searxng):
    assert used(codi, "web_fetch", url=searxng.url).startswith("Refused: 127.0.0.1 is at 127.0.0.1")
    codi.set_up("web.allow_private = ['127.0.0.1']")
    assert used(codi, "web_fetch", url=searxng.url).startswith(f"{searxng.url} 200 application/json")
    codi.set_up("web.allow_private = ['127.0.0.1']\nnetwork.offline = true")
    assert used(codi, "web_fetch", url=searxng.url) == "Offline: no network."


def test_pages_of_documentation_are_kept_for_a_day(codi: Codi, searxng):
    web = "web = {allow_private = ['127.0.0.1'], cache_ttl_s = %d}"
    codi.set_up(web % 3600)
    for path, times in (("/docs/a", 1), ("/news/a", 2)):
        searxng.heard.clear()
        first = used(codi, "web_fetch", url=searxng.url + path)
        again = used(codi, "web_fetch", url=searxng.url + path)
        assert len(searxng.heard) == times
        assert again.partition("\n\n[")[0] == first
        assert ("Fetched 0 min ago; pages of documentation are kept for a day" in again) == (times == 1)
    codi.set_up(web % 0)
    used(codi, "web_fetch", url=searxng.url + "/docs/a")
    assert searxng.heard[-1] == "/docs/a"
