"""Style sheets, scripts and libraries: read once, compressed once, kept by browsers for good.

The hash of all of them is a part of their address, so a new release has new addresses.
"""

from dataclasses import dataclass
import gzip
from hashlib import blake2b
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "static"
_PREFIX = "/static/"
_TYPES = {  # what else lies in the folder, such as a licence, is not served
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    content_type: str
    etag: str


class StaticFiles:
    """The files of the folder `static`."""

    def __init__(self) -> None:
        """Read them."""
        self._files = {
            path.relative_to(_FOLDER).as_posix(): _read(path)
            for path in sorted(_FOLDER.rglob("*"))
            if path.suffix in _TYPES
        }
        together = blake2b(digest_size=8)
        for name, file in self._files.items():
            together.update(f"{name} {file.etag} ".encode())
        self._version = together.hexdigest()

    def url(self, name: str) -> str:
        """Return where a file is. Raises KeyError where there is none of this name."""
        self._files[name]
        return f"{_PREFIX}{self._version}/{name}"

    def answer(self, http: web.BaseRequest) -> web.Response | None:
        """Return the file that is asked for, 404 where there is none, None for other paths."""
        if not http.path.startswith(_PREFIX) or http.method not in {"GET", "HEAD"}:
            return None
        version, _, name = http.path.removeprefix(_PREFIX).partition("/")
        file = self._files.get(name)
        if file is None:
            return web.Response(status=404)
        is_current = version == self._version
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable"
            if is_current
            else "no-cache",
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
        }
        if http.headers.get("If-None-Match") == file.etag:
            return web.Response(status=304, headers=headers)
        body = file.content
        if "gzip" in http.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = file.compressed
        headers["Content-Type"] = file.content_type
        return web.Response(body=body, headers=headers)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(
        content,
        gzip.compress(content, 9, mtime=0),
        _TYPES[path.suffix],
        f'"{blake2b(content, digest_size=12).hexdigest()}"',
    )
