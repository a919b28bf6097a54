"""What people write as Markdown, as HTML that is safe on our pages (R36, A10).

Twice: HTML in the text is shown as text, and what comes out is cut down to a list of elements.
"""

from __future__ import annotations

import functools

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

RENDERED_MAX = 60_000
"""A longer text is shown as it was written."""
HEADING_LEVELS = 2
"""The page's own headings are above those of the text."""
ELEMENTS = {
    "p", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "a", "br", "hr", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
# A picture from elsewhere would tell that server who looks at this page.
_PARSER.disable("image")

_WHOLE = ("http://", "https://", "mailto:", "/", "#")


def _whole_addresses(_element: str, name: str, value: str) -> str | None:
    """The attribute; none for an address that means something else on each page it is shown on."""
    return None if name == "href" and not value.lower().startswith(_WHOLE) else value


@functools.lru_cache(maxsize=128)
def render(text: str) -> Markup:
    """The text as HTML."""
    if len(text) > RENDERED_MAX:
        return Markup('<div class="text">{}</div>').format(text)
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + HEADING_LEVELS, 6)}"
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Markup(  # noqa: S704  What nh3 lets through is no script.
        nh3.clean(
            html,
            tags=ELEMENTS,
            attributes={"a": {"href"}, "ol": {"start"}},
            attribute_filter=_whole_addresses,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )
