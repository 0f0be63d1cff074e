"""Draws the brand images: a light bulb whose glass is a cloud and its filament an antenna.

Everything is drawn here from circles and strokes, the letters too, so the images are
this project's own and can be drawn again at any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, pi, sin
from pathlib import Path
import sys

from PIL import Image, ImageChops, ImageDraw, ImageFilter

BRAND = Path(__file__).parents[1] / "custom_components" / "espcloud" / "brand"
OVERSAMPLING = 8  # pixels drawn, for each unit and direction
ICON_SIDE = 256
LOGO_WIDTH = 1250
LOGO_HEIGHT = 128
LETTER_SIZE = 44
BASE_LINE = 142

type Point = tuple[float, float]
type Colour = tuple[int, int, int]

CLOUD_TOP: Colour = (74, 158, 255)
CLOUD_BOTTOM: Colour = (26, 95, 210)
LIGHT: Colour = (255, 214, 64)
SOCKET: Colour = (120, 138, 158)
INK: Colour = (38, 50, 64)
INK_ON_DARK: Colour = (236, 241, 246)


@dataclass(frozen=True)
class Theme:
    """What differs between a light and a dark background."""

    prefix: str
    ink: Colour
    cloud: Colour


THEMES = (
    Theme("", INK, CLOUD_BOTTOM),
    Theme("dark_", INK_ON_DARK, CLOUD_TOP),
)


class Sheet:
    """A sheet to draw on in units of its own, much larger than the image it becomes."""

    def __init__(self, width: int, height: int) -> None:
        """Prepare an empty sheet."""
        self._factor = OVERSAMPLING
        self._size = (width * OVERSAMPLING, height * OVERSAMPLING)
        self.image = Image.new("RGBA", self._size)

    def circles(self, *circles: tuple[float, float, float]) -> Image.Image:
        """Return the shape of circles, each centre and radius."""
        mask, draw = self._mask()
        for x, y, r in circles:
            draw.ellipse(self._scaled(x - r, y - r, x + r, y + r), fill=255)
        return mask

    def bar(
        self, left: float, top: float, right: float, bottom: float, radius: float
    ) -> Image.Image:
        """Return the shape of a rectangle with rounded corners."""
        mask, draw = self._mask()
        draw.rounded_rectangle(
            self._scaled(left, top, right, bottom), radius * self._factor, fill=255
        )
        return mask

    def polygon(self, *points: Point) -> Image.Image:
        """Return the shape of a polygon."""
        mask, draw = self._mask()
        draw.polygon([tuple(self._scaled(*point)) for point in points], fill=255)
        return mask

    def stroke(self, *lines: list[Point], width: float) -> Image.Image:
        """Return the shape of lines with round ends and corners."""
        mask, draw = self._mask()
        for line in lines:
            for start, end in pairwise(line):
                draw.line(
                    self._scaled(*start, *end),
                    fill=255,
                    width=round(width * self._factor),
                )
            for x, y in line:
                r = width / 2
                draw.ellipse(self._scaled(x - r, y - r, x + r, y + r), fill=255)
        return mask

    def fill(
        self, mask: Image.Image, top: Colour, bottom: Colour | None = None
    ) -> None:
        """Colour a shape, shading from its top to its bottom."""
        paint = Image.new("RGBA", self._size, (*top, 255))
        if bottom is not None and (box := mask.getbbox()) is not None:
            shade = Image.linear_gradient("L").resize((self._size[0], box[3] - box[1]))
            ramp = Image.new("L", self._size)
            ramp.paste(shade, (0, box[1]))
            paint.paste(Image.new("RGBA", self._size, (*bottom, 255)), mask=ramp)
        layer = Image.new("RGBA", self._size, (*top, 0))
        layer.paste(paint, mask=mask)
        self.image = Image.alpha_composite(self.image, layer)

    def glow(self, mask: Image.Image, within: Image.Image, blur: float) -> None:
        """Let a shape shine on another one around it."""
        halo = mask.filter(ImageFilter.GaussianBlur(blur * self._factor))
        self.fill(ImageChops.multiply(halo.point(lambda v: v * 2 // 3), within), LIGHT)

    def _mask(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        mask = Image.new("L", self._size)
        return mask, ImageDraw.Draw(mask)

    def _scaled(self, *numbers: float) -> list[float]:
        return [number * self._factor for number in numbers]


def union(*masks: Image.Image) -> Image.Image:
    """Return what any of the shapes covers."""
    result = masks[0]
    for mask in masks[1:]:
        result = ImageChops.lighter(result, mask)
    return result


def arc(x: float, y: float, radius: float, start: float, end: float) -> list[Point]:
    """Return an arc between two angles in degrees, clockwise from three o'clock."""
    steps = max(2, ceil(abs(end - start) / 2))
    angles = [(start + (end - start) * i / steps) * pi / 180 for i in range(steps + 1)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def draw_icon(sheet: Sheet) -> None:
    """Draw the bulb on a sheet that is 256 units wide and high."""
    glass = union(
        sheet.circles((58, 126, 58), (122, 84, 84), (202, 130, 54)),
        sheet.bar(58, 100, 202, 184, 0),
    )
    neck = sheet.bar(72, 150, 184, 204, 14)
    sheet.fill(union(glass, neck), CLOUD_TOP, CLOUD_BOTTOM)
    # The meander of an antenna on a circuit board.
    turns = [(88, 184), (88, 94), (115, 94), (115, 146), (141, 146), (141, 94)]
    filament = sheet.stroke([*turns, (168, 94), (168, 184)], width=14)
    sheet.glow(filament, union(glass, neck), blur=9)
    sheet.fill(filament, LIGHT)
    for left, right, top in ((78, 178, 212), (94, 162, 238)):
        sheet.fill(sheet.bar(left, top, right, top + 18, 9), SOCKET)


# The letters: an x-height of two units around a radius of one, and stems of two more.
STEM = 2.2


def letters(word: str) -> Iterator[tuple[list[list[Point]], float]]:
    """Yield the lines of each letter, from its own left edge, and its width."""
    for letter in word:
        match letter:
            case "e":
                yield [[(0, 0), (2, 0)], arc(1, 0, 1, 0, -310)], 2
            case "s":
                upper = arc(0.7, -0.5, 0.5, -35, -180)
                lower = arc(0.7, 0.5, 0.5, 0, 145)
                middle = [*arc(0.7, -0.5, 0.5, -180, -270), *arc(0.7, 0.5, 0.5, -90, 0)]
                yield [[*upper, *middle, *lower]], 1.4
            case "p":
                yield [[(0, -1), (0, STEM)], arc(1, 0, 1, 0, 360)], 2
            case "c":
                yield [arc(1, 0, 1, -50, -310)], 1.75
            case "l":
                yield [[(0, -STEM), (0, 1)]], 0
            case "o":
                yield [arc(1, 0, 1, 0, 360)], 2
            case "u":
                yield [[(0, -1), *arc(1, 0, 1, 180, 0), (2, -1)], [(2, -1), (2, 1)]], 2
            case "d":
                yield [[(2, -STEM), (2, 1)], arc(1, 0, 1, 0, 360)], 2


def draw_word(sheet: Sheet, word: str, colour: Colour, left: float) -> float:
    """Write a word beside the icon and return where the next one begins."""
    for lines, width in letters(word):
        moved = [
            [(left + x * LETTER_SIZE, BASE_LINE + y * LETTER_SIZE) for x, y in line]
            for line in lines
        ]
        sheet.fill(sheet.stroke(*moved, width=LETTER_SIZE * 0.42), colour)
        left += (width + 0.85) * LETTER_SIZE
    return left


def draw_logo(sheet: Sheet, theme: Theme) -> None:
    """Draw the bulb with the name beside it."""
    draw_icon(sheet)
    left = draw_word(sheet, "esp", theme.ink, left=300)
    draw_word(sheet, "cloud", theme.cloud, left)


def trimmed(sheet: Sheet) -> Image.Image:
    """Return what is drawn on a sheet, without the empty edges."""
    box = sheet.image.getchannel("A").getbbox()
    assert box is not None
    return sheet.image.crop(box)


def squared(drawing: Image.Image) -> Image.Image:
    """Return a drawing in the middle of a square."""
    side = max(drawing.size)
    square = Image.new("RGBA", (side, side))
    square.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return square


def save(drawing: Image.Image, folder: Path, name: str, height: int) -> None:
    """Save a drawing at a height, and at twice that."""
    width = round(drawing.width * height / drawing.height)
    for suffix, scale in (("", 1), ("@2x", 2)):
        size = (width * scale, height * scale)
        image = drawing.resize(size, Image.Resampling.LANCZOS)
        image.save(folder / f"{name}{suffix}.png", optimize=True)


def main(folder: Path) -> None:
    """Draw everything into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(ICON_SIDE, ICON_SIDE)
    draw_icon(sheet)
    save(squared(trimmed(sheet)), folder, "icon", ICON_SIDE)
    for theme in THEMES:
        sheet = Sheet(LOGO_WIDTH, ICON_SIDE)
        draw_logo(sheet, theme)
        save(trimmed(sheet), folder, f"{theme.prefix}logo", LOGO_HEIGHT)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BRAND)
