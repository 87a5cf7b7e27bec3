"""Settings are checked once, and every one of them is documented."""

from pathlib import Path

import pytest

from core.config import Settings, SettingsError, table

GOOD = {
    "DATABASE_URL": "postgresql://localhost/mita",
    "REDIS_URL": "redis://localhost",
    "SECRET_KEY": "s" * 32,
    "GATEWAY_SECRET": "g" * 16,
}


def test_defaults_are_production() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.env == "production"
    assert not settings.demo
    assert settings.navigation() == ("0", "00", "98")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"GATEWAY_SECRET": "short"}, "GATEWAY_SECRET"),
        ({"MITA_ENV": "staging"}, "MITA_ENV"),
        ({"DEMO": "1"}, "DEMO"),
        ({"LANGUAGES": "en,xx"}, "LANGUAGES"),
        ({"LANGUAGES": "sw,fr"}, "DEFAULT_LANGUAGE"),
        ({"NAV_KEYS": "0,00"}, "NAV_KEYS"),
        ({"NAV_KEYS": "0,0,98"}, "NAV_KEYS"),
        ({"NAV_KEYS": "0,a,98"}, "NAV_KEYS"),
        ({"MPESA_PUSH_DELAY_S": "soon"}, "MPESA_PUSH_DELAY_S"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        Settings.from_env(GOOD | change)


def test_the_documented_table_is_the_real_one() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert table() in documented
