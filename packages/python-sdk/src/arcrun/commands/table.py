"""The table of commands: what `acr` and `arcrun-mcp` offer, under which names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from arcrun import Arcrun

# Why a command is no tool of MCP.
FOR_PEOPLE = "it needs a terminal, a browser or files of this machine"
SECRETS = "secrets never pass through a model"
RARE = "an agent does without it, and each tool costs every conversation tokens"


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: What is typed after `acr`.
        function: Its function in this package, as `module:function`; loaded when it is used.
        summary: One line for the help.
        effect: `reads`; `adds` and keeps what is there; `writes`, which may replace what is there or act on the
            world; or `destroys` what can't be brought back.
        repeatable: Whether doing it twice is the same as doing it once.
        tool: Its name in MCP; empty if it is no tool.
        for_agents: What a model reads of the tool: when to use it, and when not.
        no_tool: Why it is no tool.
        shown: The field of its result that a person sees as a table, with the columns.
        needs: The capability that an engine must have for it; where that depends on the arguments or the settings,
            the function in this package that returns it, as `module:function`.
        on_hosted: Whether the hosted engine does it although it lists no capabilities.
        verdict: The field of its result that tells whether all is well; if not, the exit code is 1.
    """

    name: str
    function: str
    summary: str
    effect: Literal["reads", "adds", "writes", "destroys"] = "reads"
    repeatable: bool = True
    tool: str = ""
    for_agents: str = ""
    no_tool: str = ""
    shown: tuple[str, ...] = ()
    needs: str = ""
    on_hosted: bool = False
    verdict: str = ""

    def load(self) -> Callable[..., dict[str, Any]]:
        """Return the function. That of a command that is no tool may also yield objects as they come."""
        found: Callable[..., dict[str, Any]] = _loaded(self.function)
        return found

    def capability(self, client: Arcrun, arguments: Mapping[str, Any]) -> str:
        """Return the capability that the engine must have for a call; empty if every engine can do it.

        Args:
            client: the engine's client, for its settings.
            arguments: those of the function, as far as they are given.

        Raises:
            CommandError: an argument is not valid.
        """
        if ":" not in self.needs:
            return self.needs
        return str(_loaded(self.needs)(client, arguments))


def _loaded(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"arcrun.commands.{module}"), name)
    return found


# What the commands of each group are about.
GROUPS = {
    "auth": "the key and its account",
    "components": "what a node of a workflow can be",
    "creds": "secrets that workflows use",
    "kb": "the knowledge base",
    "recipe": "prompt recipes, API recipes and auth recipes",
    "runs": "runs that the engine has accepted",
    "workflows": "workflows that are stored",
}
COMMANDS: tuple[Command, ...] = (
    Command(
        "init", "projects:init_project", "make a folder with an example to start from", "writes",
        no_tool=FOR_PEOPLE,
    ),
    Command(
        "dev", "development:develop", "push, test and run what you save, on an engine of its own",
        "writes", repeatable=False, no_tool=FOR_PEOPLE,
    ),
    Command(
        "push", "workflows:push_workflow", "store a workflow", "writes",
        tool="workflow_push",
        for_agents="Store or replace a workflow. Find components first. Not to run one.",
    ),
    Command(
        "validate", "workflows:validate_workflow", "check a workflow without storing it",
        tool="workflow_validate",
        for_agents="Check a workflow, unstored. Not needed before workflow_push.",
    ),
    Command(
        "run", "workflows:run_workflow", "run a workflow and follow it", "writes", repeatable=False,
        tool="workflow_run",
        for_agents="Run a stored workflow. Not to test a prompt: prompt_recipe_render.",
    ),
    Command(
        "trigger", "webhooks:trigger_workflow", "trigger a workflow as others do, by its webhook",
        "writes", repeatable=False, no_tool=SECRETS,
        needs="durable_runs",
    ),
    Command(
        "logs", "logs:show_logs", "show what runs did, and follow them", no_tool=FOR_PEOPLE,
        needs="durable_runs",
    ),
    Command(
        "workflows list", "workflows:list_workflows", "list the workflows",
        tool="workflow_list",
        for_agents="List stored workflows. Not for components: component_search.",
        shown=("workflows", "name", "description", "cron_expr"),
    ),
    Command(
        "workflows get", "workflows:get_workflow", "show a workflow",
        tool="workflow_get", for_agents="A workflow's graph and config. Not its runs: run_list.",
    ),
    Command(
        "workflows delete", "workflows:delete_workflow", "delete a workflow", "destroys",
        tool="workflow_delete", for_agents="Delete a workflow. Not to change one: workflow_push.",
    ),
    Command(
        "runs list", "runs:list_runs", "list runs, newest first",
        tool="run_list", for_agents="List runs, newest first. Not for what one did: run_get.",
        shown=("runs", "run_id", "workflow", "status", "created_at"),
        needs="durable_runs",
    ),
    Command(
        "runs get", "runs:get_run", "show a run and its trace",
        tool="run_get", for_agents="A run's trace: why it failed. Not to wait: workflow_run.",
        needs="durable_runs",
    ),
    Command(
        "runs cancel", "runs:cancel_run", "cancel a run", "destroys",
        tool="run_cancel", for_agents="Cancel a run. Not for ended ones.",
        needs="durable_runs",
    ),
    Command(
        "runs retry", "runs:retry_run", "run an ended run again", "writes", repeatable=False,
        tool="run_retry", for_agents="Run an ended run anew. Not for paused ones: run_resume.",
        needs="durable_runs",
    ),
    Command(
        "runs resume", "runs:resume_run", "give a paused run what it waits for", "writes",
        tool="run_resume", for_agents="Resume a paused run. Not for failed ones: run_retry.",
        needs="durable_runs",
        on_hosted=True,
    ),
    Command(
        "recipe list", "recipes:list_recipes", "list the recipes of a kind",
        tool="prompt_recipe_list", for_agents="List recipes by name. Not by purpose: component_search.",
        shown=("recipes", "name", "version", "description"),
        needs="recipes:capability_of",
    ),
    Command(
        "recipe get", "recipes:get_recipe", "show a version of a recipe",
        tool="prompt_recipe_get", for_agents="A recipe's text and labels. Not the prompt: prompt_recipe_render.",
        needs="recipes:capability_of",
    ),
    Command(
        "recipe push", "recipes:push_recipe", "store a new version of a recipe", "adds",
        repeatable=False, tool="prompt_recipe_push",
        for_agents="Store a recipe's new version. Not for texts: kb_put.",
        needs="recipes:capability_of",
    ),
    Command(
        "recipe delete", "recipes:delete_recipe", "delete a recipe", "destroys",
        tool="prompt_recipe_delete",
        for_agents="Delete a recipe. Not to undo a push: push the old text.",
        needs="recipes:capability_of",
    ),
    Command(
        "recipe render", "recipes:render_recipe", "assemble a prompt without asking a model",
        tool="prompt_recipe_render",
        for_agents="Assemble a prompt, no model asked. Not for answers: workflow_run.",
        needs="prompt_recipes",
    ),
    Command(
        "recipe test", "recipes:run_recipe_tests", "run a recipe's own tests",
        tool="prompt_recipe_test", for_agents="Run a recipe's tests, no model asked. Not for workflows.",
        needs="prompt_recipes",
        verdict="passed",
    ),
    Command(
        "recipe versions", "recipes:list_versions", "list the versions of a recipe", no_tool=RARE,
        shown=("versions", "version", "created_at", "message"),
        needs="recipe_versions",
    ),
    Command("recipe diff", "recipes:diff_recipe", "compare two versions of a recipe", no_tool=RARE, needs="recipe_versions"),
    Command(
        "recipe label", "recipes:label_recipe", "let a label point to a version", "writes",
        no_tool="what is in production is for people to decide",
        needs="recipe_versions",
    ),
    Command(
        "recipe unlabel", "recipes:unlabel_recipe", "remove a label", "destroys",
        no_tool="what is in production is for people to decide",
        needs="recipe_versions",
    ),
    Command(
        "recipe backtest", "recipes:backtest_recipe", "compare a recipe with what runs have used",
        no_tool="its result is long, and with --call it spends tokens",
        needs="recipe_versions",
    ),
    Command(
        "components list", "catalog:list_components", "list the components",
        no_tool="component_search with few words finds them in fewer tokens",
        shown=("components", "canonical_id", "category", "description"),
        needs="components",
    ),
    Command(
        "components search", "catalog:search_components", "find components and recipes by what they do",
        tool="component_search",
        for_agents="Find components and recipes by purpose; start here. Not for texts: kb_search.",
        shown=("results", "canonical_id", "kind", "description"),
        needs="components",
    ),
    Command(
        "components get", "catalog:get_component", "show a component's parameters and an example",
        tool="component_get",
        for_agents="A component's parameters and example. Not for recipes: prompt_recipe_get.",
        needs="components",
    ),
    Command(
        "kb search", "knowledge:search_knowledge", "find blocks of the knowledge base",
        tool="kb_search", for_agents="Find texts by words. Not for a known page: kb_get.",
        shown=("blocks", "id", "page_name", "content"),
        needs="knowledge_base",
    ),
    Command(
        "kb get", "knowledge:get_knowledge", "show a page or a block of the knowledge base",
        tool="kb_get", for_agents="A page's blocks, or one block. Not by words: kb_search.",
        needs="knowledge_base",
    ),
    Command(
        "kb put", "knowledge:put_knowledge", "write a block to a page of the knowledge base", "writes",
        repeatable=False, tool="kb_put",
        for_agents="Write a text to a page. Not for recipes: prompt_recipe_push.",
        needs="knowledge_base",
    ),
    Command(
        "kb import", "pages:import_pages", "write Markdown files to pages of the knowledge base",
        "writes", no_tool=FOR_PEOPLE,
        needs="knowledge_base",
    ),
    Command(
        "creds list", "credentials:list_credentials", "list the credentials, without values",
        no_tool=SECRETS, shown=("credentials", "name", "service", "sensitivity", "created_at"),
    ),
    Command(
        "creds push", "credentials:push_credential", "store a credential", "writes", no_tool=SECRETS,
        needs="credentials:capability_of",
    ),
    Command(
        "creds delete", "credentials:delete_credential", "delete a credential", "destroys",
        no_tool=SECRETS,
    ),
    Command(
        "services", "catalog:list_services", "list the services that can be set up",
        tool="service_list",
        for_agents="Services and the secrets they need. Not to store secrets.",
        shown=("services", "service", "category", "required_secrets"),
    ),
    Command(
        "explain", "explanations:explain_code", "say what an error code means, and what to do",
        no_tool="an error says what it means itself", shown=("codes", "code", "exit_code", "meaning"),
    ),
    Command(
        "setup", "services:set_up_service", "store the secrets of a service", "writes",
        no_tool=SECRETS,
        needs="credentials:capability_of",
    ),
    Command(
        "login", "login:log_in", "log in, and keep the key in the config file", "writes",
        no_tool=FOR_PEOPLE,
    ),
    Command(
        "logout", "login:log_out", "remove the key from the config file", "writes",
        no_tool=FOR_PEOPLE,
    ),
    Command(
        "auth status", "accounts:auth_status", "show which settings count, and where they come from",
        no_tool=FOR_PEOPLE, verdict="ok",
    ),
    Command(
        "auth rotate", "key_rotation:rotate_key", "replace the key by a new one", "destroys",
        repeatable=False, no_tool=SECRETS, needs="accounts",
    ),
    Command(
        "auth revoke", "accounts:revoke_key", "revoke the key", "destroys", no_tool=SECRETS,
        needs="accounts",
    ),
    Command(
        "doctor", "doctor:examine", "check the settings, the way to the engine, and the key",
        no_tool=FOR_PEOPLE, verdict="ok",
    ),
    Command(
        "completion", "completion:completion_script", "print the completion of a shell",
        no_tool=FOR_PEOPLE,
    ),
)  # fmt: skip


def command_named(name: str) -> Command:
    """Return the command of a name."""
    return next(command for command in COMMANDS if command.name == name)
