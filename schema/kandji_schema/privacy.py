"""The modes of ``KANDJI_MIRROR_PRIVACY``: who sees personal data. What is personal is marked in the tables' columns."""

from enum import StrEnum


class Privacy(StrEnum):
    """Who sees personal data; see :class:`kandji_schema.columns.Personal` for what it is."""

    OFF = "off"
    AGENTS = "agents"
    ON = "on"

    @property
    def masks_agents(self) -> bool:
        """Whether AI clients read masked files."""
        return self is not Privacy.OFF

    def masks(self, *, personal: bool) -> bool:
        """Tell whether an AI client reads masked files; ``personal``: it asks for a person who may see names."""
        return self is Privacy.ON or (self is Privacy.AGENTS and not personal)

    @property
    def masks_people(self) -> bool:
        """Whether people at the command line do too: then nothing else is on the disk."""
        return self is Privacy.ON


_GENERAL = """
    account admin administrator administration agent all anonymous app apple apps assistant audit backup billing
    business byod chrome cisco class classroom cloud code company computer conference contact daemon default demo
    dept desk desktop dev developer developers device devices dock dummy edit education email employee engineering
    enterprise example facetime field finance firefox front general git github google group guest guests head health
    hello helpdesk help home hotel host hr info ios ipad iphone iru intern internal jamf kandji kiosk lab laptop leave
    legal library lobby loaner local localadmin login logic mac macbook macos mail main maintenance manager marketing
    mdm media meeting microsoft mobile music network news nobody noreply none notes null office one online operations
    order orders owner pages people phone photos planning platform play pool press print printer product production
    project reception reply request research room root safari sales school science secretary security server service
    services setup shared shop slack social software spare staff standard store student students studio support sync
    sysadmin system systems tablet teacher team teams tech temp test tester testing the time tools training unknown
    update user users video visitor web webmaster windows work workstation xcode zoom
"""

NOT_PEOPLE = frozenset(_GENERAL.split())
"""Words that name accounts, places and products as often as people: by one of these alone nobody is told."""
