"""Runs local_cloud from this checkout as `python -m local_cloud` would, were it installed.

The package is loaded by its path. With its folder's parent, the integration, among the places to
import from, a module of the integration would one day hide one of Python's own of the same name.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import runpy
import sys

NAME = "local_cloud"
FOLDER = Path(__file__).parent.parent / "custom_components" / "espcloud" / NAME


def main() -> None:
    """Run the command; it ends this process."""
    spec = spec_from_file_location(NAME, FOLDER / "__init__.py")
    assert spec is not None and spec.loader is not None
    package = module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    runpy.run_module(NAME, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
