"""Clients of the background: they stop where people and other tokens go on."""

from pathlib import Path

import pytest
from support import make_tenant

from kandji_mirror.connection import background_per_hour, connect
from kandji_schema.errors import RateLimited
from kandji_schema.provider import BACKGROUND_STOPS_BELOW
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, ServerLimits, serve

TAGS = "/api/v1/tags"


def test_the_share_is_a_part_of_what_the_provider_allows() -> None:
    assert [background_per_hour(Settings(mirror_background_share=share)) for share in (1, 30, 100)] == [
        100,
        3_000,
        10_000,
    ]


def test_the_background_keeps_to_its_share_in_all_processes_and_people_go_on(tmp_path: Path) -> None:
    with serve(make_tenant(1)) as server:
        settings = Settings(
            api_url=server.url,
            api_token=TOKEN,
            mirror_home=str(tmp_path),
            mirror_budget_dir=str(tmp_path),
            mirror_requests_per_hour=9,
            mirror_background_share=100,
        )
        for expected in (4, 2):
            with connect(settings, background=True) as background:
                for _ in range(expected):
                    background.client.get(TAGS)
        with connect(settings, background=True) as background, connect(settings) as people:
            with pytest.raises(RateLimited, match="for work in the background, which leaves the rest to people"):
                background.client.get(TAGS)
            for _ in range(3):
                people.client.get(TAGS)


@pytest.mark.parametrize(("left", "answered"), [(BACKGROUND_STOPS_BELOW + 1, 2), (BACKGROUND_STOPS_BELOW - 1, 1)])
def test_the_background_leaves_the_last_of_the_tenants_hour_to_others(tmp_path: Path, left: int, answered: int) -> None:
    with serve(make_tenant(1, limits=ServerLimits(per_hour=left + 1))) as server:
        settings = Settings(
            api_url=server.url, api_token=TOKEN, mirror_home=str(tmp_path), mirror_budget_dir=str(tmp_path)
        )
        with connect(settings, background=True) as background, connect(settings) as people:
            for _ in range(answered):
                background.client.get(TAGS)
            if answered == 1:
                with pytest.raises(RateLimited, match="below 2000"):
                    background.client.get(TAGS)
            for _ in range(3):
                people.client.get(TAGS)
            assert people.client.requests == 3
