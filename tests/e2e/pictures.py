"""The pictures that the READMEs show, cut out of what a browser shows."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

from demo.paths import CHECKOUT

FOLDER = CHECKOUT / "docs" / "images"
SCALE = 2  # for sharp letters on sharp screens
COLOURS = 128  # flat colours: more would only make the file larger
# A dialog without the page behind it. Some of its images are visible in whatever is hidden.
ALONE = "home-assistant-main { opacity: 0 }"


class Camera:
    """Takes the pictures of one language."""

    def __init__(self, folder: Path, suffix: str) -> None:
        """Write into a folder, with names that end alike."""
        self._folder = folder
        self._suffix = suffix

    async def take(
        self,
        name: str,
        page: Page,
        *parts: Locator,
        margin: int = 16,
        style: str | None = None,
    ) -> None:
        """Write a picture that shows these parts of a page, with a margin."""
        # What a pointer hovers over or a cursor blinks in looks accidental.
        await page.mouse.move(0, 0)
        for part in parts:
            # A dialog that is still growing has no size yet.
            handle = await part.element_handle()
            await handle.wait_for_element_state("stable")
        boxes = [box for part in parts if (box := await part.bounding_box())]
        assert len(boxes) == len(parts), f"a part of the picture {name} is not visible"
        left = min(box["x"] for box in boxes) - margin
        top = min(box["y"] for box in boxes) - margin
        right = max(box["x"] + box["width"] for box in boxes) + margin
        bottom = max(box["y"] + box["height"] for box in boxes) + margin
        png = await page.screenshot(
            clip={"x": left, "y": top, "width": right - left, "height": bottom - top},
            animations="disabled",
            caret="hide",
            style=style,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        with Image.open(BytesIO(png)) as picture:
            flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            flat.save(self._folder / f"{name}{self._suffix}.png", optimize=True)
