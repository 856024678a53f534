"""Which paths may leave the machine."""

import pytest

from kandji_mirror.api.endpoint import checked_path, quote_segment
from kandji_schema.errors import Rejected

PLAIN = [
    "/api/v1/devices",
    "/api/v1/blueprint-routing/",
    "/api/v1/devices/5e0a3c1b-1111-4a2b-9c3d-000000000001/apps",
    "/api/v1/tags/a%20b",
    "/api/v2/threat/threat-details",
]
TRICKS = [
    "",
    "/",
    "api/v1/devices",
    "/apiary/v1",
    "https://evil.example/api/v1/devices",
    "//evil.example/api/v1/devices",
    "/api//evil.example",
    "/api/v1/devices//apps",
    "/api/v1/devices/../users",
    "/api/v1/devices/./apps",
    "/api/v1/devices/..",
    "/api/v1/devices/%2e%2e/users",
    "/api/v1/devices/%2E./users",
    "/api/v1/devices/%252e%252e/users",
    "/api/v1/devices/x%2fsecrets%2funlockpin",
    "/api/v1/devices/x%2Fsecrets",
    "/api/v1/devices/x%5csecrets",
    "/api/v1/devices/x\\secrets",
    "/api/v1/devices/x%252fsecrets",
    "/api/v1/devices/x%00",
    "/api/v1/devices/x\r\nHost: evil.example",
    "/api/v1/devices/x\n",
    "/api/v1/devices?limit=1",
    "/api/v1/devices#x",
    "/api/v1/devices/x%3",
    "/api/v1/devices/ü",
    "/api/v1/devices/a b",
    "@evil.example/api/",
]


@pytest.mark.parametrize("path", PLAIN)
def test_a_plain_path_passes(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize("path", TRICKS)
def test_a_path_trick_is_refused(path: str) -> None:
    with pytest.raises(Rejected, match="Nothing was sent"):
        checked_path(path)


def test_an_id_becomes_one_segment() -> None:
    assert quote_segment("C02 X:ü?#") == "C02%20X%3A%C3%BC%3F%23"
    assert checked_path(f"/api/v1/devices/{quote_segment('C02 X:ü?#')}/apps")


@pytest.mark.parametrize("value", ["", ".", "..", "a/b", "a\\b", "a\x00b", "a\nb", "%2e%2e", "100%"])
def test_what_could_be_more_than_one_segment_is_no_id(value: str) -> None:
    with pytest.raises(Rejected, match="cannot be an id"):
        quote_segment(value)
