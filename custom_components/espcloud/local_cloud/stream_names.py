"""The names of datastreams (protocol.md §2.7)."""

import re

_NAME = re.compile(r"[a-zA-Z0-9_+\-.:]{1,64}")


def is_stream_name(name: str) -> bool:
    """Say whether a datastream may have this name."""
    return _NAME.fullmatch(name) is not None
