"""The children's side of a conversation: questions on stdin, answers on stdout.

One JSON object a line. The end of stdin ends the child, so none outlives the benchmark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import os
import sys
from typing import Any

import orjson

type Answer = dict[str, Any]
type Handler = Callable[..., Awaitable[Answer]]


async def answer(handlers: Mapping[str, Handler], greeting: Answer) -> None:
    """Greet, then answer question after question until stdin ends."""
    # The account of a thousand devices is one long line.
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    _say(greeting)
    async for line in reader:
        question = orjson.loads(line)
        _say(await handlers[question.pop("do")](**question))


def _say(answer: Answer) -> None:
    os.write(sys.stdout.fileno(), orjson.dumps(answer) + b"\n")
