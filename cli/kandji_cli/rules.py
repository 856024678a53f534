"""``rules``: the rules of compliance in force, and what another file would change."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kandji_cli.output import print_rows, say, say_document, say_page, tell
from kandji_queries.compliance.checked import Checked, Problem, check
from kandji_queries.compliance.rule_set import BUILT_IN, FILE, Rule, RuleFile
from kandji_queries.reader import Reader
from kandji_queries.rules_compared import Compared, compare
from kandji_schema.durations import exactly_in_words
from kandji_schema.errors import ConfigurationError, NothingMirrored
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted

COLUMNS = ("rule", "asks", "severity", "platforms", "table", "conditions", "max_age")
RESULTS = ("pass", "fail", "unknown")


def print_built_in() -> None:
    """Print the built-in file, comments and all."""
    say_page(BUILT_IN.read_text(encoding="utf-8"))


def print_rules(form: str) -> None:
    """Print a row for each rule in force, and beside them which file they are from."""
    settings = load()
    book = RuleFile(settings.home, settings.mirror_compliance_file)
    print_rows(COLUMNS, map(_row, book.rules().rules), form)
    tell(_origin(book, settings))


def _row(rule: Rule) -> tuple[object, ...]:
    conditions = " and ".join(map(str, rule.conditions))
    age = rule.max_age and exactly_in_words(rule.max_age)
    platforms = ", ".join(rule.platforms) or "all"
    return rule.name, rule.title, rule.severity, platforms, rule.table, conditions, age or None


def _origin(book: RuleFile, settings: Settings) -> str:
    if book.path == BUILT_IN:
        own = settings.home / FILE
        return (
            "These are the built-in rules. For rules of your own: `kandji-mirror rules show --built-in > mine.toml`, "
            f"change it, `kandji-mirror rules check mine.toml`, then move it to {own}."
        )
    why = "named by KANDJI_MIRROR_COMPLIANCE_FILE" if settings.mirror_compliance_file else "in the data directory"
    return f"These rules are from {book.path}, {why}; they replace the built-in ones as a whole."


def check_file(file: Path | None, *, as_json: bool) -> int:
    """Print what is wrong with a file of rules, or with the one in force; else what it would change. Return the code.

    Raises what stands against reading the mirror, apart from that there is none.
    """
    settings = load()
    book = RuleFile(settings.home, settings.mirror_compliance_file)
    found = check(file or book.path)
    compared = _compared(settings, found, book) if found.rules else None
    if as_json:
        say_document(_document(found, compared))
    else:
        _say(found, compared, is_other=found.path != book.path)
    return ConfigurationError.exit_code if found.problems else 0


def _compared(settings: Settings, found: Checked, book: RuleFile) -> Compared | None:
    """Compare with the rules in force; None where nothing is mirrored, or where those cannot be used."""
    try:
        now = book.rules()
        with (
            Reader(settings.home, rules=str(now.path), masked=settings.privacy.masks_people) as current,
            Reader(settings.home, rules=str(found.path.absolute()), masked=settings.privacy.masks_people) as other,
        ):
            return compare(current, other)
    except (NothingMirrored, ConfigurationError):
        return None


def _say(found: Checked, compared: Compared | None, *, is_other: bool) -> None:
    for problem in found.problems:
        say(_words(found.path, problem))
    for doubt in found.doubts:
        say(_words(found.path, doubt, "note: "))
    if found.problems:
        number = counted(len(found.problems), "problem")
        tell(f"{number}. In force, such a file keeps every question about compliance from being answered.")
        return
    say(f"{found.path}: {counted(len(found.rules.rules) if found.rules else 0, 'rule')}, nothing is wrong.")
    if compared is None:
        tell("What it would change is not known: nothing is mirrored, or the rules in force cannot be read.")
    elif is_other:
        say("\n".join(_changes(compared)))
    else:
        tell("These are the rules in force; name another file to see what it would change.")


def _words(path: Path, problem: Problem, kind: str = "") -> str:
    return f"{path}{f':{problem.line}' if problem.line else ''}: {kind}{problem.text}"


def _changes(compared: Compared) -> Iterator[str]:
    """Say how many devices would have another outcome, then the rules of which other numbers would be told."""
    moved = sum(compared.moved.values())
    total = counted(moved + compared.same, "device")
    yield f"{moved:,} of {total} would have another outcome than by the rules in force" + (":" if moved else ".")
    for (before, after), devices in compared.moved.items():
        yield f"  {before} -> {after}: {counted(devices, 'device')}"
    for rule in dict.fromkeys([*compared.before, *compared.after]):
        was, now = compared.before.get(rule), compared.after.get(rule)
        if was != now:
            yield f"  {rule}: {_numbers(was)} -> {_numbers(now)}"


def _numbers(results: Mapping[str, int] | None) -> str:
    if results is None:
        return "no such rule"
    return ", ".join(f"{results.get(result, 0):,} {result}" for result in RESULTS)


def _document(found: Checked, compared: Compared | None) -> dict[str, Any]:
    moved = compared and [
        {"before": before, "after": after, "devices": devices} for (before, after), devices in compared.moved.items()
    ]
    return {
        "file": str(found.path),
        "rules": len(found.rules.rules) if found.rules else None,
        "problems": [asdict(problem) for problem in found.problems],
        "notes": [asdict(doubt) for doubt in found.doubts],
        "devices_changed": moved,
        "devices_same": compared and compared.same,
        "by_rule": compared and {"before": compared.before, "after": compared.after},
    }
