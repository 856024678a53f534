"""What devices are made of: models by platform and the releases of their operating systems."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """``name`` is the marketing name, ``short`` what Prism calls the model, ``capacity`` in GB."""

    platform: str
    name: str
    identifier: str
    short: str
    capacity: float
    silicon: bool | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.short or self.name


@dataclass(frozen=True, slots=True)
class Release:
    """A release of an operating system; ``title`` is its marketing name, ``extra`` a Rapid Security Response."""

    version: str
    build: str
    title: str | None = None
    extra: str = ""


APPLE = frozenset({"Mac", "iPhone", "iPad", "AppleTV"})
"""Platforms Prism covers here."""

PLATFORM_SHARES = (("Mac", 80), ("iPhone", 9), ("iPad", 6), ("AppleTV", 2), ("Windows", 2), ("Android", 1))
"""Percent of the fleet. Windows and Android devices are in the device list only, never in Prism."""

MODELS = (
    Model("Mac", "MacBook Air (M1, 2020)", "MacBookAir10,1", "MacBook Air", 245.0, True),
    Model("Mac", "MacBook Air (M2, 2022)", "Mac14,2", "MacBook Air", 494.0, True),
    Model("Mac", "MacBook Air (15-inch, M3, 2024)", "Mac15,13", "MacBook Air", 494.0, True),
    Model("Mac", "MacBook Air (13-inch, M4, 2025)", "Mac16,12", "MacBook Air", 494.0, True),
    Model("Mac", "MacBook Pro (14-inch, 2021)", "MacBookPro18,3", "MacBook Pro", 994.0, True),
    Model("Mac", "MacBook Pro (16-inch, 2021)", "MacBookPro18,1", "MacBook Pro", 994.0, True),
    Model("Mac", "MacBook Pro (14-inch, M3 Pro, Nov 2023)", "Mac15,6", "MacBook Pro", 994.0, True),
    Model("Mac", "MacBook Pro (16-inch, M4 Pro, 2024)", "Mac16,7", "MacBook Pro", 1995.0, True),
    Model("Mac", "MacBook Pro (13-inch, 2020, Two Thunderbolt 3 ports)", "MacBookPro16,3", "MacBook Pro", 250.0, False),
    Model("Mac", "MacBook Air (Retina, 13-inch, 2020)", "MacBookAir9,1", "MacBook Air", 250.0, False),
    Model("Mac", "iMac (24-inch, M1, 2021)", "iMac21,1", "iMac", 494.0, True),
    Model("Mac", "Mac mini (M2, 2023)", "Mac14,3", "Mac mini", 245.0, True),
    Model("Mac", "Mac Studio (2022)", "Mac13,1", "Mac Studio", 994.0, True),
    Model("Mac", "Virtual Machine", "VirtualMac2,1", "Virtual Machine", 47.0, True),
    Model("iPhone", "iPhone 13", "iPhone14,5", "iPhone", 128.0),
    Model("iPhone", "iPhone 14 Pro", "iPhone15,2", "iPhone", 256.0),
    Model("iPhone", "iPhone SE (3rd generation)", "iPhone14,6", "iPhone", 64.0),
    Model("iPhone", "iPhone 15", "iPhone15,4", "iPhone", 128.0),
    Model("iPad", "iPad (8th generation) (Wi-Fi)", "iPad11,6", "iPad", 128.0),
    Model("iPad", "iPad Air (4th generation) Wi-Fi + Cellular", "iPad13,2", "iPad", 64.0),
    Model("iPad", "iPad Pro 11-inch (4th generation)", "iPad14,3", "iPad", 256.0),
    Model("AppleTV", "Apple TV 4K (3rd generation)", "AppleTV14,1", "Apple TV", 64.0),
    Model("AppleTV", "Apple TV HD", "AppleTV5,3", "Apple TV", 32.0),
    Model("Windows", "Surface Laptop 6 for Business", "", "", 512.0),
    Model("Android", "Pixel 9", "", "", 128.0),
)

_MAC = (
    Release("12.7.6", "21H1320", "Monterey"),
    Release("13.4.1", "22F770820d", "Ventura", "(c)"),
    Release("13.7.8", "22H730", "Ventura"),
    Release("14.4.1", "23E224", "Sonoma"),
    Release("14.8.1", "23J30", "Sonoma"),
    Release("15.3.2", "24D81", "Sequoia"),
    Release("15.6.1", "24G90", "Sequoia"),
    Release("15.7.3", "24G419", "Sequoia"),
    Release("26.0.1", "25A362", "Tahoe"),
    Release("26.1", "25B78", "Tahoe"),
    Release("26.2", "25C56", "Tahoe"),
)
_IOS = (
    Release("16.7.12", "20H364"),
    Release("17.4", "21E219"),
    Release("17.7.2", "21H221"),
    Release("18.6.2", "22G100"),
    Release("18.7.3", "22H217"),
    Release("26.1", "23B85"),
    Release("26.2", "23C55"),
)
_TV = (Release("17.6.1", "21M80"), Release("18.6", "22M84"), Release("26.2", "23K51"))

RELEASES = {
    "Mac": _MAC,
    "iPhone": _IOS,
    "iPad": _IOS,
    "AppleTV": _TV,
    "Windows": (Release("23H2", ""), Release("24H2", ""), Release("25H2", "")),
    "Android": (Release("14", ""), Release("15", ""), Release("16", "")),
}
"""Releases in use by platform, oldest first."""

AGENT_VERSIONS = {
    "Mac": ("4.3.3 (4811)", "4.5.9 (5160)", "4.6.0 (5202)", "4.6.2 (5240)"),
    "Windows": ("1.0.00002.0002",),
}
"""Versions of the agent by platform; the others have none."""


def models_of(platform: str) -> tuple[Model, ...]:
    """Return all models of a platform."""
    return tuple(m for m in MODELS if m.platform == platform)
