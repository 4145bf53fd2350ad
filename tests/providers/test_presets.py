"""Every service that codi knows has an address and knows where its key is."""

import msgspec
import pytest

from codi.protocol.errors import ConfigError, UsageError
from codi.providers.openai_compat import Compat
from codi.providers.presets import preset_of, presets

ROWS = [
    ("openai", "https://api.openai.com/v1", ["OPENAI_API_KEY"]),
    ("anthropic", "https://api.anthropic.com", ["ANTHROPIC_API_KEY", "ANTHROPIC_OAUTH_TOKEN"]),
    ("google", "https://generativelanguage.googleapis.com", ["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
    ("azure", "https://acme.openai.azure.com", ["AZURE_OPENAI_API_KEY"]),
    ("ollama", "http://127.0.0.1:11434", []),
    ("ollama-cloud", "https://ollama.com", ["OLLAMA_API_KEY"]),
    ("lmstudio", "http://127.0.0.1:1234/v1", []),
    ("llamacpp", "http://127.0.0.1:8080/v1", []),
    ("vllm", "http://127.0.0.1:8000/v1", ["VLLM_API_KEY"]),
    ("openrouter", "https://openrouter.ai/api/v1", ["OPENROUTER_API_KEY"]),
    ("groq", "https://api.groq.com/openai/v1", ["GROQ_API_KEY"]),
    ("deepseek", "https://api.deepseek.com/v1", ["DEEPSEEK_API_KEY"]),
    ("mistral", "https://api.mistral.ai/v1", ["MISTRAL_API_KEY"]),
    ("xai", "https://api.x.ai/v1", ["XAI_API_KEY"]),
    ("cerebras", "https://api.cerebras.ai/v1", ["CEREBRAS_API_KEY"]),
    ("together", "https://api.together.xyz/v1", ["TOGETHER_API_KEY"]),
    ("fireworks", "https://api.fireworks.ai/inference/v1", ["FIREWORKS_API_KEY"]),
    ("moonshot", "https://api.moonshot.ai/v1", ["MOONSHOT_API_KEY"]),
    ("kimi", "https://api.kimi.com/coding/v1", ["KIMI_API_KEY"]),
    ("zai", "https://api.z.ai/api/paas/v4", ["ZAI_API_KEY"]),
    ("minimax", "https://api.minimax.io/v1", ["MINIMAX_API_KEY"]),
    ("qwen", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", ["DASHSCOPE_API_KEY"]),
    ("huggingface", "https://router.huggingface.co/v1", ["HF_TOKEN"]),
    ("nvidia", "https://integrate.api.nvidia.com/v1", ["NVIDIA_API_KEY"]),
    ("perplexity", "https://api.perplexity.ai", ["PERPLEXITY_API_KEY"]),
    ("vercel", "https://ai-gateway.vercel.sh/v1", ["AI_GATEWAY_API_KEY"]),
    ("cloudflare", "https://gateway.ai.cloudflare.com/v1/acc/gate/compat", ["CLOUDFLARE_API_KEY"]),
    ("github-models", "https://models.github.ai/inference", ["GITHUB_TOKEN"]),
    ("github-copilot", "https://api.githubcopilot.com", ["COPILOT_GITHUB_TOKEN"]),
    ("opencode", "https://opencode.ai/zen/v1", ["OPENCODE_API_KEY"]),
    ("runpod", "https://api.runpod.ai/v2/pod7/openai/v1", ["RUNPOD_API_KEY"]),
    ("xiaomi", "https://mimo.example/v1", ["XIAOMI_API_KEY"]),
]

PLACES = {
    "AZURE_OPENAI_RESOURCE_NAME": "acme",
    "CLOUDFLARE_ACCOUNT_ID": "acc",
    "CLOUDFLARE_GATEWAY_ID": "gate",
    "RUNPOD_ENDPOINT_ID": "pod7",
    "XIAOMI_BASE_URL": "https://mimo.example/v1",
}


@pytest.mark.parametrize(("name", "address", "keys"), ROWS)
def test_every_preset_has_its_address_and_its_key(name, address, keys):
    preset = presets()[name]
    assert preset.address(PLACES) == address
    assert list(preset.keys) == keys
    for at, key in enumerate(keys):
        assert preset.key_variable(dict.fromkeys(keys[at:], "x")) == key
    assert preset.key_variable({}) is None


def test_these_are_all():
    assert {row[0] for row in ROWS} == set(presets())
    assert list(presets())[:5] == ["anthropic", "openai", "google", "azure", "openrouter"]


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_every_preset_can_be_led_elsewhere(name):
    variable = name.upper().replace("-", "_") + "_BASE_URL"
    if name != "azure":
        assert presets()[name].address({variable: "http://127.0.0.1:9/v1"}) == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("google", "GOOGLE_GEMINI_BASE_URL"),
        ("ollama", "OLLAMA_HOST"),
        ("azure", "AZURE_OPENAI_BASE_URL"),
        ("azure", "AZURE_OPENAI_ENDPOINT"),
        ("anthropic", "ANTHROPIC_BASE_URL"),
        ("openai", "OPENAI_BASE_URL"),
    ],
)
def test_the_usual_names_of_the_variable_are_known(name, variable):
    assert presets()[name].address({variable: "http://x:1"}) == "http://x:1"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("runpod", "RUNPOD_ENDPOINT_ID"),
        ("xiaomi", "XIAOMI_BASE_URL"),
        ("azure", "AZURE_OPENAI_RESOURCE_NAME"),
        ("cloudflare", "CLOUDFLARE_GATEWAY_ID"),
    ],
)
def test_an_address_that_lacks_a_variable_names_it(name, variable):
    with pytest.raises(ConfigError, match=variable) as caught:
        presets()[name].address({variable: " "})
    assert variable in caught.value.hint


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_what_a_preset_says_of_its_gaps_is_understood(name):
    preset = presets()[name]
    for vendor in ("", *preset.compat_by_vendor):
        msgspec.convert(preset.compat_for(f"{vendor}/m"), Compat)


def test_the_models_of_one_vendor_may_have_switches_of_their_own():
    router = presets()["openrouter"]
    assert router.compat_for("anthropic/claude-x")["cache_control_format"] == "anthropic"
    assert router.compat_for("openai/gpt-5") == {"thinking_format": "openrouter"}


def test_a_built_in_name_with_an_address_is_led_there_and_needs_no_key():
    groq = presets({"groq": {"base_url": "http://10.0.0.1/v1"}})["groq"]
    assert groq.address({}) == "http://10.0.0.1/v1"
    assert groq.keys == ("GROQ_API_KEY",) and not groq.needs_key
    assert groq.model == presets()["groq"].model


def test_a_service_of_ones_own():
    own = {
        "acme": {
            "base_url": "https://acme.example/v1",
            "key_env": "ACME_KEY",
            "headers": {"x-team": "9"},
            "compat": {"strict": True},
            "models": ["a-1", "a-2"],
        }
    }
    acme = presets(own)["acme"]
    assert (acme.api, acme.keys, acme.model, acme.models) == ("openai-chat", ("ACME_KEY",), "a-1", ("a-1", "a-2"))
    assert acme.needs_key and acme.headers == {"x-team": "9"} and acme.compat == {"strict": True}
    assert "acme" not in presets()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"base_ulr": "x"}, "base_url"),
        ({"base_url": "http://x", "api": "opneai"}, "openai-chat"),
        ({}, "base_url"),
    ],
)
def test_what_is_wrong_with_a_service_of_ones_own_is_said(row, said):
    with pytest.raises(ConfigError, match=r"providers\.acme") as caught:
        presets({"acme": row})
    assert said in caught.value.hint


def test_an_unknown_provider_names_the_nearest_and_all():
    with pytest.raises(UsageError, match='unknown provider "antropic"') as caught:
        preset_of("antropic", presets())
    assert "Did you mean anthropic" in caught.value.hint and "xiaomi" in caught.value.hint
    assert caught.value.exit_status == 2
