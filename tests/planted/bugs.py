"""The bugs that are planted, and which tests each of them must turn red (reliability 3.12).

A bug is a piece of the server put in the place of the right one. `red` are tests that must fail with
it, `green` some of their neighbours that it must leave alone: so it is the bug that is seen, and not
any change at all.
"""

from __future__ import annotations

import dataclasses
import functools
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from byname.automations import guard, sender
from byname.domain import delivery as delivery_rules
from byname.domain import payload, target
from byname.operations import alias_move, delivery, dispatch, integration, protected_alias
from byname.store import dispatch as dispatch_rows
from byname.store import execution as execution_rows
from byname.store.database import Transaction

SENDER = "tests/automations/test_sender.py::"
WORKER = "tests/automations/test_worker.py::"
LEASE = WORKER + "TestLease::"
DISPATCH = WORKER + "TestDispatch::"
TABLE = "tests/domain/test_target.py::TestDenyTable::"
PERSON = "tests/operations/test_automation.py::TestItActsForAPerson::"
MOVE = "tests/operations/test_alias_move.py::"
PROTECTED = "tests/operations/test_protected_alias.py::TestOnlyAdminsMoveThem::"

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """One of them."""

    name: str
    plant: Plant
    red: tuple[str, ...]
    green: tuple[str, ...]


def put(place: object, name: str, wrong: Any) -> Plant:
    """`wrong` stands where the right piece was."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        assert hasattr(place, name), f"There is no {name} any more in which to plant a bug"
        patch.setattr(place, name, wrong)

    return plant


def wrap(place: object, name: str, wrong: Callable[..., Any]) -> Plant:
    """`wrong` is called instead, with the right piece as its first argument."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(place, name, functools.partialmethod(wrong, getattr(place, name)))

    def plant_in_module(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(place, name, functools.partial(wrong, getattr(place, name)))

    return plant if isinstance(place, type) else plant_in_module


def without(text: str) -> Plant:
    """Statements that hold this piece of SQL are run without it."""
    right = Transaction.run

    def run(tx: Transaction, sql: str, *values: Any) -> int:
        return right(tx, sql.replace(text, ""), *values)

    return put(Transaction, "run", run)


# ---- the pieces that are wrong -----------------------------------------------------------------


def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _post_and_follow(session: Any, url: str, **more: Any) -> Any:
    return await session.request("POST", url, **{**more, "allow_redirects": True})


def _trust_the_environment(session: Any, right: Callable[..., None], **more: Any) -> None:
    right(session, **{**more, "trust_env": True})


def _any_address(asking: guard.Guard, info: guard.AddressInfo) -> socket.socket:
    family, kind, protocol, *_ = info
    asking.passed = True
    return socket.socket(family, kind, protocol)


def _addresses_once_allowed(patch: pytest.MonkeyPatch) -> None:
    """The port stands for the name here."""
    right = guard.Guard.__call__
    known = set[Any]()

    def wrong(asking: guard.Guard, info: guard.AddressInfo) -> socket.socket:
        port = info[4][1]
        made = _any_address(asking, info) if port in known else right(asking, info)
        known.add(port)
        return made

    patch.setattr(guard.Guard, "__call__", wrong)


def _sign_it_without_spaces(right: Callable[..., Any], body: str, **more: Any) -> Any:
    """As JSON that was read and is written anew."""
    return right(body.replace('": ', '":'), **more)


def _sign_with_the_token(right: Callable[..., Any], *given: Any) -> Any:
    found = right(*given)
    return dataclasses.replace(found, secret=found.secret and found.access_token)


def _all_but_the_last(
    right: Callable[..., Any], tx: Transaction, entries: Any, *given: Any, **more: Any
) -> Any:
    return right(tx, entries[:-1] if len(entries) > 1 else entries, *given, **more)


def _in_a_commit_of_its_own(
    right: Callable[..., Any], tx: Transaction, start: Any, end: Any
) -> Any:
    moved = right(tx, start, end)
    for each in ("COMMIT", "BEGIN IMMEDIATE"):
        tx.run(each)
    return moved


BUGS = (
    # ---- the network (S1 to S3, F8) ----
    Bug(
        "a redirect is followed",
        put(aiohttp.ClientSession, "post", _post_and_follow),
        red=(
            SENDER + "TestFaults::test_a_redirect_is_not_followed[302]",
            SENDER + "TestFaults::test_a_redirect_is_not_followed[307]",
        ),
        green=(SENDER + "TestRequest::test_it", SENDER + "TestFaults::test_10_mb"),
    ),
    Bug(
        "the deny table is skipped",
        put(target, "denied", _nothing),
        red=(
            SENDER + "TestCanary::test_none_reaches_it",
            SENDER + "TestRebinding::test_a_second_answer_is_checked_as_well",
            TABLE + "test_is_refused[169.254.169.254]",
        ),
        green=(
            SENDER + "TestPorts::test_another_port_is_refused",
            TABLE + "test_general_addresses_are_not[8.8.8.8]",
        ),
    ),
    Bug(
        "the address is checked when it is saved, but not when it is connected to",
        put(guard.Guard, "__call__", _any_address),
        red=(
            SENDER + "TestCanary::test_none_reaches_it",
            SENDER + "TestRebinding::test_a_second_answer_is_checked_as_well",
        ),
        green=(
            SENDER + "TestRequest::test_it",
            TABLE + "test_is_refused[169.254.169.254]",
        ),
    ),
    Bug(
        "the address is checked at the first connection only",
        _addresses_once_allowed,
        red=(SENDER + "TestRebinding::test_a_second_answer_is_checked_as_well",),
        green=(SENDER + "TestPorts::test_another_port_is_refused",),
    ),
    Bug(
        "proxies of the environment are used",
        wrap(aiohttp.ClientSession, "__init__", _trust_the_environment),
        red=(SENDER + "TestRequest::test_proxies_of_the_environment_are_not_used",),
        green=(SENDER + "TestRequest::test_it",),
    ),
    Bug(
        "an answer is read to its end",
        put(sender, "ANSWER_BYTES_MAX", 1 << 24),
        red=(SENDER + "TestFaults::test_infinite",),
        green=(SENDER + "TestRequest::test_it",),
    ),
    # ---- what is sent (R134, R137, R141) ----
    Bug(
        "other bytes are signed than are sent",
        wrap(sender, "signed", _sign_it_without_spaces),
        red=(SENDER + "TestRequest::test_its_signature_is_of_the_bytes_that_arrive",),
        green=(SENDER + "TestRequest::test_it",),
    ),
    Bug(
        "it is signed with the wrong secret",
        wrap(integration, "open_credentials", _sign_with_the_token),
        red=(WORKER + "TestFires::test_an_alias",),
        green=(WORKER + "TestFires::test_a_cloud_event",),
    ),
    Bug(
        "values are put in as they are",
        put(payload, "escape", str),
        red=(WORKER + "TestFires::test_metadata_with_quotes_stays_in_its_place",),
        green=(WORKER + "TestFires::test_an_alias",),
    ),
    Bug(
        "secrets are shown in the history",
        put(payload, "MASK", "canary-token-93b1"),
        red=(WORKER + "TestSecrets::test_canaries",),
        green=(WORKER + "TestFires::test_an_alias",),
    ),
    # ---- that nothing is lost, and no result is written twice (R142, R144, F9) ----
    Bug(
        "the lease is lost",
        put(execution_rows, "lease", _nothing),
        red=(LEASE + "test_two_do_not_take_the_same", LEASE + "test_who_lost_it_changes_nothing"),
        green=(LEASE + "test_a_lease_is_longer_than_an_attempt",),
    ),
    Bug(
        "a worker does not look at what another has begun",
        put(delivery_rules, "IN_ORDER_SECONDS", 0.0),
        red=(LEASE + "test_two_keep_the_order_between_them",),
        green=(LEASE + "test_two_do_not_take_the_same",),
    ),
    Bug(
        "a lease never ends",
        put(execution_rows, "free", lambda *_args, **_more: 0),
        red=(LEASE + "test_who_lost_it_changes_nothing",),
        green=(LEASE + "test_two_do_not_take_the_same",),
    ),
    Bug(
        "a result is written without the worker's name in the row",
        without(" AND lease_owner = :owner AND state = 'pending'"),
        red=(LEASE + "test_who_lost_it_changes_nothing",),
        green=(LEASE + "test_two_do_not_take_the_same",),
    ),
    Bug(
        "the dispatcher skips an event",
        wrap(dispatch, "plan", _all_but_the_last),
        red=(DISPATCH + "test_more_than_one_portion",),
        green=(DISPATCH + "test_without_automations_nothing_is_written",),
    ),
    Bug(
        "the dispatcher's place is kept before what it found",
        wrap(dispatch_rows, "advance", _in_a_commit_of_its_own),
        red=(DISPATCH + "test_a_crash_before_the_commit_loses_nothing",),
        green=(DISPATCH + "test_more_than_one_portion",),
    ),
    Bug(
        "a minute has no limit",
        put(delivery_rules, "RATE_MAX", 1_000),
        red=(WORKER + "TestClocks::test_the_minute_is_not_full_of_what_is_to_come",),
        green=(LEASE + "test_two_do_not_take_the_same",),
    ),
    Bug(
        "nobody asks before an attempt whether its person still has the rights",
        put(delivery, "_end_lost", lambda *_: ()),
        red=(PERSON + "test_what_waits_for_another_attempt",),
        green=(PERSON + "test_whatever_took_the_role_away",),
    ),
    # ---- names (R70, R80) ----
    Bug(
        "compare-and-set does not compare",
        put(alias_move, "_check_expected", _nothing),
        red=(
            MOVE + "TestCompareAndSet::test_stale[expected0-HolderChanged]",
            MOVE + "TestCompareAndSet::test_stale[expected3-PreconditionFailed]",
            MOVE + "TestCompareAndSet::test_of_many_at_once_exactly_one_wins",
            MOVE + "TestGroups::test_one_failure_stops_all",
        ),
        green=(MOVE + "TestGroups::test_two_names_may_change_places",),
    ),
    Bug(
        "protected aliases are for everybody",
        put(protected_alias, "check_changes", _nothing),
        red=tuple(
            PROTECTED + f"test_a_member_is_refused_and_nothing_at_all_changes[{each}]"
            for each in ("move", "take off", "unlink", "delete collection", "link")
        ),
        green=(PROTECTED + "test_an_admin_moves_takes_off_unlinks_and_deletes",),
    ),
)
