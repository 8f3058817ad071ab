"""Measure what prompts cost: the first recipe against a join of the same texts, `claude_api` against the bare SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSEMBLY_GOAL = 3.0
MODEL_GOAL = 1.1
RECIPE = ROOT / "packages/server/tests/recipes/prompt/wiki_synthesis.yaml"

# The engine is measured in a process of its own: the scripts don't import it. Each program prints medians.
ASSEMBLY = """
import json, statistics, sys, time
from pathlib import Path
from arcrun_server.recipes.prompt.assembly import FragmentText, ResolvedRecipe, assemble
from arcrun_server.recipes.prompt.reading import read_recipe

recipe, _ = read_recipe(Path(sys.argv[1]).read_text("utf-8"))
drafts = [{"page_name": f"頁 {n}", "content": f"{n} 今天的天氣很好 {{{{schema}}}}. " * 80} for n in range(100)]
values = {"ctx.read_drafts.blocks": drafts, "ctx.read_entities.blocks": drafts, "ctx.loop.item": "Mira"}
schema = "You write pages of a wiki. " * 40
skill = "Drafts: {{drafts}}\\nKnown: {{existing_entities}}\\nWrite about {{entity_name}}."
texts = {"schema": schema, "skill_template": skill}
resolved = ResolvedRecipe(recipe, 1, {var: FragmentText(text, {}, var) for var, text in texts.items()})

def ours():
    return [message.content for message in assemble(resolved, lambda path: (True, values[path])).messages]

def by_hand():
    written = json.dumps(drafts, ensure_ascii=False, separators=(",", ":"))
    known = "\\n".join(draft["page_name"] for draft in drafts)
    return [schema, "Drafts: " + written + "\\nKnown: " + known + "\\nWrite about " + "Mira" + "."]

if ours() != by_hand():
    raise SystemExit("both must make the same messages")
times = [[], []]
for _ in range(int(sys.argv[2])):
    for measured, taken in zip((ours, by_hand), times):
        began = time.perf_counter()
        for _ in range(20):
            measured()
        taken.append((time.perf_counter() - began) / 20)
print(json.dumps([statistics.median(taken) * 1000 for taken in times]))
"""

MESSAGES_API = """
import json, socket, uvicorn
from fastapi import FastAPI, Response

app = FastAPI(openapi_url=None)
usage = {"input_tokens": 9, "output_tokens": 1}
message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": usage}
events = [{"type": "message_start", "message": message},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"字 {n} "}} for n in range(100)),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 100}},
    {"type": "message_stop"}]
body = "".join(f"event: {event['type']}\\ndata: {json.dumps(event)}\\n\\n" for event in events)

@app.post("/v1/messages")
async def messages():
    return Response(body, media_type="text/event-stream")

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
"""

MODEL = """
import asyncio, json, statistics, sys, time
import anthropic
from arcrun_server.components.claude_api import Model
from arcrun_server.llm.anthropic import AnthropicProvider
from arcrun_server.outbound import Outbound

url, rounds = sys.argv[1], int(sys.argv[2])
messages = [{"role": "user", "content": "天氣 " * 1000}]

async def key(name):
    return "sk-bench"

async def main():
    outbound = Outbound(development=True)
    model = Model(AnthropicProvider(outbound, url))
    bare = anthropic.AsyncAnthropic(api_key="sk-bench", base_url=url, max_retries=0)

    async def ours():
        return (await model.ask({"messages": messages}, key))[0]

    async def theirs():
        parameters = {"model": "claude-sonnet-5-5", "max_tokens": 8192, "messages": messages}
        async with bare.messages.stream(**parameters) as stream:
            message = await stream.get_final_message()
        return "".join(block.text for block in message.content if block.type == "text")

    if await ours() != await theirs():
        raise SystemExit("both must get the same answer")
    times = [[], []]
    for _ in range(rounds):
        for measured, taken in zip((ours, theirs), times):
            began = time.perf_counter()
            for _ in range(10):
                await measured()
            taken.append((time.perf_counter() - began) / 10)
    await bare.close()
    await outbound.aclose()
    print(json.dumps([statistics.median(taken) * 1000 for taken in times]))

asyncio.run(main())
"""


def measure(rounds: int) -> Iterator[Figure]:
    """Measure both, each in turns with its baseline."""
    ours, by_hand = _run(ASSEMBLY, str(RECIPE), str(rounds))
    note = f"a join of the same texts: {by_hand:.2f} ms; ours {ours:.2f} ms"
    yield Figure("first recipe with 100 drafts", ours / by_hand, "×", ASSEMBLY_GOAL, note)
    command = [sys.executable, "-c", MESSAGES_API]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            ours, bare = _run(MODEL, f"http://127.0.0.1:{port}", str(rounds))
        finally:
            server.terminate()
    note = f"bare SDK: {bare:.2f} ms a call; ours {ours:.2f} ms"
    yield Figure("claude_api", ours / bare, "×", MODEL_GOAL, note)


def _run(program: str, *arguments: str) -> tuple[float, float]:
    """Run a program that prints the milliseconds of ours and of its baseline."""
    command = [sys.executable, "-c", program, *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ours, baseline = json.loads(printed)
    return ours, baseline
