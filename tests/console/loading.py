"""Parts of the site alone: it imports the server by the name that it has when installed."""

import sys

from custom_components.espcloud import local_cloud

sys.modules.setdefault("local_cloud", local_cloud)

from console import events  # noqa: E402 - as above

__all__ = ["events"]
