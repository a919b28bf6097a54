"""A server that looks lived in: people, registries, collections, runs and a past, for looking at pages.

Everything is made by the operations that people's clicks call too, with a clock of its own that begins
forty days ago.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from byname.domain import automation as automations
from byname.domain import payload
from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.file_stream import StreamPost
from byname.domain.integration import IntegrationKind
from byname.domain.policy import GroupRole, Role
from byname.domain.project import Project
from byname.domain.refusal import Refusals
from byname.domain.run import Run
from byname.domain.version import Version
from byname.http.authentication import actor_of_user
from byname.operations import (
    alias,
    automation,
    collection,
    deactivation,
    file_stream,
    integration,
    invitation,
    key,
    lineage,
    member,
    organization,
    protected_alias,
    refusal,
    registry,
    run,
    secret,
    service_account,
    star,
    team,
    user,
)
from byname.operations import version as versions
from byname.operations.context import Context, now_microseconds
from byname.operations.integration import Wanted
from byname.settings import Settings
from byname.wiring import build_context
from tests.support.rig import ORGANIZATION, TEAM
from tests.support.world import link_version, log_version

ZOO = Path(__file__).resolve().parents[2] / "examples" / "zoo"
PROJECT = "zoo_experiment"
DAY = 24 * 3600 * 1_000_000
CLASSIFIERS = "Zoo_Classifier_Models"
PEOPLE = {
    "ben": ("Ben Okafor", "member"), "cleo": ("Cleo Marchetti", "member"),
    "dora": ("Dora Lindqvist", "member"), "emil": ("Emil Sato", "member"),
    "fay": ("Fay Nkemelu", "viewer"), "gus": ("Gus Almeida", "member"),
}  # fmt: skip
CARD = """Decides from sixteen attributes of an animal which of seven classes it belongs to.

## Intended use

Demonstrations of the registry. **Not** for zoos.

## Training data

The Zoo data set of the UCI Machine Learning Repository, 101 animals:

| class | animals |
|---|---|
| mammal | 41 |
| bird | 20 |
| fish | 13 |

## How to load it

```python
model = torch.load("model.pt")
```
"""


@dataclass(slots=True)
class Sample:
    """What was made, for those who look at it."""

    keys: dict[str, str] = field(default_factory=dict)
    """An API key of each person."""
    invitation: str = ""
    """The token of somebody's invitation."""


@dataclass(slots=True)
class _Clock:
    at: int

    def __call__(self) -> int:
        self.at += 7_000_000
        return self.at


class _Maker:
    """People who work, one action after the other."""

    def __init__(self, folder: Path) -> None:
        self.clock = _Clock(now_microseconds() - 40 * DAY)
        self.base = build_context(Settings(data=folder))
        self.dice = random.Random(7)

    def by(self, name: str) -> Context:
        """The person as they are now, at the time of the clock."""
        with self.base.database.read() as tx:
            row = tx.one("SELECT id FROM users WHERE username = :name", {"name": name})
        assert row is not None
        context = self.base.acting(actor_of_user(self.base.database, row["id"]), "sdk")
        return replace(context, now=self.clock)

    def wait(self, days: float) -> None:
        """Time goes by, but never into the future."""
        self.clock.at = min(self.clock.at + int(days * DAY), now_microseconds() - 60_000_000)

    def registry(self, name: str, description: str, **given: Any) -> Project:
        """A registry that ann made."""
        new = registry.NewRegistry(ORGANIZATION, name, description, **given)
        return registry.create(self.by("ann"), new)

    def run(
        self, by: str, name: str, shown: str, uses: Sequence[Version] = (), **config: Any
    ) -> Run:
        """A training run that came to its end, with lines of its history."""
        ctx = self.by(by)
        made, _ = run.upsert(
            ctx,
            run.RunChange(
                entity=TEAM,
                project=PROJECT,
                name=name,
                display_name=shown,
                job_type="train",
                tags=["baseline"],
                config=json.dumps({each: {"value": value} for each, value in config.items()}),
                program="train.py",
                host="gpu-03",
                commit="9f2c41d7a0b35e6c8d1f4a2b7c9e0d5f6a8b3c1e",
                notes="The usual settings, with another seed.",
            ),
        )
        for each in uses:
            lineage.use_version(
                ctx, entity=TEAM, project=PROJECT, run_name=name, version_id=each.id
            )
        history, loss, accuracy = [], 2.1, 0.3
        for step in range(120):
            loss = loss * 0.97 + self.dice.uniform(0, 0.03)
            accuracy += (0.97 - accuracy) * 0.045 + self.dice.uniform(-0.012, 0.012)
            history.append(
                json.dumps(
                    {
                        "_step": step,
                        "_timestamp": self.clock.at / 1e6,
                        "loss": round(loss, 4),
                        "accuracy": round(accuracy, 4),
                        "learning_rate": 0.001 * 0.99**step,
                    }
                )
            )
        told = [f"epoch {step:3d}  loss {2.1 * 0.97**step:.4f}" for step in range(0, 120, 4)]
        post = StreamPost.parse(
            {
                "files": {
                    "wandb-history.jsonl": {"offset": 0, "content": history},
                    "output.log": {"offset": 0, "content": told},
                    "wandb-summary.json": {
                        "offset": 0,
                        "content": [
                            json.dumps({"loss": loss, "accuracy": accuracy, "epochs": 120})
                        ],
                    },
                },
                "complete": True,
                "exitcode": 0 if self.dice.random() < 0.9 else 1,
            }
        )
        file_stream.accept(ctx, TEAM, PROJECT, name, post)
        return made

    def version(
        self, by: str, name: str, type_name: str, files: dict[str, bytes], **more: Any
    ) -> Version:
        """A version with metadata."""
        metadata = more.pop("metadata", None)
        ctx = self.by(by)
        made = log_version(
            ctx, name, files, type_name=type_name, entity=TEAM, project=PROJECT, **more
        )
        if metadata is not None:
            versions.edit(ctx, made.id, versions.VersionEdit(metadata=json.dumps(metadata)))
        return made

    def link(self, by: str, made: Version, name: str, home: Project, *aliases: str) -> None:
        """The version is linked into the registry's collection."""
        link_version(
            self.by(by), made, name, aliases, project=home.name, entity=home.entity_name
        )  # fmt: skip

    def put(self, by: str, home: Project, name: str, number: int, word: str) -> None:
        """The alias is moved to that version."""
        ctx = self.by(by)
        place = collection.get_in(ctx, home, name)
        membership, _ = collection.get_version_in(ctx, home, place, f"v{number}")
        alias.edit(
            ctx,
            membership.version_id,
            add=[(alias.Place(home.entity_name, home.name, name), word)],
        )


def fill(folder: Path) -> Sample:
    """The server that was set up in this folder for ann has a past; it may be running."""
    sample = Sample()
    make = _Maker(folder)
    ann = make.by("ann")
    for name, (full_name, role) in PEOPLE.items():
        user.create_user(ann, username=name, email=f"{name}@example.org", full_name=full_name)
        organization.put_member(ann, ORGANIZATION, name, GroupRole(role))
    team.create_team(ann, organization=ORGANIZATION, name="vision-lab")
    for name in ("ben", "cleo"):
        team.put_member(ann, TEAM, name, GroupRole.MEMBER)
    team.put_member(ann, "vision-lab", "dora", GroupRole.ADMIN)
    team.create_service_account(ann, team=TEAM, name="nightly-build")
    service_account.create(ann, organization=ORGANIZATION, name="gateway")
    _fill_model(make)
    _fill_others(make)
    _fill_automations(make)
    for name in ("ann", *PEOPLE):
        now = replace(make.by(name), now=now_microseconds)
        sample.keys[name] = key.create_key(now, name="laptop").secret
    deactivation.deactivate(ann, ORGANIZATION, "gus")
    gina = invitation.NewPerson(username="gina", email="gina@x.org", full_name="Gina Ferreira")
    sample.invitation = invitation.invite(replace(ann, now=now_microseconds), gina).token
    _fill_refusals(make)
    make.base.database.close()
    return sample


def _fill_refusals(make: _Maker) -> None:
    home = registry.get_by_name(make.by("ann"), ORGANIZATION, "Model")
    noted = Refusals()
    for name, kind, call, times in (
        ("fay", "alias:add", "addAliases", 1),
        ("emil", "member:set", "PUT /registries/{organization}/{name}/members/{username}", 3),
    ):  # fmt: skip
        ctx = replace(make.by(name), now=now_microseconds, refusals=noted)
        ctx.attempt.reach(home.organization_id, home.id)
        for _ in range(times):
            refusal.note(ctx, kind=kind, call=call, status=403, code="forbidden")
    refusal.save(replace(make.base, refusals=noted))


def _fill_automations(make: _Maker) -> None:
    ann = make.by("ann")
    home = registry.get_by_name(ann, ORGANIZATION, "Model")
    secret.create(ann, TEAM, "CI_TOKEN", "not-a-real-token")
    hook = Wanted(name="deploy", url="https://ci.example.invalid/dispatch", access_token="CI_TOKEN")
    deploy = integration.create(ann, TEAM, IntegrationKind.WEBHOOK, hook)
    channel = Wanted(name="#models", url="https://hooks.example.invalid/services/x")
    models = integration.create(ann, TEAM, IntegrationKind.SLACK, channel)
    production = automations.simple_filter(automations.Simple("alias", "^production", exact=False))
    automation.create(
        ann,
        automation.NewAutomation(
            name="Roll out what is in production",
            scope_kind=ScopeKind.PROJECT,
            scope_id=home.id,
            event=EventType.ADD_ARTIFACT_ALIAS,
            filter=production,
            action=Action(ActionKind.WEBHOOK, deploy.id, payload=payload.DEFAULT),
            description="The cluster fetches the version by its digest.",
        ),
    )
    found = collection.get_in(ann, home, CLASSIFIERS)
    automation.create(
        ann,
        automation.NewAutomation(
            name="Tell the team of new classifiers",
            scope_kind=ScopeKind.COLLECTION,
            scope_id=found.id,
            event=EventType.LINK_ARTIFACT,
            action=Action(ActionKind.SLACK, models.id, title="New", message="${artifact_url}"),
            enabled=False,
        ),
    )


def _fill_model(make: _Maker) -> None:
    ann = make.by("ann")
    home = registry.get_by_name(ann, ORGANIZATION, "Model")
    registry.edit(
        ann,
        home.id,
        registry.RegistryEdit(
            description="Models that may serve requests. Whatever runs in production has a name here."
        ),
    )
    for name in ("production-us", "production-eu", "staging"):
        protected_alias.create(ann, home.id, name)
    people = [user.search_users(ann, name)[0].id for name in ("ben", "cleo", "dora")]
    member.add(ann, home.id, user_ids=people[:1], role=Role.MEMBER)
    member.add(ann, home.id, user_ids=people[1:2], role=Role.ADMIN)
    member.add(ann, home.id, user_ids=people[2:], role=Role.VIEWER)
    member.put_named_team(ann, home.id, "vision-lab", Role.MEMBER)
    star.put(ann, home.id)
    zoo = (ZOO / "zoo.csv").read_bytes()
    data = [
        make.version(
            "ben", "zoo_dataset", "dataset", {"zoo.csv": zoo, "split.json": b'{"seed": %d}' % seed}
        )
        for seed in range(2)
    ]
    for number in range(14):
        make.wait(2.3)
        name = f"run{number:04d}"
        make.run(
            ("ben", "cleo")[number % 2],
            name,
            f"{('quiet', 'amber', 'brisk', 'lunar')[number % 4]}-otter-{number + 1}",
            [data[number // 8]],
            learning_rate=0.001,
            batch_size=32,
            epochs=120,
            optimizer={"name": "adam", "betas": [0.9, 0.999]},
        )
        accuracy = round(0.86 + number * 0.007 + make.dice.uniform(-0.01, 0.01), 4)
        made = make.version(
            ("ben", "cleo")[number % 2],
            "zoo_classifier",
            "model",
            {
                "model.pt": make.dice.randbytes(40_000 + 900 * number),
                "config.json": b'{"layers": [16, 64, 7], "activation": "relu"}',
                "labels.txt": b"mammal\nbird\nreptile\nfish\namphibian\nbug\ninvertebrate\n",
                "eval/confusion.csv": b"class,mammal,bird\nmammal,41,0\nbird,1,19\n",
            },
            run=name,
            metadata={
                "accuracy": accuracy,
                "loss": round(0.5 - number * 0.021, 4),
                "framework": "pytorch 2.4",
                "evaluation": {"folds": 5, "f1": {"mammal": 0.99, "bird": 0.97, "fish": 0.95}},
            },
        )
        make.link(("ben", "cleo")[number % 2], made, CLASSIFIERS, home)
        if number % 3 == 0:
            edit = versions.VersionEdit(add_tags=["reviewed"] if number % 2 else ["fast", "int8"])
            versions.edit(make.by("cleo"), made.id, edit)
        if number in (3, 6, 9, 12):
            make.put("cleo", home, CLASSIFIERS, number, "staging")
            make.put("cleo", home, CLASSIFIERS, max(number - 2, 0), "production-us")
        if number in (6, 11):
            make.put("cleo", home, CLASSIFIERS, number - 1, "production-eu")
        if number in (4, 8, 13):
            make.put("ben", home, CLASSIFIERS, number, "best")
    ben = make.by("ben")
    place = collection.get_in(ben, home, CLASSIFIERS)
    collection.edit(ben, place.id, is_sequence=False, description=CARD)
    there = alias.Place(ORGANIZATION, home.name, CLASSIFIERS)
    collection.edit_tags(ben, there, add=["tabular", "classification", "zoo"])
    for name, tags, count in (
        ("Penguin_Detector", ["vision"], 5),
        ("Bird_Song_Encoder", ["audio", "embedding"], 3),
        ("Fish Counter", [], 1),
    ):
        for number in range(count):
            made = make.version(
                "ben",
                name.replace(" ", "_").lower(),
                "model",
                {"model.pt": make.dice.randbytes(900)},
            )
            make.link("ben", made, name, home, *(["candidate"] if number == count - 1 else []))
        collection.edit_tags(ben, alias.Place(ORGANIZATION, home.name, name), add=tags)
        if count > 1:
            make.put("cleo", home, name, count - 2, "production-us")
    empty = collection.NewCollection("Whale_Tracker", "model", "Waits for its first version.")
    collection.create(make.by("cleo"), home.id, empty)


def _fill_others(make: _Maker) -> None:
    ann = make.by("ann")
    sets = registry.get_by_name(ann, ORGANIZATION, "Dataset")
    change = registry.RegistryEdit(
        description="Data sets as they were used, with where they came from."
    )
    registry.edit(ann, sets.id, change)
    protected_alias.create(ann, sets.id, "frozen")
    for name in ("Zoo", "Zoo holdout", "Penguin photos"):
        for number in range(3):
            made = make.version(
                "ben",
                name.replace(" ", "_").lower(),
                "dataset",
                {f"part-{part}.bin": make.dice.randbytes(300 + part) for part in range(4 + number)},
            )
            make.link("ann", made, name, sets)
    make.put("ann", sets, "Zoo", 1, "frozen")
    tuned = make.registry(
        "Fine-tuned Models",
        "Adapters and merged weights, by base model.",
        types=["model", "adapter"],
    )
    star.put(ann, tuned.id)
    make.registry(
        "Evaluation Sets",
        "What every candidate is measured on before it may be called staging.",
        types=["dataset", "benchmark", "rubric"],
    )
    make.registry("Embeddings", "Vectors and the indexes built from them.")
    held = make.registry(
        "Incident Review",
        "What was running when something went wrong. For the on-call team only.",
        restricted=True,
        types=["model", "log"],
    )
    made = make.version("ben", "incident", "log", {"trace.json": b'{"error": "timeout"}'})
    make.link("ann", made, "2026 outages", held, "under-review")
    make.registry("Tokenizers", "", types=["tokenizer"])
    make.wait(timedelta(days=40) / timedelta(days=1))
