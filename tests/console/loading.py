"""Parts of the site alone: it imports the server by the name that it has when installed."""

import sys

from custom_components.espcloud import local_cloud

sys.modules.setdefault("local_cloud", local_cloud)

from console import commands, controls, events, following, pages, programs  # noqa: E402 - as above
from local_cloud.errors import ApiError  # noqa: E402 - likewise

__all__ = [
    "ApiError",
    "commands",
    "controls",
    "events",
    "following",
    "pages",
    "programs",
]
