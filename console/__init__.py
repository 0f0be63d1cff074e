"""The web site of local_cloud."""


def mount(cloud: object) -> None:
    """Add the web site to a cloud."""
