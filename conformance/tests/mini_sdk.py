"""An SDK and its adapter in one: health and credentials over httpx, with one defect on demand."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from typing import Any

import httpx

METHODS = ("health", "creds.push", "creds.list", "creds.delete")


class SdkError(Exception):
    def __init__(self, name: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.name, self.status = name, status


class MiniSdk:
    """Replies to protocol lines; `defect` names what it does wrong, `capabilities` what it adds."""

    def __init__(self, defect: str = "", capabilities: tuple[str, ...] = ()) -> None:
        self.defect = defect
        self.capabilities = capabilities
        self.options: dict[str, Any] = {}
        self.stderr = ""

    async def __call__(self, line: str) -> str:
        message = json.loads(line)
        identifier = message["id"]
        try:
            reply: dict[str, Any] = {"result": await self._carry_out(message)}
        except SdkError as error:
            reply = {
                "error": {
                    "name": error.name,
                    "class": "MiniError",
                    "message": str(error),
                    "status": error.status,
                }
            }
        if self.defect == "mismatched-id":
            identifier += message["command"] == "call"
        if self.defect == "hangs-after-push" and message["command"] == "call":
            await asyncio.Event().wait()
        if self.defect == "invalid-json" and message["command"] == "call":
            return "pushing the credential now\n"
        return json.dumps({"id": identifier, **reply})

    async def _carry_out(self, message: dict[str, Any]) -> Any:
        command = message["command"]
        if command == "start":
            sdk = {"name": "mini", "version": "1", "language": "python"}
            methods = METHODS[:1] if self.defect == "incapable" else METHODS
            described = {"protocol": 1, "sdk": sdk, "runtime": "test"}
            return described | {"capabilities": [*methods, *self.capabilities]}
        if command == "construct":
            self.options = message["options"]
        if command == "call":
            if self.defect == "crash":
                os._exit(3)
            return await self._call(message["method"], message["arguments"])
        return {}

    async def _call(self, method: str, arguments: dict[str, Any]) -> Any:
        headers = {"x-arcrun-api-key": self.options["api_key"], "user-agent": "arcrun-mini/1.0"}
        if self.defect == "leaks-secret-header":
            headers["x-debug"] = base64.b64encode(arguments.get("value", "").encode()).decode()
        if self.defect == "leaks-secret-stderr":
            self.stderr += f"pushing {arguments.get('value', '')}\n"
        if self.defect == "leaks-key":
            headers["referer"] = f"https://example.org/?key={self.options['api_key']}"
        async with httpx.AsyncClient(base_url=self.options["base_url"], headers=headers) as http:
            if self.defect == "extra-request":
                await http.get("/auth-recipes")
            if method == "health":
                return (await http.get("/health")).json()
            if method == "creds.list":
                response = await http.get("/credentials")
            elif method == "creds.delete":
                response = await http.delete(f"/credentials/{arguments['name']}")
            else:
                response = await http.post("/credentials", json=self._sealed(arguments))
        if response.status_code >= 400:
            named = {401: "authentication", 404: "not_found"}
            name = named.get(response.status_code, "server")
            raise SdkError(name, response.json()["error"], response.status_code)
        if self.defect == "wrong-result":
            return {"name": "another"}
        content = response.json()
        return content["credentials"] if method == "creds.list" else content

    def _sealed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.defect == "plain-value":
            return arguments
        encrypted = base64.b64encode(bytes(32)).decode()
        return {"name": arguments["name"], "encrypted": encrypted, "iv": encrypted[:16]}


def main() -> None:
    sdk = MiniSdk(sys.argv[1] if len(sys.argv) > 1 else "")
    for line in sys.stdin:
        reply = asyncio.run(sdk(line))
        sys.stderr.write(sdk.stderr)
        sys.stderr.flush()
        sdk.stderr = ""
        sys.stdout.write(reply if reply.endswith("\n") else f"{reply}\n")
        sys.stdout.flush()
        if json.loads(line)["command"] == "stop":
            return


if __name__ == "__main__":
    main()
