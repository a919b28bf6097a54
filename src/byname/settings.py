"""Every setting of the server, with its default and what it is for. Read once, at the start.

A setting comes from the command line, else from the environment (`BYNAME_` and its name in capital
letters), else from the default here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from byname.domain.target import Targets, parse_networks, parse_ports

SECRET_LENGTH_MIN = 32


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(
        env_prefix="BYNAME_", extra="ignore", frozen=True, validate_default=True
    )

    data: Path = Field(
        default=Path("byname-data"),
        description="The folder that holds everything: database, files, secret key.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The network address to listen on. 0.0.0.0 listens on all of the machine's.",
    )
    port: int = Field(
        default=8080, ge=0, le=65535, description="The port to listen on. 0 takes any free one."
    )
    public_url: str = Field(
        default="",
        description="How clients reach this server, for example https://models.example.org. It "
        "stands in every address that is given out. Empty: http://HOST:PORT.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs upload and download addresses; at least 32 characters. Empty: the file "
        "secret.key in the data folder, made at the first start.",
    )
    encryption_key: SecretStr | None = Field(
        default=None,
        description="Encrypts the secrets of teams in the database; at least 32 characters. "
        "Several, separated by commas, while a key is replaced: the new one first. Empty: the file "
        "encryption.key in the data folder, made at the first start.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("*",),
        description="The host names under which the server answers, separated by commas; * for "
        "all. Naming them keeps strange web pages from reaching a server on a private network.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged: debug, info, warning or error."
    )
    link_seconds: int = Field(
        default=6 * 3600,
        ge=60,
        le=7 * 24 * 3600,
        description="How long an upload or download address stays good, in seconds.",
    )
    webhook_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Networks that webhooks may be sent to although they are not public, separated "
        "by commas, for example 10.1.0.0/16,fd12::/64. Every port may be used there. Empty: only "
        "public addresses.",
    )
    webhook_ports: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("80", "443", "8000-9999"),
        description="The ports that webhooks may be sent to, separated by commas; ranges with -.",
    )
    execution_days: int = Field(
        default=90,
        ge=1,
        le=3_650,
        description="How long the history of automations is kept, in days.",
    )
    watchers_max: int = Field(
        default=5_000,
        ge=1,
        le=100_000,
        description="How many may watch at once: streams of events, and waits for an alias. More "
        "are told to come back later.",
    )
    oidc_issuer: str = Field(
        default="",
        description="The address of an OpenID Connect provider that people may log in with, for "
        "example https://login.example.org. It knows this server by the redirect address "
        "PUBLIC_URL/oidc/callback. Empty: none.",
    )
    oidc_client_id: str = Field(default="", description="What the provider calls this server.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The provider's secret for this server, where it gives one."
    )
    oidc_name: str = Field(
        default="single sign-on", description="The provider as the log-in page calls it."
    )
    oidc_scopes: str = Field(
        default="openid email profile", description="What is asked of the provider."
    )
    oidc_create_users: bool = Field(
        default=False,
        description="Whether people whom only the provider knows become users at their first "
        "log-in. Without it their verified e-mail address must be that of a user.",
    )
    oidc_organization: str = Field(
        default="", description="The organization that such new users join as members."
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("it must begin with http:// or https:// and a host name")
            if parts.query or parts.fragment:
                raise ValueError("it must hold no '?' and no '#'")
        return value

    @field_validator("secret_key", "encryption_key", "oidc_client_secret", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SECRET_LENGTH_MIN:
            raise ValueError(f"it must have at least {SECRET_LENGTH_MIN} characters")
        return value

    @field_validator("encryption_key")
    @classmethod
    def _each_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        keys = [] if value is None else value.get_secret_value().split(",")
        if any(len(key.strip()) < SECRET_LENGTH_MIN for key in keys):
            raise ValueError(f"each key must have at least {SECRET_LENGTH_MIN} characters")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must begin with http:// or https:// and a host name")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("it must hold no user name, no '?' and no '#'")
        return value.rstrip("/")

    @field_validator("allowed_hosts", "webhook_allow", "webhook_ports", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(each.strip() for each in value.split(",") if each.strip())
        return value

    @field_validator("webhook_allow")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _are_ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_ports(value)
        return value

    @property
    def targets(self) -> Targets:
        """What this server may send to."""
        return Targets(parse_networks(self.webhook_allow), parse_ports(self.webhook_ports))

    def in_force(self) -> list[tuple[str, str, bool, str]]:
        """Each setting: its environment variable, its value, whether that is the default, its help.

        Of a secret only whether it is set.
        """
        found = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                text = "set; not shown"
            elif value is None or value in ("", ()):
                text = "empty"
            else:
                text = ",".join(value) if isinstance(value, tuple) else str(value)
            is_default = value == field.get_default()
            found.append((f"BYNAME_{name.upper()}", text, is_default, field.description or ""))
        return found

    @property
    def address(self) -> str:
        """How clients reach this server: `public_url`, or what host and port make of it."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"
