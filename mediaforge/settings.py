"""Settings: defaults, then the configuration file, then MEDIAFORGE_* variables, then flags; each value knows its origin."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from types import MappingProxyType
from urllib.parse import urlsplit

from platformdirs import PlatformDirs

from mediaforge.errors import SettingsError

# Where players ask for licences: checked where a package is planned (package/licences.py).
LICENCES = ("fairplay_uri", "playready_url", "widevine_url")
TOOLS = ("ffmpeg", "ffprobe", "packager", "valkey", "chromium")
KEYS = (
    "state",
    "runtime_dir",
    "queue_url",
    "index_url",
    "workers",
    "s3_endpoint",
    "scan_allow_hosts",
    *LICENCES,
    *(f"tools.{name}" for name in TOOLS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`tools` and `licences` hold only what was said, by name; `origins` says of every key what set it.

    `queue_url` None means the embedded queue of this state, `index_url` None its own index, and
    `s3_endpoint` None the provider's own.
    """

    state: Path
    runtime_dir: Path
    queue_url: str | None = field(repr=False)  # may hold a password
    index_url: str | None = field(repr=False)  # as above
    workers: int
    s3_endpoint: str | None
    scan_allow_hosts: tuple[str, ...]
    licences: Mapping[str, str]
    tools: Mapping[str, str]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Raw:
    """A value as one source wrote it."""

    value: object
    origin: str


def load_settings(
    flags: Mapping[str, str | None] = MappingProxyType({}), *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settle every value. `flags` maps a key to what the command line says (None: nothing).

    Raises SettingsError naming the key and the file, variable or flag that makes no sense.
    """
    environ = os.environ if environ is None else environ
    raw = _defaults(environ) | _from_file(environ) | _from_environment(environ) | _from_flags(flags)
    return Settings(
        state=_folder(raw, "state"),
        runtime_dir=_folder(raw, "runtime_dir"),
        queue_url=_url(raw, "queue_url", schemes=("redis", "rediss", "unix")),
        index_url=_url(raw, "index_url", schemes=("postgresql", "postgres")),
        workers=_count(raw, "workers"),
        s3_endpoint=_url(raw, "s3_endpoint", schemes=("http", "https")),
        scan_allow_hosts=_hosts(raw, "scan_allow_hosts"),
        licences=MappingProxyType({key: _text(raw, key) for key in LICENCES if key in raw}),
        tools=MappingProxyType({name: _text(raw, f"tools.{name}") for name in TOOLS if f"tools.{name}" in raw}),
        origins=MappingProxyType({key: raw[key].origin for key in KEYS if key in raw}),
    )


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where the configuration file is looked for, whether it is there or not."""
    chosen = (os.environ if environ is None else environ).get("MEDIAFORGE_CONFIG")
    return Path(chosen).expanduser() if chosen else _platform().user_config_path / "config.toml"


def variable(key: str) -> str:
    """The environment variable that sets `key`."""
    return "MEDIAFORGE_" + key.removeprefix("tools.").upper()


def _platform() -> PlatformDirs:
    return PlatformDirs("mediaforge", appauthor=False)


def _defaults(environ: Mapping[str, str]) -> dict[str, _Raw]:
    values = {
        "state": str(_platform().user_state_path),
        "runtime_dir": str(_runtime_dir(environ)),
        "workers": len(os.sched_getaffinity(0)),  # the cores this process may use, not those of the machine
        "queue_url": "",
        "index_url": "",
        "s3_endpoint": "",
        "scan_allow_hosts": "",
    }
    return {key: _Raw(value, "default") for key, value in values.items()}


def _runtime_dir(environ: Mapping[str, str]) -> Path:
    """Short-lived files such as sockets. platformdirs would print a warning where there is no login session."""
    session = environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "mediaforge" if session else Path(gettempdir()) / f"mediaforge-{os.getuid()}"


def _from_file(environ: Mapping[str, str]) -> dict[str, _Raw]:
    path = config_file(environ)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if "MEDIAFORGE_CONFIG" in environ:
            raise SettingsError(f"MEDIAFORGE_CONFIG names {path}, which does not exist; correct or unset it") from None
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); make it readable or move it away") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML ({error}); correct it or move it away") from error
    tools = table.pop("tools", {})
    if not isinstance(tools, dict):
        raise SettingsError(f'{path}: tools must be a table; write [tools] and under it ffmpeg = "/path"')
    values = table | {f"tools.{name}": value for name, value in tools.items()}
    unknown = next((key for key in values if key not in KEYS), None)
    if unknown is not None:
        raise SettingsError(f"{path}: there is no setting {unknown!r}; choose from {', '.join(KEYS)}")
    return {key: _Raw(value, str(path)) for key, value in values.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Raw]:
    return {key: _Raw(environ[variable(key)], variable(key)) for key in KEYS if environ.get(variable(key))}


def _from_flags(flags: Mapping[str, str | None]) -> dict[str, _Raw]:
    return {key: _Raw(value, "--" + key.replace("_", "-")) for key, value in flags.items() if value is not None}


def _text(raw: Mapping[str, _Raw], key: str) -> str:
    value = raw[key].value
    if not isinstance(value, str) or "\0" in value:
        raise _wrong(raw, key, "a text")
    return value


def _folder(raw: Mapping[str, _Raw], key: str) -> Path:
    text = _text(raw, key)
    if not text:
        raise _wrong(raw, key, "a folder")
    return Path(text).expanduser().absolute()


def _url(raw: Mapping[str, _Raw], key: str, *, schemes: tuple[str, ...]) -> str | None:
    text = _text(raw, key)
    if text and urlsplit(text).scheme not in schemes:
        wanted = ", ".join(f"{scheme}://" for scheme in schemes)
        # The value itself stays out of the sentence: it may hold a password.
        raise SettingsError(f"{key} from {raw[key].origin} does not begin with one of {wanted}; write the full address")
    return text or None


def _count(raw: Mapping[str, _Raw], key: str) -> int:
    value = raw[key].value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(raw, key, "a whole number of 1 or more")
    return value


def _hosts(raw: Mapping[str, _Raw], key: str) -> tuple[str, ...]:
    """`host` or `host:port` each: a list in the file, separated by commas in the environment."""
    value = raw[key].value
    names = [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name and "/" not in name for name in names):
        raise _wrong(raw, key, "host names, each with or without a :port")
    return tuple(name.lower() for name in names)


def _wrong(raw: Mapping[str, _Raw], key: str, wanted: str) -> SettingsError:
    return SettingsError(f"{key} from {raw[key].origin} is {raw[key].value!r}; give {wanted}")
