"""The software of the synthetic fleet: ``catalogue.tsv`` and a long tail, with a stream of versions for each app."""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, product
from typing import Any

from kandji_simulator.world.rng import rng
from kandji_simulator.world.seed_data import NAMES, read_table

CURRENT = 24
"""Number of the release that is newest when the world begins."""

_TAIL_FLAVOURS = ("native", "sparkle", "electron", "unnamed")


@dataclass(frozen=True, eq=False)
class Bundle:
    """One application bundle on disk; ``path`` is None on iOS and tvOS."""

    name: str
    bundle_id: str | None
    path: str | None


@dataclass(frozen=True, eq=False)
class App:
    """An application with its helpers: they come, go and change version together. ``share`` is percent of devices."""

    flavour: str
    name: str
    bundle_id: str
    developer: str
    team_id: str
    category: str
    version: str
    share: int
    bundles: tuple[Bundle, ...]

    def release(self, number: int) -> str:
        """Return the version of release ``number``; greater is newer."""
        return _release(self.version, number)


@dataclass(frozen=True)
class Catalogue:
    """The apps of one kind of device. A bundle's place among all bundles is its row's position on a device."""

    apps: tuple[App, ...]
    first: tuple[int, ...]

    @cached_property
    def by_bundle_id(self) -> dict[str, tuple[int, App]]:
        """Index and app by the app's bundle identifier."""
        return {app.bundle_id: (index, app) for index, app in enumerate(self.apps)}


@cache
def catalogue(platform: str) -> Catalogue:
    """Return what is found on devices of a platform."""
    apps = tuple(app for app in _apps() if _runs_on(app.flavour, platform))
    return Catalogue(apps, tuple(accumulate((len(a.bundles) for a in apps), initial=0)))


def _runs_on(flavour: str, platform: str) -> bool:
    wanted = {"iPhone": "ios", "iPad": "ios", "AppleTV": "tv"}.get(platform)
    return flavour == wanted if wanted else flavour not in {"ios", "tv"}


@cache
def _apps() -> tuple[App, ...]:
    return tuple(map(_app, [*read_table("catalogue.tsv"), *_long_tail()]))


def _long_tail() -> list[dict[str, str]]:
    return [
        _tail_row(number, f"{a} {b}") for number, (a, b) in enumerate(product(NAMES["app_first"], NAMES["app_last"]))
    ]


def _tail_row(number: int, name: str) -> dict[str, str]:
    vendor = name.split()[0].lower() + "works"
    return {
        "flavour": _TAIL_FLAVOURS[number % 4],
        "name": name,
        "bundle_id": f"com.{vendor}.{name.replace(' ', '')}",
        "developer": f"{vendor.capitalize()} Software Ltd",
        "team_id": "-",
        "category": "utilities",
        "version": f"{number % 7}.{number % 10}.{number % 4}",
        "share": "2",
    }


def _app(row: dict[str, str]) -> App:
    team = _synthetic_team(row["developer"]) if row["team_id"] == "-" else row["team_id"]
    facts: dict[str, Any] = {**row, "share": int(row["share"]), "team_id": team}
    return App(**facts, bundles=tuple(_bundles(row["flavour"], row["name"], row["bundle_id"])))


def _synthetic_team(developer: str) -> str:
    return "".join(rng("team", developer).choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=10))


_FOLDERS = {
    "system": "/System/Applications",
    "utility": "/System/Applications/Utilities",
    "home": "/Users/~/Applications",
}
"""``~`` stands for the account name of the device's user."""


def _bundles(flavour: str, name: str, bundle_id: str) -> list[Bundle]:
    if flavour in {"ios", "tv"}:
        return [Bundle(name, bundle_id, None)]
    path = f"{_FOLDERS.get(flavour, '/Applications')}/{name}.app"
    main = Bundle(name, None if flavour == "unnamed" else bundle_id, path)
    return [main, *(_helper(row, main) for row in read_table("helpers.tsv") if row["flavour"] == flavour)]


def _helper(row: dict[str, str], main: Bundle) -> Bundle:
    name = row["name"].format(main=main)
    return Bundle(name, row["bundle_id"].format(main=main), f"{row['folder'].format(main=main)}/{name}.app")


@cache
def _release(base: str, number: int) -> str:
    """Count the last two numbers up from ``base`` (the last of two); the build in brackets, if any, runs along."""
    dotted, _, build = base.partition(" (")
    *head, minor, patch = map(int, dotted.split(".") if "." in dotted else [dotted, "0"])
    carry, rest = divmod(number, 5) if head else (0, number)
    text = ".".join(map(str, [*head, minor + carry, patch + rest]))
    beta = f"-beta.{number % 3 + 1}" if number % 9 == 8 else ""
    return f"{text}{beta} ({int(build[:-1]) + 137 * number})" if build else text + beta
