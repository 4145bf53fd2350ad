"""Addresses as people write them lead to the service that they mean."""

import pytest

from codi.protocol.errors import ConfigError
from codi.providers.addresses import base_for, detect, is_loopback, is_near, ollama_address
from codi.providers.presets import presets


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("127.0.0.1:9999", "http://127.0.0.1:9999"),
        (":9999", "http://127.0.0.1:9999"),
        ("localhost", "http://localhost:11434"),
        ("localhost/", "http://localhost:11434"),
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:80", "http://gpu-box"),
        ("http://gpu-box:9999", "http://gpu-box:9999"),
        ("http://gpu-box:9999/", "http://gpu-box:9999"),
        ("http://gpu-box", "http://gpu-box"),
        ("http://localhost", "http://localhost:11434"),
        ("https://ollama.example.com", "https://ollama.example.com"),
        ("https://ollama.example.com/deep/", "https://ollama.example.com/deep"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("http://0.0.0.0:9999/", "http://127.0.0.1:9999"),
        ("[::]:9999", "http://127.0.0.1:9999"),
        ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        (" '127.0.0.1:9999' ", "http://127.0.0.1:9999"),
        ("", "http://127.0.0.1:11434"),
    ],
)
def test_the_host_of_ollama_in_every_form(said, meant):
    assert ollama_address(said) == meant
    assert ollama_address(meant) == meant


@pytest.mark.parametrize("said", ["ftp://x", "host:port", "host:99999999", "a b"])
def test_what_is_no_host_of_ollama(said):
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        ollama_address(said)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.anthropic.com/v1", "anthropic"),
        ("https://acme.openai.azure.com/openai/v1", "azure"),
        ("https://acme.services.ai.azure.com/models", "azure"),
        ("https://generativelanguage.googleapis.com/v1beta", "google"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/projects/p", "google"),
        ("https://aiplatform.googleapis.com", "google"),
        ("https://api.openai.com/v1", "openai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://ollama.com", "ollama-cloud"),
        ("https://gateway.ai.cloudflare.com/v1/a/b/compat", "cloudflare"),
        ("https://api.runpod.ai/v2/p/openai/v1", "runpod"),
        ("http://localhost:11434", "ollama"),
        ("http://gpu-box:11434/v1", "ollama"),
        ("gpu-box:11434", "ollama"),
        ("http://localhost:1234/v1", "lmstudio"),
        ("http://localhost:8080", "llamacpp"),
        ("http://localhost:8000/v1", "vllm"),
        ("https://proxy.example.com/anthropic/v1/messages", "anthropic"),
        ("http://127.0.0.1:8080/v1/messages/", "anthropic"),
        ("https://proxy.example.com/v1", "openai-chat"),
        ("http://127.0.0.1:5555", "openai-chat"),
        ("https://api.anthropic.com.evil.example/v1", "openai-chat"),
        ("https://notopenai.azure.com.example", "openai-chat"),
    ],
)
def test_an_address_tells_its_service(url, service):
    assert detect(url, presets()) == service


@pytest.mark.parametrize("port", [1234, 8080, 8000])
def test_a_port_alone_speaks_for_a_server_only_if_it_answers(port):
    asked = []

    def silent(url):
        asked.append(url)
        return False

    assert detect(f"http://localhost:{port}/x", presets(), answers=silent) == "openai-chat"
    assert asked == [f"http://localhost:{port}/v1/models"]


@pytest.mark.parametrize(
    ("api", "service", "said", "base"),
    [
        ("anthropic", "anthropic", "https://x.example/v1/", "https://x.example/v1"),
        ("google", "google", "http://127.0.0.1:1/v1beta/", "http://127.0.0.1:1"),
        ("google", "google", "https://x/v1/projects/p/locations/l", "https://x/v1/projects/p/locations/l"),
        ("openai-chat", "openai", "https://x.example/v1/chat/completions", "https://x.example/v1"),
        ("openai-responses", "openai", "https://x.example/v1/responses", "https://x.example/v1"),
        ("openai-chat", "lmstudio", "http://localhost:1234", "http://localhost:1234/v1"),
        ("openai-chat", "openai", "http://localhost:1234", "http://localhost:1234"),
        ("openai-chat", "openai", "x.example.com/v1", "https://x.example.com/v1"),
        ("openai-chat", "openai", "localhost:7777/v1", "http://localhost:7777/v1"),
        ("ollama", "ollama", "0.0.0.0:9/api", "http://127.0.0.1:9"),
        ("ollama", "ollama", "http://h:9/v1/", "http://h:9"),
    ],
)
def test_an_address_becomes_what_the_adapter_wants(api, service, said, base):
    assert base_for(api, service, said) == base


@pytest.mark.parametrize(
    ("url", "near", "loopback"),
    [
        ("http://localhost:1", True, True),
        ("http://127.8.0.1", True, True),
        ("http://[::1]:1", True, True),
        ("http://192.168.1.9", True, False),
        ("http://gpu-box:1", True, False),
        ("http://printer.local", True, False),
        ("http://example.com", False, False),
        ("http://8.8.8.8", False, False),
    ],
)
def test_which_machines_are_near(url, near, loopback):
    assert (is_near(url), is_loopback(url)) == (near, loopback)
