"""Draws the people, blueprints and devices a world begins with, and those that join it later."""

from bisect import bisect
from functools import cache, cached_property
from itertools import accumulate
from random import Random

from kandji_simulator.world.hardware import AGENT_VERSIONS, APPLE, MODELS, PLATFORM_SHARES, RELEASES, Model, Release
from kandji_simulator.world.management import MOBILE
from kandji_simulator.world.records import Blueprint, Device, User
from kandji_simulator.world.rng import rng, stable_hash, uuid_from, uuid_of
from kandji_simulator.world.seed_data import FACTS, NAMES, owned, person, short_name
from kandji_simulator.world.time import DAY, HOUR, MINUTE

_FIRST_USER_NUMBER = 29_143
_FIRST_BOXED = 1_000_000_000
"""No fleet gets so large that its numbers reach those of devices in their boxes."""
_PLATFORM_BOUNDS = tuple(accumulate(share for _, share in PLATFORM_SHARES))
_SERIAL_LETTERS = "CDFGHJKLMNPQRTVWXY0123456789"
_ODD_EVERY = 3
WELL_KNOWN = {1: "C02XK1JHJG5J", 8: "F2LXK1JHJG5J"}
"""Serial numbers by number of the device: a Mac and an iPhone of the usual fleet, whom examples name."""


class FleetGenerator:
    """Draws what joins the world. Every draw depends on the seed and a running number only."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def user(self, number: int, now: int, name: str | None = None) -> User:
        """Draw a person; every 25th is archived, every 30th is still known by the old integer id."""
        draw = rng(self._seed, "user", number)
        name = name or person(draw)
        account = short_name(name, number)
        created = now - int(draw.random() * 900 * DAY)
        return User(
            id=uuid_of(draw),
            number=_FIRST_USER_NUMBER + number,
            name=name,
            email=f"{account}{number}@example.com",
            short_name=account,
            created=created,
            updated=created + 32,
            department=_or_none(draw, NAMES["departments"]),
            job_title=_or_none(draw, NAMES["jobs"]),
            archived=number % 25 == 7,
            integer_id=number % 30 == 11,
        )

    def blueprint(self, number: int, now: int, name: str | None = None) -> Blueprint:
        """Draw a blueprint with some of the library's items; enrolment codes may begin with zeros."""
        draw = rng(self._seed, "blueprint", number)
        created = now - int(draw.random() * 900 * DAY)
        names = draw.sample(sorted(self.library), draw.randrange(3, len(self.library)))
        known = [parameter["name"] for parameter in FACTS["parameters"]]
        return Blueprint(
            id=uuid_of(draw),
            name=name or _blueprint_name(number),
            number=number,
            type="map" if number % 4 == 3 else "classic",
            code=f"{draw.randrange(1_000_000) // 10 ** (number % 3):06d}",
            created=created,
            updated=created + 40 * DAY if created + 40 * DAY < now else created,
            items={self.library[name]: name for name in names},
            params={
                parameter_id(name): _parameter(draw, n)
                for n, name in enumerate(draw.sample(known, draw.randrange(len(known) + 1)))
            },
        )

    @cached_property
    def library(self) -> dict[str, str]:
        """The tenant's library items: id by name."""
        return {name: uuid_of(rng(self._seed, "library", name)) for name in NAMES["library"]}

    def boxed(self, number: int) -> Device:
        """Draw a device that nobody has opened yet."""
        platform = ("Mac", "iPad", "iPhone")[number % 3]
        return self.device(_FIRST_BOXED + number, DAY * 20_000, users=[], blueprints=[], platform=platform)

    def device(
        self,
        number: int,
        now: int,
        *,
        users: list[User],
        blueprints: list[Blueprint],
        platform: str | None = None,
        name: str | None = None,
    ) -> Device:
        """Draw a device with a past: enrolled within two years before ``now``, mostly seen within the last day."""
        draw = rng(self._seed, "device", number)
        identifier = uuid_of(draw)
        model = _model(draw, platform)
        user = draw.choice(users) if users and draw.random() < 0.88 else None
        enrolled = now - DAY - int(draw.random() * 700 * DAY)
        seen = _last_seen(draw, number, enrolled, now)
        blueprint = draw.choice(blueprints[: max(1, len(blueprints) - 1)]) if blueprints and number % 31 != 8 else None
        return Device(
            id=identifier,
            number=number,
            name=name or _device_name(number, user, model),
            model=model,
            release=_release(draw, model.platform),
            serial=_serial(draw, number),
            first_enrolled=enrolled - (int(draw.random() * 90 * DAY) if number % 4 == 0 else 0),
            enrolled=enrolled,
            checked_in=seen,
            collected=seen if model.platform in APPLE else None,
            user=user,
            blueprint=blueprint,
            asset_tag=_asset_tag(draw, number),
            agent=draw.choice(AGENT_VERSIONS.get(model.platform, ("",))) if seen else "",
            tags=tuple(draw.sample(NAMES["tags"], draw.randrange(3))),
            missing=seen is not None and seen < now - 30 * DAY,
            removed=number % 90 == 44,
            lost_mode="ENABLED" if number % 8 == 5 and model.platform in MOBILE else "",
            account=user.short_name if user else "admin",
            first_collected=min(enrolled + 5 * MINUTE, seen or now),
            drawn_until=seen or now,
        )


@cache
def specimen(platform: str = "Mac") -> Device:
    """Return a device of no fleet, to see what rows look like."""
    return FleetGenerator(0).device(0, DAY * 20_000, users=[], blueprints=[], platform=platform)


def parameter_id(name: str) -> str:
    """Return the identifier of a parameter, the same in every tenant."""
    return uuid_from(stable_hash("parameter", name))


def _parameter(draw: Random, number: int) -> dict[str, object]:
    details = (5, "daily", True, ["admin", "root"], {"grace": 3}, None)[number % 6]
    return {"mute": draw.random() < 0.2, "daily": draw.random() < 0.5, "details": details}


def _blueprint_name(number: int) -> str:
    names = NAMES["blueprints"]
    again, place = divmod(number, len(names))
    return f"{names[place]} {again + 1}" if again else str(names[place])


def _or_none(draw: Random, names: list[str]) -> str | None:
    return draw.choice(names) if draw.random() < 0.8 else None


def _model(draw: Random, platform: str | None) -> Model:
    drawn = PLATFORM_SHARES[bisect(_PLATFORM_BOUNDS, int(draw.random() * 100))][0]
    return draw.choice([model for model in MODELS if model.platform == (platform or drawn)])


def _release(draw: Random, platform: str) -> Release:
    """Draw mostly one of the newest releases."""
    known = RELEASES[platform]
    return known[-1 - int(len(known) * draw.random() ** 2)]


def _device_name(number: int, user: User | None, model: Model) -> str:
    place, rest = divmod(number, _ODD_EVERY)
    odd = NAMES["odd_devices"]
    if rest == 0 and 0 < place <= len(odd):
        return str(odd[place - 1])
    return owned(user.name, model.title) if user else f"acme-{model.platform.lower()}-{number:04d}"


def _serial(draw: Random, number: int) -> str:
    drawn = "".join(draw.choices(_SERIAL_LETTERS, k=10))  # in any case, so that what is drawn next stays the same
    return WELL_KNOWN.get(number, drawn)


def _asset_tag(draw: Random, number: int) -> str | None:
    """Return an asset tag: leading zeros are usual, and so is none at all."""
    return ("", None, f"{number:06d}", f"A-{draw.randrange(10_000):05d}")[number % 4]


_SEEN = (2 * HOUR,) * 8 + (20 * HOUR,) * 8 + (6 * DAY,) * 2 + (45 * DAY, 300 * DAY)
"""How long ago a device was last seen at most; each of the twenty is equally likely."""


def _last_seen(draw: Random, number: int, enrolled: int, now: int) -> int | None:
    """Draw when it was last seen; every 29th device never checked in."""
    ago = MINUTE + int(draw.random() * _SEEN[int(draw.random() * len(_SEEN))])
    return None if number % 29 == 12 else max(enrolled + 10 * MINUTE, now - ago)
