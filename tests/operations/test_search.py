"""Filtered lists: what is found, in which order, in which pages, and for whom (R112 to R124)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from byname.domain.collection import Collection, Membership
from byname.domain.entity import Entity
from byname.domain.errors import Unprocessable
from byname.domain.filter import COLLECTION_FIELDS, VERSION_FIELDS
from byname.domain.filter_text import parse
from byname.domain.page import Page
from byname.domain.project import Project
from byname.operations import collection as collection_operations
from byname.operations import entity, registry, search
from byname.operations import version as version_operations
from byname.operations.alias import Place
from byname.operations.context import Context
from byname.operations.registry import NewRegistry
from byname.store import search as rows
from tests.support.world import ORGANIZATION, REGISTRY, World, link_version, log_version


def org(ctx: Context) -> Entity:
    found = entity.find(ctx, ORGANIZATION)
    assert found is not None
    return found


def pages(fetch: Callable[[str | None], Page[Any]]) -> list[Any]:
    """All items, page by page. No page that is not the last may be empty (protocol 13)."""
    items: list[Any] = []
    after = None
    for _ in range(100):
        page = fetch(after)
        items += page.items
        if not page.has_next:
            return items
        assert page.items
        after = page.end_cursor
    raise AssertionError("The list does not end.")


def versions(ctx: Context, wanted: Any = None, **options: Any) -> list[str]:
    """What is found, as `collection:vN`."""
    filters = None if wanted is None else json.dumps(wanted)
    page = search.memberships(ctx, org(ctx), filters=filters, **options)
    names = _names(ctx, page.items)
    assert page.count() == len(page.items)
    return names


def _names(ctx: Context, found: Any) -> list[str]:
    names = []
    for membership in found:
        place = collection_operations.get(ctx, membership.collection_id)
        assert place is not None
        names.append(f"{place.name}:v{membership.number}")
    return names


def collections(ctx: Context, wanted: Any = None, **options: Any) -> list[str]:
    filters = None if wanted is None else json.dumps(wanted)
    page = search.collections(ctx, org(ctx), filters=filters, **options)
    assert page.count() == len(page.items)
    return [collection.name for collection in page.items]


def registries(ctx: Context, wanted: Any = None, **options: Any) -> list[str]:
    filters = None if wanted is None else json.dumps(wanted)
    page = search.projects(ctx, org(ctx), filters=filters, **options)
    assert page.count() == len(page.items)
    return [project.registry_name for project in page.items]


@pytest.fixture
def zoo(world: World) -> World:
    """Collection Zoo: v0 (tag good, accuracy 0.5), v1 (best; 0.9), v2 (no metadata). Farm: v0."""
    ctx = world.admin
    metadata = ['{"accuracy":0.5,"layers":[1,2],"kind":"cnn","on":true}', '{"accuracy":0.9}', None]
    for number, text in enumerate(metadata):
        version = log_version(ctx, "zoo", {"w": b"%d" % number})
        version_operations.edit(
            ctx,
            version.id,
            version_operations.VersionEdit(
                metadata=text, add_tags=["good", "old"] if number == 0 else []
            ),
        )
        link_version(ctx, version, "Zoo", ["best", "prod"] if number == 1 else [])
    link_version(ctx, log_version(ctx, "farm", type_name="dataset"), "Farm")
    collection_operations.edit_tags(ctx, Place(ORGANIZATION, REGISTRY, "Zoo"), add=["animals"])
    return world


ALL = ["Farm:v0", "Zoo:v2", "Zoo:v1", "Zoo:v0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, ALL),
        ({}, ALL),
        ({"alias": "best"}, ["Zoo:v1"]),
        ({"alias": "latest"}, ["Farm:v0", "Zoo:v2"]),
        ({"alias": {"$in": ["best", "prod"]}}, ["Zoo:v1"]),  # R124: once.
        ({"alias": {"$ne": "latest"}}, ["Zoo:v1", "Zoo:v0"]),
        ({"alias": {"$regex": "^pr"}}, ["Zoo:v1"]),
        ({"alias": {"$exists": False}}, ["Zoo:v0"]),
        ({"alias": {"$all": ["best", "prod"]}}, ["Zoo:v1"]),
        ({"alias": {"$all": ["best", "latest"]}}, []),
        ({"alias": {"$size": 2}}, ["Zoo:v1"]),
        ({"alias": {"$contains": "es"}}, ["Farm:v0", "Zoo:v2", "Zoo:v1"]),
        ({"tag": "good"}, ["Zoo:v0"]),
        ({"tag": {"$nin": ["good"]}}, ["Farm:v0", "Zoo:v2", "Zoo:v1"]),
        ({"tag": {"$not": {"$contains": "oo"}}}, ["Farm:v0", "Zoo:v2", "Zoo:v1"]),
        ({"tag": {"$in": ["good", "old"]}, "version": "v0"}, ["Zoo:v0"]),
        ({"version": "v0"}, ["Farm:v0", "Zoo:v0"]),
        ({"version": {"$gt": "v0"}}, ["Zoo:v2", "Zoo:v1"]),
        ({"version": {"$regex": "^v[12]$"}}, ["Zoo:v2", "Zoo:v1"]),
        ({"metadata.accuracy": {"$gte": 0.5, "$lt": 0.9}}, ["Zoo:v0"]),
        ({"metadata.accuracy": 0.9}, ["Zoo:v1"]),
        ({"metadata.accuracy": {"$ne": 0.9}}, ["Farm:v0", "Zoo:v2", "Zoo:v0"]),
        ({"metadata.accuracy": "0.9"}, []),
        ({"metadata.accuracy": {"$exists": True}}, ["Zoo:v1", "Zoo:v0"]),
        ({"metadata.kind": {"$regex": "n{2}"}}, ["Zoo:v0"]),
        ({"metadata.kind": {"$contains": "cn"}}, ["Zoo:v0"]),
        ({"metadata.kind": {"$in": ["rnn", "cnn", 3, True]}}, ["Zoo:v0"]),
        ({"metadata.layers": 2}, ["Zoo:v0"]),
        ({"metadata.layers": [1, 2]}, ["Zoo:v0"]),
        ({"metadata.layers": {"$all": [1, 2]}}, ["Zoo:v0"]),
        ({"metadata.layers": {"$size": 2}}, ["Zoo:v0"]),
        ({"metadata.on": True}, ["Zoo:v0"]),
        ({"metadata.on": 1}, []),
        ({"metadata.nothing": None, "alias": "best"}, ["Zoo:v1"]),
        ({"$or": [{"alias": "best"}, {"tag": "good"}]}, ["Zoo:v1", "Zoo:v0"]),
        ({"$nor": [{"alias": "best"}, {"tag": "good"}]}, ["Farm:v0", "Zoo:v2"]),
        ({"$not": {"metadata.accuracy": {"$gt": 0}}}, ["Farm:v0", "Zoo:v2"]),
        ({"artifact_size": {"$gt": 1}}, ["Farm:v0"]),
        ({"created_at": {"$gt": "2020-01-01", "$lt": "2999-01-01 00:00:00"}}, ALL),
        ({"linked_at": {"$lt": "2020-01-01"}}, []),
        ({"state": "COMMITTED"}, ALL),
        ({"tag": {"$in": []}}, []),
        ({"$or": []}, []),
    ],
)
def test_versions_are_found_by_filters(zoo: World, wanted: Any, found: list[str]) -> None:
    """R118, R119, R124; by default the newest link is first (protocol 20)."""
    assert versions(zoo.admin, wanted) == found


def test_numbers_in_metadata_may_be_larger_than_any_id(world: World) -> None:  # R56, R119
    for name, number in (("big", 2**70), ("far", 1e200), ("small", 5)):
        version = log_version(world.admin, name)
        version_operations.edit(
            world.admin,
            version.id,
            version_operations.VersionEdit(metadata=json.dumps({"a": number})),
        )
        link_version(world.admin, version, name)
    for wanted, found in (
        (2**70, ["big:v0"]),
        ({"$in": [2**70, 5]}, ["small:v0", "big:v0"]),
        ({"$gt": 1e20}, ["far:v0", "big:v0"]),
        ({"$lt": -1e300}, []),
        ({"$lt": 2**64}, ["small:v0"]),
    ):
        assert versions(world.admin, {"metadata.a": wanted}) == found
    with pytest.raises(Unprocessable, match="metadata wants"):
        versions(world.admin, {"metadata.a": 10**400})
    with pytest.raises(Unprocessable, match="artifact_size wants"):
        versions(world.admin, {"artifact_size": 2**70})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, ["Zoo", "Farm"]),
        ({"name": "Zoo"}, ["Zoo"]),
        ({"name": {"$regex": "o$"}}, ["Zoo"]),
        ({"name": {"$ne": "Zoo"}}, ["Farm"]),
        ({"tag": "animals"}, ["Zoo"]),
        ({"tag": {"$exists": False}}, ["Farm"]),
        ({"description": None}, ["Zoo", "Farm"]),
        ({"description": {"$ne": "x"}}, ["Zoo", "Farm"]),
        ({"description": {"$contains": "x"}}, []),
        ({"created_at": {"$lt": "2020-01-01"}}, []),
    ],
)
def test_collections_are_found_by_filters(zoo: World, wanted: Any, found: list[str]) -> None:
    assert collections(zoo.admin, wanted) == found


def test_filters_of_all_three_levels_are_taken_together(zoo: World) -> None:  # R117
    ctx = zoo.admin
    by_name = json.dumps({"name": REGISTRY})
    assert versions(ctx, project_filters=by_name, collection_filters='{"name": "Farm"}') == [
        "Farm:v0"
    ]
    assert versions(ctx, project_filters=json.dumps({"name": "wandb-registry-Dataset"})) == []
    assert collections(ctx, {"tag": "animals"}, project_filters=by_name) == ["Zoo"]
    assert collections(ctx, kinds=["sequence"]) == []


def test_registry_names_are_matched_whole_and_without_case(world: World) -> None:  # R15, R121
    ctx = world.admin
    assert registries(ctx) == ["Model", "Dataset"]
    assert registries(ctx, {"name": "wandb-registry-model"}) == ["Model"]
    assert registries(ctx, {"name": "Model"}) == []
    assert registries(ctx, {"name": {"$regex": "^wandb-registry-D"}}) == ["Dataset"]
    assert registries(ctx, {"name": {"$in": ["wandb-registry-Dataset", "x"]}}) == ["Dataset"]
    assert registries(ctx, order="-name") == ["Model", "Dataset"]
    assert registries(ctx, order="+name") == ["Dataset", "Model"]
    assert registries(ctx, order="-created_at") == ["Dataset", "Model"]


def test_only_visible_registries_are_listed_searched_and_counted(zoo: World) -> None:  # R112, R114
    secret = registry.create(
        zoo.admin, NewRegistry(organization=ORGANIZATION, name="Secret", restricted=True)
    )
    link_version(zoo.admin, log_version(zoo.admin, "hidden"), "Hidden", project=secret.name)
    bob = zoo.add_person("bob", in_organization="member")
    stranger = zoo.add_person("stranger")
    assert registries(bob) == ["Model", "Dataset"]
    assert registries(zoo.admin) == ["Model", "Dataset", "Secret"]
    assert collections(bob) == ["Zoo", "Farm"]
    assert versions(bob) == ALL
    assert versions(bob, project_filters=json.dumps({"id": secret.id})) == []
    found = entity.find(zoo.admin, ORGANIZATION)
    assert found is not None
    assert search.projects(stranger, found).items == []
    assert search.collections(stranger, found).count() == 0
    assert search.memberships(stranger, found).count() == 0


def test_pages_join_to_the_whole_in_every_order(zoo: World) -> None:  # R122
    ctx = zoo.admin

    def fetch(order: str | None) -> Callable[[str | None], Page[Membership]]:
        return lambda after: search.memberships(ctx, org(ctx), order=order, after=after, first=1)

    assert _names(ctx, pages(fetch(None))) == ALL
    for field in ("artifact_created_at", "artifact_size", "acm_created_at"):
        up, down = (_names(ctx, pages(fetch(sign + field))) for sign in "+-")
        assert sorted(up) == sorted(ALL)
        assert down == up[::-1]
    assert _names(ctx, pages(fetch("+acm_created_at"))) == ALL[::-1]
    assert _names(ctx, pages(fetch("-artifact_size")))[0] == "Farm:v0"

    def fetch_collections(order: str) -> Callable[[str | None], Page[Collection]]:
        return lambda after: search.collections(ctx, org(ctx), order=order, after=after, first=1)

    assert [c.name for c in pages(fetch_collections("name"))] == ["Farm", "Zoo"]
    assert [c.name for c in pages(fetch_collections("-created_at"))] == ["Farm", "Zoo"]

    def fetch_registries(order: str) -> Callable[[str | None], Page[Project]]:
        return lambda after: search.projects(ctx, org(ctx), order=order, after=after, first=1)

    assert [p.registry_name for p in pages(fetch_registries("-name"))] == ["Model", "Dataset"]


def test_a_cursor_serves_its_own_list_and_order_only(zoo: World) -> None:
    ctx = zoo.admin
    cursor = search.memberships(ctx, org(ctx), first=1).end_cursor
    with pytest.raises(Unprocessable, match="another order"):
        search.memberships(ctx, org(ctx), order="-artifact_size", after=cursor)
    with pytest.raises(Unprocessable, match="another list"):
        search.collections(ctx, org(ctx), after=cursor)
    for broken in ("x", "é", "W10", "\ud800", "a" * 10_000, "WyJtZW1iZXJzaGlwcyAyIC1pZCIsMV0"):
        with pytest.raises(Unprocessable, match="cursor"):
            search.memberships(ctx, org(ctx), after=broken)


def test_bad_orders_page_sizes_and_filters_are_refused(zoo: World) -> None:
    ctx = zoo.admin
    with pytest.raises(Unprocessable, match="Unknown order 'size_x'; valid ones: created_at"):
        search.memberships(ctx, org(ctx), order="size_x")
    with pytest.raises(Unprocessable, match="valid ones: name, created_at, updated_at"):
        search.projects(ctx, org(ctx), order="+description")
    with pytest.raises(Unprocessable, match="negative"):
        search.projects(ctx, org(ctx), first=-1)
    with pytest.raises(Unprocessable, match="filter of registries") as error:
        search.collections(ctx, org(ctx), project_filters='{"x": 1}')
    assert error.value.details["field"] == "projectFilters"


def test_a_query_that_takes_too_long_is_cut(
    zoo: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # R123
    monkeypatch.setattr("byname.store.database.STEPS_BETWEEN_LOOKS", 1)
    monkeypatch.setattr(search, "SECONDS_MAX", 0.0)
    with pytest.raises(Unprocessable, match="would take longer") as error:
        search.memberships(zoo.admin, org(zoo.admin))
    assert error.value.code == "query_too_slow"
    with pytest.raises(Unprocessable, match="would take longer"):
        search.all_projects(zoo.admin, after=0, limit=50, only=lambda _: [])
    monkeypatch.setattr(search, "SECONDS_MAX", 10.0)
    assert versions(zoo.admin) == ALL


def test_the_versions_of_one_collection(zoo: World) -> None:
    ctx = zoo.admin
    (collection,) = search.collections(ctx, org(ctx), filters='{"name": "Zoo"}').items

    def numbers(**options: Any) -> list[int]:
        page = search.versions_of_collection(ctx, collection.id, **options)
        assert page.count() == len(page.items)
        return [membership.number for membership in page.items]

    assert numbers() == [2, 1, 0]
    assert numbers(filters='{"state": "COMMITTED"}') == [2, 1, 0]
    assert numbers(filters='{"state": "PENDING"}') == []
    assert numbers(filters='{"alias": "best"}') == [1]
    assert numbers(order="createdAt") == [0, 1, 2]
    assert numbers(order="-nonsense") == [2, 1, 0]

    def fetch(after: str | None) -> Page[Membership]:
        return search.versions_of_collection(ctx, collection.id, after=after, first=1)

    assert [membership.number for membership in pages(fetch)] == [2, 1, 0]


def test_the_collections_of_one_project(zoo: World) -> None:
    ctx = zoo.admin
    (model, _) = search.projects(ctx, org(ctx)).items
    found = search.collections_of_project(ctx, model.id, type_name="dataset")
    assert [c.name for c in found.items] == ["Farm"]
    assert found.count() == 1
    found = search.collections_of_project(ctx, model.id, order="-whatever", filters='{"tag":"x"}')
    assert found.items == []


@pytest.mark.parametrize(
    ("wanted", "of_collections", "way"),
    [
        ({"alias": "best"}, None, "SEARCH m USING INTEGER PRIMARY KEY"),
        ({"tag": {"$in": ["good", "bad"]}}, None, "SEARCH m USING INDEX membership_by_version"),
        ({"id": 7}, None, "SEARCH m USING INDEX membership_by_version"),
        ({"version": "v3"}, None, "SEARCH m USING INDEX"),
        (None, {"name": "Zoo"}, "SEARCH m USING INDEX membership_live"),
        ({"alias": "best"}, {"name": {"$in": ["Zoo", "Farm"]}}, "SEARCH m USING INTEGER PRIMARY"),
        ({"version": "v3", "metadata.x": 1}, {"tag": "animals"}, "SEARCH m USING INDEX"),
    ],
)
@pytest.mark.parametrize("column", ["m.id", "v.created_at"])
def test_names_are_found_through_indexes(
    zoo: World, wanted: Any, of_collections: Any, way: str, column: str
) -> None:
    """With a million versions nobody waits for a name, tag, number or collection to be found."""
    scope = rows.Scope(
        [1, 2],
        None if of_collections is None else parse(json.dumps(of_collections), COLLECTION_FIELDS),
    )
    node = None if wanted is None else parse(json.dumps(wanted), VERSION_FIELDS)
    order = rows.Order(column, descending=True)
    with zoo.nobody.database.read() as tx:
        statement = rows.memberships_statement(
            scope,
            node,
            order,
            101,
            few=of_collections is not None,
            named=rows.Named.by(tx, node),
        )
        plan = [
            row["detail"]
            for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
        ]
    assert any(step.startswith(way) for step in plan), plan
    # `j` is the metadata of one version.
    assert not [s for s in plan if s.startswith("SCAN") and not s.startswith("SCAN j")], plan


def test_the_newest_links_are_read_off_without_sorting_them_all(zoo: World) -> None:
    statement = rows.memberships_statement(
        rows.Scope([1, 2]), None, rows.Order("m.id", descending=True), 101, few=False
    )
    with zoo.nobody.database.read() as tx:
        plan = [
            row["detail"]
            for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
        ]
    assert not [step for step in plan if "TEMP B-TREE" in step and "ORDER BY" in step], plan


@pytest.mark.parametrize("wanted", [{"tag": "good"}, {"alias": {"$in": ["best", "latest"]}}])
def test_a_name_that_very_many_have_is_asked_of_each_row(
    zoo: World, monkeypatch: pytest.MonkeyPatch, wanted: Any
) -> None:
    """Of a million versions with one tag the newest are read off until the page is full."""
    monkeypatch.setattr(rows, "FEW", -1)
    node = parse(json.dumps(wanted), VERSION_FIELDS)
    with zoo.nobody.database.read() as tx:
        named = rows.Named.by(tx, node)
        statement = rows.memberships_statement(
            rows.Scope([1, 2]),
            node,
            rows.Order("m.id", descending=True),
            101,
            few=False,
            named=named,
        )
        plan = [
            row["detail"]
            for row in tx.all("EXPLAIN QUERY PLAN " + statement.text, statement.values)
        ]
    assert not named.narrow
    assert not [step for step in plan if "TEMP B-TREE" in step and "ORDER BY" in step], plan
    # The versions are walked, and each is asked by its own id.
    assert [s for s in plan if s.startswith("SEARCH n") and "_id=? AND name=?" in s], plan


def test_both_ways_of_walking_find_the_same(zoo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filters: list[Any] = [
        {"tag": "good"},
        {"alias": "best"},
        {"$or": [{"tag": "good"}, {"alias": "best"}]},
        {"$and": [{"tag": "good"}, {"alias": "latest"}]},
    ]
    gathered = [versions(zoo.admin, each) for each in filters]
    assert all(gathered[:3])
    monkeypatch.setattr(rows, "FEW", -1)
    assert [versions(zoo.admin, each) for each in filters] == gathered
    assert versions(zoo.admin) == ALL
    assert versions(zoo.admin, {"metadata.accuracy": {"$gt": 0}}) == ["Zoo:v1", "Zoo:v0"]
    assert versions(zoo.admin, {"version": "v0"}) == ["Farm:v0", "Zoo:v0"]
