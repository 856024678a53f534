"""What forty and twenty questions cost an assistant: calls and tokens, and what all conversations pay for the tools.

python bench/agent_answers.py --devices 200     the table of docs/agents.md

The calls are those that follow from names and descriptions alone. A list that is cut at first is asked again with two
columns. Tokens are characters divided by four.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import TextContent
from unlimited import Unlimited

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.server import build_server
from kandji_mirror.api.client import Client as Api
from kandji_mirror.sync.run import sync
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, Tenant, World

Arguments = Mapping[str, Any]

QUESTIONS: tuple[tuple[int, str, Arguments], ...] = (
    (1, "devices_by", {"attribute": "platform"}),
    (2, "devices_by", {"attribute": "blueprint"}),
    (3, "macs_below_os_version", {"version": "14.0"}),
    (4, "devices_by", {"attribute": "os_version", "platform": "Mac"}),
    (5, "stale_devices", {"days": 7}),
    (6, "stale_devices", {"days": 2, "blueprint": "Engineering"}),
    (7, "devices_of_user", {"user": "$email"}),
    (8, "devices_without_user", {}),
    (9, "devices_with_app", {"app": "zoom"}),
    (10, "devices_with_app_below_version", {"app": "com.google.Chrome", "version": "130"}),
    (11, "app_versions", {"app": "Microsoft Word", "platform": "Mac"}),
    (12, "macs_missing_app", {"app": "falcon"}),
    (13, "rare_apps", {}),
    (14, "device_profile", {"device": "$serial", "include": ["apps"]}),
    (15, "app_inventory", {}),
    (16, "macs_without_filevault", {}),
    (17, "macs_without_escrowed_key", {}),
    (18, "activation_lock", {}),
    (19, "unsupervised_mobile_devices", {}),
    (20, "macs_without_firewall_or_gatekeeper", {}),
    (21, "macs_without_sip", {}),
    (22, "local_accounts", {}),
    (23, "expiring_certificates", {}),
    (24, "devices_missing_profile", {"profile": "Wi-Fi"}),
    (25, "extensions_in_use", {}),
    (26, "macs_with_old_agent", {}),
    (27, "failed_library_items", {}),
    (28, "pending_library_items", {}),
    (29, "failing_parameters", {"blueprint": "Engineering"}),
    (30, "device_profile", {"device": "$serial"}),
    (31, "compliance_rate", {}),
    (32, "filevault_coverage", {}),
    (33, "device_changes", {}),
    (34, "changes", {"since": "7d", "device": "$serial"}),
    (35, "devices_with_cve", {"cve": "$cve"}),
    (36, "risky_devices", {}),
    (37, "sensitive_actions", {}),
    (38, "replacement_candidates", {}),
    (39, "licence_usage", {}),
)
"""Number, named query or tool, parameters; ``$`` stands for a value of the tenant."""

MORE: tuple[tuple[int, str, Arguments], ...] = (
    (41, "macs_with_both_apps", {"app": "zoom", "other_app": "Microsoft Teams"}),
    (42, "macs_with_app_without_extension", {"app": "falcon", "extension": "crowdstrike"}),
    (43, "devices_missing_certificate", {"certificate": "Root CA", "platform": "Mac"}),
    (44, "apps_in_several_places", {}),
    (45, "encryption_by_blueprint", {}),
    (46, "devices_with_tag", {"tag": "vip", "and_tag": "loaner"}),
    (47, "never_checked_in", {}),
    (48, "names_to_clean", {}),
    (49, "people_by_department", {}),
    (50, "behavioural_detections", {"days": 365}),
    (51, "severe_cves_by_device", {}),
    (52, "carriers", {}),
    (53, "batteries", {}),
    (54, "long_uptime", {"days": 30}),
    (55, "disk_space", {"free_percent": 10}),
    (56, "xprotect_versions", {}),
    (57, "sensitive_actions", {"days": 90, "actor": "api_token"}),
    (58, "devices_of_archived_people", {}),
    (59, "people_without_devices", {"with_archived": False}),
    (60, "devices_by", {"attribute": "department", "with_removed": False}),
)
"""Questions for which assistants had to write SQL: two apps on one Mac, what is missing, shares, batteries, names."""

SHORT = {15: ["app", "version", "devices"]}
"""Columns of the second call, where they are not the serial number alone."""


async def ask(client: Client, tool: str, arguments: Arguments) -> str:
    """The text of one answer."""
    (content,) = (await client.call_tool(tool, dict(arguments))).content
    assert isinstance(content, TextContent)
    return content.text


async def answers(client: Client, number: int, name: str, params: Arguments) -> list[str]:
    """The answers to one question: a second one where the first says that it is cut."""
    if name not in catalog():
        return [await ask(client, name, params)]
    first = await ask(client, "run_query", {"name": name, "params": params})
    if not json.loads(first)["truncated"]:
        return [first]
    again = {"columns": SHORT.get(number, ["serial_number"]), "limit": 500}
    return [first, await ask(client, "run_query", {"name": name, "params": params, **again})]


async def measure(home: Path) -> None:
    """Print the table and the sizes."""
    async with Client(build_server(ServerContext(Settings(mirror_home=str(home))))) as client:
        listed = (await client.list_tools()).model_dump(by_alias=True, exclude_unset=True, mode="json")["tools"]
        sql = "SELECT serial_number, user_email FROM apps JOIN devices USING (device_id, serial_number) LIMIT 1"
        ((serial, email),) = json.loads(await ask(client, "run_sql", {"sql": sql}))["rows"]
        ((cve,),) = json.loads(
            await ask(client, "run_sql", {"sql": "SELECT max(cve_id) FROM vulnerability_detections"})
        )["rows"]
        values = {"$serial": serial, "$email": email, "$cve": cve}
        asked = (*QUESTIONS, *MORE)
        rows = [(n, name, await answers(client, n, name, filled(params, values))) for n, name, params in asked]
    print("| question | query or tool | rows | calls | tokens |\n| ---: | --- | ---: | ---: | ---: |")
    for number, name, texts in rows:
        total = json.loads(texts[0]).get("total_rows", "")
        print(f"| {number} | {name} | {total} | {len(texts)} | {' + '.join(str(len(t) // 4) for t in texts)} |")
    print()
    for part in (rows[: len(QUESTIONS)], rows[len(QUESTIONS) :], rows):
        calls, tokens = sum(len(texts) for *_, texts in part), sum(len(t) for *_, texts in part for t in texts) // 4
        first = sorted(len(texts[0]) // 4 for *_, texts in part)
        once = sum(len(texts) == 1 for *_, texts in part)
        print(
            f"{len(part)} questions: {calls} calls ({once} answered in one), {tokens:,} tokens, "
            f"median first answer {first[len(first) // 2]:,}, longest {first[-1]:,}"
        )
    each = [tool_of(query, listed[0]) for query in catalog().values()]
    others = [tool for tool in listed if tool["name"] != "run_query"]
    print(f"tools, queries by one tool: {size(listed):,} bytes, {size(listed) // 4:,} tokens")
    print(f"tools, one for each query: {size([*others, *each]):,} bytes, {size([*others, *each]) // 4:,} tokens")


def filled(params: Arguments, values: Mapping[str, str]) -> dict[str, Any]:
    """Parameters with values of the tenant."""
    return {name: values.get(value, value) if isinstance(value, str) else value for name, value in params.items()}


def tool_of(query: NamedQuery, like: Mapping[str, Any]) -> dict[str, Any]:
    """A query as a tool of its own, as short as it can be and still be called right: title, typed parameters."""
    kinds = {"int": "integer", "float": "number", "bool": "boolean"}
    properties = {
        p.name: {"type": kinds.get(p.kind, "string"), **({"enum": list(p.choices)} if p.choices else {})}
        for p in query.params
    }
    required = [p.name for p in query.params if p.required]
    return {
        "name": query.name,
        "description": query.title,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        "outputSchema": {"type": "object", "properties": {"columns": {"type": "array"}, "rows": {"type": "array"}}},
        "annotations": like["annotations"],
    }


def size(value: object) -> int:
    """Bytes as compact JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--devices", type=int, default=200)
    options.add_argument("--apps", type=int, default=40, help="apps on a device, about")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tenant = Tenant(World(7, chosen.devices, apps_per_device=chosen.apps), limits=None)
        sync(Path(folder), "loopback", Api(tenant.handle, TOKEN, Unlimited(), fetch=tenant.fetch), everything=True)
        anyio.run(measure, Path(folder))


if __name__ == "__main__":
    main()
