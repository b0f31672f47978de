"""HTTP for openai's SDK, by aiohttp.

httpx2, through which the SDK speaks, parses HTTP in plain Python and looks at every open connection whenever a request
begins or ends: with 200 requests in flight that was two fifths of a question's CPU time. The SDK's own bridge to
aiohttp calls a connection that the server closed a timeout, which `gateway` would try again less often.
"""

from __future__ import annotations

from urllib.request import getproxies

import aiohttp
import httpx2

KEEP_ALIVE = 5.0  # seconds that an idle connection is kept, as httpx2 does: servers close theirs soon after
LONGEST_HEADER = 100_000  # bytes, as in httpx2; aiohttp's own limit is a twelfth of it


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends the requests of an `httpx2.AsyncClient`; answers are read as a whole, never as a stream.

    How many are in flight at once is the caller's business. Proxies are not used, see `needs_proxy`.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer, its errors those that httpx2 itself would raise."""
        if self._session is None:  # made here, because it belongs to the running loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ssl=httpx2.create_ssl_context()),
                cookie_jar=aiohttp.DummyCookieJar(),  # httpx2 minds cookies, redirects and compression
                auto_decompress=False,
                max_line_size=LONGEST_HEADER,
                max_field_size=LONGEST_HEADER,
            )
        seconds = request.extensions.get("timeout", {})
        try:
            async with self._session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=seconds.get("connect"), sock_read=seconds.get("read")),
            ) as response:
                content = await response.read()
        except TimeoutError as error:  # aiohttp's own are of this class too
            raise httpx2.ReadTimeout(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ReadError(str(error)) from error
        return httpx2.Response(response.status, headers=response.raw_headers, content=content)

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def needs_proxy() -> bool:
    """Whether the environment names a proxy, which may be of a kind that only httpx2 knows."""
    return not getproxies().keys().isdisjoint(("http", "https", "all"))
