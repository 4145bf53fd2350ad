"""A model is known by its own name alone, an unknown price stays unknown, and what a request cost is plain arithmetic."""

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.protocol.errors import ConfigError
from codi.protocol.messages import Usage
from codi.providers.catalog import Catalog, cost
from codi.providers.presets import presets
from codi.providers.provider import Prices, Tier
from codi.providers.shipped import TABLES, shipped


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load()


def test_an_id_is_never_known_by_the_beginning_of_another(catalog):
    assert catalog.find("openai", "gpt-4.1").prices != catalog.find("openai", "gpt-4").prices
    for id in ("gpt-4.1-turbo", "gpt-4.", "gpt", "gpt-5-pro", "gpt-4.1-", "GPT-4.1", ""):
        assert catalog.find("openai", id) is None, id


@given(st.text("0123456789-abcdot.", max_size=12))
def test_whatever_follows_an_id_makes_it_another(tail):
    catalog = Catalog.load()
    found = catalog.find("anthropic", "claude-sonnet-4-5" + tail)
    dated = tail == "" or (len(tail) == 9 and tail[0] == "-" and tail[1:].isdecimal())
    assert (found is not None) == dated


@pytest.mark.parametrize(
    ("service", "asked", "name"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("anthropic", "claude-sonnet-4-20250514", "Claude Sonnet 4"),
        ("anthropic", "claude-3-5-haiku-latest", "Claude Haiku 3.5"),
        ("openai", "gpt-4o-2024-08-06", "GPT-4o"),
        ("openai", "gpt-4o-2024-05-13", "GPT-4o (May 2024)"),
        ("azure", "gpt-4.1", "GPT-4.1"),
        ("google", "gemini-2.0-flash-001", "Gemini 2.0 Flash"),
    ],
)
def test_aliases_and_dates_that_are_declared_mean_their_model(catalog, service, asked, name):
    entry = catalog.find(service, asked)
    assert (entry.id, entry.service, entry.name) == (asked, service, name)


@pytest.mark.parametrize("asked", ["claude-opus-4-6-20260205", "gpt-4o-20240806", "claude-sonnet-4-5-2025-09-29"])
def test_dates_of_another_form_or_undeclared_ones_mean_nothing(catalog, asked):
    assert catalog.find("anthropic", asked) is None
    assert catalog.find("openai", asked) is None


def test_an_unknown_model_has_an_assumed_window_and_no_price(catalog):
    hosted = catalog.entry("openai", "gpt-99")
    assert (hosted.id, hosted.window, hosted.assumed, hosted.prices) == ("gpt-99", 128_000, True, None)


@pytest.mark.parametrize("service", ["ollama", "lmstudio", "llamacpp", "vllm"])
def test_local_servers_cost_nothing_and_their_window_is_assumed_small(catalog, service):
    entry = catalog.entry(service, "qwen3:8b")
    assert (entry.prices, entry.window, entry.assumed) == (Prices(0, 0), 8_192, True)
    assert cost(Usage(input=1_000_000, output=5), entry.prices).total == 0


@pytest.mark.parametrize("table", TABLES)
def test_what_a_start_reads_is_what_persons_write(table):
    written = tomllib.loads(files("codi.providers").joinpath(f"{table}.toml").read_text())
    read = shipped(table)
    assert read == written, "write it anew: python tools/tables.py"
    assert [list(row) for row in read.values() if isinstance(row, dict)] == [
        list(row) for row in written.values() if isinstance(row, dict)
    ]
    assert list(read) == list(written), "the order counts"


def test_every_model_that_is_written_is_found(catalog):
    rows = tomllib.loads(files("codi.providers").joinpath("models.toml").read_text())
    assert catalog.as_of == rows.pop("as_of")
    assert rows.pop("same") == {"azure": "openai"}
    for service, table in rows.items():
        assert [entry.id for entry in catalog.entries(service)] == list(table), service
    assert set(catalog.services()) == {*rows, "azure"}


def test_what_ships_is_sound(catalog):
    assert len(catalog.entries()) > 60
    for entry in catalog.entries():
        assert entry.service in presets(), entry
        assert not entry.assumed and 0 < entry.max_output <= entry.window, entry
        assert entry.abilities.thinking == bool(entry.thinking_levels), entry
        if entry.prices:
            assert entry.prices.cache_read <= entry.prices.input <= entry.prices.output, entry
            assert [tier.above for tier in entry.prices.tiers] == sorted({t.above for t in entry.prices.tiers})


def test_every_default_model_that_has_a_table_stands_in_it(catalog):
    for name, preset in presets().items():
        if preset.model and name in ("anthropic", "openai", "google", "azure", "openrouter", "deepseek", "groq"):
            assert catalog.find(name, preset.model), name


def test_the_three_nearest_names(catalog):
    near = catalog.near("claude-sonet-4-5")
    assert near[0] == "anthropic/claude-sonnet-4-5" and len(near) == 3
    assert catalog.near("gpt4.1", "openai")[0] == "gpt-4.1"
    assert not any(name.startswith("azure/") for name in catalog.near("gpt-4.1"))


def test_a_text_finds_the_models_that_hold_it(catalog):
    assert [entry.id for entry in catalog.matching("opus 4.5", ["anthropic"])] == ["claude-opus-4-5"]
    assert len(catalog.matching("sonnet", ["anthropic"])) > 3
    assert catalog.matching("nothing-of-the-kind", catalog.services()) == []


def test_the_persons_file_counts_more_than_what_ships(tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(
        'as_of = "2030-01-01"\n'
        "[anthropic.claude-sonnet-4-5]\nprice = { input = 1, output = 2 }\n"
        '[anthropic.mine]\nwindow = 50_000\nthinking = ["low"]\n'
        '[acme."x/y"]\nmax_output = 7\n'
    )
    catalog = Catalog.load(str(file))

    known = catalog.find("anthropic", "claude-sonnet-4-5")
    assert known.prices == Prices(1, 2, 1, 1, 1) and known.window == 200_000
    mine = catalog.find("anthropic", "mine")
    assert (mine.window, mine.prices, mine.abilities.thinking, mine.assumed) == (50_000, None, True, False)
    assert catalog.find("acme", "x/y").max_output == 7
    assert "acme" in catalog.services()
    assert catalog.find("anthropic", "claude-opus-4-5") is not None


@pytest.mark.parametrize("text", ["[a.b]\nwindo = 1", "[a.b]\nwindow = 'x'", "[a", "[a]\nb = 1"])
def test_a_broken_file_is_named(tmp_path, text):
    file = tmp_path / "models.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"models\.toml"):
        Catalog.load(str(file))


def test_no_file_is_no_error(tmp_path):
    assert Catalog.load(str(tmp_path / "none.toml")).find("openai", "gpt-4.1")


def test_the_configuration_counts_most():
    overrides = {
        "sonnet": {"provider": "anthropic", "model": "claude-sonnet-4-5", "max_tokens": 9, "temperature": 0.5},
        "local": {"provider": "ollama", "model": "qwen3:8b", "window": 40_000, "price": {"input": 1, "output": 1}},
    }
    catalog = Catalog.load(None, overrides)
    assert catalog.entry("anthropic", "claude-sonnet-4-5").max_output == 9
    assert catalog.entry("openrouter", "claude-sonnet-4-5").max_output != 9
    local = catalog.entry("ollama", "qwen3:8b")
    assert (local.window, local.assumed, local.prices.input) == (40_000, False, 1)
    with pytest.raises(ConfigError, match="models"):
        Catalog.load(None, {"bad": {"window": "big"}})


PRICES = Prices(3, 15, 0.3, 3.75, 6, (Tier(200_000, 6, 22.5, 0.6, 7.5, 12),))


def test_each_class_of_token_has_its_price():
    usage = Usage(input=1_000, output=2_000, cache_read=10_000, cache_write=5_000, cache_write_1h=1_000)
    paid = cost(usage, PRICES)
    assert paid.input == pytest.approx(0.003)
    assert paid.output == pytest.approx(0.03)
    assert paid.cache_read == pytest.approx(0.003)
    assert paid.cache_write == pytest.approx((4_000 * 3.75 + 1_000 * 6) / 1e6)
    assert paid.total == pytest.approx(0.003 + 0.03 + 0.003 + 0.021)


def test_a_long_prompt_costs_its_tier_cached_tokens_included():
    short = cost(Usage(input=100, cache_read=199_900, output=10), PRICES)
    long = cost(Usage(input=101, cache_read=199_900, output=10), PRICES)
    assert short.output == pytest.approx(10 * 15 / 1e6)
    assert long.output == pytest.approx(10 * 22.5 / 1e6)
    assert long.cache_read == pytest.approx(199_900 * 0.6 / 1e6)


def test_the_highest_tier_that_is_passed_counts():
    prices = Prices(1, 1, tiers=(Tier(10, 2, 2), Tier(20, 3, 3)))
    assert [cost(Usage(input=n), prices).input * 1e6 / n for n in (10, 11, 21)] == pytest.approx([1, 2, 3])


def test_an_unknown_price_is_an_unknown_cost():
    assert cost(Usage(input=5), None) is None


tokens = st.integers(0, 10**6)


@given(tokens, tokens, tokens, tokens)
def test_cost_adds_up_where_there_are_no_tiers(a, b, c, d):
    flat = Prices(3, 15, 0.3, 3.75, 6)
    one = cost(Usage(input=a, output=b, cache_read=c, cache_write=d), flat)
    two = cost(Usage(input=2 * a, output=2 * b, cache_read=2 * c, cache_write=2 * d), flat)
    assert two.total == pytest.approx(2 * one.total)


def test_a_model_may_be_said_to_lack_an_ability():
    catalog = Catalog.load(None, {"x-1": {"abilities": ["vision"]}})

    abilities = catalog.entry("openai", "x-1").abilities
    assert abilities.vision and not abilities.tools
