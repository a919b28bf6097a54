"""People and API keys over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from byname.domain.entity import ApiKey, EntityKind
from byname.domain.entity import User as Known
from byname.domain.policy import GroupRole
from byname.operations import directory
from byname.operations import key as key_operations
from byname.operations import user as operations
from byname.rest.asking import Asking
from byname.rest.once import Router, ShownOnce
from byname.rest.registry import After, First

router = Router()

Username = Annotated[str, Path(description="The name of a person or service account.")]


class NewUser(BaseModel):
    """A person to create."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"username": "ann", "email": "ann@example.org"}]},
    )

    username: str = Field(description="Letters, digits, `_`, `.` and `-`; at most 64 characters.")
    email: str
    password: SecretStr | None = Field(
        default=None, description="At least 12 characters; for logging in on the web."
    )
    admin: bool = Field(default=False, description="Whether they administer this server.")


Text = Annotated[str, Query(alias="q", description="Part of a name or e-mail address.")]


class User(BaseModel):
    """A person, or a service account."""

    username: str
    full_name: str
    email: str | None
    admin: bool = Field(description="Whether they administer this server.")
    service_account: bool
    created_at: datetime

    @classmethod
    def of(cls, user: Known) -> User:
        """The user as this face shows them."""
        return cls(
            username=user.username,
            full_name=user.full_name,
            email=user.email,
            admin=user.server_admin,
            service_account=user.service,
            created_at=user.created_at,
        )


class Users(BaseModel):
    """One page of people, by user name."""

    users: list[User]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last.")


class OrganizationOfUser(BaseModel):
    """An organization that somebody is in."""

    name: str
    role: GroupRole


class TeamOfUser(OrganizationOfUser):
    """A team that somebody is in."""

    organization: str


class UserWithGroups(User):
    """A person or service account, and where they belong, as far as you may know of it."""

    organizations: list[OrganizationOfUser]
    teams: list[TeamOfUser]


class UserEdit(BaseModel):
    """What to change of a person; what is absent stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"admin": True}]})

    admin: bool | None = Field(
        default=None, description="Whether they administer this server. For server administrators."
    )
    full_name: str | None = Field(
        default=None, description="What they are shown as; everybody says it of themselves."
    )


class UserWithKey(ShownOnce):
    """A new person or service account. The key is shown this one time."""

    username: str
    api_key: str | None = Field(description="Null when the same request is sent again.")


class NewKey(BaseModel):
    """An API key to create."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "laptop"}]})

    name: str = Field(default="", description="To recognise the key by; at most 128 characters.")
    username: str | None = Field(
        default=None,
        description="For whom; you, when absent. Server administrators may name anybody, admins "
        "of a team its service accounts.",
    )


class Key(BaseModel):
    """An API key, without its secret."""

    id: int
    name: str
    start: str = Field(description="The beginning of the secret.")
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Key:
        """The key as this face shows it."""
        return cls(
            id=key.id,
            name=key.name,
            start=key.start,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
        )


class KeyWithSecret(ShownOnce):
    """A new API key. The secret `api_key` is shown this one time."""

    id: int
    name: str
    username: str
    api_key: str | None = Field(description="Null when the same request is sent again.")


class Keys(BaseModel):
    """All API keys of one user."""

    keys: list[Key]


@router.post("/users", status_code=201, tags=["users"], summary="Create a user")
def create_user(ctx: Asking, body: NewUser) -> UserWithKey:
    """Create a person with a personal entity of the same name, in no organization yet.

    For server administrators. Answers with the first API key.
    """
    made = operations.create_user(
        ctx,
        username=body.username,
        email=body.email,
        password=None if body.password is None else body.password.get_secret_value(),
        server_admin=body.admin,
    )
    return UserWithKey(username=made.user.username, api_key=made.api_key)


@router.get("/users", tags=["users"], summary="List users")
def list_users(ctx: Asking, text: Text = "", after: After = None, first: First = None) -> Users:
    """List people: you, and whom you share an organization with; all, for server administrators."""
    page = directory.list_people(ctx, text=text, after=after, first=first)
    return Users(
        users=[User.of(each) for each in page.items],
        next=page.end_cursor if page.has_next else None,
    )


@router.get("/users/{username}", tags=["users"], summary="Get a user")
def get_user(ctx: Asking, username: Username) -> UserWithGroups:
    """See a person or service account, and the organizations and teams they are in."""
    user, belongings = directory.get_person(ctx, username)
    return UserWithGroups(
        **User.of(user).model_dump(),
        organizations=[
            OrganizationOfUser(name=each.group.name, role=each.role)
            for each in belongings
            if each.group.kind is EntityKind.ORGANIZATION
        ],
        teams=[
            TeamOfUser(name=each.group.name, role=each.role, organization=each.organization)
            for each in belongings
            if each.group.kind is EntityKind.TEAM
        ],
    )


@router.patch("/users/{username}", tags=["users"], summary="Edit a user")
def edit_user(ctx: Asking, username: Username, body: UserEdit) -> User:
    """Make somebody an administrator of this server, or not; or change your own full name.

    One administrator must always remain.
    """
    directory.get_person(ctx, username)
    operations.edit(ctx, username, admin=body.admin, full_name=body.full_name)
    return User.of(directory.get_person(ctx, username)[0])


@router.delete("/users/{username}", status_code=204, tags=["users"], summary="Delete a user")
def delete_user(ctx: Asking, username: Username) -> None:
    """Delete a person or service account: their keys are dead, their own projects hidden.

    For server administrators. The last administrator of the server, and the last admin of an
    organization, cannot be deleted.
    """
    operations.delete_user(ctx, username)


@router.post("/keys", status_code=201, tags=["keys"], summary="Create an API key")
def create_key(ctx: Asking, body: NewKey) -> KeyWithSecret:
    """Create an API key for yourself, or for somebody whose keys you manage; at most 100 each."""
    made = key_operations.create_key(ctx, name=body.name, username=body.username)
    return KeyWithSecret(
        id=made.key.id, name=made.key.name, username=made.username, api_key=made.secret
    )


@router.get("/keys", tags=["keys"], summary="List API keys")
def list_keys(
    ctx: Asking,
    username: Annotated[str | None, Query(description="Whose; yours, when absent.")] = None,
) -> Keys:
    """List API keys, oldest first, without their secrets."""
    return Keys(keys=[Key.of(key) for key in key_operations.list_keys(ctx, username=username)])


KeyId = Annotated[int, Path(description="The number from the list.")]


class KeyName(BaseModel):
    """A name for an API key."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "laptop"}]})

    name: str = Field(description="To recognise the key by; at most 128 characters.")


@router.patch("/keys/{key_id}", tags=["keys"], summary="Rename an API key")
def rename_key(ctx: Asking, key_id: KeyId, body: KeyName) -> Key:
    """Rename an API key. It opens what it opened before."""
    return Key.of(key_operations.rename_key(ctx, key_id, body.name))


@router.delete("/keys/{key_id}", status_code=204, tags=["keys"], summary="Delete an API key")
def delete_key(ctx: Asking, key_id: KeyId) -> None:
    """Delete an API key. It opens nothing from the next request on."""
    key_operations.delete_key(ctx, key_id)
