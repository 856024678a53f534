"""The file to begin with: ``checks.toml`` with comments, which switches nothing on that would tell somebody."""

import os
from pathlib import Path

from kandji_schema.errors import StoreFull, UsageError
from kandji_schema.files import make_folder
from kandji_watch.definition import built_in, checks_path

HEAD = """\
# Checks: what somebody is told. Reference: docs/checks.md
# Try a target:   kandji-mirror check test CHECK --to TARGET
# Ask now:        kandji-mirror check run --all
# How it stands:  kandji-mirror check list

# timezone = "Europe/Zurich"     # of hours below; UTC where it is not set
# quiet = "22:00-07:00"          # nobody is told then; what is found is told after it
# pages = "https://mirror.example.com"   # where people reach the pages of `serve`: texts lead there
tell = ["log"]                   # whom checks tell that do not say it themselves

[target.log]                     # a line of JSON for each text
kind = "file"
path = "{path}"

# [target.ops]
# kind = "slack"                 # slack, teams, discord, or webhook for plain JSON
# url = "env:OPS_WEBHOOK"        # a secret: env:NAME, file:/path, keyring:NAME

# [target.it]
# kind = "email"
# host = "smtp.example.com"
# security = "starttls"          # starttls or tls
# user = "mirror@example.com"
# password = "keyring:smtp"
# from = "mirror@example.com"
# to = ["it@example.com"]

# [target.pager]
# kind = "command"               # the text is JSON on its standard input
# command = ["/usr/local/bin/page", "--team", "it"]

# The checks that are there. Take the # away to switch one on; every key can be set otherwise:
# [check.devices_not_checked_in]
# params = {{ days = 14 }}
# severity = "warning"
# at = "08:00"
# tell = ["ops"]

"""

OWN = """
# One of your own: a named query, or a statement; `when` is any, new, above, below, older or silent.
# [check.many_local_accounts]
# sql = "SELECT device_id, count(*) AS accounts FROM prism_local_users GROUP BY ALL HAVING accounts > 5"
# key = ["device_id"]
# every = "6h"
"""


def write_first(home: Path) -> Path:
    """Write the file for its owner alone and return its path; :class:`UsageError` where there is one."""
    path = checks_path(home)
    text = HEAD.format(path=(home / "checks.jsonl").absolute()) + "\n".join(_built_in()) + "\n" + OWN
    try:
        make_folder(home)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} is there already; nothing was written.") from None
    except OSError as error:
        raise StoreFull(f"{path} could not be written: {error.strerror}. Correct the rights of the folder.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _built_in() -> list[str]:
    return [f"# [check.{name}]".ljust(44) + f"# {table['title']}" for name, table in built_in().items()]
