"""``completion``: its argument; it imports its work when it runs."""

import click


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print the script by which a shell completes commands, options, tables, queries and their parameters.

    For bash 4.4 or newer, in ~/.bashrc: eval "$(kandji-mirror completion bash)"

    For zsh, in ~/.zshrc after compinit: eval "$(kandji-mirror completion zsh)"

    For fish, once: kandji-mirror completion fish > ~/.config/fish/completions/kandji-mirror.fish

    Example: kandji-mirror completion bash

    Example: kandji-mirror completion fish
    """
    from kandji_cli.completion import script

    click.echo(script(context.find_root().command, shell), nl=False)
