"""What a person reads of a command's result, where a table or YAML does not say it well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from arcrun.commands.sentences import Sentence

from .console import Style, View, as_yaml, cell
from .messages import text as message
from .messages import translated
from .source import width
from .terminal import escaped

Result = Mapping[str, Any]

# The name of each command and its function, in this module or another one.
_VIEWS = {
    "init": "views:project",
    "dev": "development_view:event",
    "logs": "logs_view:line",
    "push": "views:pushed_workflow",
    "validate": "views:valid_workflow",
    "run": "views:ended_run",
    "runs get": "views:run",
    "recipe get": "recipe_views:recipe",
    "recipe push": "recipe_views:pushed",
    "recipe render": "recipe_views:prompt",
    "recipe test": "recipe_views:tests",
    "recipe diff": "recipe_views:diff",
    "recipe backtest": "recipe_views:backtest",
    "components get": "views:component",
    "kb get": "views:page",
    "kb import": "views:imported_pages",
    "login": "views:login",
    "auth status": "views:auth_status",
    "auth rotate": "views:rotated_key",
    "auth revoke": "views:revoked_key",
    "doctor": "views:checks",
    "completion": "views:script",
}
SIGNS = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "failed": ("✗", "red"),
    "fail": ("✗", "red"),
    "waiting": ("…", "yellow"),
}
STATUS_COLOURS = {
    "succeeded": "green",
    "partial": "yellow",
    "paused": "yellow",
    "failed": "red",
    "cancelled": "red",
}


def view_of(name: str) -> View | None:
    """Return the view of a command's result; None if there is none of its own."""
    found = _VIEWS.get(name)
    if found is None:
        return None
    module, _, function = found.partition(":")
    view: View = getattr(import_module(f"arcrun.cli.{module}"), function)
    return view


def safe_lines(text: str) -> list[str]:
    """Return the lines of a text, with escapes for what would steer a terminal."""
    lines = text.replace("\r\n", "\n").split("\n")
    return [escaped(line) for line in (lines[:-1] if lines[-1] == "" else lines)]


def indented(value: object, indent: int = 2) -> list[str]:
    """Return a value as indented lines of YAML; a text as it is."""
    text = value if isinstance(value, str) else as_yaml(value)
    return [" " * indent + line for line in safe_lines(text)]


def columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield rows with aligned columns; nothing is cut."""
    cells = [list(row) for row in rows]
    widths = [max(map(width, each)) for each in zip(*cells, strict=True)]
    for row in cells:
        padded = [text + " " * (size - width(text)) for text, size in zip(row, widths, strict=True)]
        yield "  ".join(padded).rstrip()


def milliseconds(value: object) -> str:
    """Return a duration as people read it.

    Example:
        >>> milliseconds(12345.6)
        '12.3 s'
    """
    if not isinstance(value, (int, float)):
        return ""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def node_line(entry: Mapping[str, Any], style: Style) -> str:
    """Return a node of a trace as a line: a sign, its name, how long it took, why it failed."""
    status = entry.get("status") or ("failed" if entry.get("error") else "ok")
    sign, colour = SIGNS.get(str(status), ("·", "dim"))
    name = cell(entry.get("node", entry.get("nodeId")))
    spent = milliseconds(entry.get("duration_ms"))
    error = style(f"  {cell(entry['error'])}", "red") if entry.get("error") else ""
    return f"  {style(sign, colour)} {name}  {style(spent, 'dim')}{error}".rstrip()


def status_text(status: object, style: Style) -> str:
    """Return a run's status in its colour."""
    return style(cell(status), STATUS_COLOURS.get(str(status), "dim"))


def run(result: Result, style: Style) -> Iterator[str]:
    """Show a run: what it was given, what each node did, what came of it."""
    facts = (
        milliseconds(result.get("duration_ms")),
        result.get("trigger"),
        result.get("created_at"),
    )
    about = ", ".join(cell(fact) for fact in facts if fact)
    status = status_text(result["status"], style)
    yield f"{cell(result.get('workflow'))}  {status}  {style(about, 'dim')}"
    yield style(message("run {run}", run=cell(result["run_id"])), "dim")
    yield from _section(message("input"), result.get("input"), style)
    if result.get("trace"):
        yield from ("", style(message("trace"), "bold"))
        yield from (node_line(entry, style) for entry in result["trace"])
    yield from _section(message("data"), result.get("data"), style)
    if result.get("error"):
        yield from ("", style(message("error"), "bold", "red"))
        yield from indented(result["error"])
    yield from _section(message("input of the failed node"), result.get("failed_input"), style)
    if result.get("task_id"):
        yield from ("", message("it waits for the task {task}", task=cell(result["task_id"])))
        yield _resumption(result)


def ended_run(result: Result, style: Style) -> Iterator[str]:
    """Show what a run came to: its data alone, where there is any."""
    del style
    if "data" in result:
        data = result["data"]
        yield from indented(data, 0)
    else:
        yield from indented(result, 0)
    if result.get("task_id"):
        yield _resumption(result)


def _resumption(result: Result) -> str:
    command = f"acr runs resume {cell(result['task_id'])} KEY=VALUE"
    return message("go on with: {command}", command=command)


def warning_line(text: object, style: Style) -> str:
    """Return a warning as a line."""
    return style(message("warning: {text}", text=cell(text)), "yellow")


def _section(title: str, value: object, style: Style) -> Iterator[str]:
    if value not in (None, {}, []):
        yield from ("", style(title, "bold"))
        yield from indented(value)


def component(result: Result, style: Style) -> Iterator[str]:
    """Show a component: what it does, its parameters, its branches, and an example to copy."""
    yield f"{style(cell(result['canonical_id']), 'bold')}  {cell(result.get('display_name'))}"
    yield from safe_lines(str(result.get("description", "")))
    schema = result.get("input_schema") or {}
    properties = schema.get("properties") or {}
    if properties:
        yield from ("", style(message("parameters"), "bold"))
        required = schema.get("required") or []
        for name, about in properties.items():
            needed = message(", required") if name in required else ""
            yield f"  {cell(name)}  {style(_type_of(about) + needed, 'dim')}"
            if about.get("description"):
                yield f"      {cell(about['description'])}"
    if result.get("branches"):
        yield from ("", f"{style(message('branches'), 'bold')}  {cell(result['branches'])}")
    if "config_example" in result:
        example = {"component": result["canonical_id"], **result["config_example"]}
        yield from ("", style(message("example"), "bold"))
        yield from indented({"config": {"NODE": example}})


def _type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(cell, schema["enum"]))
    found = schema.get("type", "any")
    return " | ".join(found) if isinstance(found, list) else cell(found)


def page(result: Result, style: Style) -> Iterator[str]:
    """Show the text of a page."""
    del style
    yield from safe_lines(result["content"])


def imported_pages(result: Result, style: Style) -> Iterator[str]:
    """Show what became of each page."""
    signs = {"created": ("+", "green"), "replaced": ("~", "yellow"), "unchanged": ("=", "dim")}
    for entry in result["pages"]:
        sign, colour = signs[entry["state"]]
        yield f"{style(sign, colour)} {cell(entry['page_name'])}  {style(message(entry['state']), 'dim')}"
    if result.get("dry_run"):
        yield style(message("nothing was written (--dry-run)"), "dim")


def pushed_workflow(result: Result, style: Style) -> Iterator[str]:
    """Show where a workflow can be triggered, or what a check found."""
    if result.get("dry_run"):
        yield from valid_workflow(result, style)
        yield style(message("nothing was stored (--dry-run)"), "dim")
        return
    yield f"{style('✓', 'green')} {cell(result['name'])}  {cell(result.get('webhook_url'))}".rstrip()


def valid_workflow(result: Result, style: Style) -> Iterator[str]:
    """Show that a workflow is valid."""
    counts = message(
        "valid: {nodes} nodes, {edges} edges", nodes=result["nodes"], edges=result["edges"]
    )
    yield f"{style('✓', 'green')} {counts}"


def project(result: Result, style: Style) -> Iterator[str]:
    """Show the files of a new project, and what to do with them."""
    for name in result["files"]:
        yield f"{style('+', 'green')} {name}"
    if result.get("dry_run"):
        yield style(message("nothing was written (--dry-run)"), "dim")
        return
    import shlex

    yield ""
    if result["folder"] != ".":
        yield f"  cd {shlex.quote(result['folder'])}"
    own = message("an engine of its own: runs what you save")
    shared = message("for an engine that you share; then:")
    yield f"  acr dev              {style(f'# {own}', 'dim')}"
    yield f"  acr login            {style(f'# {shared}', 'dim')}"
    yield "  acr recipe push recipes/greeting.yaml"
    yield "  acr push workflows/greet.yaml"
    yield "  acr run greet name=Ada"


def login(result: Result, style: Style) -> Iterator[str]:
    """Show where the key is kept."""
    account = result.get("account") or {}
    whose = account.get("email") or account.get("account")
    where = result["base_url"]
    done = (
        message("logged in to {url} as {whose}", url=where, whose=cell(whose))
        if whose
        else message("logged in to {url}", url=where)
    )
    yield f"{style('✓', 'green')} {done}"
    yield "  " + _key_is_in(result)
    if result.get("warning"):
        yield warning_line(translated(result["warning"]), style)


def _key_is_in(result: Result) -> str:
    key, config = result["api_key"], result["config"]
    if result.get("profile"):
        return message(
            "the key {key} is in {config}, profile {profile}",
            key=key,
            config=config,
            profile=result["profile"],
        )
    return message("the key {key} is in {config}", key=key, config=config)


def _place_of_key(profile: str) -> str:
    return message("profile {name}", name=cell(profile)) if profile else message("the top level")


def rotated_key(result: Result, style: Style) -> Iterator[str]:
    """Show that there is a new key, and what it does not open."""
    if result.get("dry_run"):
        yield from indented(result, 0)
        return
    sign = style("✓", "green")
    if result.get("recovered"):
        yield f"{sign} {message('the key had been replaced already, and only the response was lost')}"
    else:
        count = result.get("resealed", 0)
        yield f"{sign} {message('the key was replaced; it opens {count} credentials', count=count)}"
    yield "  " + _key_is_in(result)
    for name in result.get("profiles") or []:
        yield "  " + message("it was replaced in {place} too", place=_place_of_key(name))
    for name in result.get("unopened") or []:
        yield warning_line(message("no key opens the credential {name}", name=cell(name)), style)


def revoked_key(result: Result, style: Style) -> Iterator[str]:
    """Show that the key is revoked, and where it still stands."""
    if result.get("dry_run"):
        yield from indented(result, 0)
        return
    yield f"{style('✓', 'green')} {message('the key {key} is revoked', key=result['api_key'])}"
    if result.get("config"):
        yield "  " + message("it was removed from {config}", config=result["config"])
    for name in result.get("profiles") or []:
        yield "  " + message("it was removed from {place} too", place=_place_of_key(name))
    if result.get("still_in"):
        yield warning_line(
            message("it still stands in {place}", place=translated(result["still_in"])), style
        )


def auth_status(result: Result, style: Style) -> Iterator[str]:
    """Show the settings, where each comes from, and the account."""
    rows = [
        (
            name,
            cell(found["value"]),
            style(
                message("from {origin}", origin=translated(found["from"]))
                if found["from"]
                else message("not set"),
                "dim",
            ),
        )
        for name, found in result["settings"].items()
    ]
    yield from columns(rows)
    engine = result.get("engine")
    if engine:
        yield message(
            "engine version {version}: {capabilities}",
            version=cell(engine["version"]),
            capabilities=cell(engine["capabilities"]),
        )
    account = result.get("account")
    if account:
        key = account.get("key") or {}
        whose = cell(account.get("email") or account.get("account"))
        yield f"{message('account {whose}', whose=whose)}  {cell(key.get('label'))}".rstrip()
    sign, colour = SIGNS["ok" if result["ok"] else "fail"]
    yield f"{style(sign, colour)} {cell(translated(result.get('problem', message('the engine accepts the key'))))}"
    if result.get("interrupted_rotation"):
        yield warning_line(
            message("a rotation of the key was interrupted: acr auth rotate finishes it"), style
        )


def checks(result: Result, style: Style) -> Iterator[str]:
    """Show each check, and below it the cure of what is not well."""
    names = [message(check["name"]) for check in result["checks"]]
    longest = max(map(width, names))
    for check, name in zip(result["checks"], names, strict=True):
        sign, colour = SIGNS[check["status"]]
        padded = name + " " * (longest - width(name))
        yield f"{style(sign, colour)} {padded}  {cell(translated(check['found']))}"
        if check["cure"]:
            yield f"  {' ' * longest}  {style('→', 'cyan')} {cell(_cure(check['cure']))}"


def _cure(cure: object) -> str:
    return translated(cure) if isinstance(cure, Sentence) else message(str(cure))


def script(result: Result, style: Style) -> Iterator[str]:
    """Show a script as it is, to be evaluated."""
    del style
    yield result["script"]
