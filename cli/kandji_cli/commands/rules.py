"""``rules``: its commands; each imports its work when it runs."""

from pathlib import Path

import click

from kandji_cli.options import document_option, format_option


@click.group()
def rules() -> None:
    r"""See the rules of compliance, and try rules of your own before they count.

    compliance.toml in the data directory, or the file of KANDJI_MIRROR_COMPLIANCE_FILE, replaces the built-in rules.

    \b
    Example: kandji-mirror rules show
    Example: kandji-mirror rules show --built-in
    """


@rules.command("show")
@click.option("--built-in", is_flag=True, help="Print the built-in compliance.toml, to begin a file of one's own with.")
@format_option
def show_rules(built_in: bool, form: str) -> None:
    r"""Show the rules in force, and where they come from.

    \b
    Example: kandji-mirror rules show
    Example: kandji-mirror rules show --built-in
    """
    from kandji_cli.rules import print_built_in, print_rules

    if built_in:
        print_built_in()
    else:
        print_rules(form)


@rules.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@document_option
def check_rules(file: Path | None, form: str) -> int:
    r"""Say what is wrong with a file of rules, and how many devices would pass or fail otherwise.

    Without FILE the rules in force are looked at. Exit codes: 0 the file can be used, 3 something is wrong with it.

    \b
    Example: kandji-mirror rules check
    Example: kandji-mirror rules check compliance.toml
    """
    from kandji_cli.rules import check_file

    return check_file(file, as_json=form == "json")
