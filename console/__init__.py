"""The web site of a standalone local cloud, beside its API on the same port.

It is mounted on the server through `local_cloud.site` and has three ways to the cloud: `LocalCloud.call`
with the key of whoever is signed in, the listeners, and for the person who runs the server `operator`.

A request takes this way: `site` (headers, errors) -> `routing` (which page) -> a function of `pages`,
which gets a `Visit` (the request, who is signed in, the language) -> a template of `templates`, or a
redirect. What moves on a page is a module of `static`, which hears of changes through `events`. To add a
page, write the function and list it in `pages.routes`; its texts go into both files of `locales`.
"""

from local_cloud import LocalCloud

from .site import ConsoleSite

__all__ = ["ConsoleSite", "mount"]


def mount(cloud: LocalCloud) -> ConsoleSite:
    """Return the web site of a cloud."""
    return ConsoleSite(cloud)
