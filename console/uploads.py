"""Forms with firmware files in them (multipart/form-data)."""

import asyncio
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import BodyPartReader

from local_cloud.errors import ApiError
from local_cloud.firmware import FILE_NAMES, MAX_IMAGE

from .visits import FORM_TOKEN, MAX_FORM, Visit

MAX_UPLOAD = len(FILE_NAMES) * MAX_IMAGE + MAX_FORM
"""Bytes of a form with its files."""
_PIECE = 64 << 10
_PAUSE = 60.0
"""Seconds until there has to be another piece."""
_PATIENCE = 600.0
"""Seconds for all of it."""
_AT_ONCE = 8


@dataclass(slots=True)
class Upload:
    """What came: the fields of the form, and its files by the names of their fields."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class Uploads:
    """Reads them, so many at once; what is in a file is in memory once."""

    def __init__(self) -> None:
        """Begin without any."""
        self._count = 0

    async def read(self, visit: Visit) -> Upload:
        """Return a form with its files.

        Its token stands in front of them. Raises ApiError 400 for what is no such form, 403 where the
        token is missing or wrong, 408 where it takes too long, 411 where its length is not told, 413
        where that is too great, and 503 where too many are under way.
        """
        size = visit.http.content_length
        if size is None:
            raise ApiError(411, "the length of the upload is not told")
        if size > MAX_UPLOAD:
            raise ApiError(413, f"a firmware file has at most {MAX_IMAGE} bytes")
        if self._count >= _AT_ONCE:
            raise ApiError(503, "too many uploads at once, try again in a moment")
        self._count += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                return await _read(visit)
        except TimeoutError:
            raise ApiError(408, "the upload did not come in time") from None
        except AssertionError, LookupError, ValueError:
            # What aiohttp makes of a form that is none.
            raise ApiError(400, "that is no form with files") from None
        finally:
            self._count -= 1


async def _read(visit: Visit) -> Upload:
    upload = Upload()
    visit.allow(_PAUSE)
    async for part in await visit.http.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ApiError(400, "that is no form with files")
        if part.filename is None:
            text = (await _content(visit, part)).decode("utf-8", "replace")
            if part.name == FORM_TOKEN:
                visit.take_token(text)
            else:
                upload.fields[part.name] = text.strip()
            continue
        visit.check_token()
        # Where no file was chosen, the browser sends an empty one without a name.
        if content := await _content(visit, part):
            upload.files[part.name] = content
    visit.check_token()
    return upload


async def _content(visit: Visit, part: BodyPartReader) -> bytes:
    """Return what is in a part; its buffer becomes the bytes, and is not copied."""
    content = BytesIO()
    while piece := await part.read_chunk(_PIECE):
        visit.allow(_PAUSE)
        content.write(piece)
    return content.getvalue()
