"""The tables as they are now; `migrations` says how databases get there.

Times are whole Unix seconds, or milliseconds where the name says so.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    text,
)

from arcrun_server.store.types import Bytes, Characters, Whole

metadata = MetaData()

# What is known of the database itself, as the check value of its server key.
properties = Table(
    "properties",
    metadata,
    Column("name", Characters, primary_key=True),
    Column("value", Bytes, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Characters, primary_key=True),
    Column("created_at", Whole, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Characters, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("lookup", Bytes, nullable=False, unique=True),
    Column("sealed", Bytes, nullable=False),
    Column("prefix", Characters, nullable=False),
    Column("label", Characters, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("revoked_at", Whole),
    Column("last_used_at", Whole),
    # Of a key that only development mode takes: `first` for the one that it prints, otherwise `further`.
    Column("development", Characters),
    Index("api_keys_by_account", "account"),
)

# Who may log in to an account: what an identity provider calls a person.
identities = Table(
    "identities",
    metadata,
    Column("provider", Characters, primary_key=True),
    Column("subject", Characters, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    # As the provider said at the last log-in; NULL if it said none.
    Column("email", Characters),
    Column("email_verified", Boolean, nullable=False),
    Column("created_at", Whole, nullable=False),
    Index("identities_by_account", "account"),
    Index("identities_by_email", "email"),
)

# The sessions of browsers; of the value of a cookie, only its hash is kept.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Characters, nullable=False),
    Column("logged_in_at", Whole, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("sessions_by_account", "account"),
    Index("sessions_by_end", "expires_at"),
)

# Log-ins that have begun: where a provider sends the browser back, and which browser that is.
pending_logins = Table(
    "pending_logins",
    metadata,
    Column("state", Bytes, primary_key=True),
    Column("browser", Bytes, nullable=False),
    Column("provider", Characters, nullable=False),
    Column("redirect", Characters, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("pending_logins_by_end", "expires_at"),
)

# Devices that ask to be logged in.
device_logins = Table(
    "device_logins",
    metadata,
    Column("device_code", Bytes, primary_key=True),
    Column("user_code", Bytes, nullable=False, unique=True),
    Column("client_name", Characters, nullable=False),
    Column("address", Characters, nullable=False),
    # `pending`, `approved` or `denied`.
    Column("status", Characters, nullable=False),
    # Who approved it, and where they had logged in.
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("provider", Characters),
    # How long the device has to wait between two requests, in seconds, and when it asked last.
    Column("interval", Whole, nullable=False),
    Column("polled_at_ms", Whole),
    Column("created_at", Whole, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("device_logins_by_end", "expires_at"),
)


def _account() -> Column[str]:
    return Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    )


credentials = Table(
    "credentials",
    metadata,
    _account(),
    Column("name", Characters, primary_key=True),
    # Either the client's envelope, base64 as it was sent …
    Column("encrypted", Characters),
    Column("iv", Characters),
    # … or a plain value, sealed under the server key.
    Column("at_rest", Bytes),
    Column("service", Characters),
    Column("sensitivity", Characters, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("last_used_at", Whole),
)

workflows = Table(
    "workflows",
    metadata,
    _account(),
    Column("name", Characters, primary_key=True),
    Column("description", Characters, nullable=False),
    # As JSON text: the engine keeps what it has prepared by the text.
    Column("graph", Characters, nullable=False),
    # As JSON text; NULL if none was sent.
    Column("config", Characters),
    Column("created_at_ms", Whole, nullable=False),
)

# When workflows run by themselves.
schedules = Table(
    "schedules",
    metadata,
    Column("account", Characters, primary_key=True),
    Column("workflow", Characters, primary_key=True),
    Column("expr", Characters, nullable=False),
    Column("timezone", Characters, nullable=False),
    # When it runs next by itself.
    Column("next_ms", Whole, nullable=False),
    ForeignKeyConstraint(
        ["account", "workflow"], ["workflows.account", "workflows.name"], ondelete="CASCADE"
    ),
    Index("schedules_by_time", "next_ms"),
)

# The recipes of all kinds (auth, api, prompt), each under a name that its kind has once.
recipes = Table(
    "recipes",
    metadata,
    _account(),
    Column("kind", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    # The other name of an API recipe.
    Column("hash_id", Characters),
    # Number of the newest version.
    Column("newest", Whole, nullable=False),
    # That of the newest version, for lists.
    Column("description", Characters, nullable=False),
)


def _of_recipe() -> tuple[Column[str], Column[str], Column[str], ForeignKeyConstraint]:
    return (
        Column("account", Characters, primary_key=True),
        Column("kind", Characters, primary_key=True),
        Column("name", Characters, primary_key=True),
        ForeignKeyConstraint(
            ["account", "kind", "name"],
            ["recipes.account", "recipes.kind", "recipes.name"],
            ondelete="CASCADE",
        ),
    )


recipe_versions = Table(
    "recipe_versions",
    metadata,
    *_of_recipe(),
    Column("version", Whole, primary_key=True),
    # The text that was pushed; NULL if the recipe came as an object.
    Column("source", Characters),
    # The recipe as JSON text.
    Column("recipe", Characters, nullable=False),
    # The versions of the blocks that fragments of a prompt are pinned to, by variable, as JSON text.
    Column("pins", Characters, nullable=False),
    Column("message", Characters),
    Column("created_at_ms", Whole, nullable=False),
)

recipe_labels = Table(
    "recipe_labels",
    metadata,
    *_of_recipe(),
    Column("label", Characters, primary_key=True),
    Column("version", Whole, nullable=False),
    # Whether it moves only to a version whose tests pass.
    Column("requires_tests", Boolean, nullable=False),
)

# The number of the newest version of recipes that are there no more.
deleted_recipes = Table(
    "deleted_recipes",
    metadata,
    _account(),
    Column("kind", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("newest", Whole, nullable=False),
)

executions = Table(
    "executions",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("workflow", Characters, nullable=False),
    Column("started_at_ms", Whole, nullable=False),
    Column("verdict", Characters, nullable=False),
    Column("duration_ms", Whole, nullable=False),
    Column("message", Characters, nullable=False),
    # As JSON text; NULL for a run that asked no model.
    Column("usage", Characters),
    Index("executions_by_workflow", "account", "workflow", "id"),
)

idempotent_responses = Table(
    "idempotent_responses",
    metadata,
    _account(),
    Column("key", Characters, primary_key=True),
    Column("request", Bytes, nullable=False),
    Column("status", Whole),
    Column("body", Bytes),
    Column("created_at", Whole, nullable=False),
    Index("idempotent_responses_by_age", "created_at"),
)

# The index that finds them by words is no table of this kind: see `block_index.py`.
blocks = Table(
    "blocks",
    metadata,
    # Orders all lists of blocks.
    Column("number", Whole, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("id", Characters, nullable=False),
    Column("version", Whole, nullable=False),
    Column("page_name", Characters, nullable=False),
    Column("content", Characters, nullable=False),
    Column("type", Characters),
    Column("source", Characters),
    # As JSON text, an object.
    Column("metadata", Characters, nullable=False),
    # Roughly how many bytes it takes in a response.
    Column("size", Whole, nullable=False),
    Column("created_at_ms", Whole, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
    Index("blocks_by_id", "account", "id", unique=True),
    Index("blocks_by_number", "account", "number"),
    Index("blocks_by_page", "account", "page_name", "number"),
    Index("blocks_by_type", "account", "type", "number"),
)

# What a block was before each change of it.
block_versions = Table(
    "block_versions",
    metadata,
    Column(
        "number", ForeignKey("blocks.number", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("version", Whole, primary_key=True),
    Column("page_name", Characters, nullable=False),
    Column("content", Characters, nullable=False),
    Column("type", Characters),
    Column("source", Characters),
    Column("metadata", Characters, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
)

# Fragments of the source `kv`; no recipe and no workflow writes them.
prompt_texts = Table(
    "prompt_texts",
    metadata,
    _account(),
    Column("key", Characters, primary_key=True),
    Column("text", Characters, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
)

# What the engine has accepted to run: asynchronous triggers, runs that have paused, ticks of schedules, retries.
runs = Table(
    "runs",
    metadata,
    # Orders all lists of runs.
    Column("number", Whole, primary_key=True),
    Column("id", Characters, nullable=False, unique=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    # NULL for a graph that is stored nowhere.
    Column("workflow", Characters),
    Column("status", Characters, nullable=False),
    # What made it: `api`, `schedule`, `webhook`, `retry` or `failure`.
    Column("trigger", Characters, nullable=False),
    Column("retry_of", Characters),
    # How many runs of its workflow may go on at the same time, itself included; NULL for any number.
    Column("max_running", Whole),
    # A run has one segment more than it has been resumed.
    Column("segment", Whole, nullable=False),
    # The process that executes the segment, or was to; empty while it waits for other runs of its workflow.
    Column("executor", Characters, nullable=False),
    # As JSON text, as all that follows: what the run needs to be executed, again if need be.
    Column("plan", Characters, nullable=False),
    Column("input", Characters, nullable=False),
    # The state of a paused run, and what its callback has brought.
    Column("continuation", Characters),
    Column("delivery", Characters),
    # How it ended, or what can be said of it while it is paused.
    Column("result", Characters),
    Column("trace", Characters),
    Column("created_at_ms", Whole, nullable=False),
    Column("started_at_ms", Whole),
    Column("ended_at_ms", Whole),
    Index("runs_by_number", "account", "number"),
    Index("runs_by_workflow", "account", "workflow", "number"),
    Index("runs_by_status", "account", "status", "number"),
    Index("runs_by_executor", "status", "executor", "account", "workflow", "number"),
    Index("runs_by_end", "ended_at_ms"),
    Index(
        "runs_going_on",
        *("account", "workflow", "status"),
        sqlite_where=text("ended_at_ms IS NULL"),
        postgresql_where=text("ended_at_ms IS NULL"),
    ),
)

# The processes that execute runs, or have left some; on PostgreSQL only.
executors = Table("executors", metadata, Column("name", Characters, primary_key=True))

# What runs wait for, or have waited for.
awaited_tasks = Table(
    "awaited_tasks",
    metadata,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    # Which invocation waits, as `store/run_tokens.py` names it.
    Column("waiting", Characters, primary_key=True),
    # Where in the run that is; empty once a callback for it was taken.
    Column("place", Characters, nullable=False),
    Column("account", Characters, nullable=False),
    # What its component calls the task.
    Column("task_id", Characters, nullable=False),
    Column("paused_at_ms", Whole, nullable=False),
    Index("awaited_tasks_by_id", "account", "task_id", "paused_at_ms"),
)

# Callbacks that came before the run had paused.
early_callbacks = Table(
    "early_callbacks",
    metadata,
    # A run that somebody waits for stands in no table yet.
    Column("run", Characters, primary_key=True),
    Column("waiting", Characters, primary_key=True),
    Column("delivery", Characters, nullable=False),
    Column("created_at_ms", Whole, nullable=False),
)

# The prompts that runs have assembled from stored recipes.
recorded_prompts = Table(
    "recorded_prompts",
    metadata,
    # Stands for an invocation of a run.
    Column("id", Characters, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("recipe", Characters, nullable=False),
    # 0 for a recipe that is shipped.
    Column("version", Whole, nullable=False),
    # The run may stand in no table: one that is waited for is not kept.
    Column("run", Characters, nullable=False),
    Column("node", Characters, nullable=False),
    # As JSON text; NULL if it was too large.
    Column("inputs", Characters),
    Column("answer", Characters),
    Column("created_at_ms", Whole, nullable=False),
    Index("recorded_prompts_by_recipe", "account", "recipe", "created_at_ms", "id"),
    Index("recorded_prompts_by_age", "created_at_ms"),
)
