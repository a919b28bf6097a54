"""A team's webhooks, Slack channels and secrets on its page (R132, R133, R146 to R148)."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator

import pytest

from byname.automations.sender import Sender
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.target import Targets
from byname.operations import integration, secret
from byname.operations.integration import Wanted
from tests.faces.web.conftest import App, open_app, words_of
from tests.support.receiver import Connection, Delivered, Receiver
from tests.support.world import TEAM, World

PAGE = f"/{TEAM}?tab=integrations"
URL = "https://ci.example.org/hook"
HIDDEN = "hidden-value-9d1"


@pytest.fixture
def people(app: App) -> App:
    """Max is Member of the team, vic Viewer, out in the organization only."""
    app.world.add_person("max", in_organization="member", in_team="member")
    app.world.add_person("vic", in_organization="member", in_team="viewer")
    app.world.add_person("out", in_organization="member")
    return app


def every(app: App) -> list[Integration]:
    return integration.list_all(app.world.admin, TEAM)


class TestIntegrations:
    """R132, R133: managed by the team's admins; a webhook has a name, an address, two secrets."""

    def test_made_changed_and_deleted(self, people: App) -> None:
        browser = people.by("admin")
        secret.create(people.world.admin, TEAM, "CI", HIDDEN)
        made = {"name": "deploy", "url": URL, "access_token": "CI", "secret": HIDDEN}
        browser.sent(f"/{TEAM}", page=PAGE, do="make-webhook", **made)
        (hook,) = every(people)
        assert (hook.name, hook.access_token_name, hook.has_secret) == ("deploy", "CI", True)
        page = browser.get(PAGE)
        assert URL in page
        assert HIDDEN not in page
        edit = f"{PAGE}&kind=webhook&name=deploy"
        fields = {"present": "deploy", "name": "roll-out", "url": URL + "/2"}
        browser.sent(f"/{TEAM}", page=edit, do="edit-webhook", **fields)
        (hook,) = every(people)
        assert (hook.name, hook.url, hook.has_access_token) == ("roll-out", URL + "/2", True)
        fields = {"present": "roll-out", "name": "roll-out", "url": URL, "no_access_token": "yes"}
        browser.sent(f"/{TEAM}", page=PAGE, do="edit-webhook", **fields)
        assert not every(people)[0].has_access_token
        asked = browser.get(f"{PAGE}&kind=webhook&name=roll-out&confirm=integration")
        assert "Automations that use this webhook are switched off" in words_of(asked)
        gone = {"kind": "webhook", "name": "roll-out"}
        browser.sent(f"/{TEAM}", page=PAGE, do="delete-integration", **gone)
        assert every(people) == []

    def test_a_slack_channel_keeps_its_address_to_itself(self, people: App) -> None:
        browser = people.by("admin")
        fields = {"name": "#models", "url": f"https://hooks.example.org/{HIDDEN}"}
        browser.sent(f"/{TEAM}", page=PAGE, do="make-slack", **fields)
        assert every(people)[0].kind is IntegrationKind.SLACK
        for path in (PAGE, f"{PAGE}&kind=slack&name=%23models"):
            page = browser.get(path)
            assert "#models" in page
            assert HIDDEN not in page
        kept = {"present": "#models", "name": "#news", "url": ""}
        browser.sent(f"/{TEAM}", page=PAGE, do="edit-slack", **kept)
        assert every(people)[0].name == "#news"

    def test_what_is_wrong_is_said_beside_its_form(self, people: App) -> None:
        fields = {"name": "x", "url": "ftp://a", "secret": HIDDEN}
        answer = people.by("admin").send(f"/{TEAM}", page=PAGE, do="make-webhook", **fields)
        assert answer.status_code == 422
        form = answer.text.split('id="webhook"')[1].split("</section>")[0]
        assert "must begin with https://" in words_of(form)
        assert HIDDEN not in answer.text

    def test_roles(self, people: App) -> None:
        """Members see names; only admins change; who is no member sees nothing."""
        made = Wanted(name="deploy", url=URL)
        integration.create(people.world.admin, TEAM, IntegrationKind.WEBHOOK, made)
        page = words_of(people.by("max").get(PAGE))
        assert "deploy" in page
        assert "admin" in page.split("Webhooks")[1]
        for who in ("max", "vic"):
            fields = {"kind": "webhook", "name": "deploy"}
            answer = people.by(who).send(
                f"/{TEAM}", page="/account", do="delete-integration", **fields
            )
            assert answer.status_code == 403
        assert "deploy" not in words_of(people.by("vic").get(PAGE))
        assert len(every(people)) == 1


class TestSecrets:
    """R146 to R148: write-only; replaced; deleting one that is used warns and names the webhooks."""

    def test_made_replaced_and_deleted(self, people: App) -> None:
        browser = people.by("admin")
        browser.sent(f"/{TEAM}", page=PAGE, do="make-secret", name="CI", value=HIDDEN)
        assert "CI" in words_of(browser.get(PAGE))
        assert HIDDEN not in browser.get(PAGE)
        again = browser.send(f"/{TEAM}", page=PAGE, do="make-secret", name="CI", value=HIDDEN)
        assert again.status_code == 409
        assert HIDDEN not in again.text
        browser.sent(f"/{TEAM}", page=PAGE, do="replace-secret", name="CI", value="other-value")
        hook = Wanted(name="deploy", url=URL, access_token="CI")
        integration.create(people.world.admin, TEAM, IntegrationKind.WEBHOOK, hook)
        refused = browser.send(f"/{TEAM}", page=PAGE, do="delete-secret", name="CI")
        assert refused.status_code == 409
        assert "deploy" in words_of(refused.text)
        assert [each.name for each in secret.list_all(people.world.admin, TEAM)] == ["CI"]
        browser.sent(f"/{TEAM}", page=PAGE, do="delete-secret", name="CI", sure="yes")
        assert secret.list_all(people.world.admin, TEAM) == []


@pytest.fixture
def sending(world: World) -> Iterator[App]:
    """Pages of a server that sends, to this machine too; Max is Member of the team."""
    targets = Targets(allowed=(ipaddress.ip_network("127.0.0.0/8"),))
    sender = Sender(targets)
    world.nobody = dataclasses.replace(world.nobody, sender=sender, targets=targets)
    world.reload("admin")
    world.add_person("max", in_organization="member", in_team="member")
    yield open_app(world)
    sender.close()


def refuse(connection: Connection, _: Delivered) -> None:
    connection.reply(503, b"<b>closed</b> " + b"x" * 10_000)


class TestTest:
    """R139, S4: a payload that is not kept; the reply is shown: status and first 4 kB; for admins."""

    def tried(self, app: App, who: str, name: str = "ci", **fields: str) -> tuple[int, str]:
        kind = fields.pop("kind", "webhook")
        page = "/account" if who != "admin" else f"{PAGE}&kind={kind}&name={name}&test=yes"
        fields |= {"do": "test-integration", "kind": kind, "name": name}
        answer = app.by(who).send(f"/{TEAM}?tab=integrations", page=page, **fields)
        return answer.status_code, answer.text

    def test_a_webhook(self, sending: App) -> None:
        with Receiver(refuse) as receiver:
            hook = Wanted(name="ci", url=receiver.url, secret=HIDDEN)
            integration.create(sending.world.admin, TEAM, IntegrationKind.WEBHOOK, hook)
            assert 'aria-label="Test ci"' in sending.by("admin").get(PAGE)
            status, page = self.tried(sending, "admin", payload='{"who": "${event_author}"}')
            assert status == 200
            (request,) = receiver.requests
            assert request.body == b'{"who": "admin"}'
            assert "x-wandb-signature" in request.headers
            assert "The answer is 503" in words_of(page)
            # Shown as text, and no more than 4 kB of it.
            assert "&lt;b&gt;closed&lt;/b&gt;" in page
            assert 3_000 < page.count("x" * 10) * 10 <= 4_096
            assert HIDDEN not in page
            again = sending.by("admin").get(f"{PAGE}&kind=webhook&name=ci&test=yes")
            assert "${event_author}&#34;}" not in again
            assert "${ledger_revision}" in again

            status, page = self.tried(sending, "admin", payload='{"who": "${NOPE}"}')
            assert status == 422
            assert "NOPE" in words_of(page)
            status, page = self.tried(sending, "max", payload="{}")
            assert status == 403
            assert "admin" in words_of(page)
            assert "Test ci" not in sending.by("max").get(PAGE)
            assert len(receiver.requests) == 1

    def test_a_slack_channel(self, sending: App) -> None:
        with Receiver() as receiver:
            channel = Wanted(name="#models", url=f"{receiver.url}/{HIDDEN}")
            integration.create(sending.world.admin, TEAM, IntegrationKind.SLACK, channel)
            fields = {"kind": "slack", "message": "is it on?"}
            status, page = self.tried(sending, "admin", "%23models", **fields)
            assert status == 404
            assert receiver.requests == []
            answer = sending.by("admin").send(
                f"/{TEAM}?tab=integrations",
                page=f"{PAGE}&kind=slack&name=%23models&test=yes",
                do="test-integration",
                name="#models",
                **fields,
            )
            (request,) = receiver.requests
            assert b"is it on?" in request.body
            words = words_of(answer.text)
            assert "The answer is 200" in words
            assert "thanks" in words
            assert HIDDEN not in answer.text + page

    def test_what_the_guard_refuses_is_said(self, sending: App) -> None:
        """S4: the same guard as for every delivery."""
        with Receiver() as receiver:
            hook = Wanted(name="ci", url=receiver.url)
            integration.create(sending.world.admin, TEAM, IntegrationKind.WEBHOOK, hook)
            closed = Sender(Targets())
            nobody = dataclasses.replace(sending.world.nobody, sender=closed)
            sending.world.nobody = nobody
            status, page = self.tried(open_app(sending.world), "admin", payload="{}")
            closed.close()
            assert status == 200
            assert "No answer" in words_of(page)
            assert receiver.requests == []
