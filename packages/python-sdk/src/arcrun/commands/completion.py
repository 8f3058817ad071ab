"""The completion of commands in a shell."""

from __future__ import annotations

from typing import Any, Literal

_WHERE = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/acr.fish",
}


def completion_script(shell: Literal["bash", "zsh", "fish"]) -> dict[str, Any]:
    """Print the completion of a shell, to be evaluated when it starts, as `eval "$(acr completion bash)"`.

    Args:
        shell: bash, zsh or fish
    """
    import click
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    complete = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    script = complete(click.Group(), {}, "acr", "_ACR_COMPLETE").source()
    return {"shell": shell, "script": script, "belongs_in": _WHERE[shell]}
