import os
from pathlib import Path

import pytest

from mediaforge.errors import SettingsError
from mediaforge.settings import KEYS, Settings, load_settings, variable


def load(tmp_path: Path, text: str = "", *, flags: dict[str, str | None] | None = None, **environ: str) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load_settings(flags or {}, environ={"MEDIAFORGE_CONFIG": str(file), **environ})


def test_later_sources_win_and_leave_their_name(tmp_path: Path) -> None:
    text = 'state = "/file"\nworkers = 3\ns3_endpoint = "http://file:1"'
    settings = load(tmp_path, text, flags={"state": "/flag"}, MEDIAFORGE_STATE="/variable", MEDIAFORGE_WORKERS="5")
    assert (settings.state, settings.workers, settings.s3_endpoint) == (Path("/flag"), 5, "http://file:1")
    assert settings.origins["state"] == "--state"
    assert settings.origins["workers"] == "MEDIAFORGE_WORKERS"
    assert settings.origins["s3_endpoint"] == str(tmp_path / "config.toml")
    assert settings.origins["queue_url"] == "default"


def test_a_flag_that_is_not_given_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, 'state = "/file"', flags={"state": None}).state == Path("/file")


def test_defaults_need_no_file() -> None:
    settings = load_settings(environ={"HOME": "/nobody"})
    assert settings.workers >= 1
    assert settings.state.is_absolute()
    assert (settings.queue_url, settings.s3_endpoint, settings.scan_allow_hosts, dict(settings.tools)) == (None, None, (), {})


def test_the_runtime_folder_is_the_session_s_or_one_of_this_user() -> None:
    assert load_settings(environ={"XDG_RUNTIME_DIR": "/run/user/7"}).runtime_dir == Path("/run/user/7/mediaforge")
    assert load_settings(environ={}).runtime_dir.name == f"mediaforge-{os.getuid()}"


def test_tools_are_set_by_table_or_variable(tmp_path: Path) -> None:
    settings = load(tmp_path, '[tools]\nffmpeg = "/a"\npackager = "/b"', MEDIAFORGE_PACKAGER="/c")
    assert dict(settings.tools) == {"ffmpeg": "/a", "packager": "/c"}
    assert settings.origins["tools.packager"] == "MEDIAFORGE_PACKAGER"


def test_hosts_are_a_list_in_the_file_and_a_line_in_the_environment(tmp_path: Path) -> None:
    assert load(tmp_path, 'scan_allow_hosts = ["A.example", "b:80"]').scan_allow_hosts == ("a.example", "b:80")
    assert load(tmp_path, MEDIAFORGE_SCAN_ALLOW_HOSTS="a.example, b:80").scan_allow_hosts == ("a.example", "b:80")


def test_licence_addresses_are_kept_as_they_were_said(tmp_path: Path) -> None:
    settings = load(tmp_path, 'fairplay_uri = "skd://x/{kid}"', MEDIAFORGE_PLAYREADY_URL="https://x")
    assert dict(settings.licences) == {"fairplay_uri": "skd://x/{kid}", "playready_url": "https://x"}


def test_a_relative_state_is_made_absolute_because_workers_start_elsewhere(tmp_path: Path) -> None:
    assert load(tmp_path, flags={"state": "here"}).state == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("colour = 1", "colour"),
        ("[tools]\nffmpreg = '/a'", "tools.ffmpreg"),
        ("tools = 1", "[tools]"),
        ("workers = 0", "workers"),
        ("workers = true", "workers"),
        ("workers = 'many'", "workers"),
        ("state = 3", "state"),
        ("state = ''", "state"),
        ("queue_url = 'http://x'", "queue_url"),
        ("scan_allow_hosts = [1]", "scan_allow_hosts"),
        ("scan_allow_hosts = ['http://x/']", "scan_allow_hosts"),
        ("state = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert names in str(caught.value)
    assert str(tmp_path / "config.toml") in str(caught.value)


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MEDIAFORGE_WORKERS is '-1'"):
        load(tmp_path, MEDIAFORGE_WORKERS="-1")


def test_a_config_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(environ={"MEDIAFORGE_CONFIG": str(tmp_path / "none.toml")})


def test_a_password_in_the_queue_address_is_never_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(load(tmp_path, MEDIAFORGE_QUEUE_URL="redis://:hunter2@queue:6379/0"))
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, MEDIAFORGE_QUEUE_URL="http://:hunter2@queue")
    assert "hunter2" not in str(caught.value)


def test_every_key_has_a_variable_of_its_own() -> None:
    assert len({variable(key) for key in KEYS}) == len(KEYS)
