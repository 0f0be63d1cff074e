"""What cannot be undone is asked once more, on a page of its own."""

from collections.abc import Mapping

from aiohttp import web

from local_cloud.errors import ApiError

from .visits import Visit


def ask(
    visit: Visit,
    question: str,
    name: str,
    *,
    action: str,
    back: str,
    fields: Mapping[str, str] | None = None,
) -> web.Response:
    """Return the page that asks; its texts are those of `confirm.<question>`.

    Its form goes to `action`, with the hidden `fields`; `back` is where a person goes who does not
    want it.
    """
    return visit.page(
        "confirm.html",
        question=question,
        name=name,
        action=action,
        back=back,
        fields=fields or {},
    )


async def confirmed(visit: Visit) -> dict[str, str]:
    """Return the fields of its form. Raises ApiError 400 where the box "I know" is not ticked."""
    form = await visit.form()
    if form.get("sure") != "yes":
        raise ApiError(400, "tick the box to go on")
    return form
