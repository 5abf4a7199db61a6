"""Settings: one meaning in file, profile, .env and environment; mistakes told all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.configuration import (
    Loaded,
    dotted,
    leaves,
    load,
    load_explained,
    repository_config,
    variable,
    yaml_layer,
)
from core.errors import SettingsError
from core.settings import Settings

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the .env of the person who runs it."""
    nowhere = tmp_path / "none.env"
    monkeypatch.setattr(
        "bot.configuration._env_file", lambda: nowhere if nowhere.exists() else None
    )


def write(folder: Path, text: str, name: str = "config.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def mistakes(**given: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**({"environ": {}} | given))  # type: ignore[arg-type]
    return caught.value.problems


def test_the_file_says_exactly_the_defaults_of_the_code() -> None:
    assert load(CONFIG / "config.yaml", environ={}) == Settings()


def test_the_file_names_every_setting() -> None:
    said = set(yaml_layer(CONFIG / "config.yaml").said_by)
    assert said == {key for key, _ in leaves()}
    assert len(said) > 40


def test_every_setting_in_the_file_has_a_sentence() -> None:
    lines = (CONFIG / "config.yaml").read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if ":" in line and not line.lstrip().startswith("#") and not above.lstrip().startswith("#")
    ]
    assert bare == []


def test_every_file_in_the_folder_loads() -> None:
    profiles = sorted((CONFIG / "profiles").glob("*.yaml"))
    assert [profile.stem for profile in profiles] == ["embedded", "gpu", "vllm"]
    for profile in profiles:
        assert load(profile=profile.stem, environ={}).model.engine != "echo"
    others = [file for file in CONFIG.rglob("*.yaml") if file.parent != CONFIG / "profiles"]
    assert CONFIG / "config.yaml" in others
    for file in others:
        assert all(yaml.safe_load_all(file.read_text(encoding="utf-8"))), file


def test_the_checkout_finds_its_own_file_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert repository_config() == CONFIG / "config.yaml"


def test_without_a_checkout_the_built_in_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.configuration.repository_config", lambda: None)
    assert load(environ={}) == Settings()
    assert mistakes(profile="gpu") == ["profile gpu: no such profile"]


def test_later_sources_win_one_setting_at_a_time(tmp_path: Path) -> None:
    config = write(
        tmp_path, "http: {port: 1, host: a.example}\nweb: {timeout: 3}\nlog: {level: debug}"
    )
    write(tmp_path, "http: {port: 2}\nlog: {level: error}", "profiles/mine.yaml")
    dotenv = write(tmp_path, "SMARTDEVDIGEST_HTTP__PORT=3\nSMARTDEVDIGEST_WEB__TIMEOUT=4\n", ".env")
    settings = load(config, "mine", {"SMARTDEVDIGEST_HTTP__PORT": "5"}, dotenv)
    assert (settings.http.port, settings.http.host) == (5, "a.example")
    assert (settings.web.timeout, settings.log.level) == (4.0, "error")


def test_a_section_given_in_part_keeps_its_other_defaults(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "training: {m2: {epochs: 3}}"), environ={})
    assert settings.training.m2.epochs == 3
    assert settings.training.m2.learning_rate == Settings().training.m2.learning_rate


@pytest.mark.parametrize("text", ["a,b:8080", " a , b:8080 ,"])
def test_lists_are_comma_separated_in_the_environment(text: str) -> None:
    settings = load(environ={"SMARTDEVDIGEST_WEB__ALLOW_HOSTS": text})
    assert settings.web.allow_hosts == ("a", "b:8080")


def test_every_setting_can_be_given_in_the_environment() -> None:
    defaults = Settings()
    words = {"engine": "echo", "language": "ko", "languages": "ko", "level": "debug"}
    tried = 0
    for key, _ in leaves():
        value: object = defaults
        for part in key:
            value = getattr(value, part)
        text = words.get(key[-1], str(value or "1"))
        loaded = load_explained(environ={variable(key): text})
        assert loaded.said_by[key] == variable(key)
        tried += 1
    assert tried == len(list(leaves()))


def test_an_empty_variable_says_nothing() -> None:
    assert (
        load(environ={"SMARTDEVDIGEST_HTTP__PORT": "", "SMARTDEVDIGEST_DATABASE__URL": " "})
        == Settings()
    )


def test_the_environment_names_file_and_profile(tmp_path: Path) -> None:
    config = write(tmp_path, "http: {port: 1}")
    write(tmp_path, "web: {timeout: 7}", "profiles/mine.yaml")
    names = {"SMARTDEVDIGEST_CONFIG": str(config), "SMARTDEVDIGEST_PROFILE": "mine"}
    loaded = load_explained(environ=names)
    assert (loaded.settings.http.port, loaded.settings.web.timeout) == (1, 7.0)
    assert loaded.files == (config, tmp_path / "profiles" / "mine.yaml")


def test_it_is_known_who_said_what(tmp_path: Path) -> None:
    config = write(tmp_path, "http: {port: 1}\nweb: {timeout: 3}")
    dotenv = write(tmp_path, "SMARTDEVDIGEST_LOG__LEVEL=debug\n", ".env")
    loaded: Loaded = load_explained(config, None, {"SMARTDEVDIGEST_HTTP__PORT": "9"}, dotenv)
    assert loaded.said_by["http", "port"] == "SMARTDEVDIGEST_HTTP__PORT"
    assert loaded.said_by["web", "timeout"] == "config.yaml"
    assert loaded.said_by["log", "level"] == ".env: SMARTDEVDIGEST_LOG__LEVEL"
    assert ("digest", "terms") not in loaded.said_by


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        """
databse: {url: x}
model: {threds: 2, max_new_tokens: 3, engine: ctranslate}
http: {port: 70000}
web: {timeout: soon, respect_robots: perhaps}
digest: 3
""",
    )
    given = {"SMARTDEVDIGEST_HTTP__PORT": "many", "SMARTDEVDIGEST_HTP__PORT": "1"}
    assert sorted(mistakes(path=config, environ=given)) == [
        "SMARTDEVDIGEST_HTP__PORT: no such setting; did you mean SMARTDEVDIGEST_HTTP__PORT?",
        "SMARTDEVDIGEST_HTTP__PORT: 'many' is not a whole number",
        "config.yaml: databse: no such setting; did you mean database?",
        "config.yaml: digest: 3 is not a group of settings",
        "config.yaml: model.engine: 'ctranslate' is not one of ctranslate2, echo, gptq, openai; "
        "did you mean ctranslate2?",
        "config.yaml: model.max_new_tokens: no such setting; did you mean generation.max_new_tokens?",
        "config.yaml: model.threds: no such setting; did you mean model.threads?",
        "config.yaml: web.respect_robots: 'perhaps' is neither true nor false",
        "config.yaml: web.timeout: 'soon' is not a number",
    ]


def test_a_value_out_of_range_says_the_range(tmp_path: Path) -> None:
    assert mistakes(path=write(tmp_path, "http: {port: 70000}")) == [
        "config.yaml: http.port: 70000 is too large: at most 65535"
    ]


@pytest.mark.parametrize(
    "text",
    ["http: {token: s3cret}", "database: {url: 'postgresql+asyncpg://bot:s3cret@db/digests'}"],
)
def test_a_secret_in_a_file_is_a_mistake_and_not_repeated(tmp_path: Path, text: str) -> None:
    (mistake,) = mistakes(path=write(tmp_path, text))
    assert mistake.startswith("config.yaml: ")
    assert "a secret; give it in the environment or .env as SMARTDEVDIGEST_" in mistake
    assert "s3cret" not in mistake


def test_a_secret_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    dotenv = write(tmp_path, "SMARTDEVDIGEST_HTTP__TOKEN=s3cret\n", ".env")
    for settings in (
        load(environ={}, dotenv=dotenv),
        load(environ={"SMARTDEVDIGEST_HTTP__TOKEN": "s3cret"}),
    ):
        assert settings.http.token is not None
        assert settings.http.token.get_secret_value() == "s3cret"
        assert "s3cret" not in repr(settings)


def test_a_mistake_in_the_env_file_names_it(tmp_path: Path) -> None:
    dotenv = write(tmp_path, "SMARTDEVDIGEST_WEB__TIMEOUT=-1\nOTHER=1\n", ".env")
    assert mistakes(dotenv=dotenv) == [
        ".env: SMARTDEVDIGEST_WEB__TIMEOUT: '-1' is too small: more than 0 is needed"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "config.yaml: is not valid YAML (line 1)"),
        ("- 1", "config.yaml: holds no settings, but a list"),
    ],
)
def test_a_broken_file_is_one_mistake(tmp_path: Path, text: str, said: str) -> None:
    assert mistakes(path=write(tmp_path, text)) == [said]


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes(path=tmp_path / "no.yaml")
    assert mistake.startswith("no.yaml: cannot be read")


def test_an_unknown_profile_gets_a_suggestion() -> None:
    given = {"SMARTDEVDIGEST_HTTP__PORT": "many"}
    assert mistakes(profile="gpuu", environ=given) == [
        "profile gpuu: no such profile; did you mean gpu?",
        "SMARTDEVDIGEST_HTTP__PORT: 'many' is not a whole number",
    ]


def test_only_a_profile_asked_for_overrides_the_file(tmp_path: Path) -> None:
    config = write(tmp_path, "model: {engine: echo}")
    assert load(config, environ={}).model.engine == "echo"
    assert load(config, "embedded", environ={}).model.engine == "ctranslate2"


def test_an_empty_file_is_no_mistake(tmp_path: Path) -> None:
    assert load(write(tmp_path, "# nothing\n"), environ={}) == Settings()


def test_names_read_like_the_documents_say() -> None:
    keys = {dotted(key) for key, _ in leaves()}
    promised = {"model.engine", "training.m1.epochs", "training.m2.learning_rate", "data.root"}
    assert promised <= keys
    assert variable(("web", "allow_hosts")) == "SMARTDEVDIGEST_WEB__ALLOW_HOSTS"
