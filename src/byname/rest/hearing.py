"""Who may hear of something just now: the key in a header, asked anew whenever something changed.

An answer holds until the next commit of any process (`Remembered`), so that many who watch with one
key cost one look, and a lost role or a deleted key acts on the very next event (A4).
"""

from __future__ import annotations

from byname.domain.policy import Actor
from byname.http.authentication import KeyUses, authenticate
from byname.http.message import Request
from byname.http.remembered import Remembered
from byname.operations import watch
from byname.operations.context import Context


class Hearing:
    """Answers for one thread, the event loop's."""

    def __init__(self, ctx: Context, uses: KeyUses) -> None:
        self._ctx = ctx
        self._uses = uses
        self.remembered = Remembered(ctx.database)

    def context(self, request: Request) -> Context:
        """The operations' context with who asks, as they stand now.

        Raises:
            Unauthenticated: there is no key, or none that is valid.
        """
        header = request.header(b"authorization")

        def find() -> tuple[Actor | None]:
            return (authenticate(self._ctx.database, header),)

        (actor,) = self.remembered.get(("actor", header), find)
        self._uses.note(actor)
        ctx = self._ctx.acting(actor, "rest")
        ctx.who  # noqa: B018  Raises for an anonymous asker.
        return ctx

    def may_hear(self, request: Request, project_id: int) -> bool:
        """Whether who asks may see what happens in that project or registry.

        Raises:
            Unauthenticated: the key is not valid any more.
        """
        question = ("hear", request.header(b"authorization"), project_id)
        (may,) = self.remembered.get(
            question, lambda: (watch.may_hear(self.context(request), project_id),)
        )
        return may
