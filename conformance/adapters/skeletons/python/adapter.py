"""An adapter for arcrun-conformance, with one method to begin with.

The protocol is described in PROTOCOL.md of arcrun-conformance. Replace `Client` by your SDK, then add a method to
CAPABILITIES and to `call`, run the suite, and repeat.
"""

import json
import sys
import urllib.error
import urllib.request

CAPABILITIES = ["health", "user_agent"]


class SdkError(Exception):
    """Stands for the errors of your SDK: `name` is one of the names that PROTOCOL.md lists."""

    def __init__(self, name, message, status=None):
        super().__init__(message)
        self.name = name
        self.status = status


class Client:
    """Stands for the client of your SDK."""

    def __init__(self, options):
        self.base_url = options["base_url"].rstrip("/")

    def health(self):
        """Return the engine's health."""
        headers = {"User-Agent": "arcrun-python/0.1.0"}
        request = urllib.request.Request(f"{self.base_url}/health", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            name = "server" if error.code >= 500 else "status"
            raise SdkError(name, f"the engine responded with {error.code}", error.code) from error
        except OSError as error:
            raise SdkError("connection", f"no response from {self.base_url}: {error}") from error


clients = {}


def call(client, method, arguments):
    """Return what a method of the SDK returns."""
    if method == "health":
        return client.health()
    raise ValueError(f"{method} is missing in this adapter")


def carry_out(command):
    """Return the result of a command."""
    if command["command"] == "start":
        sdk = {"name": "SDK_NAME", "version": "0.1.0", "language": "python"}
        runtime = f"Python {sys.version.split()[0]}"
        return {"protocol": 1, "sdk": sdk, "runtime": runtime, "capabilities": CAPABILITIES}
    if command["command"] == "construct":
        clients[command["client"]] = Client(command["options"])
    elif command["command"] == "call":
        return call(clients[command["client"]], command["method"], command["arguments"])
    elif command["command"] == "reset":
        clients.clear()
    return {}


def main():
    """Carry out commands, one for each line, until `stop`."""
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    for line in sys.stdin:
        command = json.loads(line)
        reply = {"id": command["id"]}
        try:
            reply["result"] = carry_out(command)
        except SdkError as error:
            reply["error"] = {"name": error.name, "class": "SdkError", "message": str(error)}
            if error.status is not None:
                reply["error"]["status"] = error.status
        except Exception as error:  # whatever is no error of the SDK is a failure of the adapter
            reply["failure"] = {"message": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
        if command["command"] == "stop":
            return


main()
