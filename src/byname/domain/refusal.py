"""What was refused to whom (R190): noted at once, written down in batches, never without bounds. No I/O.

The same refusal again and again is one row with a count. Of one actor only so many different ones are
kept of each batch, and so many in all: a flood by one of them hides nothing of the others.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace

BATCH_MAX = 50
"""So many different refusals of one actor are kept of one batch; those without a key are one actor."""
KEPT_MAX = 10_000
"""So many of one actor are kept at all, the newest."""
KIND_OF_MORE = "request:refuse"
"""What stands for those beyond the most of a batch."""

_VERBS = {"POST": "create", "PUT": "set", "PATCH": "update", "DELETE": "delete"}
_MUTATIONS = {
    "addAliases": "alias:add",
    "commitArtifact": "artifact:create",
    "createArtifactCollectionTagAssignments": "collection:tag",
    "createArtifactPortfolio": "collection:create",
    "createArtifactSequence": "collection:create",
    "createFilterTrigger": "automation:create",
    "createInvite": "team:set_member",
    "createProjectMembers": "member:set",
    "deleteAliases": "alias:remove",
    "deleteApiKey": "key:delete",
    "deleteArtifactCollectionTagAssignments": "collection:tag",
    "deleteArtifactPortfolio": "collection:delete",
    "deleteArtifactSequence": "collection:delete",
    "deleteInvite": "team:remove_member",
    "deleteModel": "project:delete",
    "deleteProjectMembers": "member:remove",
    "deleteTrigger": "automation:delete",
    "generateApiKey": "key:create",
    "linkArtifact": "link:create",
    "unlinkArtifact": "link:delete",
    "updateArtifactPortfolio": "collection:update",
    "updateArtifactSequence": "collection:update",
    "updateFilterTrigger": "automation:update",
    "updateProjectMember": "member:set",
    "updateProjectTeamMember": "member:set",
    "upsertBucket": "run:update",
    "upsertModel": "project:update",
}
"""What these do, in the words of the history; others are named as they are spelled."""


class Attempt:
    """What one request turned out to be about, as far as it came. Operations note it as they go.

    It decides whose audit log a refusal is in: that of the organization that was reached, also when
    the asker was not to know of it; that of the asker's own organizations when none was.
    """

    __slots__ = ("organization_id", "project_id", "reached", "user_id", "username")

    def __init__(self) -> None:
        self.reached = False
        self.organization_id: int | None = None
        self.project_id: int | None = None
        self.user_id: int | None = None
        self.username = ""

    def reach(self, organization_id: int | None, project_id: int | None = None) -> None:
        """The request is about something of that organization; the last one counts."""
        self.reached = True
        self.organization_id = organization_id
        self.project_id = project_id

    def claim(self, user_id: int, username: str) -> None:
        """Somebody wants to log in as that user, who exists."""
        self.user_id = user_id
        self.username = username


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused. It holds nothing of what was sent, but what it was in general."""

    kind: str
    """`noun:verb`, as in the history."""
    call: str
    """The mutation, or method and pattern of the address."""
    status: int
    code: str
    reached: bool
    organization_id: int | None
    project_id: int | None
    subject: str
    """Of a log-in: as whom, if there is such a user."""
    user_id: int | None
    """Whose organizations are told when none was reached."""
    actor_id: int | None
    actor_name: str
    outside: bool
    """Whether the actor does not belong to the organization."""
    face: str
    address: str | None
    client: str | None


@dataclass(slots=True)
class Times:
    """How often the same was refused since the last batch, and when last."""

    count: int
    at: int


class Refusals:
    """What was refused since the last batch."""

    def __init__(self) -> None:
        self._noted: dict[Refusal, Times] = {}
        self._of_actor: Counter[int | None] = Counter()
        self._lock = threading.Lock()

    def note(self, refusal: Refusal, at: int) -> None:
        """It will be written down, by itself or among those beyond the most."""
        with self._lock:
            known = self._noted.get(refusal)
            if known is None and self._of_actor[refusal.actor_id] >= BATCH_MAX:
                refusal = _more(refusal)
                known = self._noted.get(refusal)
            if known is not None:
                known.count += 1
                known.at = at
                return
            self._noted[refusal] = Times(1, at)
            self._of_actor[refusal.actor_id] += 1

    def take(self) -> dict[Refusal, Times]:
        """All that waits, which from now on waits no more."""
        with self._lock:
            taken, self._noted = self._noted, {}
            self._of_actor.clear()
            return taken

    def give_back(self, taken: dict[Refusal, Times]) -> None:
        """It could not be written; it waits again."""
        with self._lock:
            for refusal, times in taken.items():
                known = self._noted.setdefault(refusal, Times(0, times.at))
                known.count += times.count


def _more(refusal: Refusal) -> Refusal:
    """Stands for every further refusal of that actor, in one organization."""
    return replace(
        refusal,
        kind=KIND_OF_MORE,
        call="",
        code="more",
        project_id=None,
        subject="",
        user_id=refusal.actor_id,
        address=None,
        client=None,
    )


def kind_of_mutation(name: str) -> str:
    """What a mutation does: `createUser` is `user:create`."""
    if name in _MUTATIONS:
        return _MUTATIONS[name]
    if not name:
        return KIND_OF_MORE
    words = "".join(f" {each.lower()}" if each.isupper() else each for each in name).split()
    return f"{'_'.join(words[1:]) or 'request'}:{words[0]}"


def kind_of_call(method: str, pattern: str) -> str:
    """What a call of an address does: `DELETE /api/v1/teams/{team}` is `team:delete`."""
    words = [each for each in pattern.split("/") if each and not each.startswith("{")]
    noun = _singular(words[-1]) if words else "request"
    return f"{noun.replace('-', '_').lower()}:{_VERBS.get(method, 'read')}"


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("aliases"):
        return word[:-2]
    return word.removesuffix("s") if not word.endswith("ss") else word
