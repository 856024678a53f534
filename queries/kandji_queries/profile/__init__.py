"""The profile of a device: all that is known of it, in parts. Faces render it; each part is a file in ``parts/``."""

from kandji_queries.profile.blocks import Block, Cell, block_of, blocks, facts_in_short, name_of
from kandji_queries.profile.device_profile import DeviceProfile, ProfileSection, read_profile, wanted_parts
from kandji_queries.profile.devices_in_short import DevicesInShort, devices_meant, read_in_short
from kandji_queries.profile.parts import Field, ProfilePart, profile_parts

__all__ = [
    "Block",
    "Cell",
    "DeviceProfile",
    "DevicesInShort",
    "Field",
    "ProfilePart",
    "ProfileSection",
    "block_of",
    "blocks",
    "devices_meant",
    "facts_in_short",
    "name_of",
    "profile_parts",
    "read_in_short",
    "read_profile",
    "wanted_parts",
]
