"""Launch agents and launch daemons."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, document, extra, integer, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask

_FOLDERS = ("/Library/LaunchAgents", "/Library/LaunchDaemons")
_LABELS = ("com.microsoft.update.agent", "com.google.keystone.agent", "us.zoom.ZoomDaemon", "io.kandji.KandjiAgent")


class PrismLaunchAgentOrDaemon(PrismRow, table=True):
    """One row per Mac and launch agent or daemon: programs that start by themselves."""

    __tablename__ = "prism_launch_agents_and_daemons"

    path: str | None = text(
        "Its property list; may lie in a home folder.",
        key=True,
        personal=Personal.PATH,
        samples=tuple(f"{folder}/{label}.plist" for folder in _FOLDERS for label in _LABELS),
    )
    user_agent_local_user: str | None = text(
        "Local account whose own agent it is; empty for what is there for all.",
        key=True,
        personal=Personal.IDENTITY,
        samples=(None,),
    )
    user_agent_local_user_id: str | None = text(
        "Number of that account, as text.", personal=Personal.IDENTITY, samples=(None,)
    )
    file_name: str | None = text("Name of the property list.", samples=tuple(f"{label}.plist" for label in _LABELS))
    label: str | None = text("Label of the job.", samples=_LABELS)
    program: str | None = text(
        "Program it starts; where empty, the first of program_arguments.",
        personal=Personal.PATH,
        samples=(None, "/usr/libexec/agent"),
    )
    program_arguments: str | None = text(
        "Arguments, the program first, as one text with commas between.",
        personal=Personal.FREE_TEXT,
        samples=("/Library/Kandji/Kandji Agent.app/Contents/MacOS/kandji-daemon, --daemon", None),
    )
    service_domain: str | None = text(
        "System Agent, System Daemon or as the provider calls it.", samples=("System Agent", "System Daemon")
    )
    domain: Any = document(
        "Where it is loaded or disabled, with the local accounts, as a JSON object.",
        personal=Personal.IDENTITY,
        samples=({"system_agent": {"loaded_users": [{"uid": 501.0, "username": "admin"}], "disabled_users": []}}, None),
    )
    is_loaded: bool | None = boolean("Whether it is loaded.", samples=(True, True, False))
    is_disabled: bool | None = boolean("Whether launchd has it disabled.", samples=(False, False, True))
    disabled: bool | None = boolean("Whether its property list says disabled.", samples=(False, None))
    run_at_load: bool | None = boolean("Whether it runs as soon as it is loaded.", samples=(True, False))
    keep_alive: bool | None = boolean("Whether it is started again when it ends.", samples=(False, True))
    start_on_mount: bool | None = boolean("Whether it starts when a volume is mounted.", samples=(None, False))
    start_interval: int | None = integer("Seconds between its starts.", samples=(7200, 3600, None, None))
    pid: int | None = integer("Process number at the collection.", volatile=True, samples=(None, 412, 97))
    process_type: str | None = text("Background, Interactive, Adaptive or Standard.", samples=(None, "Background"))
    user_name: str | None = text("Local account it runs as.", personal=Personal.IDENTITY, samples=(None, None, "root"))
    group_name: str | None = text("Local group it runs as.", samples=(None, "wheel"))
    standard_out_path: str | None = text(
        "Where its output goes.", personal=Personal.PATH, samples=("/var/log/agent.log", None)
    )
    standard_error_path: str | None = text(
        "Where its errors go.", personal=Personal.PATH, samples=("/var/log/agent.err.log", None)
    )
    watch_paths: str | None = text(
        "Paths whose change starts it.",
        personal=Personal.FREE_TEXT,
        samples=("/Library/Managed Preferences", None, None),
    )
    queue_directories: str | None = text(
        "Folders that start it when not empty.", personal=Personal.FREE_TEXT, samples=(None,)
    )
    root_directory: str | None = text("Folder it takes for the root.", personal=Personal.PATH, samples=(None,))
    working_directory: str | None = text(
        "Folder it works in.", personal=Personal.PATH, samples=("/usr/local", None, None)
    )
    extra: Any = extra()


PRISM_LAUNCH_AGENTS_AND_DAEMONS = category(
    PrismLaunchAgentOrDaemon,
    "launch_agents_and_daemons",
    ttl=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "What starts by itself on how many Macs",
            "SELECT label, program, count(DISTINCT device_id) AS macs FROM prism_launch_agents_and_daemons "
            "GROUP BY ALL ORDER BY macs DESC LIMIT 50",
        ),
    ),
)
