"""The forms on a page, with the fields that a browser would send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form as it stands on a page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.text: str | None = None
        self.select: str | None = None
        self.worded = False
        """An option without a value is sent as its words."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.open = Form(given.get("action") or "")
            self.forms.append(self.open)
        if self.open is None or "disabled" in given:
            return
        name = given.get("name")
        if tag == "input" and name:
            ticks = given.get("type") in ("checkbox", "radio")
            if not ticks or "checked" in given:
                self.open.fields[name] = given.get("value") or ("on" if ticks else "")
        elif tag == "textarea" and name:
            self.text = name
            self.open.fields[name] = ""
        elif tag == "select" and name:
            self.select = name
        elif (
            tag == "option"
            and self.select
            and ("selected" in given or self.select not in self.open.fields)
        ):
            self.open.fields[self.select] = given.get("value") or ""
            self.worded = "value" not in given

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea":
            self.text = None
        elif tag == "select":
            self.select = None
        elif tag == "option":
            self.worded = False

    def handle_data(self, data: str) -> None:
        if self.open is not None and self.text is not None:
            self.open.fields[self.text] += data
        elif self.open is not None and self.select is not None and self.worded:
            self.open.fields[self.select] += data


def forms_on(page: str) -> list[Form]:
    """All forms of the page, in their order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def form_on(page: str, do: str, **having: str) -> Form:
    """The form on the page that asks for this, and has these fields."""
    wanted = {"do": do, **having}
    found = [each for each in forms_on(page) if wanted.items() <= each.fields.items()]
    assert found, f"no form with {wanted} in {page[-2000:]}"
    return found[0]
