"""One attempt against receivers of every kind, and against addresses that must stay silent.

Everything here is on loopback: a canary on 127.0.0.1 and ::1, and 127.0.0.2 as "the outside", which
only the tests allow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import resource
import socket
import time
from collections.abc import Iterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook

from byname.automations import sender as room
from byname.automations.sender import Sender
from byname.domain import delivery
from byname.domain.delivery import Outgoing, Reply
from byname.domain.target import Targets, parse_networks
from tests.support.receiver import Connection, Delivered, Receiver

OUTSIDE = Targets(parse_networks(["127.0.0.2/32"]))
TOKEN = "canary-token-1f0c"
SECRET = "canary-secret-77ab"


class Names(AbstractResolver):
    """Resolves names as a test says: a list of answers a name, the last one for ever."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The next answer."""
        self.asked.append(host)
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def to(url: str, body: str = '{"a":1}') -> Outgoing:
    return Outgoing(url, body, "LINK_ARTIFACT", "d1", TOKEN, SECRET, hidden=(TOKEN, SECRET))


@pytest.fixture
def sender() -> Iterator[Sender]:
    """One that gives up nothing."""
    made = Sender(OUTSIDE, timeout_seconds=3_600.0)
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[Sender]:
    """One that gives up after a second."""
    made = Sender(OUTSIDE, timeout_seconds=1.0)
    yield made
    made.close()


@pytest.fixture
def canary() -> Iterator[Receiver]:
    """Listens on an ordinary port, so that the deny table alone keeps requests from it."""
    for port in range(8000, 9999):
        try:
            with Receiver(port=port) as listening:
                yield listening
            return
        except OSError:
            continue


class TestRequest:
    """R134: `POST`, `Content-Type: application/json`, `Authorization: Bearer <access token>`."""

    def test_it(self, sender: Sender) -> None:
        with Receiver(host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url + "/hook?x=1", '{"a":"größe"}'))
            (request,) = outside.wait_for(1)
        assert (reply.status, reply.text, reply.error) == (200, "thanks", None)
        assert request.path == "/hook?x=1"
        assert request.body == '{"a":"größe"}'.encode()
        assert request.headers["content-type"] == "application/json"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["host"] == f"127.0.0.2:{outside.port}"
        assert request.headers["x-registry-delivery"] == "d1"
        assert request.headers["x-wandb-signature"]

    def test_its_signature_is_of_the_bytes_that_arrive(self, sender: Sender) -> None:
        """R134, S5: reckoned as a receiver does, from what came in."""
        with Receiver(host="127.0.0.2") as outside:
            sender.send(to(outside.url, '{"a": "größe" ,\n "b": 1.0}'))
            (request,) = outside.wait_for(1)
        digest = hmac.digest(SECRET.encode(), request.body, hashlib.sha256)
        assert request.headers["x-wandb-signature"] == base64.b64encode(digest).decode()
        key = "whsec_" + base64.b64encode(SECRET.encode()).decode()
        assert Webhook(key).verify(request.body, request.headers)

    def test_nothing_is_added_without_a_token(self, sender: Sender) -> None:
        with Receiver(host="127.0.0.2") as outside:
            sender.send(Outgoing(outside.url, "{}", "LINK_ARTIFACT", "d1"))
            (request,) = outside.wait_for(1)
        assert "authorization" not in request.headers
        assert "x-wandb-signature" not in request.headers

    def test_proxies_of_the_environment_are_not_used(
        self, sender: Sender, canary: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S3: no environment proxies."""
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, canary.url)
        with Receiver(host="127.0.0.2") as outside:
            assert sender.send(to(outside.url)).status == 200
        assert not canary.requests

    def test_a_token_that_would_add_headers_is_not_sent(self, sender: Sender) -> None:
        with Receiver(host="127.0.0.2") as outside:
            reply = sender.send(
                Outgoing(outside.url, "{}", "LINK_ARTIFACT", "d1", "x\r\nX-Evil: 1")
            )
            assert not outside.requests
        assert reply.error is not None
        assert not reply.again


SPELLINGS = """
127.0.0.1 127.0.0.3 127.1 127.0.1 127.1.1 127.255.255.254 2130706433 017700000001 0x7f000001
0x7F000001 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0.1 0177.0.0.01 0177.0000.0000.0001 127.0x0.0.1
127.000.000.001 127.0.0.0x1 0x7f.1 0177.1 127.0x1 0x7f.0.1 00000177.1 0x0000007f.1 127.0.01
0 0.0.0.0 0x0 00 0.0 [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0001]
[0::1] [::0:1] [0:0::1] [::] [0::0] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1]
[::FFFF:127.0.0.1] [0::ffff:7f00:0001] [::ffff:127.0.0.3] [::ffff:0.0.0.0] [::ffff:0:0]
localhost LOCALHOST LocalHost %6c%6f%63%61%6c%68%6f%73%74 %31%32%37.0.0.1 127%2e0%2e0%2e1
a.test b.test c.test d.test e.test f.test g.test h.test
"""
NAMED = {
    "a.test": [["127.0.0.1"]],
    "b.test": [["::1"]],
    "c.test": [["::ffff:127.0.0.1"]],
    "d.test": [["127.0.0.1", "::1"]],
    "e.test": [["0.0.0.0"]],
    "f.test": [["::"]],
    "g.test": [["127.0.0.3"]],
    "h.test": [["::ffff:7f00:1"]],
    "localhost": [["127.0.0.1", "::1"]],
}


class SystemOr(Names):
    """What the test names by the list above; numbers in odd spellings as the system reads them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The list's answer, or the system's for what is a number to it. Nothing is looked up."""
        if host.lower() not in self.answers:
            # Raises OSError for what is no number: then there is nothing to connect to.
            self.answers[host.lower()] = [[socket.inet_ntoa(socket.inet_aton(host))]]
        return await super().resolve(host.lower(), port, family)


class TestCanary:
    """S1: at least 60 address spellings, 0 reach the canary."""

    def test_there_are_sixty(self) -> None:
        assert len(set(SPELLINGS.split())) >= 60

    def test_none_reaches_it(self, canary: Receiver) -> None:
        names = SystemOr(dict(NAMED))
        sender = Sender(OUTSIDE, timeout_seconds=60.0, resolver=names)
        with Receiver(host="127.0.0.2") as outside:
            for spelling in SPELLINGS.split():
                reply = sender.send(to(f"http://{spelling}:{canary.port}/"))
                assert reply.status is None, spelling
                assert reply.error is not None
                assert TOKEN not in reply.error
            # The sender works at all: what is allowed is reached.
            assert sender.send(to(outside.url)).status == 200
        sender.close()
        assert not canary.requests

    def test_it_would_be_reached_if_it_were_allowed(self, canary: Receiver) -> None:
        """The test above can fail."""
        sender = Sender(Targets(parse_networks(["127.0.0.0/8"])), resolver=SystemOr(dict(NAMED)))
        for spelling in ("0x7f.1", "a.test", "localhost"):
            assert sender.send(to(f"http://{spelling}:{canary.port}/")).status == 200
        sender.close()
        assert len(canary.requests) == 3


class TestRebinding:
    """S2: checked on the address actually connected to, per connection."""

    def test_a_second_answer_is_checked_as_well(self, canary: Receiver) -> None:
        names = Names({"moving.test": [["127.0.0.2"], ["127.0.0.1"]]})
        sender = Sender(OUTSIDE, timeout_seconds=60.0, resolver=names)
        with Receiver(host="127.0.0.2", port=canary.port) as outside:
            url = f"http://moving.test:{outside.port}/"
            assert sender.send(to(url)).status == 200
            # The name now leads inside; a connection kept open would hide that.
            reply = sender.send(to(url))
        sender.close()
        assert reply.status is None
        assert "not a public address" in (reply.error or "")
        assert not reply.again
        assert len(outside.requests) == 1
        assert not canary.requests

    def test_the_system_is_asked_once_for_each_connection(self) -> None:
        names = Names({"a.test": [["127.0.0.2"]]})
        sender = Sender(OUTSIDE, timeout_seconds=60.0, resolver=names)
        with Receiver(host="127.0.0.2") as outside:
            for _ in range(3):
                sender.send(to(f"http://a.test:{outside.port}/"))
        sender.close()
        assert len(names.asked) == 3
        assert len(outside.requests) == 3

    def test_of_several_addresses_only_the_allowed_is_used(self, canary: Receiver) -> None:
        names = Names({"both.test": [["127.0.0.1", "127.0.0.2"]]})
        sender = Sender(OUTSIDE, timeout_seconds=60.0, resolver=names)
        with Receiver(host="127.0.0.2", port=canary.port):
            assert sender.send(to(f"http://both.test:{canary.port}/")).status == 200
        sender.close()
        assert not canary.requests


class TestPorts:
    """S3: ports are listed; in an opened network every port may be used."""

    def test_another_port_is_refused(self, canary: Receiver) -> None:
        names = Names({"a.test": [["8.8.8.8"]]})
        sender = Sender(Targets(), timeout_seconds=60.0, resolver=names)
        reply = sender.send(to("http://a.test:22/"))
        sender.close()
        assert "port 22" in (reply.error or "")


def redirect_to(url: str, status: int = 302) -> Receiver:
    def answer(connection: Connection, request: Delivered) -> None:
        connection.reply(status, Location=url)

    return Receiver(answer, host="127.0.0.2")


class TestFaults:
    """F8: down, slow, resetting, 10 MB answer, infinite answer, redirecting."""

    def test_down(self, sender: Sender) -> None:
        with Receiver(host="127.0.0.2") as outside:
            pass
        reply = sender.send(to(outside.url))
        assert reply.again
        assert "No connection to 127.0.0.2" in (reply.error or "")

    def test_a_name_that_nobody_knows(self) -> None:
        class Nobody(Names):
            async def resolve(
                self, host: str, port: int = 0, family: int = 0
            ) -> list[ResolveResult]:
                raise OSError(-2, "Name or service not known")

        sender = Sender(OUTSIDE, resolver=Nobody({}))
        reply = sender.send(to("http://nowhere.test/"))
        sender.close()
        assert (reply.error, reply.again) == (
            "The host name nowhere.test could not be looked up",
            True,
        )

    def test_slow(self, hasty: Sender) -> None:
        with Receiver(lambda c, _: c.hang(), host="127.0.0.2") as outside:
            reply = hasty.send(to(outside.url))
        assert reply.again
        assert "within 1 seconds" in (reply.error or "")
        assert reply.seconds > 0.9

    def test_resetting(self, sender: Sender) -> None:
        with Receiver(lambda c, _: c.reset(), host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert (reply.status, reply.again) == (None, True)

    def test_no_http(self, sender: Sender) -> None:
        def babble(connection: Connection, _: Delivered) -> None:
            connection.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n" * 10)
            connection.close_connection = True

        with Receiver(babble, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert (reply.error, reply.again) == ("The answer is not readable as HTTP", True)

    def test_headers_without_end(self, sender: Sender) -> None:
        def answer(connection: Connection, _: Delivered) -> None:
            connection.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.wfile.write(b"X-More: " + b"x" * 4_000 + b"\r\n")

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with Receiver(answer, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert reply.error is not None
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000

    def test_10_mb(self, sender: Sender) -> None:
        def answer(connection: Connection, _: Delivered) -> None:
            connection.reply(200, b"x" * 10_000_000)

        with Receiver(answer, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert (reply.status, len(reply.text)) == (200, 4_096)

    def test_infinite(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[int] = []
        shown = delivery.readable

        def look(answer: bytes, hidden: tuple[str, ...]) -> str:
            seen.append(len(answer))
            return shown(answer, hidden)

        monkeypatch.setattr(room, "readable", look)
        with Receiver(lambda c, _: c.endless(), host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
            assert (reply.status, reply.text) == (200, "x" * 4_096)
            for _ in range(100):
                sent = outside.sent_bytes
                time.sleep(0.2)
                if outside.sent_bytes == sent:
                    break
            else:
                pytest.fail("The connection is still read from.")
        assert seen == [65_536]

    def test_a_byte_now_and_then(self, hasty: Sender) -> None:
        with Receiver(lambda c, _: c.endless(503, pause=0.05), host="127.0.0.2") as outside:
            for _ in range(30):
                reply = hasty.send(to(outside.url))
                assert reply.seconds > 0.9
                if reply.status is not None:
                    break
                # This machine was so slow that not even the first line came in a second.
        assert reply.status == 503

    def test_a_bomb_is_not_unpacked(self, sender: Sender) -> None:
        def answer(connection: Connection, _: Delivered) -> None:
            connection.reply(200, b"\x1f\x8b\x08\x00not really", Content_Encoding="gzip")

        with Receiver(answer, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert (reply.status, reply.text) == (200, "(14 bytes that are no text)")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(
        self, sender: Sender, canary: Receiver, status: int
    ) -> None:
        """S3: not inside, and not to what would be allowed either."""
        with Receiver(host="127.0.0.2") as other:
            for url in (canary.url, other.url):
                with redirect_to(url, status) as outside:
                    reply = sender.send(to(outside.url))
                assert reply == Reply(status, seconds=reply.seconds)
            assert not other.requests
        assert not canary.requests

    def test_many_at_once(self, sender: Sender) -> None:
        """One that hangs does not hold up the others."""
        import concurrent.futures

        with (
            Receiver(lambda c, _: c.hang(), host="127.0.0.2") as slow,
            Receiver(host="127.0.0.2") as quick,
            concurrent.futures.ThreadPoolExecutor(30) as pool,
        ):
            hanging = [pool.submit(sender.send, to(slow.url)) for _ in range(20)]
            slow.wait_for(20)
            assert [sender.send(to(quick.url)).status for _ in range(10)] == [200] * 10
            assert not any(each.done() for each in hanging)
            slow.closed.set()
            assert all(each.result().status is None for each in hanging)


class TestNoSecretIsTold:
    """R141, S5: secrets never in logs, history, errors, `repr`."""

    def test_a_receiver_that_repeats_them(self, sender: Sender) -> None:
        def echo(connection: Connection, request: Delivered) -> None:
            connection.reply(200, json.dumps(request.headers).encode() + SECRET.encode())

        with Receiver(echo, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert "authorization" in reply.text
        assert TOKEN not in reply.text
        assert SECRET not in reply.text
        assert reply.text.count("***") == 2

    def test_at_the_edge_of_what_is_kept(self, sender: Sender) -> None:
        def echo(connection: Connection, _: Delivered) -> None:
            connection.reply(200, b"x" * 4_090 + TOKEN.encode())

        with Receiver(echo, host="127.0.0.2") as outside:
            reply = sender.send(to(outside.url))
        assert TOKEN[:3] not in reply.text

    def test_printed_or_logged(self, sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        url = "http://127.0.0.1:8000/canary-path-5b2e"
        requests = [to(url, '{"canary-body": 1}'), to("http://[bad/canary-path-5b2e")]
        told = [repr(request) + repr(sender.send(request)) for request in requests]
        with Receiver(lambda c, _: c.reset(), host="127.0.0.2") as outside:
            told.append(repr(sender.send(to(outside.url + "/canary-path-5b2e"))))
        assert "canary" not in "".join(told) + caplog.text
