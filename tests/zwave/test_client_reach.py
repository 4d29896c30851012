"""How the client comes to the server that is configured, and to no other."""

import asyncio
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from drivers.zwave.client import opened
from drivers.zwave.messages import Failure
from tests.mqtt.broker import free_port
from tests.mqtt.certificates import Authority
from tests.zwave.hand_server import Server, failure, serving


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://nobody.invalid:3000", Failure.NAME_NOT_FOUND),
        (f"ws://{'x' * 70}.example:3000", Failure.NAME_NOT_FOUND),
        ("ws://127.0.0.1:{port}", Failure.NOBODY_LISTENS),
    ],
)
async def test_where_nobody_answers_it_is_said_why(url: str, expected: Failure) -> None:
    """A wrong name is put right elsewhere than a server that does not run."""
    assert await failure(url.format(port=free_port())) is expected


async def test_a_server_without_tls_is_told_from_one_that_is_not_there() -> None:
    """`wss://` where the server speaks `ws://`."""
    async with serving(Server.begins) as url:
        assert await failure(url.replace("ws://", "wss://")) is Failure.NO_TLS


async def test_a_certificate_that_is_not_trusted_is_a_matter_of_tls(tmp_path: Path) -> None:
    """The usual mistake with `wss://`; the name of the server is right."""
    certificate = Authority(tmp_path).issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    async with serve(Server.begins_on, "127.0.0.1", 0, ssl=context, close_timeout=0.1) as server:
        [listener] = server.sockets
        assert await failure(f"wss://127.0.0.1:{listener.getsockname()[1]}") is Failure.NO_TLS


@pytest.mark.parametrize("to", ["ws://127.0.0.2:{port}/", "http://127.0.0.1:{port}/", "/elsewhere"])
async def test_no_redirect_is_followed(to: str) -> None:
    """PINs go where the configuration says, and nowhere in clear that it did not allow."""
    heard = 0

    async def script(server: Server) -> None:
        nonlocal heard
        heard += 1
        await server.begins()

    async with serving(script) as url:

        def redirect(_: ServerConnection, __: Request) -> Response:
            return Response(302, "Found", Headers({"Location": to.format(port=url.rpartition(":")[2])}))

        async with serve(Server.begins_on, "127.0.0.1", 0, process_request=redirect) as other:
            [listener] = other.sockets
            assert await failure(f"ws://127.0.0.1:{listener.getsockname()[1]}") is Failure.NO_SERVER
    assert heard == 0


async def test_an_address_from_which_nothing_comes_back_keeps_nobody_from_the_next() -> None:
    """A name with an address of IPv6 that leads nowhere: a full queue of a listener drops who knocks."""
    with socket.socket(socket.AF_INET6) as hole, ExitStack() as knocking:
        try:
            hole.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        hole.listen(0)
        port = hole.getsockname()[1]
        for _ in range(3):
            one = knocking.enter_context(socket.socket(socket.AF_INET6))
            one.settimeout(0)
            one.connect_ex(("::1", port))
        found = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]

        async def addresses(*_: object, **__: object) -> list[object]:
            return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses)
            async with (
                serve(Server.begins_on, "127.0.0.1", port, close_timeout=0.1),
                asyncio.timeout(10),
                opened(f"ws://server.example:{port}") as client,
            ):
                assert client.version.home_id == 77
