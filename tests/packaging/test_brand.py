"""The images that Home Assistant and the Marketplace show."""

from pathlib import Path

from PIL import Image
import pytest

from .paths import INTEGRATION

BRAND = INTEGRATION / "brand"
# Sizes of an icon; a logo is as wide as it wants, and its shorter side within these.
ICON_SIDES = {"": 256, "@2x": 512}
LOGO_SIDES = {"": (128, 256), "@2x": (256, 512)}
MOST_BYTES = 80 * 1024

IMAGES = sorted(BRAND.iterdir())
every_image = pytest.mark.parametrize(
    "path", IMAGES, ids=[path.name for path in IMAGES]
)


def scale(path: Path) -> str:
    """Return the part of a name that tells its scale."""
    return "@2x" if path.stem.endswith("@2x") else ""


def test_names() -> None:
    """Home Assistant asks for these names and no others."""
    names = {
        f"{theme}{kind}{size}.png"
        for theme in ("", "dark_")
        for kind in ("icon", "logo")
        for size in ("", "@2x")
    }
    found = {path.name for path in IMAGES}
    assert {"icon.png", "icon@2x.png", "logo.png", "logo@2x.png"} <= found <= names
    # A dark one without its larger sister would be mixed with the light one's.
    for name in found:
        assert name.replace(".png", "@2x.png") in found or "@2x" in name


@every_image
def test_size(path: Path) -> None:
    """Sharp on the screens it is meant for, and quick to load."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        if "icon" in path.name:
            assert image.size == (ICON_SIDES[scale(path)],) * 2
        else:
            least, most = LOGO_SIDES[scale(path)]
            assert least <= min(image.size) <= most
            assert image.width > image.height
    assert path.stat().st_size <= MOST_BYTES


@every_image
def test_transparent_and_trimmed(path: Path) -> None:
    """It touches two opposite edges at least, and is nothing but the drawing."""
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        alpha = image.getchannel("A")
    assert alpha.getextrema() == (0, 255)
    box = alpha.point(lambda value: 255 if value > 16 else 0).getbbox()
    assert box is not None
    left, top, right, bottom = box
    assert (left <= 2 and right >= alpha.width - 2) or (
        top <= 2 and bottom >= alpha.height - 2
    )
    if "logo" in path.name:
        assert (
            box == (0, 0, *alpha.size)
            or max(left, top, alpha.width - right, alpha.height - bottom) <= 2
        )


@pytest.mark.parametrize(
    "path",
    [path for path in IMAGES if not scale(path)],
    ids=lambda path: str(path.name),
)
def test_both_scales_show_the_same(path: Path) -> None:
    """The larger is twice the smaller."""
    with (
        Image.open(path) as small,
        Image.open(path.with_stem(f"{path.stem}@2x")) as large,
    ):
        assert large.size == (small.width * 2, small.height * 2)
