"""The search engines: which are set up, and how each is asked."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

Name = Literal["brave", "google", "bing", "searxng", "duckduckgo"]
DateRange = Literal["all", "year", "month", "week", "day"]

ORDER: tuple[Name, ...] = ("brave", "google", "bing", "searxng", "duckduckgo")

BRAVE = "https://api.search.brave.com"
GOOGLE = "https://www.googleapis.com"
BING = "https://api.bing.microsoft.com"
DUCKDUCKGO = "https://html.duckduckgo.com"

_SHORT = {"day": "d", "week": "w", "month": "m", "year": "y"}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


class Query(Struct, frozen=True):
    text: str
    limit: int = 10
    date_range: DateRange = "all"
    site: str | None = None

    @property
    def with_site(self) -> str:
        return f"{self.text} site:{self.site}" if self.site else self.text


class Engine(Struct, frozen=True):
    """One that is set up. `secrets` are its keys, which never show."""

    name: Name
    base: str
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Engine({self.name}, {self.base})"

    def request(self, query: Query, today: date) -> tuple[str, dict[str, str]]:
        """The URL and the headers of one request."""
        path, parameters, headers = _REQUESTS[self.name](self, query, today)
        return f"{self.base.rstrip('/')}{path}?{urlencode(parameters)}", headers


def engines(env: Mapping[str, str], *, searxng_url: str = "", duckduckgo: bool = False) -> list[Engine]:
    """Those that keys or settings make possible, in order."""

    def key(*names: str) -> str:
        return next((value for name in names if (value := env.get(name, "").strip())), "")

    brave = key("BRAVE_API_KEY", "BRAVE_SEARCH_API_KEY")
    google = key("GOOGLE_SEARCH_API_KEY"), key("GOOGLE_SEARCH_ENGINE_ID", "GOOGLE_CSE_ID")
    bing = key("BING_API_KEY", "BING_SEARCH_API_KEY")
    found = [
        Engine("brave", BRAVE, (brave,)) if brave else None,
        Engine("google", GOOGLE, google) if all(google) else None,
        Engine("bing", BING, (bing,)) if bing else None,
        Engine("searxng", searxng_url) if searxng_url else None,
        Engine("duckduckgo", DUCKDUCKGO) if duckduckgo else None,
    ]
    return [engine for engine in found if engine]


_Request = tuple[str, dict[str, str], dict[str, str]]


def _brave(engine: Engine, query: Query, today: date) -> _Request:
    parameters = {"q": query.with_site, "count": str(query.limit)}
    if query.date_range != "all":
        parameters["freshness"] = f"p{_SHORT[query.date_range]}"
    return "/res/v1/web/search", parameters, {"x-subscription-token": engine.secrets[0]}


def _google(engine: Engine, query: Query, today: date) -> _Request:
    parameters = {"cx": engine.secrets[1], "q": query.text, "num": str(min(query.limit, 10))}
    if query.date_range != "all":
        parameters["dateRestrict"] = f"{_SHORT[query.date_range]}1"
    if query.site:
        parameters |= {"siteSearch": query.site, "siteSearchFilter": "i"}
    return "/customsearch/v1", parameters, {"x-goog-api-key": engine.secrets[0]}


def _bing(engine: Engine, query: Query, today: date) -> _Request:
    parameters = {"q": query.with_site, "count": str(query.limit), "textFormat": "Raw"}
    if query.date_range == "year":
        parameters["freshness"] = f"{today - timedelta(days=_DAYS['year'])}..{today}"
    elif query.date_range != "all":
        parameters["freshness"] = query.date_range.capitalize()
    return "/v7.0/search", parameters, {"ocp-apim-subscription-key": engine.secrets[0]}


def _searxng(engine: Engine, query: Query, today: date) -> _Request:
    parameters = {"q": query.with_site, "format": "json"}
    if query.date_range != "all":
        parameters["time_range"] = query.date_range
    return "/search", parameters, {}


def _duckduckgo(engine: Engine, query: Query, today: date) -> _Request:
    parameters = {"q": query.with_site}
    if query.date_range != "all":
        parameters["df"] = _SHORT[query.date_range]
    return "/html/", parameters, {}


_REQUESTS: dict[Name, Callable[[Engine, Query, date], _Request]] = {
    "brave": _brave,
    "google": _google,
    "bing": _bing,
    "searxng": _searxng,
    "duckduckgo": _duckduckgo,
}
