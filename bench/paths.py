"""Where things are in this checkout."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
LOCAL_CLOUD = CHECKOUT / "scripts" / "run_local_cloud.py"
CHART = CHECKOUT / "docs" / "images" / "benchmarks.svg"

LOOPBACK = "127.0.0.1"


def new_folder(parent: Path, name: str) -> Path:
    """Make a folder for an instance or a cloud."""
    folder = parent / name
    folder.mkdir()
    return folder
