"""``backup``, ``restore`` and ``verify``: what they print."""

from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import say, say_document, tell, warn
from kandji_mirror.backup.contents import NAME, Contents
from kandji_mirror.backup.restore import RESTORED_CHECKS, restore
from kandji_mirror.backup.take import back_up as take
from kandji_mirror.backup.verify import Verdict, verify_backup, verify_home
from kandji_schema.errors import StoreDamaged, UsageError
from kandji_schema.folders import expanded
from kandji_schema.settings import load
from kandji_schema.text import counted, escaped, size
from kandji_watch.without_secrets import without_secrets

_LISTED = 20
_NEVER = "tokens and settings (config.toml)"


def back_up(to: str, *, with_key: bool, as_json: bool) -> None:
    """Write a backup, and say what is in it and what is not."""
    settings = settings_to_read()
    checks, taken_out = without_secrets(settings.home)
    left_out = (_NEVER, *taken_out, *(() if with_key else ("privacy.key",)))
    taken = take(settings.home, to, checks=checks, left_out=left_out, with_key=with_key)
    if as_json:
        say_document({"backup": taken.path, **_facts(taken.contents), "warnings": taken.warnings})
        return
    warn(taken.warnings)
    say(f"{taken.path}: {_in_words(taken.contents)}.")
    tell(f"Not in it: {', '.join(left_out)}. Prove it with: kandji-mirror verify '{taken.path}'")


def put_back(source: str, to: str | None, *, force: bool, as_json: bool) -> None:
    """Restore a backup, and say what is where."""
    home = expanded(to) if to else load().home
    done = restore(expanded(source), home.absolute(), force=force)
    if as_json:
        say_document({"home": done.home, "aside": done.aside, **_facts(done.contents)})
        return
    say(f"{done.home}: {_in_words(done.contents)}, as of {done.contents.made_at:%Y-%m-%d %H:%M} UTC.")
    if done.aside:
        tell(f"What was there before is in {done.aside}.")
    if (done.home / RESTORED_CHECKS).exists():
        tell(
            f"Checks are off until somebody looked at {RESTORED_CHECKS} and renamed it: they send, and start programs."
        )
    tell("Not in a backup: " + "; ".join(map(escaped, done.contents.left_out)) + ".")


def prove(source: str | None, *, as_json: bool) -> None:
    """Look at all of a home or a backup; :class:`StoreDamaged` where something is wrong."""
    verdict = _verdict(source)
    if as_json:
        facts = {name: value for name, value in vars(verdict).items() if name != "contents"}
        say_document({"whole": not verdict.troubles, **facts, **_facts(verdict.contents)})
    if verdict.troubles:
        if not as_json:
            for name, trouble in list(verdict.troubles.items())[:_LISTED]:
                say(f"{escaped(name)}: {escaped(trouble)}")
        more = f", of which the first {_LISTED} are told" if len(verdict.troubles) > _LISTED else ""
        raise StoreDamaged(f"RED: {verdict.what} has {counted(len(verdict.troubles), 'trouble')}{more}.")
    if not as_json:
        say(
            f"GREEN: {verdict.what}: {counted(verdict.files, 'file')} of {size(verdict.bytes)}, "
            f"{counted(verdict.rows, 'row')}, {counted(verdict.events, 'change')} of history, "
            f"{counted(verdict.audit_records, 'audit record')}."
        )


def _verdict(source: str | None) -> Verdict:
    if source is None:
        return verify_home(settings_to_read().home)
    path = expanded(source)
    if path.is_dir() and not (path / NAME).exists():
        if not (path / "store").is_dir():
            raise UsageError(f"{path} is neither a backup nor a home: there is no {NAME} and no folder store in it.")
        return verify_home(path)
    return verify_backup(path)


def _facts(contents: Contents | None) -> dict[str, object]:
    if contents is None:
        return {}
    return {
        "tenant": contents.tenant,
        "generation": contents.generation,
        "made_at": contents.made_at,
        "written_by": contents.written_by,
        "backup_files": len(contents.files),
        "backup_bytes": contents.size,
        "backup_rows": sum(contents.rows.values()),
        "backup_audit_records": contents.audit_records,
        "left_out": contents.left_out,
    }


def _in_words(contents: Contents) -> str:
    return (
        f"tenant {escaped(contents.tenant)}, generation {contents.generation}, {counted(len(contents.files), 'file')} "
        f"of {size(contents.size)}, {counted(sum(contents.rows.values()), 'row')}, "
        f"{counted(contents.audit_records, 'audit record')}"
    )
