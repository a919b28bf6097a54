"""What is done by itself: dispatch and delivery, with receivers of every kind."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import hmac
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from byname.automations import worker as worker_room
from byname.domain import delivery as rules
from byname.domain import payload
from byname.domain.automation import Action, ActionKind, Simple, simple_filter
from byname.domain.delivery import Reply, State
from byname.domain.event import EventType
from byname.domain.execution import Due, Execution
from byname.domain.integration import IntegrationKind
from byname.domain.slack import Severity
from byname.operations import alias, automation, delivery, integration, secret
from byname.operations.automation import AutomationEdit
from byname.operations.dispatch import Dispatcher
from byname.operations.lease import Watch
from byname.store import execution as rows
from tests.automations.conftest import Bench, page_of
from tests.support.receiver import Connection, Delivered, Receiver
from tests.support.world import ORGANIZATION, REGISTRY, TEAM, link_version, log_version


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every receiver answers promptly, however slow this machine is."""
    monkeypatch.setattr(worker_room, "IN_ORDER_SECONDS", 3_600.0)


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def take_one(bench: Bench, owner: str) -> Due:
    (taken,) = delivery.take(bench.ctx, owner, busy=[], limit=1)
    return taken.due


class TestFires:
    """R126, R129, R134, R135: an event becomes a request with the payload the user wrote."""

    def test_an_alias(self, bench: Bench) -> None:
        with Receiver() as receiver:
            hook = bench.hook(receiver.url + "/hook", access_token="t0ken", secret="s3cret")
            text = '{"who": "${event_author}", "what": "${event_type}", "name": "${alias}",'
            text += ' "ref": "${artifact_version_string}", "was": "${previous_version}"}'
            bench.automate(hook, payload=text)
            bench.start()
            bench.put("production")
            (request,) = receiver.wait_for(1)
            (execution,) = bench.wait_settled(1)
        assert json.loads(request.body) == {
            "who": "admin",
            "what": "ADD_ARTIFACT_ALIAS",
            "name": "production",
            "ref": f"{ORGANIZATION}/{REGISTRY}/Zoo:production",
            "was": "",
        }
        assert request.headers["authorization"] == "Bearer t0ken"
        digest = hmac.digest(b"s3cret", request.body, hashlib.sha256)
        assert request.headers["x-wandb-signature"] == base64.b64encode(digest).decode()
        assert request.headers["x-registry-event"] == "ADD_ARTIFACT_ALIAS"
        assert request.headers["x-registry-delivery"] == execution.delivery_id
        assert execution.state is State.FINISHED
        assert (execution.status, execution.attempt_count, execution.error) == (200, 1, None)
        assert execution.body == request.body.decode()
        assert execution.subject == f"{ORGANIZATION}/{REGISTRY}/Zoo:production"

    @pytest.mark.usefixtures("in_order")
    def test_a_link_comes_before_its_aliases(self, bench: Bench) -> None:
        """R129: the link event first, then one for each alias placed, `latest` too, `vN` not."""
        with Receiver() as receiver:
            hook = bench.hook(receiver.url)
            for event in (EventType.ADD_ARTIFACT_ALIAS, EventType.LINK_ARTIFACT):
                bench.automate(hook, event, name=event.value, payload=payload.DEFAULT)
            bench.start()
            link_version(bench.ctx, log_version(bench.ctx, files={"a": b"2"}), aliases=["b", "a"])
            told = [json.loads(each.body) for each in receiver.wait_for(4)]
        assert [(each["event_type"], each["alias"]) for each in told] == [
            ("LINK_ARTIFACT", ""),
            ("ADD_ARTIFACT_ALIAS", "b"),
            ("ADD_ARTIFACT_ALIAS", "a"),
            ("ADD_ARTIFACT_ALIAS", "latest"),
        ]
        assert [each["artifact_version_string"].rpartition(":")[2] for each in told] == [
            "v1",
            "b",
            "a",
            "latest",
        ]

    def test_the_ready_payload_tells_what_the_reference_cannot(self, bench: Bench) -> None:
        with Receiver() as receiver:
            hook = bench.hook(receiver.url)
            bench.put("production")
            bench.automate(hook, payload=payload.DEFAULT)
            bench.start()
            second = log_version(bench.ctx, files={"a": b"2"})
            link_version(bench.ctx, second)
            receiver.wait_for(1)
            alias.edit(bench.ctx, second.id, add=[(bench.place, "production")])
            told = json.loads(receiver.wait_for(2)[1].body)
        assert set(told) == {
            name for name in payload.VARIABLES if f"${{{name}}}" in payload.DEFAULT
        }
        assert told["previous_version"] == "v0"
        assert told["artifact_number"] == "v1"
        assert told["ledger_revision"] == "2"
        assert told["event_cause"] == "move"
        assert told["event_author"] == "admin"
        assert told["artifact_digest"] == second.digest
        assert told["artifact_version"].startswith("wandb-artifact://_id/")
        assert told["artifact_url"] == f"https://models.test/{ORGANIZATION}/{REGISTRY}/Zoo/1"

    def test_a_cloud_event(self, bench: Bench) -> None:
        with Receiver() as receiver:
            bench.automate(bench.hook(receiver.url), payload=payload.CLOUD_EVENT)
            bench.start()
            bench.put("production")
            (request,) = receiver.wait_for(1)
        told = json.loads(request.body)
        assert request.headers["content-type"] == "application/cloudevents+json"
        assert told["specversion"] == "1.0"
        assert told["type"] == "byname.ADD_ARTIFACT_ALIAS"
        assert told["source"] == f"/{ORGANIZATION}/{REGISTRY}/Zoo"

    def test_slack(self, bench: Bench) -> None:
        """R131: through an incoming-webhook address kept as a secret."""
        with Receiver() as receiver:
            made = integration.create(
                bench.ctx,
                TEAM,
                IntegrationKind.SLACK,
                integration.Wanted(name="#models", url=receiver.url + "/services/canary-slack"),
            )
            action = Action(ActionKind.SLACK, made.id, title="<${alias}>", severity=Severity.WARN)
            bench.automate(None, action=action)
            bench.start()
            bench.put("production")
            (request,) = receiver.wait_for(1)
            (execution,) = bench.wait_settled(1)
        assert request.path == "/services/canary-slack"
        told = json.loads(request.body)
        assert told["text"] == "WARN: &lt;production&gt;"
        assert execution.target == "#models"
        assert "canary" not in repr(execution)

    def test_nothing_is_only_recorded(self, bench: Bench) -> None:
        made = bench.automate(None)
        bench.start()
        bench.put("production")
        (execution,) = bench.wait_settled(1)
        assert (execution.state, execution.attempt_count) == (State.FINISHED, 0)
        shown = automation.get(bench.ctx, made.id)
        assert shown.last_run_at is not None

    def test_what_was_before_the_automation_does_not_fire_it(self, bench: Bench) -> None:
        bench.put("before")
        made = bench.automate(None)
        bench.start()
        bench.put("after")
        assert [each.subject[-5:] for each in bench.wait_settled(1)] == ["after"]
        automation.edit(bench.ctx, made.id, AutomationEdit(enabled=False))
        bench.put("while-off")
        automation.edit(bench.ctx, made.id, AutomationEdit(enabled=True))
        bench.put("again")
        assert len(bench.wait_settled(2)) == 2

    def test_a_refused_change_fires_nothing(self, bench: Bench) -> None:
        """R145: only committed changes fire events; a refused request never does."""
        bench.automate(None)
        bench.start()
        with pytest.raises(Exception, match="v1"):
            bench.put("v1")
        bench.put("good")
        assert len(bench.wait_settled(1)) == 1

    def test_metadata_with_quotes_stays_in_its_place(self, bench: Bench) -> None:
        """Edge case 15 of the rules: a value with quotes and newlines does not break the payload."""
        evil = 'x", "admin": true, "y": "\n\\'
        with bench.ctx.database.write() as tx:
            tx.run(
                "UPDATE version SET metadata = ? WHERE id = ?",
                [json.dumps({"note": evil}), bench.version_id],
            )
        with Receiver() as receiver:
            text = '{"note": "${artifact_metadata.note}", "last": 1}'
            bench.automate(bench.hook(receiver.url), payload=text)
            bench.start()
            bench.put("production")
            (request,) = receiver.wait_for(1)
        assert json.loads(request.body) == {"note": evil, "last": 1}


def hangs(connection: Connection, _: Delivered) -> None:
    connection.hang()


def simple(field: str, text: str) -> str:
    return simple_filter(Simple(field, text, exact=True))


class TestFaults:
    """F8: a receiver that is down, slow, endless, redirecting delays nobody else."""

    def test_others_are_not_delayed(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Six bad receivers with a backlog, two of which are waited for without end, and a good one."""
        monkeypatch.setattr(worker_room, "STOP_SECONDS", 0.2)
        count = 20
        bad = [
            Receiver(hangs),
            Receiver(lambda c, _: c.reset()),
            Receiver(lambda c, _: c.endless(pause=0.05)),
            Receiver(lambda c, _: c.endless()),
            Receiver(lambda c, _: c.reply(200, b"x" * 10_000_000)),
            Receiver(lambda c, _: c.reply(307, Location="http://127.0.0.1:1/")),
        ]
        with contextlib.ExitStack() as open_ones, Receiver() as good:
            for each in bad:
                open_ones.enter_context(each)
            for place, receiver in enumerate([*bad, good]):
                hook = bench.hook(receiver.url, name=f"hook{place}")
                bench.automate(hook, name=f"to{place}", payload='{"alias": "${alias}"}')
            bench.start()
            for number in range(count):
                bench.put(f"a{number}")
                # What went out to the others for the ones before is not waited for.
                told = good.wait_for(number + 1)
                assert {json.loads(each.body)["alias"] for each in told} == {
                    f"a{n}" for n in range(number + 1)
                }
            until(lambda: bool(bad[0].requests and bad[2].requests))

            def failed(target: str) -> list[Execution]:
                return [each for each in bench.executions() if each.target == target and each.error]

            until(lambda: bool(failed("hook5") and failed("hook1")))
            bench.stop()
        redirected = failed("hook5")
        assert {each.state for each in redirected} == {State.FAILED}
        assert "redirect" in (redirected[0].error or "")
        # What was reset is tried again later.
        assert {each.state for each in failed("hook1")} == {State.PENDING}

    def test_however_many_hang_there_is_room_for_others(self, bench: Bench) -> None:
        """They all hang for longer than this test waits, each with more to be sent than it may have."""
        with Receiver(hangs) as bad, Receiver() as good:
            for number in range(40):
                hook = bench.hook(f"{bad.url}/{number}", name=f"bad{number}")
                bench.automate(hook, name=f"to bad{number}")
            bench.automate(bench.hook(good.url), name="to good", filter=simple("alias", "late"))
            bench.put(*(f"a{number}" for number in range(5)))
            bench.start(timeout_seconds=600.0)
            bad.wait_for(worker_room.PLACES_FOR_SECONDS)
            bench.put("late")
            good.wait_for(1)

    def test_who_was_slow_waits_for_who_was_not(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a backlog of minutes, and fewer places than there are of them."""
        monkeypatch.setattr(worker_room, "PLACES", 8)
        monkeypatch.setattr(worker_room, "PLACES_FOR_SECONDS", 4)
        monkeypatch.setattr(worker_room, "PLACES_FOR_SLOW", 6)
        monkeypatch.setattr(worker_room, "SLOW_SECONDS", 0.3)
        with Receiver(hangs) as bad, Receiver() as good:
            for number in range(12):
                hook = bench.hook(f"{bad.url}/{number}", name=f"bad{number}")
                bench.automate(hook, name=f"to bad{number}")
            bench.automate(bench.hook(good.url), name="to good", filter=simple("alias", "late"))
            bench.put(*(f"a{number}" for number in range(50)), "late")
            dispatcher = Dispatcher(page_of)
            while dispatcher.run(bench.ctx):
                pass
            bench.start(timeout_seconds=0.5)
            good.wait_for(1)
            # Of the 600 that were due before it only a few were tried.
            assert len(bad.requests) < 200

    def test_the_schedule(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """R142: again after about 10 s, 1 min, 10 min, 1 h, then `Failed`; the id stays."""
        monkeypatch.setattr(rules, "RETRY_SECONDS", (0.1, 0.2, 0.3, 0.4))
        with Receiver(lambda c, _: c.reply(503, b"not now")) as receiver:
            bench.automate(bench.hook(receiver.url))
            bench.start()
            bench.put("production")
            requests = receiver.wait_for(5)
            (execution,) = bench.wait_settled(1)
        assert len({each.headers["x-registry-delivery"] for each in requests}) == 1
        gaps = [b.at - a.at for a, b in itertools.pairwise(requests)]
        assert [gap > 0.1 * n for n, gap in enumerate(gaps, 1)] == [True] * 4
        assert (execution.state, execution.status) == (State.FAILED, 503)
        with bench.ctx.database.read() as tx:
            attempts = rows.attempts_of(tx, execution.id, limit=10)
        assert [(each.number, each.status, each.answer) for each in attempts] == [
            (number, 503, "not now") for number in range(1, 6)
        ]

    @pytest.mark.parametrize("fault", ["told", "fill", "judge"])
    def test_what_nobody_foresaw_holds_up_no_other(
        self,
        bench: Bench,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        fault: str,
    ) -> None:
        """A fault with one event, request or answer is that one's failure."""
        place: Any = rules if fault == "judge" else payload
        name = {"told": "render"}.get(fault, fault)
        right = getattr(place, name)

        def wrong(*given: Any) -> Any:
            if "odd" in str(given):
                raise OverflowError("canary")
            return right(*given)

        monkeypatch.setattr(place, name, wrong)
        text = '{"name": "${alias}"}'
        with Receiver(lambda c, r: c.reply(400, r.body)) as receiver:
            bench.automate(bench.hook(receiver.url), payload=text)
            bench.start()
            bench.put("odd")
            bench.put("even")
            odd, even = bench.wait_settled(2)
        assert "canary" not in caplog.text
        assert (odd.state, even.state) == (State.FAILED, State.FAILED)
        assert "OverflowError in test_worker.py" in caplog.text
        assert "its log says more" in str(odd.error)
        assert even.status == 400

    def test_gone_switches_off(self, bench: Bench) -> None:
        """410 disables, with a visible reason."""
        with Receiver(lambda c, _: c.reply(410)) as receiver:
            made = bench.automate(bench.hook(receiver.url))
            bench.start()
            bench.put("production")
            (execution,) = bench.wait_settled(1)
        shown = automation.get(bench.ctx, made.id)
        assert execution.state is State.FAILED
        assert not shown.enabled
        assert "410" in (shown.disabled_reason or "")

    def test_inside_is_not_reached(self, bench: Bench) -> None:
        """S1: the guard is the same for what automations send."""
        with Receiver(host="127.0.0.1") as canary:
            bench.automate(bench.hook(f"http://[::ffff:127.0.0.1]:{canary.port}/", name="a"))
            bench.automate(bench.hook("http://[::1]:8000/", name="b"), name="b")
            bench.start()
            bench.put("production")
            found = bench.wait_settled(2)
        by_target = {each.target: each for each in found}
        # The first is in the network that the tests allow; the second is not.
        assert by_target["a"].state is State.FINISHED
        assert by_target["b"].state is State.FAILED
        assert "not a public address (loopback)" in (by_target["b"].error or "")
        assert by_target["b"].attempt_count == 1


class TestPauses:
    """R142, R145: what an automation that is off has not sent yet waits; nothing is dropped."""

    def test_off_and_on_again(self, bench: Bench) -> None:
        with Receiver() as receiver:
            made = bench.automate(bench.hook(receiver.url))
            bench.put("production")
            assert Dispatcher(page_of).run(bench.ctx)
            automation.edit(bench.ctx, made.id, AutomationEdit(enabled=False))
            bench.start()
            time.sleep(0.5)
            assert not receiver.requests
            assert bench.executions()[0].state is State.PENDING
            automation.edit(bench.ctx, made.id, AutomationEdit(enabled=True))
            receiver.wait_for(1)

    def test_deleted(self, bench: Bench) -> None:
        with Receiver() as receiver:
            made = bench.automate(bench.hook(receiver.url))
            bench.put("production")
            assert Dispatcher(page_of).run(bench.ctx)
            automation.delete(bench.ctx, made.id)
            bench.automate(None, name="another")
            bench.start()
            (execution,) = bench.wait_settled(1)
            assert not receiver.requests
        assert execution.error == "The automation was deleted"


class TestRate:
    """R144: 60 executions per minute per automation; the rest wait as `Pending`."""

    @pytest.mark.usefixtures("in_order")
    def test_sixty(self, bench: Bench) -> None:
        with Receiver() as receiver:
            bench.automate(bench.hook(receiver.url), payload='{"a": "${alias}"}')
            bench.automate(bench.hook(receiver.url, name="other"), name="other")
            for number in range(70):
                bench.put(f"a{number}")
            # The minute lasts as long as this test wants.
            clock = bench.ctx.now()
            bench.start(clock=lambda: clock)
            until(lambda: self.states(bench) == {State.FINISHED: 120, State.PENDING: 20})
            time.sleep(0.5)
            assert self.states(bench) == {State.FINISHED: 120, State.PENDING: 20}
            clock += 61_000_000
            receiver.wait_for(140)
            assert len(receiver.requests) == 140
        told = [json.loads(each.body) for each in receiver.requests]
        assert [each["a"] for each in told if each] == [f"a{n}" for n in range(70)]

    def states(self, bench: Bench) -> Counter[State]:
        return Counter(each.state for each in bench.executions())


class TestLease:
    """F6, F9: leases expire; no double effects, at most double deliveries."""

    def test_two_do_not_take_the_same(self, bench: Bench) -> None:
        bench.automate(bench.hook("http://127.0.0.1:8000/"))
        bench.put("production")
        Dispatcher(page_of).run(bench.ctx)
        assert take_one(bench, "one")
        assert delivery.take(bench.ctx, "two", busy=[], limit=1) == []

    def test_two_keep_the_order_between_them(self, bench: Bench) -> None:
        """R129: the next one waits until the one before was answered, or a quarter of a second."""
        bench.automate(bench.hook("http://127.0.0.1:8000/"))
        bench.put("first", "second", "third")
        Dispatcher(page_of).run(bench.ctx)
        at = bench.ctx.now()
        now = dataclasses.replace(bench.ctx, now=lambda: at)
        soon = dataclasses.replace(bench.ctx, now=lambda: at + 200_000)
        later = dataclasses.replace(bench.ctx, now=lambda: at + 300_000)
        (first,) = delivery.take(now, "one", busy=[], limit=9)
        assert delivery.take(soon, "two", busy=[], limit=9) == []
        (second,) = delivery.take(later, "two", busy=[], limit=9)
        assert delivery.settle(later, "two", second.due, Reply(200))
        (third,) = delivery.take(later, "two", busy=[], limit=9)
        subjects = {each.delivery_id: each.subject for each in bench.executions()}
        told = [
            subjects[each.due.delivery_id].rpartition(":")[2] for each in (first, second, third)
        ]
        assert told == ["first", "second", "third"]

    def test_who_lost_it_changes_nothing(self, bench: Bench) -> None:
        bench.automate(bench.hook("http://127.0.0.1:8000/"))
        bench.put("production")
        Dispatcher(page_of).run(bench.ctx)
        due = take_one(bench, "one")
        elapsed = Elapsed()
        watch = Watch(elapsed)
        later = dataclasses.replace(
            bench.ctx, now=lambda: bench.ctx.now() + int(elapsed() * 1_000_000)
        )
        assert watch.look(later) == 0
        elapsed.seconds = 14.9
        assert watch.look(later) == 0
        assert delivery.take(later, "two", busy=[], limit=1) == []
        elapsed.seconds = 16.0
        assert watch.look(later) == 1
        (taken,) = delivery.take(later, "two", busy=[], limit=1)
        assert taken.due.delivery_id == due.delivery_id
        assert not delivery.settle(later, "one", due, Reply(500))
        assert bench.executions()[0].state is State.PENDING
        assert delivery.settle(later, "two", taken.due, Reply(200))
        assert not delivery.settle(later, "one", due, Reply(500))
        (execution,) = bench.executions()
        assert (execution.state, execution.status, execution.attempt_count) == (
            State.FINISHED,
            200,
            1,
        )

    def test_workers_that_die_leave_nothing_undelivered(self, bench: Bench) -> None:
        """F9: 300 events, 5 % of workers dying: undelivered = 0, each with a stable id."""
        for number in range(5):
            hook = bench.hook("http://127.0.0.1:8000/", name=f"h{number}")
            bench.automate(hook, name=f"a{number}")
        bench.put(*(f"n{n}" for n in range(60)))
        dispatcher = Dispatcher(page_of)
        while dispatcher.run(bench.ctx):
            pass
        wanted = {each.delivery_id for each in bench.executions()}
        assert len(wanted) == 300
        deaths = 0
        elapsed = Elapsed()
        watch = Watch(elapsed)
        ctx = dataclasses.replace(
            bench.ctx, now=lambda: bench.ctx.now() + int(elapsed() * 1_000_000)
        )
        chance = random.Random(9)
        sent: list[str] = []
        for turn in itertools.count():
            taken = delivery.take(ctx, f"worker{turn}", busy=[], limit=3)
            sent += [each.due.delivery_id for each in taken]
            for each in taken:
                if chance.random() < 0.05:
                    # Killed after the request, before anything was written down.
                    deaths += 1
                    continue
                assert delivery.settle(ctx, f"worker{turn}", each.due, Reply(200))
            if not taken:
                if not delivery.waiting(ctx).count:
                    break
                watch.look(ctx)
                elapsed.seconds += 16
                watch.look(ctx)
        assert deaths > 5
        assert set(sent) == wanted
        assert len(sent) == 300 + deaths
        found = bench.executions()
        assert {each.state for each in found} == {State.FINISHED}
        assert {each.attempt_count for each in found} == {1}

    def test_a_lease_is_longer_than_an_attempt(self) -> None:
        assert rules.LEASE_SECONDS > rules.TIMEOUT_SECONDS + 2

    def test_who_stops_gives_back(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """F7: what could not be finished is free for the next at once."""
        monkeypatch.setattr(worker_room, "STOP_SECONDS", 0.2)
        with Receiver(hangs) as receiver:
            bench.automate(bench.hook(receiver.url))
            bench.start()
            bench.put("production")
            receiver.wait_for(1)
            # The request that is out would be for an hour.
            bench.stop()
            assert take_one(bench, "next")


class Elapsed:
    """Time as it goes by for one machine, whatever its clock says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


HOUR = 3_600 * 1_000_000


class TestClocks:
    """F6: a clock ± 1 h: the others serve, leases expire, at most double deliveries."""

    def test_workers_an_hour_apart_share_the_work(self, bench: Bench) -> None:
        """Neither takes what the other is busy with, nor leaves anything."""

        def slow(connection: Connection, _: Delivered) -> None:
            time.sleep(0.3)
            connection.reply(200)

        with Receiver(slow) as receiver:
            for number in range(3):
                hook = bench.hook(receiver.url, name=f"h{number}")
                bench.automate(hook, name=f"a{number}")
            for ahead in (0, HOUR, -HOUR):
                bench.start(clock=lambda ahead=ahead: bench.ctx.now() + ahead)  # type: ignore[misc]
            bench.put(*(f"n{n}" for n in range(8)))
            found = bench.wait_settled(24)
            ids = [each.headers["x-registry-delivery"] for each in receiver.requests]
        assert sorted(ids) == sorted(each.delivery_id for each in found)
        assert {each.attempt_count for each in found} == {1}

    @pytest.mark.parametrize("step", [HOUR, -HOUR])
    def test_a_step_while_requests_are_out(self, bench: Bench, step: int) -> None:
        """What is out is not made again, and what happens afterwards is told at once."""
        off = 0
        go_on = threading.Event()

        def answer(connection: Connection, _: Delivered) -> None:
            go_on.wait(120)
            connection.reply(200)

        with Receiver(answer) as receiver:
            bench.automate(bench.hook(receiver.url))
            bench.start(clock=lambda: bench.ctx.now() + off)
            bench.put("before")
            receiver.wait_for(1)
            off = step
            time.sleep(1.5)
            assert len(receiver.requests) == 1
            go_on.set()
            bench.put("after")
            found = bench.wait_settled(2)
            assert len(receiver.requests) == 2
        assert {each.attempt_count for each in found} == {1}

    def test_set_back_an_hour(self, bench: Bench) -> None:
        """What a clock that was ahead made due in an hour does not wait for it."""
        elapsed, off = Elapsed(), HOUR
        watch = Watch(elapsed)
        ctx = dataclasses.replace(bench.ctx, now=lambda: bench.ctx.now() + off)
        for name in ("failed", "leased", "fresh"):
            bench.automate(bench.hook("http://127.0.0.1:8000/", name=name), name=name)
        bench.put("production")
        Dispatcher(page_of).run(ctx)
        failed, leased = (each.due for each in delivery.take(ctx, "one", busy=[], limit=2))
        assert delivery.settle(ctx, "one", failed, Reply(503))
        watch.look(ctx)
        off, elapsed.seconds = 0, 2.0
        watch.look(ctx)
        (fresh,) = delivery.take(ctx, "two", busy=[], limit=9)
        assert fresh.due.id not in (failed.id, leased.id)
        # After 12 s the failed attempt is due again, after 15 s the dead worker's.
        off, elapsed.seconds = 13_000_000, 15.0
        assert watch.look(ctx) == 1
        again = delivery.take(ctx, "two", busy=[], limit=9)
        assert {each.due.delivery_id for each in again} == {
            failed.delivery_id,
            leased.delivery_id,
        }

    def test_a_receiver_that_asked_for_time_is_given_it(self, bench: Bench) -> None:
        """Waits are cut only where the clock that wrote them was ahead."""
        bench.automate(bench.hook("http://127.0.0.1:8000/"))
        bench.put("production")
        Dispatcher(page_of).run(bench.ctx)
        due = take_one(bench, "one")
        assert delivery.settle(bench.ctx, "one", due, Reply(503, retry_after="7200"))
        Watch(Elapsed()).look(bench.ctx)
        (waiting,) = bench.executions()
        assert waiting.next_at is not None
        assert (waiting.next_at - waiting.created_at).total_seconds() > 7000

    def test_the_minute_is_not_full_of_what_is_to_come(self, bench: Bench) -> None:
        """R144: sixty that a clock ahead has begun do not hold up the next for an hour."""
        bench.automate(bench.hook("http://127.0.0.1:8000/"))
        bench.put(*(f"n{n}" for n in range(61)))
        ahead = dataclasses.replace(bench.ctx, now=lambda: bench.ctx.now() + HOUR)
        while Dispatcher(page_of).run(bench.ctx):
            pass
        for _ in range(60):
            (taken,) = delivery.take(ahead, "one", busy=[], limit=1)
            assert delivery.settle(ahead, "one", taken.due, Reply(200))
        assert delivery.take(ahead, "one", busy=[], limit=1) == []
        Watch(Elapsed()).look(bench.ctx)
        assert take_one(bench, "one")


class TestDispatch:
    """I5, F9: exactly the events asked for; a crash repeats nothing and loses nothing."""

    def test_two_dispatchers_make_one_execution(self, bench: Bench) -> None:
        bench.automate(None)
        threads = []
        for _ in range(4):
            dispatcher = Dispatcher(page_of)

            def work(dispatcher: Dispatcher = dispatcher) -> None:
                for _ in range(30):
                    dispatcher.run(bench.ctx)

            threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()
        bench.put(*(f"a{n}" for n in range(30)))
        for thread in threads:
            thread.join()
        Dispatcher(page_of).run(bench.ctx)
        found = [each.subject.rpartition(":")[2] for each in bench.executions()]
        assert found == [f"a{n}" for n in range(30)]

    def test_a_crash_before_the_commit_loses_nothing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.automate(None)
        bench.put("production")

        def crash(*_: object, **__: object) -> None:
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(rows, "add_many", crash)
            with pytest.raises(RuntimeError):
                Dispatcher(page_of).run(bench.ctx)
        assert not bench.executions()
        Dispatcher(page_of).run(bench.ctx)
        Dispatcher(page_of).run(bench.ctx)
        assert len(bench.executions()) == 1

    def test_more_than_one_portion(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both lists are cut off somewhere, and still read as one."""
        monkeypatch.setattr(sys.modules[Dispatcher.__module__], "AT_ONCE", 3)
        for event in (EventType.ADD_ARTIFACT_ALIAS, EventType.LINK_ARTIFACT):
            bench.automate(None, event, name=event.value)
        for number in range(4):
            version = log_version(bench.ctx, files={"a": str(number).encode()})
            link_version(bench.ctx, version, aliases=["x", "y"])
        dispatcher = Dispatcher(page_of)
        while dispatcher.run(bench.ctx):
            pass
        assert [each.event for each in bench.executions()] == [
            "LINK_ARTIFACT",
            *["ADD_ARTIFACT_ALIAS"] * 3,
        ] * 4

    def test_without_automations_nothing_is_written(self, bench: Bench) -> None:
        before = bench.ctx.database.revision()
        dispatcher = Dispatcher(page_of)
        bench.put("production")
        after = bench.ctx.database.revision()
        assert after != before
        assert not dispatcher.run(bench.ctx)
        assert dispatcher.idle
        assert bench.ctx.database.revision() == after


class TestSecrets:
    """R141: secrets never appear in history, answers, errors or anything printed."""

    def test_canaries(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        canaries = ["canary-token-93b1", "canary-named-c04d", "canary-sign-77aa"]
        caplog.set_level("DEBUG")
        secret.create(bench.ctx, TEAM, "DEPLOY", canaries[1])

        def echo(connection: Connection, request: Delivered) -> None:
            signed = "x-wandb-signature" in request.headers
            text = json.dumps(request.headers) + (canaries[2] if signed else "")
            connection.reply(500, text.encode() + request.body)

        with Receiver(echo) as receiver:
            one = bench.hook(receiver.url, access_token=canaries[0], secret=canaries[2])
            two = bench.hook(receiver.url, name="named", access_token="DEPLOY")
            text = '{"a": "${ACCESS_TOKEN}"}'
            bench.automate(one, payload=text)
            bench.automate(two, name="b", payload='{"a": "${DEPLOY}", "b": "${ACCESS_TOKEN}"}')
            bench.start()
            bench.put("production")
            bodies = [each.body.decode() for each in receiver.wait_for(2)]
            until(lambda: all(each.attempt_count for each in bench.executions()))
        assert canaries[0] in "".join(bodies)
        assert "".join(bodies).count(canaries[1]) == 2
        with bench.ctx.database.read() as tx:
            told = repr(bench.executions()) + repr(
                [rows.attempts_of(tx, each.id, limit=9) for each in bench.executions()]
            )
            # Whatever is in the database, by any name, except for what is sealed.
            for table in tx.all("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if not table["name"].startswith("finding"):
                    told += repr([tuple(row) for row in tx.all(f"SELECT * FROM {table['name']}")])
        assert '"***"' in told
        for canary in canaries:
            assert canary not in told
            assert canary not in caplog.text
