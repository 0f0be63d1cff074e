"""Runs local_cloud from this checkout as the installed command would, with the web site of `console`.

The packages are loaded by their paths. With its folder's parent, the integration, among the places to
import from, a module of the integration would one day hide one of Python's own of the same name.
"""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

CHECKOUT = Path(__file__).parent.parent
SERVER = CHECKOUT / "custom_components" / "espcloud" / "local_cloud"
SITE = CHECKOUT / "console"


def main() -> int:
    """Run the command, and return its exit status."""
    _load("local_cloud", SERVER)
    return int(import_module("local_cloud.__main__").main(find_mount=_mount))


def _mount() -> Any:
    """Return what mounts the web site, None where it cannot."""
    try:
        return _load("local_cloud_console", SITE).mount
    except FileNotFoundError:
        return None  # The folder of the server has been copied alone.
    except ImportError as error:
        print(f"local-cloud: no web site: it needs {error.name}", file=sys.stderr)
        return None


def _load(name: str, folder: Path) -> ModuleType:
    """Load a package; raises ImportError where it needs another that is not there."""
    spec = spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None and spec.loader is not None
    package = module_from_spec(spec)
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    return package


if __name__ == "__main__":
    sys.exit(main())
