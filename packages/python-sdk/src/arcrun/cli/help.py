"""Help texts of click, in the language in use."""

from __future__ import annotations

import click

from .failures import NoSuchCommandError
from .messages import text


class TranslatedCommand(click.Command):
    """A command whose help has its headings in the language in use."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an error says of which command they are."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how the command is typed."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=text("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each option is for."""
        records = [each.get_help_record(ctx) for each in self.get_params(ctx)]
        with formatter.section(text("Options")):
            formatter.write_dl([record for record in records if record])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option `--help`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = text("show this help")
        return option


class TranslatedGroup(TranslatedCommand, click.Group):
    """A group of such commands."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the options and the commands are for."""
        super().format_options(ctx, formatter)
        rows = [
            (name, command.get_short_help_str(200))
            for name, command in sorted(self.commands.items())
            if not command.hidden
        ]
        with formatter.section(text("Commands")):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named.

        Raises:
            NoSuchCommandError: there is none of this name.
        """
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise NoSuchCommandError(args[0], sorted(self.commands), ctx)
        return super().resolve_command(ctx, args)
