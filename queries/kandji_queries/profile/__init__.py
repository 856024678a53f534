"""The profile of a device: all that is known of it, in parts. Faces render it; each part is a file in ``parts/``."""

from kandji_queries.profile.device_profile import DeviceProfile, ProfileSection, read_profile, wanted_parts
from kandji_queries.profile.parts import Field, ProfilePart, profile_parts

__all__ = ["DeviceProfile", "Field", "ProfilePart", "ProfileSection", "profile_parts", "read_profile", "wanted_parts"]
