"""An issuer of logins on this machine, which checks what a real one would: PKCE, exact addresses, single use, rotation."""

import hashlib
import json
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


class Issuer:
    """`lifetime_s` is told of each access token. What happens differently from a healthy issuer is set by the attributes."""

    url = ""

    def __init__(self, client_id: str = "codi-test") -> None:
        self.client_id = client_id
        self.lifetime_s: float | None = 3600
        self.state: str | None = None
        """Sent in place of the state that was asked with."""
        self.iss: str | None = None
        self.error: str = ""
        self.answers: list[tuple[int, bytes]] = []
        """What the token endpoint says next, in place of its own answers."""
        self.device: list[str] = []
        """What polling is told before it is given tokens."""
        self.exchange: dict[str, Any] = {}
        self.id_token: str = ""
        self.complaints: list[str] = []
        self.asked: list[dict[str, str]] = []
        """The forms that the token endpoint got."""
        self.exchanged: list[str] = []
        self.valid: set[str] = set()
        self.refresh: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def toml(self, name: str) -> str:
        """The table with which codi logs in here."""
        return (
            f'[auth.providers.{name}]\nauthorize_url = "{self.url}/authorize"\ntoken_url = "{self.url}/token"\n'
            f'device_url = "{self.url}/device"\nclient_id = "{self.client_id}"\nscopes = ["ask", "more"]\n'
        )

    def grants(self) -> list[str]:
        return [form["grant_type"] for form in self.asked]

    def tokens(self) -> dict[str, Any]:
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        self.valid.add(access)
        self.refresh.add(refresh)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            **({"id_token": self.id_token} if self.id_token else {}),
            **({} if self.lifetime_s is None else {"expires_in": self.lifetime_s}),
        }

    def authorize(self, query: dict[str, str]) -> tuple[int, str]:
        """A person who agrees at once. Returns the address to which the browser is sent."""
        if query.get("response_type") != "code" or query.get("client_id") != self.client_id:
            self.complaints.append("no such application")
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            self.complaints.append("no S256 challenge")
        if len(query.get("state", "")) < 32:  # 192 bits
            self.complaints.append("the state is too short")
        redirect = urlsplit(query["redirect_uri"])
        if redirect.scheme != "http" or redirect.hostname != "127.0.0.1" or not redirect.port:
            self.complaints.append("no loopback redirect")
        if query.get("scope") != "ask more":
            self.complaints.append(f"scopes: {query.get('scope')}")
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        answer = {"state": query["state"] if self.state is None else self.state}
        answer |= {"error": self.error} if self.error else {"code": code}
        if self.iss is not None:
            answer["iss"] = self.iss
        return 302, f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str]) -> tuple[int, bytes]:
        with self._lock:
            self.asked.append(form)
            if self.answers:
                return self.answers.pop(0)
            if form.get("client_id") != self.client_id:
                return _no("invalid_client")
            match form["grant_type"]:
                case "authorization_code":
                    asked = self._codes.pop(form["code"], None)
                    challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
                    if asked is None or asked["code_challenge"] != challenge.rstrip("="):
                        return _no("invalid_grant")
                    if asked["redirect_uri"] != form["redirect_uri"]:
                        return _no("invalid_grant")
                case "refresh_token":
                    if form["refresh_token"] not in self.refresh:
                        return _no("invalid_grant")
                    self.refresh.discard(form["refresh_token"])  # each is good once
                case "urn:ietf:params:oauth:grant-type:device_code":
                    if self.device:
                        return _no(self.device.pop(0))
            return 200, json.dumps(self.tokens()).encode()


def _no(error: str) -> tuple[int, bytes]:
    return 400, json.dumps({"error": error, "error_description": f"said {error}"}).encode()


@contextmanager
def issuing(client_id: str = "codi-test") -> Iterator[Issuer]:
    issuer = Issuer(client_id)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/authorize":
                status, target = issuer.authorize({name: values[0] for name, values in parse_qs(url.query).items()})
                self._say(status, b"", location=target)
            elif url.path == "/exchange":
                issuer.exchanged.append(self.headers["authorization"])
                self._say(200 if issuer.exchange else 401, json.dumps(issuer.exchange).encode())
            else:
                self._say(404, b"")

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            if self.path == "/token":
                self._say(*issuer.token(form))
            elif self.path == "/device":
                told = {"device_code": "dc", "user_code": "WDJB-MJHT", "verification_uri": f"{issuer.url}/activate"}
                self._say(200, json.dumps(told | {"interval": 0, "expires_in": 60}).encode())

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
