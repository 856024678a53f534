"""Write the reference pages and ``.env.example`` from the definitions; with ``--check`` only say which are stale.

python docs/generate.py [--check]
"""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kandji_mcp_server.card import identity
from kandji_mcp_server.monitoring.definitions import METRICS
from kandji_mcp_server.skill import FILE, skill_text
from kandji_queries.catalog.queries import catalog
from kandji_queries.definitions import macros, views
from kandji_schema.actions import actions
from kandji_schema.actions.record import Action
from kandji_schema.registry import resources
from kandji_schema.resource import Resource
from kandji_schema.setting import Setting, Trust
from kandji_schema.settings import SETTINGS

ROOT = Path(__file__).parent.parent
REGISTRY_VARIABLES = {"KANDJI_SUBDOMAIN", "KANDJI_REGION", "KANDJI_API_TOKEN", "KANDJI_MIRROR_HOME"}
"""What people may have to set before an AI client can start the server."""

PLACES = {
    Trust.FOLDER: "environment, `.env`, `config.toml`",
    Trust.USER: "environment, `config.toml`",
    Trust.OWNER: "`config.toml`",
}
"""Where a setting may be set."""

SETTINGS_EXPLAINED = (
    "A value is taken from the environment, else from `.env` in the working directory, else from `config.toml` in the "
    "configuration folder, where the keys are the names in lower case without `KANDJI_`. `kandji-mirror settings` "
    "shows each value and where it comes from; misspelt names are told by every command.",
    "| | configuration | data | request budget |\n| --- | --- | --- | --- |\n"
    "| macOS | `~/Library/Application Support/kandji-mirror` | the same | the same, in `budget` |\n"
    "| Linux | `~/.config/kandji-mirror` | `~/.local/share/kandji-mirror` | `~/.local/state/kandji-mirror/budget` |\n"
    "| Windows | `%LOCALAPPDATA%\\kandji-mirror\\kandji-mirror` | the same | the same, in `budget` |",
    "**What a `.env` may do.** A working directory may come from anyone, such as a cloned repository in which an AI "
    "client starts the server. So its `.env` may name a tenant together with that tenant's token, and limits of "
    "answers; all else in it is ignored, with a warning. It is read from the working directory alone, not from the "
    "folders above, and nothing of it gets into the environment of the process. Where others may write it, it is not "
    "read.",
    "**Where a token goes.** The first source that names a tenant (`KANDJI_SUBDOMAIN` or `KANDJI_API_URL`) names it as "
    "a whole, with its region. A token goes to the tenant that its own source names. A token in the file `token` or in "
    "the OS keychain goes to the tenant `login` stored it for; one that was put there by hand goes to the tenant that "
    "`config.toml` names, or else the environment. It never goes to a tenant that a `.env` names without a token.",
    "**Several tenants.** A table `[tenants.NAME]` of `config.toml` is a tenant with a name, chosen by `--tenant NAME` "
    "or `KANDJI_MIRROR_TENANT`; a `.env` cannot choose one. Its address and its tokens are those of its table and of "
    "its own files alone: what the environment, a `.env` or the top of `config.toml` say of a tenant does not count "
    "for it, with a warning. All other settings of the top are defaults. See [tenants.md](tenants.md).",
    "**Who may confirm.** `mirror_confirm` counts in `config.toml` only: whoever starts a program can set its "
    "environment, and an AI client with a shell starts programs. It does not keep out someone who may write your "
    "files.",
    "**Files that others may write.** On macOS and Linux `config.toml`, `token` and `http_token` are used only where "
    "no other user could have written or replaced them, as ssh has it: the file, each folder above it up to your own "
    "one and each link on the way belong to you or to root, and neither their group nor others may write them (a "
    "folder like `/tmp`, with the sticky bit, may be everyone's). The same is asked of the data directory before a "
    "live action begins, and of `privacy.key` and `checks.toml` there. Otherwise the command ends with exit code 3 and "
    "names the path, "
    "its mode and owner, and what mends it, mostly `chmod go-w`. With `sudo` the owner is root: run it as the user "
    "whose files they are. `doctor` tells all of it in the row `rights`, also of rules of compliance and certificate "
    "authorities.",
    "**HOME leads elsewhere.** Who starts a program sets `HOME` and `XDG_CONFIG_HOME` too. So, on macOS and Linux, "
    "where the folder that the list of accounts has for this user (`~` of `getent passwd`) has a `config.toml` of its "
    "own, the settings that count in `config.toml` alone are the stricter of both files: another file may ask for a "
    "person, a code or a further place for heads, and never for less; what it asks for in vain is told. Where the "
    "account has no such file there is nothing to compare with: write one, be it empty.",
)
"""What has to be known of the sources."""

NOTE = "<!-- Made by `make docs` from the definitions; do not edit. -->"


def data_dictionary() -> Iterator[str]:
    yield from ("# Data dictionary", NOTE, "All times are UTC. `extra` holds what has no column of its own.")
    for resource in resources().values():
        yield from _table(resource)
    for view in views().values():
        yield f"## {view.name} (view)\n\n{view.description}"
        if view.columns:
            yield _grid(("column", "meaning"), view.columns.items())
    for macro in macros().values():
        yield f"## {macro.name} (macro)\n\n{macro.description}"


def _table(resource: Resource) -> Iterator[str]:
    yield f"## {resource.name}\n\n{resource.description}"
    minutes = int(resource.ttl.total_seconds() // 60)
    if resource.feed:
        yield (
            f"Made of the public feed `{resource.feed.name}` (docs/feeds.md); due after {minutes} min; key "
            f"{', '.join(f'`{k}`' for k in resource.key)}."
        )
    else:
        yield _read_from(resource, minutes)
    if resource.why:
        yield resource.why
    refers = [f"`{c.name}` is `{c.references}`" for c in resource.columns if c.references]
    if refers:
        yield f"Joins: {', '.join(refers)}."
    rows = ((c.name, str(c.kind), "yes" if c.personal else "", c.description) for c in resource.columns)
    yield _grid(("column", "type", "personal", "meaning"), rows)
    if resource.derived:
        yield "Derived from them when it is read, never stored:"
        yield _grid(("column", "type", "meaning"), ((c.name, c.type, c.description) for c in resource.derived))


def _read_from(resource: Resource, minutes: int) -> str:
    return (
        f"Read from `GET {resource.path}` ({resource.paging}); due after {minutes} min; key "
        f"{', '.join(f'`{k}`' for k in resource.key)}; needs the permission “{resource.permission}”."
    )


COUNTING = """\
**What counts.** Every answer counts what the provider lists: removed and missing devices and archived people are in,
in columns of their own (`is_removed`, `is_missing`, `archived`; `removed` and `missing` beside `devices`), and a note
says how many: *391 devices in 402 rows, of which 3 removed, 41 missing.* Queries that count devices take
`with_removed`, those that count people `with_archived`; both are true unless they are given, and `false` narrows every
table the query reads before it counts. Where `copies` or `rows` differ from `devices`, a device has several."""


OWN_QUERIES = """\
## Queries of your own

A `.sql` file in the folder `queries` of the data directory (`kandji-mirror settings` shows it as `KANDJI_MIRROR_HOME`)
is a named query, too: `query`, `queries`, `describe` and the tool `run_query` know it by the name of its file.

```sql
-- title: Macs with little memory
-- description: Macs with less memory than a number of gigabytes, the smallest first.
-- param: gb int = 16 [1, 1024] | Gigabytes from which it is enough.
-- param: platform enum(any, Mac, iPhone, iPad) = any | Which devices.
-- column: gigabytes | Memory in gigabytes of 1024 MB.
SELECT device_name, serial_number, memory_bytes / 1073741824 AS gigabytes
FROM fleet
WHERE memory_bytes < $gb * 1073741824 AND $platform IN ('any', platform)
ORDER BY gigabytes, device_name, serial_number;
```

A title, a description, and each `$name` of the statement declared: `name type = default [low, high] | meaning`, where
the type is text, version, int, float, bool, date, time or `enum(one, other)`, and `optional` in place of a default lets
it be NULL. `column: name | meaning` explains a column that no table has. `counts: devices` (or `devices and people`)
gives it `with_removed` (and `with_archived`), `tells: column` has a note count the rows by that column, and
`lacks: app` has one say where no app is called as the parameter `app` asks. `chart` and `says` give its answer a
[picture](pictures.md). `kandji-mirror query --check FILE` says what is wrong, with the line: also a header that names
no column or parameter of the query. `doctor` looks at all of them; one that is wrong takes no other along. A file
counts only where nobody else could have written it, its statement is guarded as any SQL is, and it cannot have the
name of a query below. Exports take tables, views and the queries below only."""


def queries() -> Iterator[str]:
    yield from ("# Named queries", NOTE, "Run one with `kandji-mirror query NAME --param name=value`.")
    yield COUNTING
    yield OWN_QUERIES
    for query in catalog().values():
        yield f"## {query.name}\n\n**{query.title}.** {query.description}"
        if query.like:
            yield f"Lists name [{query.like}](#{query.like}) in its place, which answers this and more."
        if query.params:
            rows = (
                (p.name, p.rule(), "required" if p.required else f"`{p.default}`", p.description) for p in query.params
            )
            yield _grid(("parameter", "value", "default", "meaning"), rows)
        if query.file and query.chart:
            drawn, *said = [entry.value for key in ("chart", "says") for entry in query.file.all(key)]
            yield f"[Picture](pictures.md): `{drawn}`" + "".join(f"; says: `{sentence}`" for sentence in said)
        yield f"```sql\n{query.sql.strip()}\n```"


def settings() -> Iterator[str]:
    yield from ("# Settings", NOTE)
    yield from SETTINGS_EXPLAINED
    rows = ((f"`{s.name}`", f"`{s.default}`", PLACES[s.trust], s.meaning) for s in SETTINGS)
    yield _grid(("setting", "default", "set in", "meaning"), rows)


def live_actions() -> Iterator[str]:
    yield from ("# Live actions and secrets", NOTE)
    yield (
        "They exist only where `KANDJI_MIRROR_ACTIONS=on`. `kandji-mirror action NAME DEVICE --arg name=value "
        "--reason TEXT` and `kandji-mirror secret NAME DEVICE --reason TEXT` show first what would be sent, and send "
        "it once the target's serial number was typed at a terminal; a human confirms those that AI clients ask for. "
        "`--serial` types it for scripts: for what can be undone always, for the rest and for secrets with "
        '`mirror_confirm = "agent"` in `config.toml`. Each attempt is recorded: `kandji-mirror audit '
        "list`, view `audit_log`."
    )
    for action in actions().values():
        yield from _action(action)


def _action(action: Action) -> Iterator[str]:
    command = "secret" if action.secret else "action"
    yield f"## {action.name}\n\n**{action.title}.** {' '.join(action.consequences)}"
    yield (
        f"`kandji-mirror {command} {action.name}`, MCP tool `{action.tool}`: `{action.method} {action.path}`. For "
        f"{', '.join(action.platforms) or 'every platform'}; {action.risk.value}; needs the permission "
        f"“{action.permission}”."
    )
    if action.arguments:
        rows = (
            (a.name, f"`{a.key}`", a.rule(), "required" if a.required else "", a.description) for a in action.arguments
        )
        yield _grid(("argument", "sent as", "value", "", "meaning"), rows)


def env_example() -> Iterator[str]:
    yield (
        "# Copy to .env and fill in what you need. These are all that count there; the others go into the environment "
        "or config.toml. Made by `make docs`."
    )
    for setting in SETTINGS:
        if setting.trust is Trust.FOLDER:
            yield f"# {setting.meaning}\n#{setting.name}={setting.default}"


def server_json() -> Iterator[str]:
    """What the MCP registry lists (its schema of 2025-12-11): clients run ``uvx kandji-mirror mcp``."""
    number = _version()
    package = {
        "registryType": "pypi",
        "identifier": "kandji-mirror",
        "version": number,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "packageArguments": [{"type": "positional", "value": "mcp"}],
        "environmentVariables": [_variable(s) for s in SETTINGS if s.name in REGISTRY_VARIABLES],
    }
    document = {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        **identity(),
        "version": number,  # of the sources, whatever is installed
        "packages": [package],
    }
    yield json.dumps(document, indent=2)


BUNDLE_FIELDS: dict[str, tuple[str, bool]] = {
    "KANDJI_SUBDOMAIN": ("Subdomain", True),
    "KANDJI_API_TOKEN": ("API token that may read (in the console: Settings > Access)", True),
    "KANDJI_REGION": ("Region", False),
    "KANDJI_MIRROR_PRIVACY": ("Personal data", False),
}
"""What Claude Desktop asks for before it starts the server: the title of each field, and whether it must be filled."""

ONLY_READS = {"KANDJI_MIRROR_ACTIONS": "off"}
"""What a bundle sets besides: whoever installs it with two clicks gets no live actions by it."""


def bundle_manifest() -> Iterator[str]:
    """What is in the bundle for Claude Desktop (manifest 0.4 of MCPB, whose type ``uv`` brings Python itself)."""
    settings = {s.name: s for s in SETTINGS}
    filled = {name: f"${{user_config.{settings[name].key}}}" for name in BUNDLE_FIELDS}
    start = {"command": "uv", "args": ["run", "--directory", "${__dirname}", "server.py"], "env": filled | ONLY_READS}
    document = {
        "manifest_version": "0.4",
        "name": "kandji-mirror",
        "display_name": identity()["title"],
        "version": _version(),
        "description": identity()["description"],
        "author": {"name": "The kandji-mirror authors"},
        "server": {"type": "uv", "entry_point": "server.py", "mcp_config": start},
        "tools_generated": True,
        "prompts_generated": True,
        "keywords": ["kandji", "iru", "mdm", "apple", "sql"],
        "license": "MIT",
        "compatibility": {"platforms": ["darwin", "linux"], "runtimes": {"python": ">=3.11"}},
        "user_config": {settings[name].key: _field(settings[name]) for name in BUNDLE_FIELDS},
    }
    yield json.dumps(document, indent=2)


def _field(setting: Setting) -> dict[str, object]:
    title, required = BUNDLE_FIELDS[setting.name]
    description = setting.meaning.partition(" Without it")[0].replace("`", "")
    facts = {"type": "string", "title": title, "description": description, "required": required}
    default = {} if required else {"default": setting.default}
    return {**facts, **default, **({"sensitive": True} if setting.secret else {})}


def _version() -> str:
    """Return the version of these sources, whatever is installed."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def table_keys() -> Iterator[str]:
    found = [r for r in resources().values() if not r.key_fallback and not r.repeats]
    yield json.dumps({r.name: r.key for r in sorted(found, key=lambda r: r.name)}, indent=2)


def _variable(setting: Setting) -> dict[str, object]:
    facts = {"name": setting.name, "description": setting.help}
    choices = {"choices": list(setting.choices), "default": setting.default} if setting.choices else {}
    return {**facts, **choices, **({"isSecret": True} if setting.secret else {})}


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


MARKS = ("<!-- metrics: made by `make docs` -->", "<!-- end of metrics -->")
"""Around what is made in a page that is written by hand."""


def monitoring() -> Iterator[str]:
    """The page as it is, with its table of metrics anew."""
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    rows = ((f"`{m.name}`", m.kind.value, ", ".join(m.labels), m.help) for m in METRICS.values())
    table = _grid(("metric", "kind", "labels", "meaning"), rows)
    yield f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}".rstrip("\n")


PERMISSIONS_EXPLAINED = (
    "Which boxes a token needs. In the console: Settings > Access > Add API token, then Configure. Tick those of the "
    "tables that you want; a table without its box stays empty, is named by `kandji-mirror status`, and stops nothing "
    "else. `kandji-mirror init` and `doctor` say which boxes your token lacks. Names are those of the provider's list "
    "of permissions; where its console words one otherwise, go by the path.",
    "**For a start** tick these three: they fill `fleet`, `apps`, compliance and all of Prism.",
)
"""What has to be known of boxes."""

FIRST = ("Device list", "Blueprint list", "Prism")
"""The permissions without which little is answered."""


def permissions() -> Iterator[str]:
    read = [resource for resource in resources().values() if not resource.feed]
    yield from ("# Permissions", NOTE, *PERMISSIONS_EXPLAINED)
    yield "\n".join(f"- {name}" for name in FIRST)
    yield "## To read"
    yield _grid(("box", "fills", "request"), (_box(name, read) for name in dict.fromkeys(r.permission for r in read)))
    yield (
        "The tables of [public feeds](feeds.md) need none. Tables that cost a request a device are "
        f"{', '.join(f'`{r.name}`' for r in read if r.swept)}."
    )
    yield "## To act"
    yield (
        "None of these is needed unless `KANDJI_MIRROR_ACTIONS=on` ([live actions](actions.md)). Leave them out of a "
        "token that only reads: what a token may not do, nobody can have it do."
    )
    rows = ((f"`{a.name}`", a.title, a.permission) for a in actions().values())
    yield _grid(("action", "does", "box"), rows)


def _box(name: str, read: list[Resource]) -> tuple[str, ...]:
    of_it = [resource for resource in read if resource.permission == name]
    paths = dict.fromkeys(re.sub(r"^/api/v1/prism/.*", "/api/v1/prism/...", resource.path) for resource in of_it)
    links = ", ".join(f"[{r.name}](data-dictionary.md#{r.name})" for r in of_it)
    return f"**{name}**", links, ", ".join(f"`GET {path}`" for path in paths)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "docs/permissions.md": permissions,
    "docs/data-dictionary.md": data_dictionary,
    "docs/queries.md": queries,
    "docs/settings.md": settings,
    "docs/actions.md": live_actions,
    "docs/monitoring.md": monitoring,
    ".env.example": env_example,
    "server.json": server_json,
    "release/mcpb/manifest.json": bundle_manifest,
    "queries/kandji_queries/lineage/keys.json": table_keys,
    str(FILE.relative_to(ROOT)): skill_text,
}


def main(check: bool) -> int:
    stale = []
    for name, page in PAGES.items():
        text = "\n\n".join(page()) + "\n"
        path = ROOT / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"Stale: {', '.join(stale)}. Run `make docs` and commit the result.")
        return 1
    print(f"Reference pages: {len(PAGES) - len(stale)} up to date, {len(stale)} written.")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
