"""A service on loopback that does nothing but count, in a process of its own: `python counting_service.py COUNT`.

It prints its port, and once it has been asked COUNT times, how many seconds lay between the first request and the
last one, and how many between the one in the middle and the last one. Then it counts anew. With COUNT 0 it prints for each request when that came, on the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import sys
import time

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"ok": true}'
)


class Counting:
    """Counts requests.

    Args:
        count: After how many a time is printed.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._seen = 0
        self._began = self._middle = 0.0

    def arrived(self) -> None:
        """Count one request."""
        now = time.monotonic()
        if not self._count:
            print(now, flush=True)
            return
        if not self._seen:
            self._began = now
        self._seen += 1
        if self._seen == self._count // 2:
            self._middle = now
        if self._seen == self._count:
            print(now - self._began, now - self._middle, flush=True)
            self._seen = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                _, _, rest = head.partition(b"content-length:")
                await reader.readexactly(int(rest.split(b"\r\n", 1)[0] or 0) if rest else 0)
                self.arrived()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main(count: int) -> None:
    """Serve until this process is ended."""
    server = await asyncio.start_server(Counting(count).connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
