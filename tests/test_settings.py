"""Settings: where they come from, which wins, and what a wrong one says."""

from pathlib import Path

import pytest

from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import SETTINGS, Settings, load


def loaded(folder: Path, environ: dict[str, str] | None = None) -> Settings:
    return load(environ or {}, folder=folder, config=folder / "config.toml")


def test_without_anything_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert {s.key: getattr(settings, s.key) for s in SETTINGS} == {s.key: s.default for s in SETTINGS}


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('subdomain = "toml"\nregion = "eu"\nmirror_mcp_rows = 7\n')
    (tmp_path / ".env").write_text("KANDJI_SUBDOMAIN=dotenv\nKANDJI_REGION=us\n")
    settings = loaded(tmp_path, {"KANDJI_SUBDOMAIN": "environment"})
    assert (settings.subdomain, settings.region, settings.mirror_mcp_rows) == ("environment", "us", 7)


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"KANDJI_REGION": "  "}).region == "us"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("KANDJI_REGION", "mars", "one of us, eu"),
        ("KANDJI_MIRROR_PRIVACY", "yes", "one of off, agents, on"),
        ("KANDJI_MIRROR_MCP_ROWS", "many", "a whole number from 1 to 100000"),
        ("KANDJI_MIRROR_MCP_ROWS", "0", "a whole number from 1 to 100000"),
        ("KANDJI_MIRROR_MCP_ROWS", "1.5", "a whole number from 1 to 100000"),
        ("KANDJI_MIRROR_REQUESTS_PER_SECOND", "51", "a whole number from 1 to 50"),
        ("KANDJI_MIRROR_READ_TIMEOUT", "nan", "a number from 0.1 to 600"),
    ],
)
def test_a_wrong_value_is_told_with_its_rule(tmp_path: Path, name: str, value: str, rule: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, {name: value})
    assert str(caught.value) == f"{name} is {value!r}; it must be {rule}. Change or remove it in the environment."


@pytest.mark.parametrize("file", [".env", "config.toml"])
def test_a_wrong_value_is_told_with_its_file(tmp_path: Path, file: str) -> None:
    """It may be that of a folder somebody else made."""
    name = "KANDJI_MIRROR_QUERY_ROWS" if file == ".env" else "mirror_query_rows"
    (tmp_path / file).write_text(f"{name} = 0\n")
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path)
    assert str(caught.value).endswith(f"Change or remove it in {tmp_path / file}.")


@pytest.mark.parametrize("text", ["subdomain = ", "\x00", "no_such_setting = 1"])
def test_a_config_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        loaded(tmp_path)


def test_a_dotenv_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"KANDJI_REGION=\xff")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        loaded(tmp_path)


@pytest.mark.parametrize("name", ["HOME", "BUDGET_DIR", "EXPORT_DIR", "COMPLIANCE_FILE", "CA_FILE"])
@pytest.mark.parametrize("address", ["s3://bucket/x", "file:///tmp/x", "host:/srv/x"])
def test_a_path_is_none_of_another_machine(tmp_path: Path, name: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=f"KANDJI_MIRROR_{name} is '{address}'; it must be a path of this"):
        loaded(tmp_path, {f"KANDJI_MIRROR_{name}": address})


def test_settings_never_show_their_values(tmp_path: Path) -> None:
    assert "sesame" not in repr(loaded(tmp_path, {"KANDJI_API_TOKEN": "sesame"}))


def test_every_setting_explains_itself() -> None:
    assert [s.name for s in SETTINGS if len(s.help) < 20] == []
