"""Where the settings come from, and what is said when they are wrong.

`config.yaml` < the profile < `.env` < the environment. Every setting can be given as
`SMARTDEVDIGEST_<SECTION>__<KEY>`, lists comma-separated. All mistakes are found before any
is reported. Secrets are taken from `.env` and the environment and from nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from bot.mistakes import in_words, with_suggestion
from core.errors import SettingsError
from core.settings import Settings

PREFIX = "SMARTDEVDIGEST_"
DEFAULT_PROFILE = "embedded"
# Not settings themselves: they say which files to read.
STEERING = {f"{PREFIX}CONFIG", f"{PREFIX}PROFILE"}
# libyaml reads our file ten times as fast; where PyYAML was built without it, its own must do.
_QuickLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = tuple[str, ...]
Nested = dict[str, Any]


@dataclass
class Layer:
    """What one source says: its values, which of its places said each, and its mistakes."""

    values: Nested = field(default_factory=dict)
    said_by: dict[Key, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def put(self, key: Key, value: Any, place: str) -> None:
        inner = self.values
        for part in key[:-1]:
            inner = inner.setdefault(part, {})
        inner[key[-1]] = value
        self.said_by[key] = place


@dataclass(frozen=True)
class Loaded:
    """The settings, and for people who ask: which place said what, which files were read."""

    settings: Settings
    said_by: Mapping[Key, str]
    files: tuple[Path, ...]
    profile: str


def load(
    path: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = None,
) -> Settings:
    """The settings, checked as a whole. Raises SettingsError with every mistake."""
    return load_explained(path, profile, environ, dotenv).settings


def load_explained(
    path: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = None,
) -> Loaded:
    variables = {k: v for k, v in _given(os.environ if environ is None else environ) if v}
    env_file = dotenv or _env_file()
    from_file = _read_env_file(env_file) if env_file else {}
    steering = from_file | variables

    named = path or _path(steering.get(f"{PREFIX}CONFIG"))
    config = named or repository_config()
    chosen = profile or steering.get(f"{PREFIX}PROFILE")

    # The default profile is what config.yaml says; only a profile asked for overrides that file.
    profile_file, no_profile = _profile_file(chosen, config) if chosen else (None, [])
    files = [file for file in (config, profile_file) if file is not None]
    layers = [Layer(mistakes=no_profile), *map(yaml_layer, files)]
    if env_file and from_file:
        layers.append(variables_layer(from_file, f"{env_file.name}: "))
        files.append(env_file)
    layers.append(variables_layer(variables))

    mistakes = [mistake for layer in layers for mistake in layer.mistakes]
    said_by = {key: place for layer in layers for key, place in layer.said_by.items()}
    settings = _validated(layers, said_by, mistakes)
    return Loaded(settings, said_by, tuple(files), chosen or DEFAULT_PROFILE)


def repository_config() -> Path | None:
    """`config/config.yaml` beside the code, where this is a checkout; else the built-in defaults."""
    root = Path(__file__).resolve().parent.parent
    file = root / "config" / "config.yaml"
    return file if file.is_file() and (root / "pyproject.toml").is_file() else None


def profiles(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.yaml"))


# --- the schema, walked -------------------------------------------------------------------


def leaves(model: type[BaseModel] = Settings, above: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Every setting with its path: ("http", "port") and so on."""
    for name, info in model.model_fields.items():
        section = section_of(info)
        if section is None:
            yield (*above, name), info
        else:
            yield from leaves(section, (*above, name))


def section_of(info: FieldInfo) -> type[BaseModel] | None:
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def dotted(key: Key) -> str:
    return ".".join(key)


def variable(key: Key) -> str:
    """SMARTDEVDIGEST_HTTP__PORT for ("http", "port")."""
    return PREFIX + "__".join(part.upper() for part in key)


def _is_secret(info: FieldInfo) -> bool:
    return SecretStr in getattr(info.annotation, "__args__", (info.annotation,))


def _is_list(info: FieldInfo) -> bool:
    return getattr(info.annotation, "__origin__", None) is tuple


# --- files --------------------------------------------------------------------------------


def yaml_layer(file: Path) -> Layer:
    """The values of a file. What it may not say (unknown keys, secrets) is a mistake of it."""
    layer = Layer()
    try:
        content = _parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        layer.mistakes.append(f"{file.name}: cannot be read ({error.strerror or error})")
        return layer
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        layer.mistakes.append(f"{file.name}: {_yaml_trouble(error)}")
        return layer
    if content is None:
        return layer
    if not isinstance(content, dict):
        layer.mistakes.append(f"{file.name}: holds no settings, but a {type(content).__name__}")
        return layer
    _descend(content, Settings, (), file.name, layer)
    return layer


def _descend(content: Nested, model: type[BaseModel], above: Key, place: str, layer: Layer) -> None:
    for name, value in content.items():
        key = (*above, str(name))
        info = model.model_fields.get(str(name))
        if info is None:
            layer.mistakes.append(f"{place}: {dotted(key)}: no such setting{_meant(key)}")
            continue
        section = section_of(info)
        if section is None:
            _take(key, value, info, place, layer)
        elif isinstance(value, dict):
            _descend(value, section, key, place, layer)
        elif value is not None:
            layer.mistakes.append(f"{place}: {dotted(key)}: {value!r} is not a group of settings")


def _take(key: Key, value: Any, info: FieldInfo, place: str, layer: Layer) -> None:
    if value is not None and (_is_secret(info) or _has_password(key, value)):
        layer.mistakes.append(
            f"{place}: {dotted(key)}: a secret; give it in the environment or .env "
            f"as {variable(key)}"
        )
        return
    layer.put(key, value, place)


def _has_password(key: Key, value: Any) -> bool:
    """A database address like postgresql+asyncpg://user:password@host/name."""
    if key != ("database", "url") or "@" not in str(value):
        return False
    _, _, rest = str(value).partition("://")
    return ":" in rest.rpartition("@")[0]


def _parsed(text: str) -> Any:
    """Raises yaml.YAMLError."""
    try:
        return yaml.load(text, Loader=_QuickLoader)  # noqa: S506 - a safe one
    except yaml.YAMLError:
        return yaml.safe_load(text)  # knows better where the mistake is


def _yaml_trouble(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark else ""
    return f"is not valid YAML{where}"


def _profile_file(name: str, config: Path | None) -> tuple[Path | None, list[str]]:
    """The file of a profile, beside the configuration or beside the code; or what is wrong."""
    own = repository_config()
    folders = [file.parent / "profiles" for file in (config, own) if file]
    known = sorted({known for folder in folders for known in profiles(folder)})
    for folder in folders:
        if name in profiles(folder):
            return folder / f"{name}.yaml", []
    if name == DEFAULT_PROFILE:  # the code's own defaults are this profile
        return None, []
    return None, [with_suggestion(f"profile {name}: no such profile", name, known)]


# --- variables ----------------------------------------------------------------------------


def variables_layer(variables: Mapping[str, str], place: str = "") -> Layer:
    """The values of SMARTDEVDIGEST_* variables. An empty one says nothing."""
    layer = Layer()
    known = {variable(key): (key, info) for key, info in leaves()}
    for name, text in variables.items():
        if name in STEERING or not text:
            continue
        if name not in known:
            meant = with_suggestion(f"{place}{name}: no such setting", name, [*known, *STEERING])
            layer.mistakes.append(meant)
            continue
        key, info = known[name]
        layer.put(key, _items(text) if _is_list(info) else text, f"{place}{name}")
    return layer


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _given(variables: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if name.upper().startswith(PREFIX) and value is not None:
            yield name.upper(), value.strip()


def _env_file() -> Path | None:
    """`.env` where the command is typed, else the one of this checkout."""
    config = repository_config()
    places = [Path.cwd(), *([config.parent.parent] if config else [])]
    return next((place / ".env" for place in places if (place / ".env").is_file()), None)


def _read_env_file(file: Path) -> dict[str, str]:
    try:
        return dict(_given(dotenv_values(file, interpolate=False)))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: cannot be read ({error})"]) from error


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


# --- the whole ----------------------------------------------------------------------------


def _merging(layers: list[Layer]) -> type[BaseSettings]:
    """The settings as pydantic-settings fills them: a source for each layer, the last one wins."""
    # The defaults are a layer too: a section given in part keeps the rest of its defaults.
    values = [Settings().model_dump(), *(layer.values for layer in layers)]

    class Merged(BaseSettings):
        settings: Settings

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(
                InitSettingsSource(settings_cls, {"settings": one}) for one in reversed(values)
            )

    return Merged


def _validated(layers: list[Layer], said_by: Mapping[Key, str], mistakes: list[str]) -> Settings:
    try:
        settings: Settings = _merging(layers)().settings  # type: ignore[attr-defined]
    except ValidationError as error:
        wrong = [_mistake(dict(one), said_by) for one in error.errors()]
        raise SettingsError([*mistakes, *wrong]) from error
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _mistake(error: Mapping[str, Any], said_by: Mapping[Key, str]) -> str:
    """One line: who said it, about which setting, and what is wrong with it."""
    loc = tuple(str(part) for part in error["loc"][1:])  # below "settings"
    place, key = next(
        ((said_by[loc[:n]], loc[:n]) for n in range(len(loc), 0, -1) if loc[:n] in said_by),
        ("", loc),
    )
    if place.endswith(variable(key)):  # a variable names its setting already
        return f"{place}: {in_words(error)}"
    return f"{place}: {dotted(loc)}: {in_words(error)}"


def _meant(key: Key) -> str:
    """For an unknown key of a file: that very key in another section, else one spelt like it."""
    paths = [leaf for leaf, _ in leaves()]
    for path in paths:
        if path[-1] == key[-1]:
            return f"; did you mean {dotted(path)}?"
    level = {dotted(path[: len(key)]) for path in paths if path[: len(key) - 1] == key[:-1]}
    return with_suggestion("", dotted(key), sorted(level))
