"""A keychain as ``keyring`` knows them, in a file: what a system has for its user, for processes that tests start."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

PLACE = "TEST_KEYCHAIN"
"""Names the file in the environment."""


class Keyring(KeyringBackend):
    """Entries by service and user. A file that says so is locked."""

    priority = 1

    @property
    def name(self) -> str:
        return "a file of the tests"

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps({**self._entries(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("there is none")
        self._path.write_text(json.dumps(entries))

    @property
    def _path(self) -> Path:
        return Path(os.environ[PLACE])

    def _entries(self) -> dict[str, str]:
        text = self._path.read_text() if self._path.exists() else "{}"
        if text == "locked":
            raise KeyringLocked("the user said no")
        return dict(json.loads(text))
