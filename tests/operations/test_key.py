"""API keys, the header that carries them, and passwords."""

from __future__ import annotations

import math
import re

import pytest

from byname.domain import key as rules
from byname.domain.errors import (
    Conflict,
    DomainError,
    NotFound,
    Throttled,
    Unauthenticated,
    Unprocessable,
)
from byname.domain.policy import GroupRole
from byname.http.authentication import KeyUses, actor_of_user, authenticate
from byname.operations import key, organization
from byname.operations.context import Context
from byname.operations.password import FAILURES_MAX, Guesses, fits, hash_password
from tests.support.house import ORGANIZATION, House, basic, bearer

PASSWORD = "correct horse battery"


class TestKeysAreShownOnce:
    """R193, A6: at least 192 bits, a recognisable prefix, only the SHA-256 is kept."""

    def test_the_client_accepts_the_form(self, house: House) -> None:
        secret = key.create_key(house.by("ann"), name="laptop").secret
        prefix, _, rest = secret.partition("-")
        assert prefix == "bn"
        # `wandb login` of releases up to 0.21 takes exactly 40 behind the first dash.
        assert re.fullmatch(r"[A-Za-z0-9]{40}", rest)
        assert len(rest) * math.log2(len(rules.ALPHABET)) >= 192
        assert rules.is_key(secret)

    def test_the_longer_keys_of_earlier_servers_stay_good(self) -> None:
        lengths = [n for n in range(80) if rules.is_key(rules.PREFIX + "a" * n)]
        assert lengths == [40, 48]

    def test_the_database_holds_no_usable_credential(self, house: House) -> None:
        house.make_user("bob", password=PASSWORD)
        secret = key.create_key(house.by("ann")).secret
        dump = "\n".join(house.dump())
        for credential in (secret, *house.keys.values(), PASSWORD):
            assert credential not in dump
        for word in set(re.findall(r"[A-Za-z0-9_$=+/,.-]{8,}", dump)):
            with pytest.raises(Unauthenticated):
                authenticate(house.ctx.database, bearer(word))

    def test_two_keys_are_never_the_same(self, house: House) -> None:
        secrets = {key.create_key(house.by("ann"), name=str(n)).secret for n in range(50)}
        assert len(secrets) == 50

    def test_a_list_shows_beginnings_only(self, house: House) -> None:
        made = key.create_key(house.by("ann"), name="  laptop ")
        first, second = key.list_keys(house.by("ann"))
        assert (first.name, second.name) == ("First key", "laptop")
        assert second.start == made.secret[:8]
        assert second.last_used_at is None


class TestAtMostOneHundredKeys:
    """R193: at most 100 keys per person and per service account."""

    def test_the_hundred_and_first_is_refused(self, house: House) -> None:
        for number in range(99):
            key.create_key(house.by("ann"), name=str(number))
        before = house.dump()
        with pytest.raises(Conflict, match="100 API keys"):
            key.create_key(house.by("ann"))
        assert house.dump() == before
        key.delete_key(house.by("ann"), key.list_keys(house.by("ann"))[5].id)
        key.create_key(house.by("ann"))


class TestKeysAreManagedByTheirOwners:
    """Own ones; those of service accounts by team admins; all by server administrators."""

    def test_a_deleted_key_opens_nothing(self, house: House) -> None:
        made = key.create_key(house.by("ann"))
        key.delete_key(house.by("ann"), made.key.id)
        with pytest.raises(Unauthenticated):
            authenticate(house.ctx.database, bearer(made.secret))

    def test_those_of_others_do_not_exist(self, house: House) -> None:
        house.make_member("bob")
        house.make_team_member("carol", GroupRole.ADMIN)
        bobs = key.list_keys(house.by("bob"))[0]
        before = house.dump()
        words = []
        for number in (bobs.id, 10**9, 0, -1, 2**63, 10**30):
            with pytest.raises(NotFound) as refusal:
                key.delete_key(house.by("carol"), number)
            words.append(refusal.value.message.replace(str(number), "N"))
        assert len(set(words)) == 1
        for name in ("bob", "nobody", "\ud800"):
            with pytest.raises(NotFound):
                key.list_keys(house.by("carol"), username=name)
            with pytest.raises(NotFound):
                key.create_key(house.by("carol"), username=name)
        assert house.dump() == before

    def test_server_administrators_and_team_admins(self, house: House) -> None:
        house.make_team_member("carol", GroupRole.ADMIN)
        house.make_member("bob", GroupRole.ADMIN)
        house.make_service_account("robot")
        for who in ("ann", "bob", "carol", "robot"):
            made = key.create_key(house.by(who), username="robot")
            found = authenticate(house.ctx.database, bearer(made.secret))
            assert found is not None
            assert found.username == "robot"
        assert len(key.list_keys(house.by("carol"), username="robot")) == 5
        assert len(key.list_keys(house.by("ann"), username="carol")) == 1
        with pytest.raises(NotFound):
            key.list_keys(house.by("bob"), username="carol")

    def test_nobody_without_a_name(self, house: House) -> None:
        with pytest.raises(Unauthenticated):
            key.create_key(house.ctx)
        with pytest.raises(Unauthenticated):
            key.list_keys(house.ctx)
        with pytest.raises(Unauthenticated):
            key.delete_key(house.ctx, 1)

    @pytest.mark.parametrize("name", ["a\nb", "x" * 129, "\ud800", "a\x00"])
    def test_a_bad_name_is_refused(self, house: House, name: str) -> None:
        with pytest.raises(Unprocessable):
            key.create_key(house.by("ann"), name=name)


class TestHeaderBecomesActor:
    """Protocol 3: Basic with whatever user name, or Bearer; anything else is refused in words."""

    def test_every_form_the_client_sends(self, house: House) -> None:
        secret = house.keys["ann"]
        for header in (
            basic(secret),
            basic(secret, "somebody"),
            basic(secret, ""),
            bearer(secret),
            f"bearer  {secret}",
            basic(secret).encode(),
        ):
            found = authenticate(house.ctx.database, header)
            assert found is not None
            assert found.username == "ann"

    def test_no_header_is_nobody(self, house: House) -> None:
        assert authenticate(house.ctx.database, None) is None

    @pytest.mark.parametrize(
        "header",
        [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic",
            "Basic !!!!",
            "Basic YQ",
            "Basic YXBp",
            "Basic /////w==",
            "Basic " + "A" * 100_000,
            "Digest x",
            "Bearer bn-" + "a" * 48,
            "Bearer bn-" + "a" * 49,
            "Bearer bn-" + "é" * 48,
            "Bearer \ud800",
            "Bearer \x00",
            "Basic \ud800",
            "Basic é",
            b"\xff\xfe",
            b"Basic \xff",
            b"Bearer \xff" * 9,
        ],
    )
    def test_anything_else_is_unauthenticated(self, house: House, header: str | bytes) -> None:
        with pytest.raises(Unauthenticated):
            authenticate(house.ctx.database, header)

    def test_roles_are_read_anew_each_time(self, house: House) -> None:
        house.make_member("bob")
        assert list(house.actor("bob").organizations.values()) == [GroupRole.MEMBER]
        organization.put_member(house.by("ann"), ORGANIZATION, "bob", GroupRole.VIEWER)
        assert list(house.actor("bob").organizations.values()) == [GroupRole.VIEWER]
        organization.remove_member(house.by("ann"), ORGANIZATION, "bob")
        assert not house.actor("bob").organizations

    def test_many_groups_at_once(self, house: House) -> None:
        house.make_member("bob")
        wanted = dict(house.actor("bob").organizations)
        for number, role in enumerate([GroupRole.ADMIN, GroupRole.MEMBER, GroupRole.VIEWER] * 5):
            made = organization.create_organization(house.by("ann"), name=f"o{number}", owner="ann")
            organization.put_member(house.by("ann"), made.name, "bob", role)
            wanted[made.id] = role
        assert house.actor("bob").organizations == wanted

    def test_the_same_person_by_number(self, house: House) -> None:
        house.make_team_member("bob")
        bob = house.actor("bob")
        again = actor_of_user(house.ctx.database, bob.user_id)
        assert again is not None
        assert again.key_id is None
        assert (again.username, again.teams, again.organizations) == (
            bob.username,
            bob.teams,
            bob.organizations,
        )
        assert actor_of_user(house.ctx.database, 10**9) is None


class TestLastUseIsRemembered:
    """A6: shown, but written at most once a minute and never by the request itself."""

    def test_saved_later_and_once_a_minute(self, house: House) -> None:
        now = [1_000_000_000]
        uses = KeyUses(lambda: now[0])
        ann = house.actor("ann")
        uses.note(ann)
        assert key.list_keys(house.by("ann"))[0].last_used_at is None
        uses.save(house.ctx)
        first = key.list_keys(house.by("ann"))[0].last_used_at
        assert first is not None
        now[0] += 59_000_000
        uses.note(ann)
        uses.save(house.ctx)
        assert key.list_keys(house.by("ann"))[0].last_used_at == first
        now[0] += 2_000_000
        uses.note(ann)
        uses.save(house.ctx)
        later = key.list_keys(house.by("ann"))[0].last_used_at
        assert later is not None
        assert (later - first).total_seconds() == 61

    def test_nobody_and_deleted_keys_do_no_harm(self, house: House) -> None:
        uses = KeyUses()
        uses.note(None)
        made = key.create_key(house.by("ann"))
        uses.note(authenticate(house.ctx.database, bearer(made.secret)))
        key.delete_key(house.by("ann"), made.key.id)
        uses.save(house.ctx)
        assert [each.last_used_at for each in key.list_keys(house.by("ann"))] == [None]


def attempt(
    ctx: Context, guesses: Guesses, username: str, password: str, at: str = "1.2.3.4"
) -> str:
    """One log-in; the new key, or the kind of the refusal and its words."""
    try:
        made = key.log_in_for_key(
            ctx, guesses, username=username, password=password, address=at, name="web"
        )
    except DomainError as error:
        return f"{error.kind}: {error.message}"
    return made.secret


class TestPasswordsOpenTheKeyPage:
    """A7: argon2id; the same answer for a wrong password and for who does not exist."""

    def test_name_or_address_with_the_password(self, house: House) -> None:
        house.make_user("bob", password=PASSWORD)
        for name in ("bob", "BOB", "Bob@Example.org"):
            assert rules.is_key(attempt(house.ctx, Guesses(), name, PASSWORD))
        with house.ctx.database.read() as tx:
            row = tx.one("SELECT password_hash FROM users WHERE username = 'bob'")
        assert row is not None
        assert row["password_hash"].startswith("$argon2id$")

    def test_the_answer_does_not_tell_who_exists(self, house: House) -> None:
        house.make_user("bob", password=PASSWORD)
        house.make_service_account("robot")
        guesses = Guesses()
        answers = {
            attempt(house.ctx, guesses, name, password)
            for name, password in [
                ("bob", "wrong password"),
                ("ann", PASSWORD),
                ("robot", PASSWORD),
                ("nobody", PASSWORD),
                ("", ""),
                ("\ud800", "\ud800"),
                ("x" * 10_000, "y" * 10_000),
            ]
        }
        assert answers == {"unauthenticated: This name and password do not fit"}

    def test_the_comparison_for_nobody_is_a_real_one(self) -> None:
        from argon2 import extract_parameters

        from byname.operations import password

        kept = hash_password(PASSWORD)
        assert fits(PASSWORD, kept)
        assert not fits(PASSWORD + "x", kept)
        assert not fits(PASSWORD, None)
        assert extract_parameters(password._NOBODYS) == extract_parameters(kept)


class TestGuessingIsHeldUp:
    """L7: 10 failures in 15 minutes per account and address; the right password is then refused."""

    def test_the_eleventh_guess_is_not_made(self, house: House) -> None:
        house.make_user("bob", password=PASSWORD)
        now = [10**15]
        guesses = Guesses(lambda: now[0])
        for name in ("bob", "nobody"):
            for _ in range(10):
                assert attempt(house.ctx, guesses, name, "wrong").startswith("unauthenticated")
            assert attempt(house.ctx, guesses, name, PASSWORD).startswith("throttled")
        assert rules.is_key(attempt(house.ctx, guesses, "bob", PASSWORD, at="5.6.7.8"))
        now[0] += 15 * 60 * 1_000_000 + 1
        assert rules.is_key(attempt(house.ctx, guesses, "bob", PASSWORD))

    def test_success_forgives(self) -> None:
        guesses = Guesses(lambda: 10**15)
        for _ in range(30):
            for _ in range(9):
                guesses.begin("bob", "1.2.3.4")
            guesses.succeeded("bob", "1.2.3.4")
            break
        for _ in range(10):
            guesses.begin("bob", "1.2.3.4")
        with pytest.raises(Throttled) as refusal:
            guesses.begin("BOB", "1.2.3.4")
        assert refusal.value.details["retry_after_seconds"] == 901

    def test_guesses_spread_over_accounts_or_addresses_are_held_up_too(self) -> None:
        guesses = Guesses(lambda: 10**15)
        for number in range(FAILURES_MAX["address"]):
            guesses.begin(f"user{number}", "1.2.3.4")
        with pytest.raises(Throttled):
            guesses.begin("another", "1.2.3.4")
        for number in range(FAILURES_MAX["account"]):
            guesses.begin("bob", f"10.0.0.{number}")
        with pytest.raises(Throttled):
            guesses.begin("bob", "11.0.0.1")
        guesses.begin("carol", "11.0.0.1")

    def test_what_is_remembered_is_bounded(self) -> None:
        guesses = Guesses()
        for number in range(6_000):
            guesses.begin(f"user{number}", f"address{number}")
        assert len(guesses._failures) <= 10_000
