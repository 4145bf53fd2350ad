"""Layers are laid over each other as they should be, and what is wrong with them is said with its place."""

import json
import os
from pathlib import Path

import pytest

from codi.engine.layers import Loaded, Survey, load
from codi.engine.places import Places
from codi.engine.settings import Settings
from codi.protocol.errors import ConfigError
from codi.providers.wanted import Wanted


class Ground:
    """A home and a project in which files are put, and from which settings are loaded."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.root = folder / "project"
        (self.root / ".codi").mkdir(parents=True)
        self.home.mkdir()
        self.env: dict[str, str] = {}
        self.flags: dict[str, object] = {}
        self.pairs: list[str] = []
        self.trusted = True

    @property
    def places(self) -> Places:
        return Places(str(self.root), str(self.root), str(self.home))

    def user(self, text: str, form: str = "toml") -> None:
        (self.home / f"config.{form}").write_text(text)

    def project(self, text: str, stem: str = "config") -> None:
        (self.root / ".codi" / f"{stem}.toml").write_text(text)

    def load(self) -> Loaded:
        return load(self.places, self.env, self.flags, self.pairs, how="all" if self.trusted else "pinned")

    def refused(self) -> str:
        with pytest.raises(ConfigError) as caught:
            self.load()
        assert caught.value.exit_status == 2 and caught.value.hint
        return str(caught.value)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_without_a_word_the_defaults_hold(ground):
    assert ground.load().settings == Settings()
    assert ground.load() == ground.load()


def test_each_layer_counts_more_than_the_one_below(ground):
    ground.user("[shell]\ntimeout_s = 2")
    ground.project("[shell]\ntimeout_s = 3")
    ground.project("[shell]\ntimeout_s = 4", "config.local")
    ground.env["CODI_SHELL_TIMEOUT_S"] = "5"
    ground.pairs.append("shell.timeout_s=6")
    ground.flags["shell.timeout_s"] = 7

    assert ground.load().settings.shell.timeout_s == 7
    ground.flags.clear()
    assert ground.load().settings.shell.timeout_s == 6
    ground.pairs.clear()
    assert ground.load().settings.shell.timeout_s == 5
    ground.env.clear()
    assert ground.load().settings.shell.timeout_s == 4
    (ground.root / ".codi/config.local.toml").unlink()
    assert ground.load().settings.shell.timeout_s == 3
    ground.trusted = False
    loaded = ground.load()
    assert loaded.settings.shell.timeout_s == 2
    (warning,) = loaded.warnings
    assert (
        warning
        == f"{ground.root}/.codi/config.toml is ignored: the project is not trusted (codi trust, --trust-project)"
    )
    (ground.home / "config.toml").unlink()
    assert ground.load().settings.shell.timeout_s == 120


def test_tables_merge_lists_replace_and_rules_unite(ground):
    ground.user(
        '[tools]\ndisabled = ["todo"]\n[policy]\nallow = ["run(a)"]\ndeny = ["run(x)"]\n[shell.env]\nA = "1"\nB = "1"'
    )
    ground.project(
        '[tools]\ndisabled = ["grep"]\n[policy]\nallow = ["run(b)", "run(a)"]\ndeny = []\n[shell.env]\nB = "2"'
    )
    settings = ground.load().settings
    assert settings.tools.disabled == ("grep",)
    assert settings.policy.allow == ("run(a)", "run(b)") and settings.policy.deny == ("run(x)",)
    assert settings.shell.env == {"A": "1", "B": "2"}


SAME = {
    "toml": 'permission_mode = "plan"\n[tools]\nsyntax_gate = "off"\ndisabled = ["todo"]\n[model]\ntemperature = 1.0\n',
    "yaml": "permission_mode: plan\ntools:\n  syntax_gate: off\n  disabled: [todo]\nmodel:\n  temperature: 1.0\n",
    "yml": '{permission_mode: plan, tools: {syntax_gate: "off", disabled: [todo]}, model: {temperature: 1.0}}',
    "json": '{"permission_mode": "plan", "tools": {"syntax_gate": "off", "disabled": ["todo"]}, "model": {"temperature": 1.0}}',
    "jsonc": '// mine\n{"permission_mode": "plan", /* why */ "tools": {"syntax_gate": "off", "disabled": ["todo",],},\n'
    '"model": {"temperature": 1.0, "top_p": null},}',
}


@pytest.mark.parametrize("form", SAME)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_form_means_the_same(ground, form, ends):
    (ground.home / f"config.{form}").write_bytes(b"\xef\xbb\xbf" + SAME[form].replace("\n", ends).encode())
    loaded = ground.load()
    assert loaded.settings.permission_mode == "plan" and loaded.settings.tools.syntax_gate == "off"
    assert loaded.settings.tools.disabled == ("todo",) and loaded.settings.model.temperature == 1.0
    assert not loaded.warnings


def test_two_forms_in_a_folder_are_refused(ground):
    ground.user("")
    ground.user("{}", "json")
    assert f"{ground.home}/config.toml" in ground.refused() and f"{ground.home}/config.json" in ground.refused()


def test_all_that_is_wrong_is_said_at_once_in_order(ground):
    ground.user('[agent]\nmax_steps = "x"\n\n[tools]\nprofile = "fulll"\ndisabled = [1]\n\n[modle]\ndefault = "y"\n')
    path = f"{ground.home}/config.toml"
    assert ground.refused().splitlines() == [
        f'{path}:2: agent.max_steps: expected integer >= 0, found string "x"',
        f'error: {path}:5: tools.profile: expected one of auto, full, minimal, nano, found string "fulll" - did you mean full?',
        f"error: {path}:6: tools.disabled: expected list of strings, found list with integer 1",
    ]


@pytest.mark.parametrize(
    ("form", "text", "line", "told"),
    [
        ("toml", "\n[agent]\nmax_stepz = 3\n", 3, "agent.max_stepz: unknown key - did you mean agent.max_steps?"),
        ("toml", "agent.max_stepz = 3\n", 1, "agent.max_stepz: unknown key - did you mean agent.max_steps?"),
        ("toml", "[polcy]\nallow = []\n", 1, "polcy: unknown section - did you mean policy?"),
        ("toml", "[providers.groq]\nbas_url = ''\n", 2, "providers.groq.bas_url: unknown key - did you mean providers.groq.base_url?"),
        ("toml", "[profiles.a]\n[profiles.a.shell]\npth = ''", 3, "profiles.a.shell.pth: unknown key - did you mean profiles.a.shell.path?"),
        ("yaml", "agent:\n  max_stepz: 3\n", 2, "agent.max_stepz: unknown key - did you mean agent.max_steps?"),
        ("json", '{\n"agent": {\n\t"max_stepz": 3}}', 3, "agent.max_stepz: unknown key - did you mean agent.max_steps?"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_a_warning_with_its_place(ground, form, text, line, told):
    ground.user(text, form)
    assert ground.load().warnings == (f"{ground.home}/config.{form}:{line}: {told}",)


@pytest.mark.parametrize(
    ("form", "content", "told"),
    [
        ("toml", b"a = 1\n[agent\n", ":2:7: "),
        ("toml", b"a = = 1", ":1:5: invalid value: a = = 1"),
        ("toml", b'a = """x\n\n', ":1:"),
        ("json", b'{"a": }', ":1:7: "),
        ("yaml", b"a: [1\nb: 2\n", ":2:2: "),
        ("yaml", b"- a\n", "expected a table"),
        ("toml", b"ok = 1\nx = '\xff'", ":2: is not UTF-8"),
    ],
)
def test_a_broken_file_is_said_with_line_and_column(ground, form, content, told):
    (ground.home / f"config.{form}").write_bytes(content)
    said = ground.refused()
    assert said.startswith(f"{ground.home}/config.{form}") and told in said


def test_a_file_that_cannot_be_read_is_said(ground):
    (ground.home / "config.toml").mkdir()
    assert "cannot be read" in ground.refused()


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"CODI_AGENT_MAX_STEPS": "many"}, 'CODI_AGENT_MAX_STEPS: expected integer >= 0, found string "many"'),
        ({"CODI_OFFLINE": "perhaps"}, "CODI_OFFLINE: expected boolean"),
        ({"CODI_PERMISSION_MODE": "all"}, "CODI_PERMISSION_MODE: expected one of"),
    ],
)
def test_a_variable_with_a_bad_value_is_named(ground, env, told):
    ground.env |= env
    assert told in ground.refused()


def test_variables_set_keys(ground):
    ground.env |= {
        "CODI_MODEL": "groq/x",
        "CODI_OFFLINE": "1",
        "CODI_POLICY_ALLOW": "run(git add, -p), read(a)",
        "CODI_TOOLS_DISABLED": "todo,grep",
        "CODI_MODEL_TEMPERATURE": "0.5",
        "CODI_HOME": "elsewhere",
        "CODI_TELEMETRY": "off",
    }
    loaded = ground.load()
    assert loaded.settings.model.default == "groq/x" and loaded.settings.network.offline
    assert loaded.settings.policy.allow == ("run(git add, -p)", "read(a)")
    assert loaded.settings.tools.disabled == ("todo", "grep") and loaded.settings.model.temperature == 0.5
    assert not loaded.warnings


def test_an_unknown_variable_is_a_warning(ground):
    ground.env |= {"CODI_X": "1", "CODI_MODLE": "y"}
    assert ground.load().warnings == (
        "CODI_MODLE: unknown variable - did you mean CODI_MODEL?",
        "CODI_X: unknown variable",
    )


@pytest.mark.parametrize("pair", ["agent.max_stepz=3", "agent.max_steps=x", "nothing", "a b=1", "agent=3"])
def test_a_flag_that_means_nothing_is_refused(ground, pair):
    ground.pairs.append(pair)
    assert pair.partition("=")[0] in ground.refused()


FORBIDDEN = [
    ('permission_mode = "full-access"', "permission_mode", "default"),
    ("agent.max_steps = 101", "agent.max_steps", 100),
    ("agent.max_steps = 0", "agent.max_steps", 100),
    ("agent.parallel = 9", "agent.parallel", 8),
    ("agent.max_cost_unknown = true", "agent.max_cost_unknown", False),
    ("network.offline = false", "network.offline", False),
    ('model.base_url = "http://x"', "model.base_url", ""),
    ('model.default = "x"', "model.default", ""),
    ('providers.anthropic.key_env = "X"', "providers.anthropic.key_env", None),
    ('providers.anthropic.base_url = "http://x"', "providers.anthropic.base_url", None),
    ('sessions.dir = "/tmp/x"', "sessions.dir", ""),
    ('workspace.extra_dirs = ["/"]', "workspace.extra_dirs", ()),
    ('shell.path = "./evil"', "shell.path", ""),
    ('profile = "x"', "profile", ""),
]


@pytest.mark.parametrize(("text", "key", "kept"), FORBIDDEN)
@pytest.mark.parametrize("stem", ["config", "config.local"])
def test_a_project_may_only_tighten(ground, text, key, kept, stem):
    ground.project(f"# a comment\n{text}\n", stem)
    loaded = ground.load()
    (warning,) = loaded.warnings
    assert warning.startswith(f"{ground.root}/.codi/{stem}.toml:2: {key}: a project may") and warning.endswith(
        "ignored"
    )
    value: object = loaded.settings
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)  # no row, no key
    assert value == kept


@pytest.mark.parametrize(
    ("text", "key", "now"),
    [
        ('permission_mode = "read-only"', "permission_mode", "read-only"),
        ("agent.max_steps = 5", "agent.max_steps", 5),
        ("agent.max_cost = 0.5", "agent.max_cost", 0.5),
        ("network.offline = true", "network.offline", True),
        ('tools.profile = "nano"', "tools.profile", "nano"),
        ('workspace.protected = ["gen/**"]', "workspace.protected", ("gen/**",)),
    ],
)
def test_a_project_may_tighten_and_add(ground, text, key, now):
    ground.project(text)
    loaded = ground.load()
    value: object = loaded.settings
    for part in key.split("."):
        value = getattr(value, part)
    assert value == now and not loaded.warnings


def test_a_profile_of_a_project_is_no_way_around(ground):
    ground.project('[profiles.big]\npermission_mode = "full-access"\n[profiles.big.shell]\ntimeout_s = 9\n')
    ground.flags["profile"] = "big"
    loaded = ground.load()
    assert loaded.settings.permission_mode == "default" and loaded.settings.shell.timeout_s == 9
    assert "config.toml:2: permission_mode: a project may not set full-access" in loaded.warnings[0]


def test_variables_fill_in_values_for_services_and_commands(ground):
    ground.env |= {"KEY": "k", "EMPTY": ""}
    ground.user(
        '[providers.own]\nbase_url = "http://h/${PATH_:-v1}"\nheaders = {A = "Bearer $KEY", B = "$$KEY 5$"}\n'
        '[shell.env]\nX = "${KEY}/$KEY"\n[agent]\nsystem_prompt = "$KEY"\n'
    )
    loaded = ground.load()
    own = loaded.settings.providers["own"]
    assert own.base_url == "http://h/v1" and own.headers == {"A": "Bearer k", "B": "$KEY 5$"}
    assert loaded.settings.shell.env == {"X": "k/k"} and loaded.settings.agent.system_prompt == "$KEY"


def test_what_a_missing_variable_was_to_fill_is_switched_off(ground):
    ground.env["EMPTY"] = ""
    ground.user(
        '[providers.anthropic]\nbase_url = "$GATE"\n[providers.groq]\nheaders = {K = "$EMPTY"}\n[shell.env]\nA = "$NO"\nB = "b"\n'
    )
    loaded = ground.load()
    assert [warning.partition(": ")[2] for warning in loaded.warnings] == [
        "providers.anthropic.base_url: $GATE is not set, so providers.anthropic is switched off",
        "providers.groq.headers.K: $EMPTY is not set, so providers.groq is switched off",
        "shell.env.A: $NO is not set, so shell.env.A is switched off",
    ]
    assert loaded.warnings[0].startswith(f"{ground.home}/config.toml:2: ")
    assert loaded.settings.providers["anthropic"].enabled is False
    assert loaded.settings.shell.env == {"B": "b"}


def test_profiles_lie_just_above_their_layer(ground):
    ground.user(
        'profile = "work"\nshell.timeout_s = 1\nagent.parallel = 1\n[profiles.basic]\nshell.timeout_s = 2\nagent.parallel = 2\n'
        '[profiles.work]\nextends = "basic"\nagent.parallel = 3\n'
    )
    ground.project("shell.timeout_s = 7")
    loaded = ground.load()
    assert (loaded.settings.agent.parallel, loaded.settings.shell.timeout_s) == (3, 7)
    (ground.root / ".codi/config.toml").unlink()
    assert ground.load().settings.shell.timeout_s == 2
    ground.env["CODI_PROFILE"] = "basic"
    assert ground.load().settings.agent.parallel == 2
    ground.flags["profile"] = "work"
    assert ground.load().settings.agent.parallel == 3


def test_a_profile_that_cannot_be_used_is_said(ground):
    ground.user('[profiles.a]\nextends = "b"\n[profiles.b]\nextends = "a"\n')
    ground.flags["profile"] = "c"
    assert "unknown profile 'c'; there are: a, b" in ground.refused()
    ground.flags["profile"] = "a"
    assert "a -> b -> a" in ground.refused()


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        ('providers.x = {base_url = "http://h", headers = {Authorization = "Bearer abcdefgh12345"}}', True),
        ('agent.system_prompt = "use sk-ant-api03-abcdefghijklmnopqrst"', True),
        ('shell.env = {MY_TOKEN = "abcdefgh1"}', True),
        ('shell.env = {MY_TOKEN = "$TOKEN_"}', False),
        ('providers.x = {base_url = "http://h", key_env = "MY_KEY"}', False),
    ],
)
def test_a_secret_in_a_file_is_a_warning_that_does_not_repeat_it(ground, text, is_secret):
    ground.env["TOKEN_"] = "t"
    ground.user(text)
    told = "\n".join(ground.load().warnings)
    assert ("codi auth login" in told) == is_secret
    assert "abcdefgh" not in told


def test_an_address_stays_with_the_layer_that_names_it(ground):
    ground.user('model = {default = "groq/a", base_url = "http://gate/v1"}')
    ground.env["CODI_PROVIDER"] = "openai"
    ground.flags["model.default"] = "m"
    assert ground.load().model_layers() == [
        ("the command line", Wanted("m", "", "")),
        ("CODI_*", Wanted("", "openai", "")),
        (f"{ground.home}/config.toml:1", Wanted("groq/a", "", "http://gate/v1")),
    ]


def test_a_file_of_the_home_is_no_projects(ground):
    places = Places(str(ground.home.parent), str(ground.home.parent), str(ground.home.parent / ".codi"))
    (ground.home.parent / ".codi").mkdir()
    (ground.home.parent / ".codi/config.toml").write_text("agent.max_steps = 3")
    loaded = load(places, {}, {}, [])
    assert loaded.settings.agent.max_steps == 3 and not loaded.warnings


def test_codis_home_makes_no_project_of_the_folder_around_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CODI_HOME", raising=False)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".codi").mkdir()
    assert Places.at(str(inner)).root == os.path.realpath(inner)
    (tmp_path / "a/.codi").mkdir()
    assert Places.at(str(inner)).root == os.path.realpath(tmp_path / "a")


def test_a_survey_raises_nothing(ground):
    ground.user("[[[")
    ground.project("x = 1")
    survey = Survey(ground.places, {"CODI_AGENT_PARALLEL": "x"}, {}, [], how="all")
    assert [look.state for look in survey.looks] == ["broken", "read", "absent"]
    assert len(survey.problems) == 3


def test_defaults_are_never_changed(ground):
    before = json.dumps(repr(Settings()))
    ground.user('[shell.env]\nA = "1"\n[policy]\nallow = ["run(a)"]')
    ground.load().settings.shell.env["B"] = "2"
    assert json.dumps(repr(Settings())) == before and "B" not in ground.load().settings.shell.env
