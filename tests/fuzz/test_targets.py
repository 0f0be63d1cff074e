"""What scripts/fuzz looks for at length, on every run: the corpus, and inputs made of its parts."""

from collections.abc import Callable
import re

from hypothesis import HealthCheck, Phase, given, settings, strategies as st
import pytest

import fuzz

WORDS = [
    # The escapes of libFuzzer's dictionaries are Python's.
    word.encode().decode("unicode_escape").encode("latin-1")
    for word in re.findall(r'^"(.*)"$', fuzz.DICTIONARY.read_text(), re.MULTILINE)
]

SEEDS = {target: fuzz.seeds(target) for target in fuzz.TARGETS}

type Edit = Callable[[bytes], bytes]


def at(position: float, data: bytes) -> int:
    """Return a place in the data."""
    return int(position * len(data))


def inserted(position: float, piece: bytes) -> Edit:
    """Put something in."""
    return lambda data: data[: at(position, data)] + piece + data[at(position, data) :]


def replaced(position: float, piece: bytes) -> Edit:
    """Put something in the place of as much."""
    return lambda data: (
        data[: (start := at(position, data))] + piece + data[start + len(piece) :]
    )


def removed(position: float, size: int) -> Edit:
    """Take something out."""
    return lambda data: data[: (start := at(position, data))] + data[start + size :]


POSITIONS = st.floats(0, 1, exclude_max=True)
PIECES = st.sampled_from(WORDS) | st.binary(max_size=4)
EDITS = st.one_of(
    st.builds(inserted, POSITIONS, PIECES),
    st.builds(replaced, POSITIONS, PIECES),
    st.builds(removed, POSITIONS, st.integers(1, 40)),
)


@st.composite
def inputs(draw: st.DrawFn, target: str) -> bytes:
    """Draw a seed with some edits."""
    data = draw(st.sampled_from(SEEDS[target]))
    for edit in draw(st.lists(EDITS, max_size=4)):
        data = edit(data)
    return data


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_corpus(target: str) -> None:
    """What once broke it, and what it was fed with first, breaks it no more."""
    assert SEEDS[target]
    for seed in SEEDS[target]:
        fuzz.load(target)(seed)


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_inputs_made_of_the_corpus(target: str) -> None:
    """A hundred each."""
    attempt = fuzz.load(target)

    @settings(
        max_examples=100,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def attempt_all(data: bytes) -> None:
        attempt(data)

    attempt_all()


def test_corpus_is_small() -> None:
    """A file of it is to be read by people, and all of it runs with every test run."""
    files = [path for path in fuzz.CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == set(fuzz.TARGETS)
    assert sum(path.stat().st_size for path in files) < 64 << 10
    assert len(files) < 200
