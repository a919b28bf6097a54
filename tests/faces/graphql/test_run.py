"""Runs as the client makes, feeds and reads them, over HTTP."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from byname.domain.ids import to_id
from tests.support.site import PATH, PLACE, UPSERT, Site, make
from tests.support.world import ORGANIZATION, PROJECT, REGISTRY, TEAM, link_version, log_version

RESUME = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
  model(name: $project, entityName: $entity) { id name entity { id name }
    bucket(name: $name, missingOk: true) { id name summaryMetrics displayName logLineCount
      historyLineCount eventsLineCount historyTail eventsTail config tags notes
      wandbConfig(keys: ["t"]) } } }"""
RUN = """query Run($project: String!, $entity: String!, $name: String!) {
  project(name: $project, entityName: $entity) { run(name: $name) { projectId id tags name
    displayName sweepName state config group jobType commit readOnly createdAt heartbeatAt
    description notes systemMetrics summaryMetrics historyLineCount user { name username }
    historyKeys stopped fileCount parquetHistory(liveKeys: []) { parquetUrls liveData } } } }"""
RUNS = """query Runs($project: String!, $entity: String!, $filters: JSONString, $after: String) {
  project(name: $project, entityName: $entity) { internalId readOnly runCount(filters: $filters)
    runs(filters: $filters, after: $after, first: 2, order: "-created_at") {
      edges { node { name state config summaryMetrics systemMetrics user { username } historyKeys
        historyTail project { name } } cursor } pageInfo { endCursor hasNextPage } } } }"""
STREAMS = """query Streams($project: String!, $entity: String!, $name: String!) {
  project(name: $project, entityName: $entity) { run(name: $name) {
    history(minStep: 1, maxStep: 3, samples: 10) events(samples: 5)
    sampledHistory(specs: ["{\\"keys\\": [\\"_step\\", \\"loss\\"]}"]) logLineCount
    logLines(first: 1) { edges { node { number timestamp level label line } }
      pageInfo { endCursor hasNextPage } } } } }"""
USE = """mutation UseArtifact($input: UseArtifactInput!) {
  useArtifact(input: $input) { artifact { id digest usedBy { edges { node { name } } } } } }"""
LINEAGE = """query Lineage($id: ID!) { artifact(id: $id) { usedBy(first: 1) {
    edges { node { name inputArtifacts { totalCount edges { node { id } } } } }
    pageInfo { hasNextPage } }
  createdBy { __typename ... on Run { name outputArtifacts { totalCount edges { node { id } } } }
    ... on User { username } } } }"""


class TestInit:
    """Protocol 9.1, 9.5: what `wandb.init` asks for."""

    def test_upsert(self, site: Site) -> None:
        config = '{"_wandb": {"value": {"t": {"1": [1]}}}, "lr": {"value": 0.1}}'
        made = make(site, config=config)
        assert made["inserted"]
        assert made["bucket"]["config"] == config
        assert made["bucket"]["historyLineCount"] == 0
        assert made["bucket"]["displayName"]
        assert made["bucket"]["project"]["entity"]["name"] == TEAM
        again = make(site, displayName="mine")
        assert not again["inserted"]
        assert again["bucket"]["config"] == config
        by_id = site.data(UPSERT, input={"id": made["bucket"]["id"], "notes": "n"})
        assert by_id["upsertBucket"]["bucket"]["displayName"] == "mine"

    @pytest.mark.parametrize(
        ("given", "status"),
        [
            ({"entityName": "nobody"}, 404),
            ({"entityName": ORGANIZATION}, 422),
            ({"modelName": REGISTRY}, 422),
            ({"config": "[1]"}, 422),
            ({"name": "a/b"}, 422),
            ({"id": "UnVuOjk5"}, 404),
            ({"id": "nonsense"}, 422),
        ],
    )
    def test_refusals_never_conflict(self, site: Site, given: dict[str, Any], status: int) -> None:
        values = {"entityName": TEAM, "modelName": PROJECT, "name": "abcd1234", **given}
        found, answer = site.graphql(UPSERT, {"input": values})
        assert found == status
        assert answer["errors"][0]["message"]

    def test_a_viewer_is_forbidden(self, site: Site) -> None:
        site.world.add_person("eve", in_organization="viewer", in_team="viewer")
        status, _ = site.by("eve").graphql(
            UPSERT, {"input": {"entityName": TEAM, "modelName": PROJECT, "name": "r"}}
        )
        assert status == 403

    def test_resume(self, site: Site) -> None:
        make(site, config='{"_wandb": {"value": {"t": {"1": [1]}}}}')
        site.post(
            {
                "files": {
                    "wandb-history.jsonl": {"offset": 0, "content": ['{"_step":0}', '{"_step":1}']}
                }
            }
        )
        bucket = site.data(RESUME, **PLACE)["model"]["bucket"]
        assert json.loads(bucket["wandbConfig"]) == {"t": {"1": [1]}}
        assert json.loads(json.loads(bucket["historyTail"])[0]) == {"_step": 1}
        assert json.loads(bucket["eventsTail"]) == []
        assert bucket["historyLineCount"] == 2
        assert site.data(RESUME, **(PLACE | {"name": "other"}))["model"]["bucket"] is None


BODY = {
    "files": {
        "wandb-history.jsonl": {
            "offset": 0,
            "content": [json.dumps({"_step": n, "loss": n / 2}) for n in range(4)],
        },
        "wandb-events.jsonl": {"offset": 0, "content": ['{"system.cpu": 5}']},
        "wandb-summary.json": {"offset": 0, "content": ['{"loss":NaN}']},
        "output.log": {
            "offset": 0,
            "content": ["2026-01-02T03:04:05.000000 hello", "plain"],
        },
    }
}


class TestStream:
    """Protocol 9.3: posts while the run works."""

    def test_a_run_without_rows_tells_of_none(self, site: Site) -> None:
        make(site)
        run = site.data(RUN, **PLACE)["project"]["run"]
        assert run["parquetHistory"] == {"parquetUrls": [], "liveData": []}

    def test_there_and_back(self, site: Site) -> None:
        make(site, config='{"lr": {"value": 1}}', tags=["a"], groupName="g", jobType="train")
        assert site.post(BODY) == (200, {})
        assert site.post({"complete": True, "exitcode": 0}) == (200, {})
        run = site.data(RUN, **PLACE)["project"]["run"]
        assert run["state"] == "finished"
        assert (run["group"], run["jobType"], run["tags"]) == ("g", "train", ["a"])
        assert run["summaryMetrics"] == '{"loss":NaN}'
        assert json.loads(run["systemMetrics"]) == {"system.cpu": 5}
        assert run["historyKeys"]["lastStep"] == 3
        assert run["historyKeys"]["keys"]["loss"]["previousValue"] == 1.5
        assert run["user"]["username"] == "admin"
        assert run["readOnly"] is False
        # Release 0.27 of the client reads rows only from where it is told that they begin.
        assert run["parquetHistory"] == {"parquetUrls": [], "liveData": [{"_step": 0}]}
        streams = site.data(STREAMS, **PLACE)["project"]["run"]
        assert [json.loads(line)["_step"] for line in streams["history"]] == [1, 2]
        assert streams["sampledHistory"] == [[{"_step": n, "loss": n / 2} for n in range(4)]]
        assert streams["events"] == ['{"system.cpu": 5}']
        (edge,) = streams["logLines"]["edges"]
        assert edge["node"] == {
            "number": 0,
            "timestamp": "2026-01-02T03:04:05.000000Z",
            "level": "",
            "label": "",
            "line": "hello",
        }
        assert streams["logLines"]["pageInfo"]["hasNextPage"] is True

    def test_gzip(self, site: Site) -> None:
        make(site)
        body = gzip.compress(json.dumps(BODY).encode())
        assert site.post(body, **{"Content-Encoding": "gzip"}) == (200, {})
        assert site.data(RUN, **PLACE)["project"]["run"]["historyLineCount"] == 4

    def test_a_large_one(self, site: Site) -> None:
        make(site)
        lines = [json.dumps({"_step": n, "x": "y" * 200}) for n in range(2_000)]
        body = {"files": {"wandb-history.jsonl": {"offset": 0, "content": lines}}}
        assert site.post(body) == (200, {})
        assert site.data(RUN, **PLACE)["project"]["run"]["historyLineCount"] == 2_000

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"{", 400),
            (b"[]", 400),
            (b'{"files": 1}', 400),
            (b'{"files": {"output.log": {"offset": -1, "content": ["x"]}}}', 400),
            (b'{"files": {"wandb-history.jsonl": {"offset": 0, "content": ["x"]}}}', 400),
            (b'{"exitcode": "x"}', 400),
            (b"x" * (10 * 1024 * 1024 + 1), 413),
        ],
    )
    def test_what_cannot_be_read(self, site: Site, body: bytes, status: int) -> None:
        make(site)
        found, answer = site.post(body)
        assert found == status
        assert answer["error"]["message"]
        run = site.data(RUN, **PLACE)["project"]["run"]
        assert (run["historyLineCount"], run["state"]) == (0, "running")

    def test_who_may_not(self, site: Site) -> None:
        make(site)
        site.world.add_person("eve", in_organization="viewer", in_team="viewer")
        site.world.add_person("sue")
        assert site.by("eve").post({})[0] == 403
        assert site.by("sue").post({})[0] == 404
        assert site.post({}, "other")[0] == 404
        path = f"/files/{TEAM}/{PROJECT}/abcd1234/file_stream"
        assert site.ask("POST", path, b"{}")[0] == 401
        assert site.ask("POST", path, b"{}", {"Authorization": "Basic nonsense"})[0] == 401

    def test_stop(self, site: Site) -> None:
        run_id = make(site)["bucket"]["id"]
        query = "mutation Stop($id: ID!) { stopRun(input: {id: $id}) { success } }"
        assert site.data(query, id=run_id)["stopRun"]["success"] is True
        assert site.post({}) == (200, {"stopped": True})
        assert site.data(RUN, **PLACE)["project"]["run"]["stopped"] is True

    def test_an_alert(self, site: Site) -> None:
        """`run.alert`: who sees the run sees what its script sent."""
        make(site)
        query = (
            "mutation Alert($input: NotifyScriptableRunAlertInput!)"
            " { notifyScriptableRunAlert(input: $input) { success } }"
        )
        place = {"entityName": TEAM, "projectName": PROJECT, "runName": "abcd1234"}
        for title, severity in (("first", None), ("second", "ERROR")):
            said = place | {"title": title, "text": "it happened", "severity": severity}
            assert site.data(query, input=said)["notifyScriptableRunAlert"]["success"] is True
        missing = place | {"runName": "other", "title": "t", "text": "t"}
        assert site.graphql(query, {"input": missing})[0] == 404

    def test_rewind(self, site: Site) -> None:
        make(site)
        rows = [json.dumps({"_step": step}) for step in range(5)]
        site.post({"files": {"wandb-history.jsonl": {"offset": 0, "content": rows}}})
        query = (
            'mutation Rewind($to: Float!) { rewindRun(input: {runName: "abcd1234", entityName: '
            f'"{TEAM}", projectName: "{PROJECT}", metricName: "_step", metricValue: $to}})'
            " { rewoundRun { name historyLineCount } } }"
        )
        assert site.data(query, to=2)["rewindRun"]["rewoundRun"]["historyLineCount"] == 3
        assert site.graphql(query, {"to": 3})[0] == 422


class TestRuns:
    """Protocol 12.2: listing, with a fixed number of statements per page."""

    def test_pages(self, site: Site) -> None:
        for number in range(3):
            make(site, name=f"r{number}", config=json.dumps({"n": {"value": number}}))
        place = {"entity": TEAM, "project": PROJECT}
        project = site.data(RUNS, **place)["project"]
        assert project["runCount"] == 3
        assert [edge["node"]["name"] for edge in project["runs"]["edges"]] == ["r2", "r1"]
        after = project["runs"]["pageInfo"]["endCursor"]
        rest = site.data(RUNS, **place, after=after)["project"]["runs"]
        assert [edge["node"]["name"] for edge in rest["edges"]] == ["r0"]
        assert rest["pageInfo"]["hasNextPage"] is False
        some = site.data(RUNS, **place, filters='{"config.n": {"$gt": 0}}')["project"]
        assert some["runCount"] == 2
        status, answer = site.graphql(RUNS, {**place, "filters": '{"secret": 1}'})
        assert status == 422
        assert "secret" in answer["errors"][0]["message"]

    def test_delete_and_state(self, site: Site) -> None:
        run_id = make(site)["bucket"]["id"]
        update = (
            "mutation U($input: UpdateRunStateInput!) { updateRunState(input: $input) { success } }"
        )
        assert site.data(update, input={"id": run_id, "state": "failed"})["updateRunState"][
            "success"
        ]
        by_path = {"state": "pending", **PATH}
        assert site.data(update, input=by_path)["updateRunState"]["success"]
        assert site.data(RUN, **PLACE)["project"]["run"]["state"] == "pending"
        assert site.graphql(update, {"input": {"id": run_id, "state": "finished"}})[0] == 409
        delete = "mutation D($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }"
        site.data(delete, id=run_id)
        assert site.data(RUN, **PLACE)["project"]["run"] is None
        assert site.graphql(delete, {"id": run_id})[0] == 404

    def test_hidden_projects_have_no_runs(self, site: Site) -> None:
        make(site)
        site.world.add_person("sue")
        assert site.by("sue").data(RUN, **PLACE)["project"] is None


class TestLineage:
    """Protocol 9.12: both ways."""

    def test_used_and_made(self, site: Site) -> None:
        make(site)
        make(site, name="maker")
        version = log_version(site.world.admin, run="maker")
        link_version(site.world.admin, version)
        artifact_id = to_id("Artifact", version.id)
        used = site.data(
            USE,
            input={
                **PATH,
                "artifactID": artifact_id,
                "usedAs": "zoo",
                "artifactEntityName": ORGANIZATION,
                "artifactProjectName": REGISTRY,
            },
        )["useArtifact"]["artifact"]
        assert used["id"] == artifact_id
        found = site.data(LINEAGE, id=artifact_id)["artifact"]
        (edge,) = found["usedBy"]["edges"]
        assert edge["node"] == {
            "name": "abcd1234",
            "inputArtifacts": {"totalCount": 1, "edges": [{"node": {"id": artifact_id}}]},
        }
        assert found["createdBy"] == {
            "__typename": "Run",
            "name": "maker",
            "outputArtifacts": {"totalCount": 1, "edges": [{"node": {"id": artifact_id}}]},
        }
        alone = log_version(site.world.admin, "alone", files={"f": b"1"})
        found = site.data(LINEAGE, id=to_id("Artifact", alone.id))["artifact"]
        assert found["createdBy"] == {"__typename": "User", "username": "admin"}


class TestOldReleasesBringRunsLater:
    """Protocol 16: `wandb sync` of releases up to 0.27 looks a type up by name, and fails without."""

    def test_what_they_look_for_is_there(self, site: Site) -> None:
        probe = 'query { found: __type(name: "ServerSettings") { fields { name } } }'
        assert site.data(probe) == {"found": {"fields": [{"name": "serverMessages"}]}}
        text = UPSERT.replace("inserted", "inserted serverSettings { serverMessages { utfText } }")
        values = {"entityName": TEAM, "modelName": PROJECT, "name": "later"}
        made = site.data(text, input=values)["upsertBucket"]
        assert made["serverSettings"] == {"serverMessages": []}
        assert made["inserted"] is True
