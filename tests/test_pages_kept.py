"""Pictures of a page, kept while syncs publish: bounded work, dates that stay true, the newest state in the end."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from http_serving import KNOWN, asked, serving
from reads_home import SYNCED, device, publish

from kandji_mcp_server import ServerContext
from kandji_queries.reader import Reader
from kandji_schema.errors import TookTooLong
from kandji_schema.settings import Settings
from kandji_web.kept import LONGEST, MAKING, RESTS, SECONDS, KeptAnswers, Question

Work = Callable[[], Awaitable[None]]


class Looking:
    """Somebody who looks at a page of a real mirror; its one question takes ``seconds`` of a clock of our own."""

    def __init__(self, home: Path, seconds: float = 1.0) -> None:
        self.home = home
        self.seconds = seconds
        self.now = 0.0
        self.made = 0
        self.state = 0
        self.beside: list[Work] = []
        self.kept = KeptAnswers(self.beside.append, lambda: self.now)
        self.common = ServerContext(Settings(mirror_home=str(home)))
        self.personal = self.common.for_personal_data()

    def publish(self) -> None:
        self.state += 1
        publish(self.home, {"devices": [device(n) for n in range(self.state)]}, self.state)

    def counted(self, reader: Reader) -> tuple[int, int]:
        self.made += 1
        self.now += self.seconds
        return reader.generation, reader.run("SELECT count(*) FROM devices").rows[0][0]

    async def look(self, *, mirror: ServerContext | None = None) -> tuple[int, int]:
        mirror = mirror or self.common
        return await self.kept.get(Question(mirror, "/", "devices", self.counted), await mirror.state())


def looking(home: Path, story: Callable[[Looking], Awaitable[None]], seconds: float = 1.0) -> Looking:
    somebody = Looking(home, seconds)
    somebody.publish()
    try:
        anyio.run(story, somebody)
    finally:
        somebody.common.close()
        somebody.personal.close()
    return somebody


def test_a_viewer_beside_many_publishes_has_few_pictures_made_and_sees_the_newest_in_the_end(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        assert await somebody.look() == (1, 1)
        for _ in range(RESTS + 2):
            somebody.publish()
            somebody.now += 0.9
            state, devices = await somebody.look()
            assert state == devices  # never the numbers of one state for those of another
        somebody.now += RESTS + MAKING
        assert await somebody.look() == (somebody.state, somebody.state)
        assert await somebody.look() == (somebody.state, somebody.state)

    assert looking(tmp_path, story).made <= 3


def test_what_takes_no_time_is_always_new(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        for state in range(1, 4):
            assert await somebody.look() == (state, state)
            somebody.publish()

    assert looking(tmp_path, story, seconds=0.0).made == 3


def test_a_former_picture_is_made_anew_beside_the_requests_once_somebody_looked(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        await somebody.look()
        somebody.publish()
        assert [await somebody.look() for _ in range(3)] == [(1, 1)] * 3
        (renew,) = somebody.beside
        somebody.now += RESTS
        await renew()
        made = somebody.made
        assert await somebody.look() == (2, 2)
        assert somebody.made == made

    assert looking(tmp_path, story).made == 2


def test_while_nothing_is_published_a_picture_is_made_anew_after_a_minute(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        await somebody.look()
        somebody.now += SECONDS - 0.1
        await somebody.look()
        assert somebody.made == 1
        somebody.now += 0.2
        await somebody.look()

    assert looking(tmp_path, story).made == 2


def test_pictures_of_a_page_that_takes_long_are_shown_ten_minutes_at_most(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        await somebody.look()
        somebody.publish()
        somebody.now += LONGEST - 1
        assert await somebody.look() == (1, 1)
        somebody.now += 2
        assert await somebody.look() == (2, 2)

    looking(tmp_path, story, seconds=1_000.0)


def test_all_who_wait_for_a_picture_get_the_one_that_is_made(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        seen: list[tuple[int, int]] = []

        async def look() -> None:
            seen.append(await somebody.look())

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(look)
        assert seen == [(1, 1)] * 5

    assert looking(tmp_path, story).made == 1


def test_all_who_wait_for_what_cannot_be_made_are_told_at_once(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        told: list[str] = []
        state = await somebody.common.state()

        def fails(_: Reader) -> tuple[int, int]:
            somebody.made += 1
            somebody.now += 30
            raise TookTooLong("It took 30 s.")

        async def look() -> None:
            question = Question(somebody.common, "/", "devices", fails)
            with suppress(TookTooLong):
                await somebody.kept.get(question, state)
            told.append("told")

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(look)
        assert len(told) == 5
        assert somebody.made == 1
        await look()  # what failed is not kept
        assert await somebody.look() == (1, 1)

    assert looking(tmp_path, story).made == 3


def test_what_is_made_with_personal_rights_is_given_to_nobody_else(tmp_path: Path) -> None:
    async def story(somebody: Looking) -> None:
        await somebody.look(mirror=somebody.personal)
        await somebody.look()
        assert somebody.made == 2
        somebody.publish()  # those of the former state are good still, each for its own
        assert await somebody.look(mirror=somebody.personal) == await somebody.look() == (1, 1)

    assert looking(tmp_path, story).made == 2


@pytest.mark.heavy
def test_a_former_picture_has_its_former_date_beside_tables_that_are_new(tmp_path: Path) -> None:
    later = SYNCED + timedelta(hours=1)
    former, newest = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (SYNCED, later))
    publish(tmp_path, {"devices": [device(1)]})
    with serving(tmp_path, "--no-sync") as started:

        def page(path: str) -> str:
            return asked(started.url, "GET", path, **KNOWN).text

        first = page("/")
        publish(tmp_path, {"devices": [device(1), device(2)]}, 2, synced_at=later)
        table, again = page("/tables/devices"), page("/")
    assert newest in table
    assert former not in table
    for text in (first, again):  # made within ten times as long as it took
        assert '/queries/devices_by_platform">Devices</a> <span class="n">1</span>' in text
        assert former in text
        assert newest not in text
