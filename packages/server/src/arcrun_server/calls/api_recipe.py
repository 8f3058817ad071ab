"""An API recipe as a component: its templates filled from what the node gets (CONTRACT.md §7)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from arcrun_server.calls.request import ServiceRequest, call_service
from arcrun_server.engine import ComponentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from arcrun_server.calls.auth import Secrets
    from arcrun_server.calls.tokens import Tokens
    from arcrun_server.engine import Call, Component, JsonObject
    from arcrun_server.outbound import Outbound

_PLACE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_AUTH = "auth."
_PATH_VARIABLE = "_path"


def api_recipe_component(
    recipe: dict[str, Any],
    auth_recipe: dict[str, Any] | None,
    secret: Secrets,
    outbound: Outbound,
    tokens: Tokens,
) -> Component:
    """Make the component of an API recipe; it answers `{"success", "status", "data", "text"?}`."""

    async def run(given: JsonObject, _call: Call) -> Any:
        if auth_recipe is None and recipe.get("auth_service"):
            raise ComponentError(
                f"the recipe {recipe['canonical_id']!r} needs the service {recipe['auth_service']!r}, "
                "for which there is no auth recipe"
            )
        request = ServiceRequest(
            method=recipe["method"],
            url=_endpoint(recipe["endpoint"], given),
            headers={
                name: _filled(text, given, _text)
                for name, text in recipe.get("headers", {}).items()
            },
            body=_body(recipe, given),
        )
        result = await call_service(request, auth_recipe, secret, outbound, tokens)
        if result["success"] and "response_map" in recipe:
            text = mapped_text(result["data"], recipe["response_map"])
            return result if text is None else result | {"text": text}
        return result

    return run


def mapped_text(data: Any, response_map: dict[str, Any]) -> str | None:
    """Take the text out of an answer.

    Args:
        data: The answer.
        response_map: `text_path`, where the text is; `answer_marker`, after whose last place the answer
            begins; `strip_prefixes`, which are taken off its beginning.

    Returns:
        The text, or None if there is none at this path.

    Example:
        >>> mapped_text({"a": [{"t": "想…答案：Re: 好"}]}, {"text_path": "a.0.t", "answer_marker": "答案：", "strip_prefixes": ["Re:"]})
        '好'
    """
    found = _look_up(data, response_map["text_path"])
    if found is None:
        return None
    text = _text(found)
    marker = response_map.get("answer_marker")
    if marker and marker in text:
        text = text.rpartition(marker)[2]
    text = text.strip()
    for prefix in response_map.get("strip_prefixes", []):
        text = text.removeprefix(prefix).strip()
    return text


def _endpoint(template: str, given: JsonObject) -> str:
    """Fill the endpoint: values are percent-encoded, so that none leaves its place; the host stays."""

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        if name.startswith(_AUTH):
            return f"{{{name.removeprefix(_AUTH)}}}"  # filled by the auth recipe's path values
        value = _text(_look_up(given, name))
        return (
            quote(value, safe="/?&=%:,;@!$'()*+~")
            if name == _PATH_VARIABLE
            else quote(value, safe="")
        )

    url = _PLACE.sub(fill, template)
    if urlsplit(url).netloc != urlsplit(template.partition("{{")[0]).netloc:
        raise ComponentError("a value in the endpoint leads to another host")
    return url


def _body(recipe: dict[str, Any], given: JsonObject) -> Any:
    if "body" in recipe:
        return _filled_value(recipe["body"], given)
    if "body_template" in recipe:
        is_json = not _content_type(recipe) or "json" in _content_type(recipe)
        text = _filled(recipe["body_template"], given, _inside_json if is_json else _text)
        if not is_json:
            return text
        try:
            return json.loads(text)
        except ValueError:
            raise ComponentError(
                f"the body_template of {recipe['canonical_id']!r}, when filled, is no JSON"
            ) from None
    return None


def _content_type(recipe: dict[str, Any]) -> str:
    headers = {name.lower(): value for name, value in recipe.get("headers", {}).items()}
    return str(headers.get("content-type", "")).lower()


def _filled_value(value: Any, given: JsonObject) -> Any:
    if isinstance(value, str):
        alone = _PLACE.fullmatch(value.strip())
        if alone:
            found = _look_up(given, alone[1])
            return "" if found is None else found
        return _filled(value, given, _text)
    if isinstance(value, dict):
        return {key: _filled_value(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_value(item, given) for item in value]
    return value


def _filled(template: str, given: JsonObject, write: Callable[[Any], str]) -> str:
    return _PLACE.sub(lambda place: write(_look_up(given, place[1])), template)


def _inside_json(value: Any) -> str:
    """Write a value where the template has its quotes already, or none: text without quotes, else JSON."""
    if value is None:
        return ""
    written = json.dumps(value, ensure_ascii=False)
    return written[1:-1] if isinstance(value, str) else written


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _look_up(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif (
            isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            return None
    return value
