"""What each package lets others use, by name: a change here is a change of the public surface."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

PUBLIC = {
    "kandji_schema": ["MirrorError", "Resource", "Settings", "load", "resources"],
    "kandji_mirror": ["Client", "Connection", "Outcome", "Report", "Scheduler", "Store", "connect", "open_store"],
    "kandji_queries": ["connect", "mirrored_at", "picture"],
    "kandji_watch": ["Round", "Watcher", "overview", "read_checks"],
    "kandji_mcp_server": ["Background", "ServerContext", "build_server"],
    "kandji_mcp_server.clients": [
        *("CLIENTS", "NAME", "TOKEN_VARIABLE", "Client", "change_file", "entry_alone", "entry_name", "find_client"),
        *("local_entry", "merge_entry", "remote_entry", "server_url", "token_variable"),
    ],
    "kandji_mcp_server.http": ["Access", "HttpServer", "Served", "TenantsServer", "read_access"],
    "kandji_web": ["make_site"],
    "kandji_cli": ["run"],
    "kandji_simulator": [
        *("START", "TOKEN", "Fault", "FaultKind", "LoggedRequest", "Quirks", "RetryAfter", "Server", "ServerLimits"),
        *("Tenant", "World", "catalogue", "serve", "serve_forever"),
    ],
}

LIBRARIES = (
    "apscheduler",
    "cryptography",
    "duckdb",
    "httpx",
    "jinja2",
    "mcp",
    "pydantic",
    "sqlglot",
    "sqlmodel",
    "starlette",
)
"""What costs too much for a process that does not use it."""


@pytest.mark.parametrize("package", PUBLIC)
def test_a_package_exports_these_names(package: str) -> None:
    module = import_module(package)
    assert module.__all__ == PUBLIC[package]
    assert [name for name in PUBLIC[package] if not hasattr(module, name)] == []
    assert set(PUBLIC[package]) <= set(dir(module))
    if hasattr(module, "__dir__") and "__getattr__" in vars(module):
        assert [name for name in dir(module) if not name.startswith("__")] == PUBLIC[package]


@pytest.mark.parametrize("package", PUBLIC)
def test_a_name_that_is_not_there_is_none(package: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        import_module(package).no_such_name  # noqa: B018  # the access is what is tested


def test_packages_are_imported_without_the_libraries_behind_them() -> None:
    cheap = [package for package in PUBLIC if package not in {"kandji_simulator", "kandji_mcp_server.clients"}]
    command = f"import json, sys, {', '.join(cheap)}; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert {name for name in json.loads(done.stdout) if name.partition(".")[0] in LIBRARIES} == set()
