"""`byname health`: how the server is."""

from __future__ import annotations

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, counted, in_columns, tell, telling


def health(url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False) -> None:
    """Show version, room, jobs and what waits. For administrators of the server."""
    with telling(as_json):
        found = call(url, api_key, "GET", path("health"))
        kept = found["kept_bytes"]
        waiting, held = found["deliveries_waiting"], found["deliveries_held"]
        rows = [["Problem", each] for each in found["problems"]]
        rows += [
            ["Version", f"{found['version']}, database {found['schema_version']}"],
            ["Running since", found["started_at"]],
            ["Free", counted(found["free_bytes"], "byte")],
            ["Kept", "too much to sum up now" if kept is None else counted(kept, "byte")],
            ["Database", counted(found["database_bytes"], "byte")],
            ["People", f"{found['people']}, of whom {found['administrators']} administer"],
            ["Service accounts", str(found["service_accounts"])],
            ["Organizations", str(found["organizations"])],
            ["Deliveries waiting", _since(waiting["count"], waiting["oldest_at"])],
            ["Deliveries held", _since(held["count"], held["oldest_at"])],
        ]
        for job in found["jobs"]:
            went = "not yet" if job["at"] is None else job["at"]
            if job["failure"] is not None:
                went += f", failed: {job['failure']}"
            rows.append([job["name"], went])
        tell(as_json, found, in_columns(rows, ""))


def _since(count: int, oldest: str | None) -> str:
    return str(count) if oldest is None else f"{count}, since {oldest}"
