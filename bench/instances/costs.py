"""What this process takes, whatever it runs."""

import asyncio
import gc
from pathlib import Path
import resource
from time import perf_counter, process_time

from bench.answering import Answer


async def memory() -> Answer:
    """Return the resident memory in bytes, without what is garbage."""
    gc.collect()
    return {"rss": _resident_bytes()}


async def idle(seconds: float) -> Answer:
    """Return the processor time of so many seconds without a command, in seconds."""
    begin, cpu = perf_counter(), process_time()
    await asyncio.sleep(seconds)
    return {"cpu": process_time() - cpu, "wall": perf_counter() - begin}


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
