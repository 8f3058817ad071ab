"""The programs that carry out the example, as a user writes them: one for each SDK, which the scripts don't import.

Each reads the file that its argument names, and prints as JSON what the SDK returned. Key and address of the engine
come from the variables that both SDKs read.
"""

PYTHON = """
import json, sys
from pathlib import Path
from arcrun import Arcrun, WorkflowRunError

given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
with Arcrun() as client:
    client.creds.push("mira_token", "not-used-by-a-script")
    client.workflows.push_file(given["workflow_file"])
    pushed = [client.recipes.push(given["recipe"])]
    try:
        refused = client.workflows.run("wiki_synthesis", {})["data"]
    except WorkflowRunError as error:
        refused = str(error)
    pushed.append(client.recipes.push(given["with_default"]))
    run = client.workflows.run("wiki_synthesis", {})
    rendered = client.recipes.render("wiki_synthesis", context=given["context"])
    stored = client.recipes.get("wiki_synthesis", version=1)
print(json.dumps({
    "versions": [each["version"] for each in pushed],
    "warnings": [each["warnings"] for each in pushed],
    "source": stored["source"],
    "refused": refused,
    "success": run["success"],
    "messages": rendered["messages"],
}))
"""

JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { Arcrun, WorkflowRunError } from "@arcrun/sdk";

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const client = new Arcrun();
await client.creds.push("mira_token", "not-used-by-a-script");
await client.workflows.push("wiki_synthesis", given.workflow);
const pushed = [await client.recipes.push(given.recipe)];
let refused;
try {
  refused = (await client.workflows.run("wiki_synthesis", {})).data;
} catch (error) {
  if (!(error instanceof WorkflowRunError)) throw error;
  refused = error.message;
}
pushed.push(await client.recipes.push(given.with_default));
const run = await client.workflows.run("wiki_synthesis", {});
const rendered = await client.recipes.render("wiki_synthesis", undefined, { context: given.context });
const stored = await client.recipes.get("wiki_synthesis", { version: 1 });
console.log(JSON.stringify({
  versions: pushed.map((each) => each.version),
  warnings: pushed.map((each) => each.warnings),
  source: stored.source,
  refused,
  success: run.success,
  messages: rendered.messages,
}));
"""
