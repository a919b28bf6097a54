"""Secrets and integrations of teams: encrypted, never shown, managed by admins (R132, R146 to R148)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from byname.domain.errors import Conflict, Forbidden, NotFound, Unavailable, Unprocessable
from byname.domain.integration import Credentials, IntegrationKind
from byname.domain.target import Targets, parse_networks
from byname.operations import integration, secret
from byname.operations.integration import Wanted
from byname.settings import Settings
from byname.store.vault import Vault
from byname.wiring import ENCRYPTION_FILE, build_context, rotate_encryption_key
from tests.support.world import TEAM, World

VALUE = "s3cr3t-value-that-nobody-must-see"
WEBHOOK, SLACK = IntegrationKind.WEBHOOK, IntegrationKind.SLACK


def credentials(world: World, integration_id: int) -> Credentials:
    with world.admin.database.read() as tx:
        return integration.open_credentials(world.admin, tx, integration_id)


def everything(world: World) -> str:
    """All that the database holds, as text."""
    file = sqlite3.connect(world.admin.database.path)
    try:
        return "\n".join(
            repr(tuple(row))
            for table in ("secret", "integration", "history", "meta")
            for row in file.execute(f"SELECT * FROM {table}")
        )
    finally:
        file.close()


class TestSecrets:
    """R146, R147: per team, by its admins; never shown again, only replaced; deleting is for ever."""

    def test_it_is_kept_encrypted_and_told_to_nobody(self, world: World) -> None:
        made = secret.create(world.admin, TEAM, "TOKEN", VALUE)
        assert VALUE not in repr(made)
        assert VALUE not in everything(world)
        assert [each.name for each in secret.list_all(world.admin, TEAM)] == ["TOKEN"]

    def test_replacing_takes_effect_at_once(self, world: World) -> None:
        secret.create(world.admin, TEAM, "TOKEN", "old")
        made = integration.create(
            world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/", "TOKEN")
        )
        with pytest.raises(Conflict):
            secret.create(world.admin, TEAM, "TOKEN", VALUE)
        secret.replace(world.admin, TEAM, "TOKEN", VALUE)
        assert credentials(world, made.id).access_token == VALUE
        assert credentials(world, made.id).named == {"TOKEN": VALUE}

    def test_members_see_names_and_change_nothing(self, world: World) -> None:
        secret.create(world.admin, TEAM, "TOKEN", VALUE)
        member = world.add_person("mem", in_organization="member", in_team="member")
        outsider = world.add_person("out", in_organization="member")
        stranger = world.add_person("eve")
        assert len(secret.list_all(member, TEAM)) == 1
        for attempt in (
            lambda ctx: secret.create(ctx, TEAM, "OTHER", VALUE),
            lambda ctx: secret.replace(ctx, TEAM, "TOKEN", VALUE),
            lambda ctx: secret.delete(ctx, TEAM, "TOKEN"),
            lambda ctx: integration.create(ctx, TEAM, SLACK, Wanted("a", "https://a.example/")),
        ):
            for ctx in (member, outsider):
                with pytest.raises(Forbidden) as refused:
                    attempt(ctx)
                assert refused.value.details["role"] == "admin"
            with pytest.raises(NotFound):
                attempt(stranger)
        with pytest.raises(Forbidden):
            secret.list_all(outsider, TEAM)

    @pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Ä", "A" * 129, "A\n"])
    def test_names_are_letters_digits_and_underscores(self, world: World, name: str) -> None:
        with pytest.raises(Unprocessable):
            secret.create(world.admin, TEAM, name, VALUE)

    @pytest.mark.parametrize("value", ["", "x" * 16_385, "\ud800"])
    def test_a_refusal_does_not_repeat_the_value(self, world: World, value: str) -> None:
        with pytest.raises(Unprocessable) as refused:
            secret.create(world.admin, TEAM, "A", value)
        assert not value or value not in refused.value.message

    def test_one_that_is_used_is_not_deleted_without_saying_so(self, world: World) -> None:
        secret.create(world.admin, TEAM, "TOKEN", VALUE)
        made = integration.create(
            world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/", secret="TOKEN")
        )
        with pytest.raises(Conflict) as refused:
            secret.delete(world.admin, TEAM, "TOKEN")
        assert refused.value.details["webhooks"] == ["ci"]
        assert secret.delete(world.admin, TEAM, "TOKEN", force=True) == ["ci"]
        with pytest.raises(NotFound, match="TOKEN"):
            credentials(world, made.id)  # Nothing is sent unsigned.


class TestIntegrations:
    """R131, R133: at most one access token and one secret; a channel's address is a secret."""

    def test_its_own_values_are_encrypted_and_never_shown(self, world: World) -> None:
        made = integration.create(
            world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/x", VALUE, VALUE + "2")
        )
        assert (made.access_token_name, made.has_access_token, made.has_secret) == (
            None,
            True,
            True,
        )
        assert VALUE not in everything(world)
        assert VALUE not in repr(made)
        opened = credentials(world, made.id)
        assert (opened.url, opened.access_token, opened.secret) == (
            "https://a.example/x",
            VALUE,
            VALUE + "2",
        )
        assert VALUE not in repr(opened)
        assert VALUE not in repr(Wanted("ci", access_token=VALUE))

    def test_what_is_not_given_stays_and_the_empty_text_takes_off(self, world: World) -> None:
        made = integration.create(
            world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/x", VALUE, "other")
        )
        integration.edit(world.admin, TEAM, WEBHOOK, "ci", Wanted("cd", secret=""))
        opened = credentials(world, made.id)
        assert (opened.access_token, opened.secret) == (VALUE, None)
        assert integration.get(world.admin, TEAM, WEBHOOK, "cd").id == made.id

    def test_the_address_of_a_channel_is_a_secret(self, world: World) -> None:
        made = integration.create(
            world.admin, TEAM, SLACK, Wanted("general", f"https://hooks.example/{VALUE}")
        )
        assert made.url is None
        assert VALUE not in everything(world)
        assert credentials(world, made.id).url.endswith(VALUE)

    def test_those_who_may_not_use_it_see_the_host_only(self, world: World) -> None:
        made = integration.create(
            world.admin, TEAM, WEBHOOK, Wanted("ci", f"https://a.example:8443/{VALUE}?t=1")
        )
        outsider = world.add_person("out", in_organization="member")
        assert integration.load(outsider, [made.id])[made.id].url == "https://a.example:8443/…"
        assert VALUE in str(integration.load(world.admin, [made.id])[made.id].url)

    @pytest.mark.parametrize(
        "url",
        ["", "ftp://a.example/", "https://", "https://u:p@a.example/", "https://a.example/#x",
         "https://a.example/ x", "https://ä.example/", "https://a.example:0/", "https://[::1",
         "https://a.example\\@b.example/"],
    )  # fmt: skip
    def test_bad_addresses_are_refused(self, world: World, url: str) -> None:
        with pytest.raises(Unprocessable):
            integration.create(world.admin, TEAM, WEBHOOK, Wanted("ci", url))

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:8000/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/",
         "https://a.example:22/"],
    )  # fmt: skip
    def test_what_is_never_sent_to_is_refused_when_saving(self, world: World, url: str) -> None:
        """R143: whoever saves it learns at once; but for networks that the administrator opened."""
        made = integration.create(world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/"))
        for kind in (WEBHOOK, SLACK):
            with pytest.raises(Unprocessable, match="URL"):
                integration.create(world.admin, TEAM, kind, Wanted("new", url))
        with pytest.raises(Unprocessable, match="URL"):
            integration.edit(world.admin, TEAM, WEBHOOK, "ci", Wanted(url=url))
        assert integration.load(world.admin, [made.id])[made.id].url == "https://a.example/"
        opened = Targets(parse_networks(["127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8"]))
        ctx = replace(world.admin, targets=opened)
        assert integration.create(ctx, TEAM, WEBHOOK, Wanted("new", url)).url == url

    def test_an_access_token_must_fit_into_a_header(self, world: World) -> None:
        with pytest.raises(Unprocessable) as refused:
            integration.create(
                world.admin, TEAM, WEBHOOK, Wanted("ci", "https://a.example/", "a\r\nX-Evil: 1")
            )
        assert "Evil" not in refused.value.message


class TestKeys:
    """R148: encrypted with a key of the server; a wrong one refuses to start; it can be replaced."""

    def fill(self, folder: Path, **more: str) -> str:
        """A data folder with a sealed check value; what a value looks like sealed."""
        ctx = build_context(Settings(data=folder, **more))  # type: ignore[arg-type]
        sealed = ctx.safe.seal(VALUE)
        ctx.database.close()
        return sealed

    def test_the_file_is_made_once_and_only_for_its_owner(self, tmp_path: Path) -> None:
        self.fill(tmp_path)
        file = tmp_path / ENCRYPTION_FILE
        before = file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
        self.fill(tmp_path)
        assert file.read_bytes() == before

    def test_a_lost_or_wrong_key_refuses_to_start(self, tmp_path: Path) -> None:
        self.fill(tmp_path)
        (tmp_path / ENCRYPTION_FILE).unlink()
        with pytest.raises(Unavailable, match="missing"):
            self.fill(tmp_path)
        (tmp_path / ENCRYPTION_FILE).write_text("w" * 40)
        with pytest.raises(Unavailable, match="does not hold the key"):
            self.fill(tmp_path)
        with pytest.raises(Unavailable, match="BYNAME_ENCRYPTION_KEY is not"):
            self.fill(tmp_path, encryption_key="k" * 40)

    def test_a_key_in_the_settings_can_be_replaced(self, tmp_path: Path) -> None:
        self.fill(tmp_path, encryption_key="a" * 40)
        both = "b" * 40 + "," + "a" * 40
        self.fill(tmp_path, encryption_key=both)
        rotate_encryption_key(Settings(data=tmp_path, encryption_key=both))  # type: ignore[arg-type]
        self.fill(tmp_path, encryption_key="b" * 40)
        with pytest.raises(Unavailable):
            self.fill(tmp_path, encryption_key="a" * 40)

    def test_a_server_that_runs_notices_that_the_file_changed(self, tmp_path: Path) -> None:
        settings = Settings(data=tmp_path)
        running = build_context(settings)
        with running.database.write() as tx:
            tx.run(
                "INSERT INTO entity (id, kind, name, name_key, created_at)"
                " VALUES (1, 'team', 't', 't', 1)"
            )
            tx.run(
                "INSERT INTO secret (team_id, name, value_sealed, created_at, updated_at)"
                " VALUES (1, 'A', ?, 1, 1)",
                [running.safe.seal(VALUE)],
            )
        old = (tmp_path / ENCRYPTION_FILE).read_text()
        assert rotate_encryption_key(settings) == 1
        with running.database.read() as tx:
            row = tx.one("SELECT value_sealed FROM secret")
        assert row is not None
        assert running.safe.open(row["value_sealed"]) == VALUE
        with pytest.raises(Unavailable):
            Vault([old]).open(row["value_sealed"])
        fresh = Vault(file=tmp_path / ENCRYPTION_FILE)
        assert fresh.open(running.safe.seal("later")) == "later"
        running.database.close()
