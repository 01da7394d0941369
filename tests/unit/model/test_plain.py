from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcnet.errors import StorageError
from hpcnet.model.decision import Candidate, Decision, Estimate, Refusal
from hpcnet.model.job import JobSpec, Requirements
from hpcnet.model.plain import from_plain, to_plain

numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.datetimes(timezones=st.just(UTC))
estimates = st.builds(
    Estimate,
    st.none() | numbers,
    st.none() | numbers,
    st.none() | numbers,
    st.text(),
    st.none() | times,
)
decisions = st.builds(
    Decision,
    job=st.text(),
    goal=st.sampled_from(["time", "energy"]),
    taken_at=times,
    ranked=st.lists(
        st.builds(
            Candidate,
            st.text(),
            st.text(),
            *[estimates] * 8,
            numbers,
            st.lists(st.text(), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    refused=st.lists(
        st.builds(Refusal, *[st.text()] * 6, hint=st.text(), exit_code=st.integers(0, 99)), max_size=2
    ).map(tuple),
    observed=st.dictionaries(st.text(), times, max_size=2),
)


@given(decisions)
def test_a_decision_comes_back_whole_and_to_the_same_bytes(decision: Decision) -> None:
    text = json.dumps(to_plain(decision), allow_nan=False)
    again = from_plain(Decision, json.loads(text))
    assert again == decision
    assert json.dumps(to_plain(again)) == text


def test_a_job_spec_comes_back_with_its_walltime_and_memory() -> None:
    spec = JobSpec(
        name="andes",
        command=("python", "model.py"),
        requirements=Requirements.model_validate({"walltime": "2:00:00", "memory_per_node": "64 GiB"}),
    )
    assert from_plain(JobSpec, json.loads(json.dumps(to_plain(spec)))) == spec


def test_what_cannot_be_read_is_told_with_its_place_and_a_hint() -> None:
    data = to_plain(Decision("j", "time", datetime.now(UTC), (), (), {}))
    with pytest.raises(StorageError, match="a stored Decision cannot be read: taken_at: ") as caught:
        from_plain(Decision, {**data, "taken_at": "yesterday"})
    assert "another version" in caught.value.hint
