"""An API recipe as a component: its templates filled with what the node is given (docs/contract.md#api-recipes)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from arcrun_server.engine import ComponentError
from arcrun_server.engine.placeholders import as_empty, fill_text, only_placeholder, parse
from arcrun_server.json_text import as_text
from arcrun_server.outbound.urls import climbs
from arcrun_server.recipes.api.record import PATH_VARIABLE
from arcrun_server.recipes.request import ServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.engine.placeholders import Placeholder
    from arcrun_server.recipes.request import ServiceClient

# What else stands in braces is left as it is written.
_NAME = re.compile(r"[\w.-]+")
_AUTH = "auth."


def api_recipe_component(
    recipe: dict[str, Any], auth_recipe: dict[str, Any] | None, client: ServiceClient
) -> Component:
    """Return the component of an API recipe; its result is `{"success", "status", "data", "text"?}`.

    Args:
        recipe: The API recipe.
        auth_recipe: The recipe of its `auth_service`, or None if there is none.
        client: Sends the account's requests.
    """

    async def run(_given: JsonObject, invocation: Invocation) -> Any:
        if auth_recipe is None and recipe.get("auth_service"):
            raise ComponentError(
                f"the recipe {recipe['canonical_id']!r} needs the service {recipe['auth_service']!r}, "
                "for which there is no auth recipe"
            )
        request = assemble_request(recipe, invocation.own)
        request = replace(request, repeat_key=invocation.repeat_key)
        result = await client.call(request, auth_recipe)
        if result["success"] and "response_map" in recipe:
            text = mapped_text(result["data"], recipe["response_map"])
            return result if text is None else result | {"text": text}
        return result

    return run


def assemble_request(recipe: dict[str, Any], given: JsonObject) -> ServiceRequest:
    """Fill a recipe's templates; a missing value becomes empty.

    Args:
        recipe: The API recipe.
        given: The values.

    Raises:
        ComponentError: A value leads to another host, or the filled body is not valid JSON.
    """
    return ServiceRequest(
        method=recipe["method"],
        url=_endpoint(recipe["endpoint"], given),
        headers={
            name: _filled(text, given, as_text) for name, text in recipe.get("headers", {}).items()
        },
        body=_body(recipe, given),
    )


def mapped_text(data: Any, response_map: dict[str, Any]) -> str | None:
    """Return the text of a response.

    Args:
        data: The response's body.
        response_map: `text_path`, where the text is; `answer_marker`, after whose last occurrence it
            begins; `strip_prefixes`, which are removed from its beginning.

    Returns:
        The text, or None if there is none at this path.

    Example:
        >>> mapped_text({"a": [{"t": "想…答案：Re: 好"}]}, {"text_path": "a.0.t", "answer_marker": "答案：", "strip_prefixes": ["Re:"]})
        '好'
    """
    found = _look_up(data, response_map["text_path"])
    if found is None:
        return None
    text = as_text(found)
    marker = response_map.get("answer_marker")
    if marker and marker in text:
        text = text.rpartition(marker)[2]
    text = text.strip()
    for prefix in response_map.get("strip_prefixes", []):
        text = text.removeprefix(prefix).strip()
    return text


def _endpoint(template: str, given: JsonObject) -> str:
    """Fill the endpoint: values are percent-encoded, so that none leaves its part of the URL; the host stays."""

    def look_up(placeholder: Placeholder) -> str | None:
        name = placeholder.name
        if not _NAME.fullmatch(name):
            return placeholder.source
        if name.startswith(_AUTH):
            return f"{{{name.removeprefix(_AUTH)}}}"  # filled by the auth recipe's path values
        value = _look_up(given, name)
        if value is None:
            return None
        return quote(as_text(value), safe="/?&=%:,;@!$'()*+~" if name == PATH_VARIABLE else "")

    url = fill_text(template, look_up, as_empty)
    if urlsplit(url).netloc != urlsplit(template.partition("{{")[0]).netloc:
        raise ComponentError("a value in the endpoint leads to another host")
    if climbs(url) and not climbs(template):
        raise ComponentError(
            "a value in the endpoint is `..`, which would leave its place in the path"
        )
    return url


def _body(recipe: dict[str, Any], given: JsonObject) -> Any:
    if "body" in recipe:
        return _filled_value(recipe["body"], given)
    if "body_template" in recipe:
        is_json = not _content_type(recipe) or "json" in _content_type(recipe)
        text = _filled(recipe["body_template"], given, _inside_json if is_json else as_text)
        if not is_json:
            return text
        try:
            return json.loads(text)
        except ValueError:
            raise ComponentError(
                f"the body_template of {recipe['canonical_id']!r}, when filled, is not valid JSON"
            ) from None
    return None


def _content_type(recipe: dict[str, Any]) -> str:
    headers = {name.lower(): value for name, value in recipe.get("headers", {}).items()}
    return str(headers.get("content-type", "")).lower()


def _filled_value(value: Any, given: JsonObject) -> Any:
    if isinstance(value, str):
        alone = only_placeholder(parse(value))
        if alone is not None and _NAME.fullmatch(alone.name):
            found = _look_up(given, alone.name)
            return "" if found is None else found
        return _filled(value, given, as_text)
    if isinstance(value, dict):
        return {key: _filled_value(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_value(item, given) for item in value]
    return value


def _filled(template: str, given: JsonObject, write: Callable[[Any], str]) -> str:
    def look_up(placeholder: Placeholder) -> str | None:
        if not _NAME.fullmatch(placeholder.name):
            return placeholder.source
        value = _look_up(given, placeholder.name)
        return None if value is None else write(value)

    return fill_text(template, look_up, as_empty)


def _inside_json(value: Any) -> str:
    """Write a value where the template has its quotes already, or none: text without quotes, else JSON."""
    written = json.dumps(value, ensure_ascii=False)
    return written[1:-1] if isinstance(value, str) else written


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
