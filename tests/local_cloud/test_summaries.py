"""What whoever embeds the cloud reads of the datapoints: summaries, pages, how far they go."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import (
    LocalCloud,
    datapoint_calls,
    datapoint_queries,
)
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Datapoint, Device
from custom_components.espcloud.local_cloud.retention import Retention
from custom_components.espcloud.local_cloud.summaries import (
    MAX_BUCKETS,
    Bucket,
    Extent,
    Span,
    Summary,
)

START = 1_700_000_000


@pytest.fixture(params=["file", "memory"])
async def cloud(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[LocalCloud]:
    """Run a cloud with a database of either sort."""
    cloud = LocalCloud(
        state_file=tmp_path / "state.db" if request.param == "file" else None,
        retention=Retention(points=100_000, days=100_000),
    )
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
def device(cloud: LocalCloud) -> Device:
    """Return a device that posts."""
    return cloud.add_device("sensor")


async def store(cloud: LocalCloud, device: Device, points: dict[int, Any]) -> None:
    """Store points of a stream `s`: values, or x alone, by their seconds after START."""
    for at, values in points.items():
        given = values if isinstance(values, dict) else {"x": values}
        cloud.store.streams.add(device, "s", given, START + at)
    await cloud.flush()


async def summary(
    cloud: LocalCloud, device: Device, start: int, end: int, buckets: int
) -> Summary:
    """Summarize seconds after START."""
    return await cloud.summarize(device, "s", START + start, START + end, buckets)


def values(points: list[Datapoint]) -> list[Any]:
    """Return the x of points."""
    return [point.values["x"] for point in points]


async def test_buckets(cloud: LocalCloud, device: Device) -> None:
    """Least, mean and greatest of each dimension; an interval without points is left out."""
    await store(
        cloud,
        device,
        {0: 1, 9: {"x": 2, "y": -1.5}, 10: 5, 19: 4, 30: 7, 39: {"x": 8, "l": 0}, 40: 99},
    )  # fmt: skip
    assert await summary(cloud, device, 0, 39, 4) == Summary(
        10,
        [],
        [
            Bucket(START, 2, {"x": Span(1, 1.5, 2), "y": Span(-1.5, -1.5, -1.5)}),
            Bucket(START + 10, 2, {"x": Span(4, 4.5, 5)}),
            Bucket(START + 30, 2, {"x": Span(7, 7.5, 8), "l": Span(0, 0, 0)}),
        ],
    )


async def test_both_ends_belong_to_it(cloud: LocalCloud, device: Device) -> None:
    """And what is one second outside does not, nor does another stream."""
    await store(cloud, device, {at: at for at in range(-3, 15)})
    cloud.store.streams.add(device, "other", {"x": 1000}, START)
    await cloud.flush()
    got = await summary(cloud, device, 0, 10, 2)
    assert [(each.at - START, each.count) for each in got.buckets] == [(0, 6), (6, 5)]
    assert got.buckets[0].spans["x"] == Span(0, 2.5, 5)
    assert got.buckets[1].spans["x"] == Span(6, 8, 10)


async def test_few_points_are_shown_themselves(
    cloud: LocalCloud, device: Device
) -> None:
    """As many as there may be buckets, the earliest first; one more, and they are counted."""
    await store(cloud, device, {at: at for at in (5, 3, 1, 2, 4)})
    got = await summary(cloud, device, 1, 5, 5)
    assert (got.width, values(got.points), got.buckets) == (0, [1, 2, 3, 4, 5], [])
    got = await summary(cloud, device, 1, 5, 4)
    assert (got.width, got.points, len(got.buckets)) == (2, [], 3)
    assert await summary(cloud, device, 100, 200, 10) == Summary(0, [], [])
    assert values((await summary(cloud, device, 3, 3, 1)).points) == [3]


async def test_numbers_alone_count(cloud: LocalCloud, device: Device) -> None:
    """A text is no number, even one of digits, nor is a color; such a point counts all the same."""
    await store(
        cloud,
        device,
        {0: "on", 1: "21", 2: {"x": {"red": 7}, "y": "z"}, 3: {"x": 2, "z": {"y": 9}}},
    )
    (bucket,) = (await summary(cloud, device, 0, 9, 1)).buckets
    assert bucket == Bucket(START, 4, {"x": Span(2, 2, 2)})


async def test_great_numbers(cloud: LocalCloud, device: Device) -> None:
    """Their sum may be greater than any whole number that a database has."""
    great = (1 << 63) - 1
    await store(cloud, device, {0: great, 1: great, 10: 10**20, 11: -1e299})
    whole, real = (await summary(cloud, device, 0, 19, 2)).buckets
    assert whole.spans["x"] == Span(great, pytest.approx(great), great)
    assert real.spans["x"] == Span(-1e299, pytest.approx(-5e298), 1e20)


async def test_parts_add_up(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they end: in the middle of a bucket, or of points of the same second."""
    await store(cloud, device, {at: {"x": at % 7, "y": -at} for at in range(500)})
    await store(cloud, device, dict.fromkeys(range(200, 203), 50))
    for _ in range(100):
        cloud.store.streams.add(device, "s", {"x": 8}, START + 300)
    await cloud.flush()
    whole = await summary(cloud, device, 0, 499, 9)
    assert sum(bucket.count for bucket in whole.buckets) == 603
    for most in (1, 7, 100, 603):
        monkeypatch.setattr(datapoint_calls, "_PART", most)
        got = await summary(cloud, device, 0, 499, 9)
        assert [(each.at, each.count) for each in got.buckets] == [
            (each.at, each.count) for each in whole.buckets
        ]
        for one, other in zip(got.buckets, whole.buckets, strict=True):
            for name, span in one.spans.items():
                assert span.mean == pytest.approx(other.spans[name].mean)
                assert span.least == other.spans[name].least
                assert span.greatest == other.spans[name].greatest


async def test_others_have_their_turn(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts, however many summaries are asked for."""
    monkeypatch.setattr(datapoint_calls, "_PART", 10)
    await store(cloud, device, {at: at for at in range(1000)})
    waiting = most = parts = 0
    of_each: list[int] = []
    read = cloud._database.read

    async def watched(query: partial[Any]) -> Any:
        nonlocal waiting, most, parts
        if query.func is not datapoint_queries.summarized:
            return await read(query)
        waiting += 1
        parts += 1
        most = max(most, waiting)
        try:
            return await read(query)
        finally:
            waiting -= 1

    monkeypatch.setattr(cloud._database, "read", watched)

    async def one() -> None:
        await summary(cloud, device, 0, 999, 10)
        of_each.append(parts)

    await asyncio.gather(*(one() for _ in range(5)))
    # One part waits at a time, and the parts of all five took turns.
    assert most == 1
    assert of_each[0] > 400


async def test_pages(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All points once, the earliest first, also those of the same second."""
    monkeypatch.setattr(datapoint_calls, "_PAGE", 7)
    await store(cloud, device, {at: at for at in range(30)})
    await store(cloud, device, dict.fromkeys((10, 9), "again"))
    for number in range(20):
        cloud.store.streams.add(device, "s", {"x": f"same {number}"}, START + 10)
    await cloud.flush()
    pages = [page async for page in cloud.datapoints(device, "s")]
    assert [len(page) for page in pages] == [7] * 7 + [3]
    points = [point for page in pages for point in page]
    assert all((a.at, a.id) < (b.at, b.id) for a, b in pairwise(points))
    some = cloud.datapoints(device, "s", START + 28, START + 28)
    assert [values(page) async for page in some] == [[28]]


async def test_pages_while_points_go(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of the earlier ones was seen, and no later one is skipped."""
    monkeypatch.setattr(datapoint_calls, "_PAGE", 10)
    await store(cloud, device, {at: at for at in range(50)})
    stream = cloud.store.streams.find(device, "s")
    assert stream is not None
    seen: list[int] = []
    async for page in cloud.datapoints(device, "s"):
        seen += values(page)
        cloud.store.context.trimmed(stream.id, 25)
        await cloud.flush()
    assert seen == [*range(10), *range(25, 50)]


async def test_the_newest(cloud: LocalCloud, device: Device) -> None:
    """And those before one of them, be it there or not."""
    await store(cloud, device, {at: at for at in range(10)})
    first = await cloud.newest(device, "s", 4)
    assert values(first) == [9, 8, 7, 6]
    place = first[-1].at, first[-1].id
    stream = cloud.store.streams.find(device, "s")
    assert stream is not None
    assert values(await cloud.newest(device, "s", 4, before=place)) == [5, 4, 3, 2]
    assert values(await cloud.newest(device, "s", 9, before=(START + 1, 1))) == [0]
    assert await cloud.newest(device, "s", 9, before=(START - 1, 0)) == []
    for nowhere in ((10**20, 1), (START, 1 << 63), (START, -1)):
        with pytest.raises(ApiError, match="no datapoint may stand there"):
            await cloud.newest(device, "s", 9, before=nowhere)


async def test_a_late_page_costs_what_an_early_one_does(
    cloud: LocalCloud, device: Device
) -> None:
    """As the database counts its own steps."""
    await store(cloud, device, {at: at for at in range(5000)})
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    reader = cloud._database._file.reader
    costs: list[int] = []
    ways: list[Callable[[int], Any]] = [
        lambda at: cloud.newest(device, "s", 100, before=(START + at, 0)),
        lambda at: anext(cloud.datapoints(device, "s", START + at)),
    ]
    for way in ways:
        for at in (200, 4000):
            reader.set_progress_handler(step, 1)
            steps = 0
            await way(at)
            costs.append(steps)
            reader.set_progress_handler(None, 1)
        early, late = costs[-2:]
        assert abs(late - early) < early / 10
        assert early > 100


async def test_extent(cloud: LocalCloud, device: Device) -> None:
    """When the first and the last were measured, in whatever order they came."""
    await store(cloud, device, {5: 0, 1: 0, 9: 0, 3: 0})
    assert await cloud.extent(device, "s") == Extent(START + 1, START + 9, 4)
    stream = cloud.store.streams.find(device, "s")
    assert stream is not None
    cloud.store.context.trimmed(stream.id, 0)
    await cloud.flush()
    assert await cloud.extent(device, "s") is None


async def test_what_was_heard_of_is_there(cloud: LocalCloud, device: Device) -> None:
    """A listener is told of a datapoint before it is on the disk, and may ask at once."""
    for at in range(3):
        cloud.store.streams.add(device, "s", {"x": at}, START + at)
        assert values(await cloud.newest(device, "s", 1)) == [at]
    cloud.store.streams.add(device, "s", {"x": 3}, START + 3)
    assert values((await summary(cloud, device, 0, 9, 9)).points) == [0, 1, 2, 3]
    cloud.store.streams.add(device, "s", {"x": 4}, START + 4)
    assert await cloud.extent(device, "s") == Extent(START, START + 4, 5)


async def test_what_makes_no_sense(cloud: LocalCloud, device: Device) -> None:
    """It is refused with a reason; a time that no point may have has none."""
    await store(cloud, device, {0: 1})
    for buckets in (0, MAX_BUCKETS + 1):
        with pytest.raises(ApiError, match="1 to 2000 buckets"):
            await summary(cloud, device, 0, 9, buckets)
    with pytest.raises(ApiError, match="ends when it has begun"):
        await summary(cloud, device, 9, 0, 9)
    for start, end in ((10**30, 10**31), (-(10**31), -(10**30))):
        assert await summary(cloud, device, start, end, 9) == Summary(0, [], [])
    assert len((await summary(cloud, device, -(10**30), 10**30, 9)).points) == 1
    for ask in (
        cloud.extent(device, "t"),
        cloud.summarize(device, "t", 0, 1, 1),
        cloud.newest(device, "t", 1),
        anext(cloud.datapoints(device, "t")),
    ):
        with pytest.raises(ApiError) as caught:
            await ask
        assert caught.value.status == 404


async def test_after_the_end(cloud: LocalCloud, device: Device) -> None:
    """Whoever still reads is told so."""
    await store(cloud, device, {0: 1})
    await cloud.close()
    with pytest.raises(ApiError, match="not running"):
        await cloud.extent(device, "s")


async def test_a_sample_is_some_of_the_points(
    cloud: LocalCloud, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """About one in so many, from everywhere, and whatever the parts in which they are read."""
    monkeypatch.setattr(datapoint_calls, "_PART", 7)
    await store(cloud, device, {at: at for at in range(1000)})
    whole = await summary(cloud, device, 0, 999, 10)
    found = await cloud.summarize(device, "s", START, START + 999, 10, sample=10)
    assert found.width == whole.width
    assert [each.at for each in found.buckets] == [each.at for each in whole.buckets]
    assert [each.count for each in found.buckets] == [10] * 10
    for part, all_of_it in zip(found.buckets, whole.buckets, strict=True):
        assert part.spans["x"].least >= all_of_it.spans["x"].least
        assert part.spans["x"].mean == pytest.approx(all_of_it.spans["x"].mean, abs=5)
    with pytest.raises(ApiError):
        await cloud.summarize(device, "s", START, START + 1, 1, sample=0)
