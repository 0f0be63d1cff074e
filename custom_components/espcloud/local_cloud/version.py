"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version
import json
from pathlib import Path

_MANIFEST = Path(__file__).parent.parent / "manifest.json"


def _find() -> str:
    """Return the version of the integration that this is part of, or else of the installed package."""
    try:
        manifest = json.loads(_MANIFEST.read_bytes())
        if manifest["domain"] == "espcloud":
            return str(manifest["version"])
    except OSError, ValueError, KeyError, TypeError:
        pass
    try:
        return version("espcloud")
    except PackageNotFoundError:
        return "unknown"


VERSION = _find()
"""Read while this is imported: files are nothing to read in an event loop."""
