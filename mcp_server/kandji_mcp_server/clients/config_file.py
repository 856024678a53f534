"""An entry among those of a client's file: its text before, its text after. What else it holds stays as it is."""

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable

from kandji_schema.errors import ConfigurationError
from kandji_schema.files import rename_durably, written_beside

Document = dict[str, Any]


class CannotMerge(ConfigurationError):
    """The file is not what it should be; the text says why, without what is in it."""


def entry_alone(form: str, servers: str, name: str, entry: Mapping[str, Any]) -> str:
    """Return the text of a client's file that has this entry alone."""
    return FORMS[form]("", servers, name, entry)


def merge_entry(form: str, text: str, servers: str, name: str, entry: Mapping[str, Any]) -> str:
    """Return the text with the entry, in place of one of its name. :class:`NotMerged` where anything would be lost."""
    after = FORMS[form](text, servers, name, entry)
    before = _READ[form](text)
    wanted = {**before, servers: {**_servers(before, servers), name: dict(entry)}}
    if _READ[form](after) != wanted:
        raise CannotMerge("the entry cannot be added without changing other ones")
    return after


def _merge_json(text: str, servers: str, name: str, entry: Mapping[str, Any]) -> str:
    document = _read_json(text)
    document[servers] = {**_servers(document, servers), name: entry}
    try:
        return f"{json.dumps(document, indent=_indent(text), ensure_ascii=False, allow_nan=False)}\n"
    except ValueError:
        raise CannotMerge("it holds a number that JSON does not have") from None


def _merge_toml(text: str, servers: str, name: str, entry: Mapping[str, Any]) -> str:
    _servers(_read_toml(text), servers)
    document = tomlkit.parse(text)
    if servers not in document:
        document[servers] = tomlkit.table(is_super_table=True)
    table = document[servers]
    if not isinstance(table, AbstractTable):
        raise CannotMerge(f"its member {servers} is no table")
    table[name] = dict(entry)
    return tomlkit.dumps(document)


def _read_json(text: str) -> Document:
    try:
        document = (
            json.loads(text, object_pairs_hook=_unique_members, parse_constant=_refuse_constant) if text.strip() else {}
        )
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise CannotMerge(f"it is not plain JSON{where}, perhaps for a comment, which would be lost") from None
    return _members(document, "")


def _read_toml(text: str) -> Document:
    try:
        tomlkit.parse(text)  # both must understand it
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, TOMLKitError, RecursionError) as error:
        where = re.search(r"at line \d+", str(error))
        raise CannotMerge(f"it is not TOML{f' {where[0]}' if where else ''}") from None


def _servers(document: Document, name: str) -> Document:
    found = document.get(name)
    return {} if found is None else _members(found, name)


def _members(value: Any, name: str) -> Document:
    if not isinstance(value, dict):
        raise CannotMerge(f"its member {name} holds no servers by name" if name else "it holds no members")
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name comes twice")
    return document


def _refuse_constant(_: str) -> Any:
    raise ValueError("a number that JSON does not have")


def _indent(text: str) -> int | str:
    """Return how the file is indented."""
    found = re.search(r"^[ \t]+(?=\")", text, re.MULTILINE)
    return found[0] if found else 2


FORMS: Mapping[str, Callable[[str, str, str, Mapping[str, Any]], str]] = {"json": _merge_json, "toml": _merge_toml}

_READ: Mapping[str, Callable[[str], Document]] = {"json": _read_json, "toml": _read_toml}


BOM = b"\xef\xbb\xbf"


def change_file(path: Path, edit: Callable[[str], str], now: datetime) -> Path | None:
    """Put ``edit`` of the file's text into the file and return the copy of what it was.

    None where there was no file, or nothing to change. The file is as before or as after, never between, also where it
    is a link or the disk is full. :class:`ConfigurationError` where it is not what it should be: nothing was changed.
    """
    target = path.resolve()
    try:
        before = target.read_bytes() if target.exists() else None
        after = _edit_bytes(before or b"", edit)
        if after == before:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        backup = _back_up(target, now) if before is not None else None
        _replace(target, before, after)
        return backup
    except CannotMerge as error:
        raise CannotMerge(f"{path}: {error}. Nothing was changed; without --write the entry is printed.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be changed: {error.strerror or error}. Nothing was changed.") from None


def _edit_bytes(before: bytes, edit: Callable[[str], str]) -> bytes:
    """Return the file's new bytes, without a byte order mark: a client's own parser may stumble over one."""
    try:
        text = before.removeprefix(BOM).decode("utf-8")
        after = edit(text)
        if "\r\n" in text:
            after = after.replace("\r\n", "\n").replace("\n", "\r\n")
        return after.encode("utf-8")
    except UnicodeError:
        raise CannotMerge("it is not text") from None


def _back_up(target: Path, now: datetime) -> Path:
    """Make a copy beside the file, as private as the file."""
    backup = target.with_name(f"{target.name}.backup-{now:%Y%m%dT%H%M%S%fZ}")
    descriptor = os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with target.open("rb") as source, os.fdopen(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy)
    shutil.copymode(target, backup)
    return backup


def _replace(target: Path, before: bytes | None, after: bytes) -> None:
    with written_beside(target, after) as made:
        if before is not None:
            shutil.copymode(target, made)
        if (target.read_bytes() if target.exists() else None) != before:
            raise CannotMerge("the client changed it at the same moment; try again")
        rename_durably(made, target)
