"""Templates to pages."""

from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
import segno

from local_cloud.device_types import kind_name
from local_cloud.models import DIMENSIONS

from .static_files import StaticFiles
from .values import shown

_FOLDER = Path(__file__).parent / "templates"
_WORTH_COMPRESSING = 1024
"""Bytes from which a page is compressed."""

_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


class Renderer:
    """Renders templates; each is compiled once."""

    def __init__(self, static: StaticFiles) -> None:
        """Link to files of `static`."""
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {
            "static": static.url,
            "kind_name": kind_name,
            "DIMENSIONS": DIMENSIONS,
        }
        self._environment.filters |= {
            "iso": iso,
            "number": number,
            "qr": qr_code,
            "shown": shown,
            "size": size,
        }

    def page(
        self, facts: dict[str, Any], template: str, *, status: int, **values: Any
    ) -> web.Response:
        """Return a page; one that the browser has already is not sent again."""
        text = self._environment.get_template(template).render(facts | values)
        # Devices post texts, and a lone surrogate, which JSON may have, has no UTF-8 form.
        body = text.encode("utf-8", "replace")
        etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        headers = {"Cache-Control": "private, no-cache", "ETag": etag, "Vary": "Cookie"}
        if status == 200 and facts["etag_of"] == etag:
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=body,
            status=status,
            headers={**headers, "Content-Type": "text/html; charset=utf-8"},
        )
        if len(body) >= _WORTH_COMPRESSING:
            response.enable_compression()
        return response


def iso(seconds: int) -> str:
    """Return epoch seconds as ISO 8601 in UTC; the browser shows them in its own zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(count: int) -> str:
    """Return a count with a comma for each three digits, as English and Chinese both have it."""
    return f"{count:,}"


def size(count: int) -> str:
    """Return a number of bytes in the unit in which it is read."""
    for unit, bytes_of_unit in _UNITS:
        if count >= bytes_of_unit:
            return f"{count / bytes_of_unit:.1f} {unit}"
    return f"{count} B"


def qr_code(text: str) -> Markup:
    """Return a text as a QR code, an SVG image that takes the colors of the page."""
    code = segno.make(text, micro=False)
    # No text is in it but numbers: the image has the modules of the code alone.
    return Markup(code.svg_inline(omitsize=True, svgclass="qr", lineclass=None))
