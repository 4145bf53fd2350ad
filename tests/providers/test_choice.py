"""Which model answers, for every way in which one can be asked for, and for every key that may lie about."""

import pytest

from codi.protocol.errors import ConfigError, CredentialError, NetworkError, NotFound, UsageError
from codi.providers.choice import Choice, LocalServer, ModelName, key_missing, parse_model, smart_default
from codi.providers.presets import presets
from codi.providers.wanted import Wanted

A = {"ANTHROPIC_API_KEY": "a"}
O = {"OPENAI_API_KEY": "o"}  # noqa: E741


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("claude-sonnet-4-5", ModelName(None, "claude-sonnet-4-5")),
        ("anthropic/claude-sonnet-4-5", ModelName("anthropic", "claude-sonnet-4-5")),
        ("anthropic/claude-sonnet-4-5:high", ModelName("anthropic", "claude-sonnet-4-5", "high")),
        ("Anthropic/claude-x:HIGH", ModelName("anthropic", "claude-x", "high")),
        ("openrouter/anthropic/claude-x", ModelName("openrouter", "anthropic/claude-x")),
        ("openrouter/qwen/qwen3:free", ModelName("openrouter", "qwen/qwen3:free")),
        ("openrouter/qwen/qwen3:free:low", ModelName("openrouter", "qwen/qwen3:free", "low")),
        ("ollama/qwen3:8b", ModelName("ollama", "qwen3:8b")),
        ("ollama/qwen3:8b:off", ModelName("ollama", "qwen3:8b", "off")),
        ("qwen3:8b", ModelName(None, "qwen3:8b")),
        ("meta-llama/llama-3", ModelName(None, "meta-llama/llama-3")),
        ("openai-chat/gpt-4.1", ModelName("openai-chat", "gpt-4.1")),
        ("openai-responses/gpt-4.1:low", ModelName("openai-responses", "gpt-4.1", "low")),
        (":high", ModelName(None, ":high")),
        ("openai/", ModelName(None, "openai/")),
        (" gpt-4.1 ", ModelName(None, "gpt-4.1")),
    ],
)
def test_a_model_name_is_taken_apart(text, name):
    assert parse_model(text) == name


def chosen(env, **wanted) -> tuple[str, str, str, str | None]:
    choice = smart_default(env, **wanted)
    return choice.model, choice.api, choice.base_url, choice.key_variable


SAID = ("CODI_*", Wanted("openai/gpt-4.1"))
FILED = ("the configuration", Wanted("anthropic/claude-x"))
OPENAI = "https://api.openai.com/v1"
LOOP = "http://127.0.0.1:4711/v1"

TABLE = [
    # the keys that lie about, in the order in which they count
    (A | O, {}, "anthropic/claude-sonnet-5-5", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    (O | {"GEMINI_API_KEY": "g"}, {}, "openai/gpt-5.6-sol", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    ({"GOOGLE_API_KEY": "g"}, {}, "google/gemini-3.8-flash", "google", "https://generativelanguage.googleapis.com", "GOOGLE_API_KEY"),
    ({"GROQ_API_KEY": "q", "OPENROUTER_API_KEY": "r"}, {}, "openrouter/anthropic/claude-sonnet-4.5", "openai-chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    ({"XAI_API_KEY": "x", "GROQ_API_KEY": "q"}, {}, "groq/openai/gpt-oss-120b", "openai-chat", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    ({"AZURE_OPENAI_API_KEY": "z", "AZURE_OPENAI_RESOURCE_NAME": "acme"}, {}, "azure/gpt-5.4", "azure", "https://acme.openai.azure.com", "AZURE_OPENAI_API_KEY"),
    ({"ANTHROPIC_OAUTH_TOKEN": "t"}, {}, "anthropic/claude-sonnet-5-5", "anthropic", "https://api.anthropic.com", "ANTHROPIC_OAUTH_TOKEN"),
    ({"GROQ_API_KEY": "q", "OLLAMA_HOST": "box", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}, {}, "groq/openai/gpt-oss-120b", "openai-chat", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:4711"}, {}, "anthropic/claude-sonnet-5-5", "anthropic", "http://127.0.0.1:4711", None),
    # what is asked for counts more, the nearest first
    (A | O, {"model": "openai/gpt-4.1"}, "openai/gpt-4.1", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"provider": "openai"}, "openai/gpt-5.6-sol", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"layers": [SAID]}, "openai/gpt-4.1", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"layers": [("CODI_*", Wanted(provider="openai"))]}, "openai/gpt-5.6-sol", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"layers": [("CODI_*", Wanted(provider="openai"))], "model": "anthropic/claude-x"}, "anthropic/claude-x", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    (A | O, {"layers": [("the configuration", Wanted("openai/gpt-4o"))]}, "openai/gpt-4o", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"layers": [SAID, FILED]}, "openai/gpt-4.1", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"provider": "openai", "layers": [("the configuration", Wanted("anthropic/claude-x"))]}, "openai/gpt-5.6-sol", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A | O, {"provider": "openai", "layers": [("the configuration", Wanted("gpt-4o"))]}, "openai/gpt-4o", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    # a bare id goes to who serves it
    (A | O, {"model": "gpt-4.1"}, "openai/gpt-4.1", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    ({}, {"model": "gpt-4.1"}, "openai/gpt-4.1", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (A, {"model": "opus 4.5"}, "anthropic/claude-opus-4-5", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    (A | O, {"model": "gpt-4o-mini-2024-07-18"}, "openai/gpt-4o-mini-2024-07-18", "openai-responses", OPENAI, "OPENAI_API_KEY"),
    (O | {"OPENAI_BASE_URL": LOOP}, {"model": "test-model"}, "openai/test-model", "openai-chat", LOOP, "OPENAI_API_KEY"),
    (O | {"OPENAI_BASE_URL": LOOP}, {"model": "claude-sonnet-4-5"}, "openai/claude-sonnet-4-5", "openai-chat", LOOP, "OPENAI_API_KEY"),
    ({"OLLAMA_HOST": "0.0.0.0:4711"}, {"model": "qwen3:8b"}, "ollama/qwen3:8b", "ollama", "http://127.0.0.1:4711", None),
    # ids that the catalogue does not know pass as they are
    (A, {"model": "anthropic/claude-99"}, "anthropic/claude-99", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    ({}, {"model": "ollama/qwen3:8b"}, "ollama/qwen3:8b", "ollama", "http://127.0.0.1:11434", None),
    ({"OPENROUTER_API_KEY": "r"}, {"provider": "openrouter", "model": "anthropic/claude-x"}, "openrouter/anthropic/claude-x", "openai-chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    ({"OPENROUTER_API_KEY": "r"}, {"provider": "openrouter", "model": "openrouter/a/b"}, "openrouter/a/b", "openai-chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    # addresses of the environment
    (A | {"ANTHROPIC_BASE_URL": "http://127.0.0.1:4711"}, {}, "anthropic/claude-sonnet-5-5", "anthropic", "http://127.0.0.1:4711", "ANTHROPIC_API_KEY"),
    ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:4711"}, {"model": "anthropic/claude-x"}, "anthropic/claude-x", "anthropic", "http://127.0.0.1:4711", None),
    ({"GEMINI_API_KEY": "g", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:4711/"}, {}, "google/gemini-3.8-flash", "google", "http://127.0.0.1:4711", "GEMINI_API_KEY"),
    ({"GROQ_API_KEY": "q", "GROQ_BASE_URL": LOOP}, {"model": "groq/x"}, "groq/x", "openai-chat", LOOP, "GROQ_API_KEY"),
    (O | {"OPENAI_BASE_URL": LOOP}, {"model": "openai/gpt-5"}, "openai/gpt-5", "openai-chat", LOOP, "OPENAI_API_KEY"),
    (O | {"OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, {"model": "openai/gpt-5"}, "openai/gpt-5", "openai-responses", "https://eu.api.openai.com/v1", "OPENAI_API_KEY"),
    ({"AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com"}, {"model": "azure/m"}, "azure/m", "azure", "https://acme.openai.azure.com", "AZURE_OPENAI_API_KEY"),
    ({"AZURE_OPENAI_API_KEY": "z", "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com"}, {"model": "my-deployment"}, "azure/my-deployment", "azure", "https://acme.openai.azure.com", "AZURE_OPENAI_API_KEY"),
    # a wire format in place of the service
    (O | {"OPENAI_BASE_URL": LOOP}, {"model": "openai-responses/gpt-5"}, "openai/gpt-5", "openai-responses", LOOP, "OPENAI_API_KEY"),
    (O, {"model": "openai-chat/gpt-5"}, "openai/gpt-5", "openai-chat", OPENAI, "OPENAI_API_KEY"),
    (O, {"provider": "openai-chat", "model": "gpt-5"}, "openai/gpt-5", "openai-chat", OPENAI, "OPENAI_API_KEY"),
    # a base URL is never ignored
    (O, {"base_url": LOOP, "model": "m"}, "openai/m", "openai-chat", LOOP, "OPENAI_API_KEY"),
    ({}, {"base_url": LOOP, "model": "m"}, "openai/m", "openai-chat", LOOP, None),
    (A, {"base_url": "http://127.0.0.1:4711", "model": "anthropic/claude-x"}, "anthropic/claude-x", "anthropic", "http://127.0.0.1:4711", "ANTHROPIC_API_KEY"),
    (A, {"base_url": "http://127.0.0.1:4711", "provider": "anthropic"}, "anthropic/claude-sonnet-5-5", "anthropic", "http://127.0.0.1:4711", "ANTHROPIC_API_KEY"),
    (A, {"base_url": "http://127.0.0.1:4711", "provider": "google", "model": "g"}, "google/g", "google", "http://127.0.0.1:4711", None),
    ({}, {"base_url": "http://box:11434", "model": "qwen3:8b"}, "ollama/qwen3:8b", "ollama", "http://box:11434", None),
    ({}, {"base_url": "https://openrouter.ai/api/v1", "model": "anthropic/claude-x"}, "openrouter/anthropic/claude-x", "openai-chat", "https://openrouter.ai/api/v1", None),
    (O, {"base_url": LOOP, "model": "openai-responses/m"}, "openai/m", "openai-responses", LOOP, "OPENAI_API_KEY"),
    (A, {"layers": [("CODI_*", Wanted(base_url="http://127.0.0.1:4711"))], "model": "anthropic/claude-x"}, "anthropic/claude-x", "anthropic", "http://127.0.0.1:4711", "ANTHROPIC_API_KEY"),
    (A, {"model": "anthropic/claude-x", "layers": [("the configuration", Wanted(base_url="http://127.0.0.1:4711"))]}, "anthropic/claude-x", "anthropic", "http://127.0.0.1:4711", "ANTHROPIC_API_KEY"),
    (A, {"provider": "anthropic", "model": "x", "layers": [("the configuration", Wanted("m", "openai", LOOP))]}, "anthropic/x", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    # an address or a model from afar that belongs to another service than the one named nearer
    (A, {"model": "anthropic/x", "layers": [("the configuration", Wanted("m", "openai", LOOP))]}, "anthropic/x", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    (A, {"model": "anthropic/x", "layers": [("the configuration", Wanted(base_url="http://localhost:11434"))]}, "anthropic/x", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    ({}, {"layers": [("the configuration", Wanted("qwen3:8b", base_url="http://localhost:11434"))]}, "ollama/qwen3:8b", "ollama", "http://localhost:11434", None),
]  # fmt: skip


@pytest.mark.parametrize(("env", "wanted", "model", "api", "base_url", "key"), TABLE)
def test_the_choice(env, wanted, model, api, base_url, key):
    assert chosen(env, **wanted) == (model, api, base_url, key)


@pytest.mark.parametrize("name", [name for name, preset in presets().items() if preset.keys and preset.model])
def test_each_key_alone_chooses_its_service(name):
    places = {
        "AZURE_OPENAI_RESOURCE_NAME": "acme",
        "CLOUDFLARE_ACCOUNT_ID": "a",
        "CLOUDFLARE_GATEWAY_ID": "g",
        "XIAOMI_BASE_URL": "https://mimo.example/v1",
    }
    for key in presets()[name].keys:
        choice = smart_default({key: "k", **places})
        assert (choice.service, choice.key_variable, choice.reason) == (name, key, f"{key} is set")


def test_why_is_said():
    assert smart_default(A).reason == "ANTHROPIC_API_KEY is set"
    assert "command line" in smart_default(A, model="anthropic/x").reason
    assert "CODI_*" in smart_default(A, layers=[("CODI_*", Wanted("anthropic/x"))]).reason
    assert "configuration" in smart_default(A, layers=[("the configuration", Wanted("anthropic/x"))]).reason
    assert smart_default({}, logins=["google"]).reason == "a key or login of google is kept"


def test_the_level_of_the_name_is_kept():
    assert smart_default(A, model="anthropic/x:high").thinking == "high"
    assert smart_default(A, provider="anthropic", model="x:low").thinking == "low"
    assert smart_default(A).thinking is None
    assert smart_default(A | {"CODI_MODEL": "openai/x:high"}, provider="anthropic").thinking is None


def test_a_local_server_is_asked_only_when_nothing_else_is_there():
    asked = []

    def probe(servers):
        asked.extend(servers)
        return [
            LocalServer("lmstudio", "http://127.0.0.1:1234/v1", ()),
            LocalServer("vllm", "http://v/v1", ("m-1", "m-2")),
        ]

    assert smart_default(A, probe=probe).service == "anthropic" and not asked
    choice = smart_default({"OLLAMA_HOST": ""}, probe=probe)
    assert (choice.model, choice.base_url, choice.key_variable) == ("vllm/m-1", "http://v/v1", None)
    assert "vllm answers" in choice.reason
    assert asked == [
        ("ollama", "http://127.0.0.1:11434"),
        ("lmstudio", "http://127.0.0.1:1234/v1"),
        ("llamacpp", "http://127.0.0.1:8080/v1"),
        ("vllm", "http://127.0.0.1:8000/v1"),
    ]


def test_a_bare_id_that_a_local_server_has_goes_there():
    def probe(servers):
        return [LocalServer("ollama", "http://127.0.0.1:11434", ("gpt-oss:20b",))]

    assert smart_default({}, model="gpt-oss:20b", probe=probe).model == "ollama/gpt-oss:20b"
    assert smart_default({}, model="unheard-of", probe=probe).model == "ollama/unheard-of"
    assert smart_default({}, model="gpt-4.1", probe=probe).model == "openai/gpt-4.1"


def test_an_address_with_only_a_port_to_know_it_by_is_probed():
    def probe(servers):
        return [LocalServer("lmstudio", url, ("m",)) for _, url in servers if "1234" in url]

    found = smart_default(O, base_url="http://localhost:1234", model="qwen/qwen3", probe=probe)
    assert (found.model, found.base_url, found.key_variable) == (
        "lmstudio/qwen/qwen3",
        "http://localhost:1234/v1",
        None,
    )
    silent = smart_default(O, base_url="http://localhost:8080", model="m", probe=probe)
    assert (silent.model, silent.api) == ("openai/m", "openai-chat")


def test_ollama_without_a_model_takes_the_first_it_has():
    env = {"OLLAMA_HOST": "127.0.0.1:4711"}
    choice = smart_default(env, probe=lambda servers: [LocalServer(*servers[0], ("qwen3:8b", "x"))])
    assert (choice.model, choice.base_url) == ("ollama/qwen3:8b", "http://127.0.0.1:4711")
    with pytest.raises(NetworkError, match="Ollama is not running: ollama serve") as caught:
        smart_default(env)
    assert caught.value.hint == "start it with: ollama serve"
    with pytest.raises(NotFound) as none:
        smart_default(env, probe=lambda servers: [LocalServer(*servers[0], ())])
    assert none.value.hint == "ollama pull NAME"


def test_with_nothing_at_all_it_is_said_what_to_set():
    with pytest.raises(CredentialError) as caught:
        smart_default({})
    assert caught.value.exit_status == 1
    for word in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "ollama serve", "codi demo"):
        assert word in caught.value.hint


def test_an_empty_key_is_no_key():
    with pytest.raises(CredentialError):
        smart_default({"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": ""})


@pytest.mark.parametrize(
    ("env", "wanted", "error", "text"),
    [
        (A, {"provider": "antropic"}, UsageError, 'unknown provider "antropic"'),
        (A, {"model": "sonnet"}, UsageError, "ambiguous"),
        (A, {"model": "no-such-model"}, UsageError, 'model "no-such-model" not found'),
        (A, {"model": "antropic/claude-x"}, UsageError, 'unknown provider "antropic"'),
        ({"AZURE_OPENAI_API_KEY": "z"}, {}, ConfigError, "AZURE_OPENAI_ENDPOINT"),
        (
            {"RUNPOD_API_KEY": "r", "RUNPOD_ENDPOINT_ID": "e"},
            {"provider": "runpod"},
            UsageError,
            "which model of runpod",
        ),
        ({"RUNPOD_API_KEY": "r"}, {"provider": "runpod", "model": "m"}, ConfigError, "RUNPOD_ENDPOINT_ID"),
        ({}, {"provider": "lmstudio"}, NetworkError, "does not answer"),
        ({"OLLAMA_HOST": "ftp://x"}, {"model": "ollama/m"}, ConfigError, "OLLAMA_HOST"),
    ],
)
def test_what_cannot_be_chosen_is_said(env, wanted, error, text):
    with pytest.raises(error, match=text) as caught:
        smart_default(env, **wanted)
    assert caught.value.hint


def test_a_model_that_is_not_there_names_three_that_are():
    with pytest.raises(UsageError) as caught:
        smart_default(A, model="claude-sonet-4-5")
    assert "anthropic/claude-sonnet-4-5" in str(caught.value)
    assert caught.value.hint == "codi models"


def test_candidates_are_named():
    with pytest.raises(UsageError) as caught:
        smart_default(A, model="haiku")
    assert "anthropic/claude-haiku-4-5" in caught.value.hint and caught.value.exit_status == 2


def test_an_open_line_to_a_public_host_is_warned_of():
    assert "not encrypted" in smart_default(O, base_url="http://example.com/v1", model="m").warning
    assert not smart_default(O, base_url="https://example.com/v1", model="m").warning
    assert not smart_default(O, base_url="http://192.168.0.7/v1", model="m").warning


def test_services_of_ones_own_can_be_chosen():
    known = presets(
        {
            "acme": {
                "base_url": "https://acme.example/v1",
                "key_env": "ACME_KEY",
                "headers": {"x": "y"},
                "models": ["a-1"],
            }
        }
    )
    choice = smart_default({"ACME_KEY": "k"}, known=known)
    assert (choice.model, choice.key_variable, choice.headers) == ("acme/a-1", "ACME_KEY", {"x": "y"})
    assert smart_default(A, model="acme/z:low", known=known).model == "acme/z"


def test_azure_takes_its_variables_along():
    env = {
        "AZURE_OPENAI_API_KEY": "very-secret",
        "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com/",
        "AZURE_OPENAI_API_VERSION": "2025-01-01",
        "AZURE_OPENAI_DEPLOYMENT_NAME_MAP": "gpt-5=five,gpt-4.1=four",
    }
    choice = smart_default(env)
    assert choice.model == "azure/gpt-5"
    assert choice.variables["AZURE_OPENAI_API_VERSION"] == "2025-01-01"
    assert "very-secret" not in str(choice)


def test_a_missing_key_names_its_variable_and_the_login():
    error = key_missing("anthropic", presets()["anthropic"].keys)
    assert "ANTHROPIC_API_KEY" in str(error) and "codi auth login anthropic" in error.hint


def test_a_choice_shows_no_secret():
    assert "sk-very-secret" not in repr(smart_default({"OPENAI_API_KEY": "sk-very-secret"}))
    assert isinstance(smart_default(O), Choice)
