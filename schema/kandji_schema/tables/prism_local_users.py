"""Local accounts."""

from datetime import datetime, timedelta
from typing import Any

from kandji_schema.columns import Names, Personal, boolean, extra, integer, text, timestamp
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismLocalUser(PrismRow, table=True):
    """One row per Mac and local account, the roughly hundred system accounts included (their uid is below 500)."""

    __tablename__ = "prism_local_users"

    username: str | None = text("Short name of the account.", personal=Personal.IDENTITY, names=Names.ACCOUNT)
    full_name: str | None = text("Full name of the account.", personal=Personal.IDENTITY, names=Names.FULL_NAME)
    uid: int | None = integer("Number of the account on this Mac; people begin at 501.", samples=(501, 502, 503, 1, 26))
    generated_uid: str | None = text(
        "UUID of the account; system accounts have the same one on every Mac.", key=True, personal=Personal.IDENTITY
    )
    type: str | None = text("Administrator or Standard.", samples=("Administrator", "Standard", "Standard"))
    directory: str | None = text(
        "Directory node the account is in, such as /Local/Default.", samples=("/Local/Default",)
    )
    home_directory: str | None = text("Home folder.", personal=Personal.PATH)
    shell: str | None = text("Login shell.", samples=("/bin/zsh", "/bin/zsh", "/bin/bash", "/usr/bin/false"))
    hidden_user: bool | None = boolean("Whether the login window hides the account.", samples=(False, False, True))
    secure_token: bool | None = boolean("Whether the account has a secure token.", samples=(True, False, None))
    filevault_user: bool | None = boolean("Whether the account can unlock the disk.", samples=(True, False))
    volume_owner: bool | None = boolean("Whether the account owns the start volume.", samples=(True, False))
    mobile_account: bool | None = boolean(
        "Whether it is a directory account kept locally.", samples=(False, False, True)
    )
    home_folder_secure: bool | None = boolean("Whether others are kept out of the home folder.", samples=(True, False))
    logged_in: bool | None = boolean("Whether the account was logged in at the collection.", samples=(True, False))
    logged_in_time: datetime | None = timestamp("When it last logged in.")
    user_created_at: datetime | None = timestamp("When the account was made.")
    password_last_set: datetime | None = timestamp("When its password was last set.")
    failed_logins: int | None = integer("Failed logins in a row.", samples=(0, 0, 0, 2, None))
    failed_login_time: datetime | None = timestamp("When a login last failed.")
    extra: Any = extra()


PRISM_LOCAL_USERS = category(
    PrismLocalUser,
    "local_users",
    ttl=timedelta(hours=6),
    platforms=MAC,
    key_fallback=("uid",),
    asks=(
        Ask(
            "Which people's accounts are on a Mac",
            "SELECT d.device_name, u.username, u.full_name, u.type, u.secure_token FROM prism_local_users AS "
            "u JOIN devices AS d USING (device_id) WHERE u.uid >= 500 ORDER BY ALL",
        ),
        Ask(
            "Who is an administrator",
            "SELECT d.device_name, u.username FROM prism_local_users AS u JOIN devices AS d USING (device_id)"
            " WHERE u.uid >= 500 AND u.type ILIKE '%admin%'",
        ),
    ),
)
