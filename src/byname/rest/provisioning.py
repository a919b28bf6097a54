"""SCIM 2.0 (RFC 7643, RFC 7644): a provider of identities keeps people and teams in step (R194).

Users are the people of one organization, groups its teams. Below `/scim` it is the one organization
that the key may provision; below `/scim/organizations/NAME` that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Error,
    ETag,
    External,
    Filter,
    Meta,
    Pagination,
    Patch,
    Reference,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
)
from scim2_models import Context as Moment

from byname.domain.provisioning import (
    PAGE_MAX,
    Account,
    Group,
)
from byname.http.addresses import Addresses
from byname.http.authentication import KeyUses
from byname.operations import provisioning as operations
from byname.operations.context import Context
from byname.operations.provisioning import Found
from byname.rest import errors
from byname.rest.asking import Addressing, Asking, Server
from byname.rest.provisioning_filter import (
    FIELDS_OF_GROUPS,
    FIELDS_OF_PEOPLE,
    read_filter,
    read_id,
)
from byname.rest.provisioning_resource import (
    POLICY,
    Scimmed,
    Team,
    User,
    check_depth,
    creating,
    patching_team,
    patching_user,
    replacing,
    to_team,
    to_user,
    to_wanted,
    to_wanted_group,
)

SCIM_JSON = "application/scim+json"
SKIP_MAX = 10**9


def _organization(request: Request) -> str | None:
    found = request.path_params.get("organization")
    return None if found is None else str(found)


def _place(request: Request, addresses: Addressing) -> str:
    """The address of this interface, as the asker spells it."""
    name = _organization(request)
    return addresses.public_url + errors.SCIM + ("" if name is None else f"/organizations/{name}")


Home = Annotated[str | None, Depends(_organization)]
Place = Annotated[str, Depends(_place)]
Sent = Annotated[dict[str, Any], Body()]
Wish = Annotated[str | None, Query(alias="filter")]
Only = Annotated[str | None, Query(alias="attributes")]
But = Annotated[str | None, Query(alias="excludedAttributes")]
Start = Annotated[int, Query(alias="startIndex")]
Count = Annotated[int, Query(alias="count")]

router = APIRouter()


def _answer(resource: User | Team, moment: Moment, status: int = 200, **more: Any) -> Response:
    location = {} if resource.meta is None else {"location": str(resource.meta.location)}
    return JSONResponse(
        resource.model_dump(scim_ctx=moment, **more),
        status,
        headers=location,
        media_type=SCIM_JSON,
    )


def _listed(
    kind: type[Scimmed],
    resources: list[Scimmed],
    total: int,
    start: int,
    only: str | None,
    but: str | None,
) -> Response:
    chosen = _chosen(kind, only, but)
    return JSONResponse(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(resources),
            "Resources": [
                each.model_dump(scim_ctx=Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen)
                for each in resources
            ],
        },
        media_type=SCIM_JSON,
    )


def _chosen(kind: Any, only: str | None, but: str | None) -> ResponseParameters[Any]:
    given = {"attributes": only, "excludedAttributes": but}
    chosen: ResponseParameters[Any] = ResponseParameters[kind].model_validate(
        {name: text for name, text in given.items() if text}, scim_policy=POLICY
    )
    return chosen


def _window(start: int, count: int) -> tuple[int, int]:
    """How many to skip, and how many to show (RFC 7644, 3.4.2.4)."""
    return min(max(start, 1) - 1, SKIP_MAX), min(max(count, 0), PAGE_MAX)


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    """The search in a body (RFC 7644, 3.4.3), as the routes of lists take it from an address."""
    check_depth(body)
    sent: SearchRequest[Any] = SearchRequest.model_validate(
        body, scim_ctx=Moment.SEARCH_REQUEST, scim_policy=POLICY
    )
    return {
        "wish": sent.filter,
        "start": 1 if sent.start_index is None else sent.start_index,
        "count": PAGE_MAX if sent.count is None else sent.count,
        "only": ",".join(map(str, sent.attributes or ())),
        "but": ",".join(map(str, sent.excluded_attributes or ())),
    }


@router.get("/Users")
def list_users(
    ctx: Asking,
    home: Home,
    place: Place,
    wish: Wish = None,
    start: Start = 1,
    count: Count = PAGE_MAX,
    only: Only = None,
    but: But = None,
) -> Response:
    """List the people of the organization; at most 100 at a time."""
    condition = read_filter(User, wish, FIELDS_OF_PEOPLE)
    skip, limit = _window(start, count)
    found: Found[Account] = operations.list_people(ctx, home, condition, skip=skip, limit=limit)
    users = [to_user(each, place) for each in found.items]
    return _listed(User, users, found.total, skip + 1, only, but)


@router.post("/Users")
def create_user(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """Put a person into the organization."""
    wanted = to_wanted(creating(User, body), patched=False)
    made = operations.create_person(ctx, home, wanted)
    return _answer(to_user(made, place), Moment.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Users/.search")
def search_users(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """List people, as asked for in a body instead of the address."""
    return list_users(ctx, home, place, **_asked(body))


@router.get("/Users/{user_id}")
def get_user(
    ctx: Asking, home: Home, place: Place, user_id: str, only: Only = None, but: But = None
) -> Response:
    """Show a person of the organization."""
    found = operations.get_person(ctx, home, read_id(user_id))
    chosen = _chosen(User, only, but)
    return _answer(
        to_user(found, place), Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen
    )


@router.put("/Users/{user_id}")
def replace_user(ctx: Asking, home: Home, place: Place, user_id: str, body: Sent) -> Response:
    """Set what may change of a person; what is not said stays."""
    replaced = replacing(User, body, partial(to_user, place=place))
    made = operations.change_person(
        ctx, home, read_id(user_id), lambda account: to_wanted(replaced(account), patched=False)
    )
    return _answer(to_user(made, place), Moment.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Users/{user_id}")
def patch_user(ctx: Asking, home: Home, place: Place, user_id: str, body: Sent) -> Response:
    """Change some of a person: all of the operations, or none."""
    patched = patching_user(body, partial(to_user, place=place))
    made = operations.change_person(
        ctx, home, read_id(user_id), lambda account: to_wanted(patched(account), patched=True)
    )
    return _answer(to_user(made, place), Moment.RESOURCE_PATCH_RESPONSE)


@router.delete("/Users/{user_id}", status_code=204)
def delete_user(ctx: Asking, home: Home, user_id: str) -> None:
    """Take a person out of the organization, its teams and registries. The account stays."""
    operations.remove_person(ctx, home, read_id(user_id))


@router.get("/Groups")
def list_groups(
    ctx: Asking,
    home: Home,
    place: Place,
    wish: Wish = None,
    start: Start = 1,
    count: Count = PAGE_MAX,
    only: Only = None,
    but: But = None,
) -> Response:
    """List the teams of the organization; at most 100 at a time."""
    condition = read_filter(Team, wish, FIELDS_OF_GROUPS)
    skip, limit = _window(start, count)
    found: Found[Group] = operations.list_groups(ctx, home, condition, skip=skip, limit=limit)
    teams = [to_team(each, place) for each in found.items]
    return _listed(Team, teams, found.total, skip + 1, only, but)


@router.post("/Groups")
def create_group(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """Make a team of the organization."""
    wanted = to_wanted_group(creating(Team, body), patched=False)
    made = operations.create_group(ctx, home, wanted)
    return _answer(to_team(made, place), Moment.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Groups/.search")
def search_groups(ctx: Asking, home: Home, place: Place, body: Sent) -> Response:
    """List teams, as asked for in a body instead of the address."""
    return list_groups(ctx, home, place, **_asked(body))


@router.get("/Groups/{team_id}")
def get_group(
    ctx: Asking, home: Home, place: Place, team_id: str, only: Only = None, but: But = None
) -> Response:
    """Show a team of the organization."""
    found = operations.get_group(ctx, home, read_id(team_id))
    chosen = _chosen(Team, only, but)
    return _answer(
        to_team(found, place), Moment.RESOURCE_QUERY_RESPONSE, response_parameters=chosen
    )


@router.put("/Groups/{team_id}")
def replace_group(ctx: Asking, home: Home, place: Place, team_id: str, body: Sent) -> Response:
    """Set who is in a team; without members those stay."""
    replaced = replacing(Team, body, partial(to_team, place=place))
    made = operations.change_group(
        ctx, home, read_id(team_id), lambda group: to_wanted_group(replaced(group), patched=False)
    )
    return _answer(to_team(made, place), Moment.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Groups/{team_id}")
def patch_group(ctx: Asking, home: Home, place: Place, team_id: str, body: Sent) -> Response:
    """Change who is in a team: all of the operations, or none."""
    made = operations.change_group(ctx, home, read_id(team_id), patching_team(body, place))
    return _answer(to_team(made, place), Moment.RESOURCE_PATCH_RESPONSE)


@router.delete("/Groups/{team_id}", status_code=204)
def delete_group(ctx: Asking, home: Home, team_id: str) -> None:
    """Delete a team that has no projects."""
    operations.remove_group(ctx, home, read_id(team_id))


# ---- what this interface can (RFC 7644, 4) -----------------------------------------------------


def _config(place: str) -> ServiceProviderConfig:
    specification = "https://www.rfc-editor.org/rfc/"
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=PAGE_MAX),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        pagination=Pagination(
            cursor=False, index=True, default_page_size=PAGE_MAX, max_page_size=PAGE_MAX
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer",
                description="The API key of an admin or service account of the organization",
                spec_uri=Reference[External](f"{specification}rfc6750"),
                primary=True,
            ),
            AuthenticationScheme(
                type=AuthenticationScheme.Type.httpbasic,
                name="Basic",
                description="Any user name; the API key is the password",
                spec_uri=Reference[External](f"{specification}rfc7617"),
            ),
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{place}/ServiceProviderConfig"),
    )


def _types(place: str) -> dict[str, ResourceType]:
    made = {}
    for name, kind in (("User", User), ("Group", Team)):
        found = ResourceType.from_resource(kind)
        found.meta = Meta(resource_type="ResourceType", location=f"{place}/ResourceTypes/{name}")
        made[name] = found
    return made


def _schemas(place: str) -> dict[str, Schema]:
    made = {}
    for name, kind in (("User", User), ("Group", Team)):
        found = kind.to_schema()
        found.name = name
        found.meta = Meta(resource_type="Schema", location=f"{place}/Schemas/{found.id}")
        made[str(found.id)] = found
    return made


def _described(found: Any) -> dict[str, Any]:
    shown: dict[str, Any] = found.model_dump(scim_ctx=Moment.RESOURCE_QUERY_RESPONSE)
    return shown


def _all_described(found: Mapping[str, Any]) -> Response:
    return JSONResponse(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(found),
            "startIndex": 1,
            "itemsPerPage": len(found),
            "Resources": [_described(each) for each in found.values()],
        },
        media_type=SCIM_JSON,
    )


def _one_described(found: Mapping[str, Any], name: str) -> Response:
    if name not in found:
        raise _nothing()
    return JSONResponse(_described(found[name]), media_type=SCIM_JSON)


def _nothing() -> Exception:
    return errors.nothing_here()


@router.get("/ServiceProviderConfig")
def get_config(_ctx: Asking, place: Place) -> Response:
    """What this interface can."""
    return JSONResponse(_described(_config(place)), media_type=SCIM_JSON)


@router.get("/ResourceTypes")
def list_types(_ctx: Asking, place: Place) -> Response:
    """The two kinds of things there are."""
    return _all_described(_types(place))


@router.get("/ResourceTypes/{name}")
def get_type(_ctx: Asking, place: Place, name: str) -> Response:
    """One kind of thing."""
    return _one_described(_types(place), name)


@router.get("/Schemas")
def list_schemas(_ctx: Asking, place: Place) -> Response:
    """What is said of each kind of thing."""
    return _all_described(_schemas(place))


@router.get("/Schemas/{name}")
def get_schema(_ctx: Asking, place: Place, name: str) -> Response:
    """What is said of one kind of thing."""
    return _one_described(_schemas(place), name)


def make_scim(
    ctx: Context, uses: KeyUses | None = None, addresses: Addresses | None = None
) -> FastAPI:
    """The application for every path below `/scim`; mount it there without cutting the path off."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.server = Server(ctx, KeyUses() if uses is None else uses, addresses)
    app.include_router(router, prefix=errors.SCIM)
    app.include_router(router, prefix=errors.SCIM + "/organizations/{organization}")
    errors.add_handlers(app)

    async def of_scim(request: Request, error: Exception) -> Response:
        assert isinstance(error, SCIMException)  # noqa: S101  Registered for that only.
        said = error.to_error()
        return errors.scim_answer(
            request.scope, said.status or 400, said.detail or "", said.scim_type
        )

    async def of_model(request: Request, error: Exception) -> Response:
        assert isinstance(error, ValidationError)  # noqa: S101
        first = Error.from_validation_errors(error)[0]
        return errors.scim_answer(
            request.scope, first.status or 400, first.detail or "", first.scim_type
        )

    app.add_exception_handler(SCIMException, of_scim)
    app.add_exception_handler(ValidationError, of_model)
    app.add_middleware(errors.Guard)
    return app
