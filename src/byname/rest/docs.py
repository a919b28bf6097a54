"""The OpenAPI document as one readable page. It loads nothing but our own style sheet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from byname.http.message import PAGE_HEADERS

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, or one member of a body."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Call:
    """One method on one path."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    example: str
    answers: list[tuple[str, str]]

    @property
    def anchor(self) -> str:
        """Where on the page it stands."""
        return f"{self.method}-{self.path.strip('/').replace('/', '-').translate(_NO_BRACES)}"


_NO_BRACES = str.maketrans("", "", "{}")


def calls_of(document: dict[str, Any]) -> dict[str, list[Call]]:
    """All calls in an OpenAPI document, by tag, in its order."""
    found: dict[str, list[Call]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                call = methods[method]
                found.setdefault(call["tags"][0], []).append(_call(document, path, method, call))
    return found


def _call(document: dict[str, Any], path: str, method: str, call: dict[str, Any]) -> Call:
    schema = _schema(
        document,
        call.get("requestBody", {})
        .get("content", {})
        .get("application/json", {})
        .get("schema", {}),
    )
    examples = schema.get("examples", [])
    return Call(
        method=method.upper(),
        path=path,
        summary=call["summary"],
        description=call.get("description", ""),
        parameters=[
            Field(
                each["name"],
                _kind(document, each["schema"]),
                each["required"],
                each.get("description", ""),
            )
            for each in call.get("parameters", [])
        ],
        body=[
            Field(
                name,
                _kind(document, each),
                name in schema.get("required", []),
                _schema(document, each).get("description", "") if "$ref" not in each else "",
            )
            for name, each in schema.get("properties", {}).items()
        ],
        example=json.dumps(examples[0], indent=2) if examples else "",
        answers=[(status, each["description"]) for status, each in call["responses"].items()],
    )


def _schema(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _schema(document, schema)
    if "anyOf" in schema:
        return " or ".join(_kind(document, each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema['items'])}"
    return str(schema.get("type", "any"))


def add_page(app: FastAPI) -> None:
    """`/api/docs` shows what this application offers. Anybody may read it."""
    templates = Environment(
        loader=PackageLoader("byname.rest"), autoescape=True, undefined=StrictUndefined
    )
    headers = {key.decode(): value.decode() for key, value in PAGE_HEADERS}

    @app.get("/api/docs", include_in_schema=False)
    def page() -> HTMLResponse:
        document = app.openapi()
        html = templates.get_template("docs.html").render(
            title=document["info"]["title"],
            version=document["info"]["version"],
            description=document["info"]["description"],
            groups=calls_of(document),
        )
        return HTMLResponse(html, headers=headers)
