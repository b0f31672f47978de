from __future__ import annotations

import asyncio
import gzip

import httpx2
import pytest

from kura_dagster.pipeline.language_model.http_transport import AiohttpTransport, needs_proxy

ZIPPED = gzip.compress(b'{"zipped": true}')
ANSWERS = {
    "/zipped": b"200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%s" % (len(ZIPPED), ZIPPED),
    "/moved": b"307 Temporary Redirect\r\nlocation: /zipped\r\ncontent-length: 0\r\n\r\n",
    "/in-pieces": b"200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "/long-header": b"200 OK\r\npolicy: %s\r\ncontent-length: 2\r\n\r\n{}" % (b"x" * 50_000),
    "/cut": b"200 OK\r\ncontent-length: 20\r\n\r\n{}",
    "/dropped": b"",
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readuntil(b"}")
    path = head.split()[1].decode()
    if path == "/silent":
        await reader.read()  # until the client gives up
    elif ANSWERS[path]:
        status, _, rest = ANSWERS[path].partition(b"\r\n")
        writer.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\n" + rest)
    writer.close()


def fetched(path: str) -> httpx2.Response:
    async def fetch() -> httpx2.Response:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            httpx2.AsyncClient(transport=AiohttpTransport(), follow_redirects=True, timeout=5) as client,
        ):
            return await client.post(f"http://127.0.0.1:{port}{path}", json={"question": 1})

    return asyncio.run(fetch())


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/zipped", {"zipped": True}), ("/moved", {"zipped": True}), ("/in-pieces", {}), ("/long-header", {})],
)
def test_answer_arrives_as_by_httpx(path: str, answer: dict[str, bool]) -> None:
    assert fetched(path).json() == answer


@pytest.mark.parametrize("path", ["/dropped", "/cut"])
def test_closed_connection_is_no_timeout(path: str) -> None:
    with pytest.raises(httpx2.ReadError):
        fetched(path)


def test_silent_server_is_a_timeout() -> None:
    with pytest.raises(httpx2.TimeoutException):
        fetched("/silent")


def test_server_that_does_not_run_cannot_be_connected_to() -> None:
    async def fetch() -> None:
        async with httpx2.AsyncClient(transport=AiohttpTransport()) as client:
            await client.get("http://127.0.0.1:1/")

    with pytest.raises(httpx2.ConnectError):
        asyncio.run(fetch())


def test_proxy_is_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "localhost")
    assert not needs_proxy()
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    assert needs_proxy()
