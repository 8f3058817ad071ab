"""The programs that carry out the example through `acr` and through `arcrun-mcp`, as a person and an agent would.

Each is run by the interpreter of an environment where `arcrun[cli,mcp]` is installed, and is otherwise as those of
`programs`. Secrets pass through no tool, so both push the credential by `acr`.
"""

_BOTH = """
import json, os, subprocess, sys
from pathlib import Path

given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
folder = Path(sys.argv[1]).parent
recipes = {}
for name in ("recipe", "with_default"):
    recipes[name] = folder / f"{name}.yaml"
    recipes[name].write_text(given[name], "utf-8")

def acr(*arguments, stdin=None, fails=False):
    command = [Path(sys.executable).with_name("acr"), *arguments, "--json"]
    found = subprocess.run(command, input=stdin, capture_output=True, text=True, encoding="utf-8")
    ended = f"acr {' '.join(arguments)} ended with {found.returncode}: {found.stdout}{found.stderr}"
    if (found.returncode != 0) != fails or "Traceback" in found.stderr:
        sys.exit(ended)
    try:
        return json.loads("".join(found.stderr.splitlines()[-1:]) if fails else found.stdout)
    except ValueError:
        sys.exit(f"{'its last line on stderr' if fails else 'what it prints'} is not JSON: {ended}")

acr("creds", "push", "mira_token", stdin="not-used-by-a-person")
"""

ACR = f"""{_BOTH}
context = folder / "context.json"
context.write_text(json.dumps(given["context"]), "utf-8")
acr("push", given["workflow_file"])
pushed = [acr("recipe", "push", str(recipes["recipe"]))]
refused = acr("run", "wiki_synthesis", fails=True)["message"]
pushed.append(acr("recipe", "push", str(recipes["with_default"])))
run = acr("run", "wiki_synthesis")
rendered = acr("recipe", "render", "wiki_synthesis", "--context", str(context))
stored = acr("recipe", "get", "wiki_synthesis", "--version", "1")
print(json.dumps({{
    "versions": [each["version"] for each in pushed],
    "warnings": [each["warnings"] for each in pushed],
    "source": stored["source"],
    "refused": refused,
    "success": run["status"] == "succeeded",
    "messages": rendered["messages"],
}}))
"""

MCP = f"""{_BOTH}
import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

failures = []

async def main():
    program = str(Path(sys.executable).with_name("arcrun-mcp"))
    async with Client(StdioServerParameters(command=program, env=dict(os.environ))) as client:
        async def call(tool, /, *, fails=False, **arguments):
            found = await client.call_tool(tool, arguments)
            if found.is_error != fails:
                failures.append(f"{{tool}}: {{found.content}}")
                sys.exit(1)
            return found.content[0].text if fails else found.structured_content

        await call("workflow_push", workflow=Path(given["workflow_file"]).read_text("utf-8"))
        pushed = [await call("prompt_recipe_push", recipe=given["recipe"])]
        refused = await call("workflow_run", name="wiki_synthesis", fails=True)
        pushed.append(await call("prompt_recipe_push", recipe=given["with_default"]))
        run = await call("workflow_run", name="wiki_synthesis")
        rendered = await call("prompt_recipe_render", name="wiki_synthesis", context=given["context"])
        stored = await call("prompt_recipe_get", name="wiki_synthesis@1")
    print(json.dumps({{
        "versions": [each["version"] for each in pushed],
        "warnings": [each["warnings"] for each in pushed],
        "source": stored["source"],
        "refused": refused,
        "success": run["status"] == "succeeded",
        "messages": rendered["messages"],
    }}))

try:
    anyio.run(main)
except BaseException:  # a group of errors, since the client has tasks
    if not failures:
        raise
    sys.exit(failures[0])
"""
