"""Prints what the integrations that Home Assistant starts with require.

Runs in the environment of the release in question, as a program of its own; arguments
name further integrations. Home Assistant would install the same at its first start, but
gives up on the two that compile when the machine is slow.
"""

import json
from pathlib import Path
import sys

import homeassistant
from homeassistant.bootstrap import DEFAULT_INTEGRATIONS

# Not in the default list, but always imported: analytics imports hassio.
ALSO_IMPORTED = {"isal", "hassio"}
COMPONENTS = Path(homeassistant.__file__).parent / "components"


def main() -> None:
    """Follow the dependencies in the manifests."""
    waiting = {*ALSO_IMPORTED, *DEFAULT_INTEGRATIONS, *sys.argv[1:]}
    seen: set[str] = set()
    requirements: set[str] = set()
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        manifest = json.loads((COMPONENTS / domain / "manifest.json").read_text())
        requirements.update(manifest.get("requirements", ()))
        waiting.update(set(manifest.get("dependencies", ())) - seen)
    sys.stdout.write("\n".join(sorted(requirements)) + "\n")


if __name__ == "__main__":
    main()
