"""The web site, over HTTP, as the command `local-cloud` serves it."""
