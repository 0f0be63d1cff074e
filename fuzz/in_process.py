"""Anything at local_cloud's call within the process: it is answered, and opens nothing."""

from custom_components.espcloud.local_cloud.in_process import InProcess
from custom_components.espcloud.local_cloud.wire import (
    JsonObject,
    NotAnObjectError,
    decode,
    encode,
)

from .populated_cloud import PopulatedCloud
from .wire import run


def target(data: bytes) -> None:
    """Call with the members of an object: `method`, `path`, `key`, `query`, `body`, `time_zone`."""
    populated = PopulatedCloud()
    try:
        arguments = decode(populated.with_keys(data))
    except NotAnObjectError:
        return
    assert not run(_attempt(populated, arguments))
    populated.check()


async def _attempt(populated: PopulatedCloud, arguments: JsonObject) -> None:
    names = ("method", "path", "key", "query", "body")
    answer = await InProcess(populated.cloud._router).call(
        *(arguments.get(name) for name in names),  # type: ignore[arg-type]  # whatever it is
        time_zone=arguments.get("time_zone"),
    )
    assert "status" in answer
    assert answer.get("message") != "internal error"
    encode(answer)
