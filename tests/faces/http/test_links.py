"""Do signed addresses say what was signed, to whom it was meant, and to nobody else?"""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byname.domain.errors import Unauthenticated
from byname.http.links import Signer

SIGNER = Signer(b"k" * 32)
FIELDS = st.lists(
    st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])), max_size=6
)
ALPHABET = set(string.ascii_letters + string.digits + "-_.")


@given(FIELDS, st.integers(1, 2**40))
def test_fields_come_back_as_they_were_signed(fields: list[int | str], expires_at: int) -> None:
    token = SIGNER.sign("get", fields, expires_at)
    assert set(token) <= ALPHABET
    assert SIGNER.verify("get", token, expires_at - 1) == tuple(fields)


def test_a_token_is_short() -> None:
    assert len(SIGNER.sign("get", (12, "0" * 64), 1_800_000_000)) < 140


def test_time_runs_out() -> None:
    token = SIGNER.sign("get", (1,), 1_000)
    assert SIGNER.verify("get", token, 999.9) == (1,)
    for now in (1_000, 1_000.1, 5_000):
        with pytest.raises(Unauthenticated) as refusal:
            SIGNER.verify("get", token, now)
        assert refusal.value.code == "link_expired"


def test_another_purpose_or_secret_is_not_believed() -> None:
    token = SIGNER.sign("get", (1,), 1_000)
    for signer, purpose in ((SIGNER, "put"), (Signer(b"j" * 32), "get"), (SIGNER, "")):
        with pytest.raises(Unauthenticated) as refusal:
            signer.verify(purpose, token, 1)
        assert refusal.value.code == "link_invalid"


@given(FIELDS, st.data())
def test_no_single_change_is_believed(fields: list[int | str], data: st.DataObject) -> None:
    token = SIGNER.sign("get", fields, 1_000)
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.sampled_from([*sorted(ALPHABET - {token[at]}), "", "=", "é", "\0"]))
    with pytest.raises(Unauthenticated) as refusal:
        SIGNER.verify("get", token[:at] + new + token[at + 1 :], 1)
    assert refusal.value.code == "link_invalid"


@given(st.text() | st.text(alphabet=sorted(ALPHABET)))
def test_nonsense_is_only_ever_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        SIGNER.verify("get", token, 1)


@pytest.mark.parametrize("token", ["a" * 100_000, "." * 9_000, "a.b=", "é.é", "\ud800."])
def test_hostile_tokens_are_only_ever_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        SIGNER.verify("get", token, 1)


def test_a_weak_secret_is_not_taken() -> None:
    with pytest.raises(ValueError, match="32"):
        Signer(b"short")
