"""Short forms of browsers and of OAuth clients, strictly: each field once, in UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from arcrun_server.errors import ApiError
from arcrun_server.web.body import FORM, JSON, body_type, parse_json, read_raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_MOST_BYTES = 16 * 1024
_MOST_FIELDS = 20


async def read_fields(request: Request, *, json: bool = False) -> Mapping[str, str]:
    """Return the fields of a form.

    Args:
        request: The request.
        json: Whether an object of texts, as JSON, may stand for a form.

    Raises:
        ApiError: 400, 413 or 415.
    """
    content = await read_raw(request, _MOST_BYTES)
    taken = (FORM, JSON) if json else (FORM,)
    if body_type(request, empty=not content, taken=taken) == JSON:
        fields = parse_json(content)
        if not isinstance(fields, dict) or not all(isinstance(one, str) for one in fields.values()):
            raise _invalid("the body must be an object whose values are texts")
        return fields
    try:
        pairs = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise _invalid(
            f"the body is not a form in UTF-8 with at most {_MOST_FIELDS} fields"
        ) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _invalid("the form has a field twice")
    return fields


def _invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_request", message)
