"""What the types that pydantic checks share: names, patterns, and whether unknown fields are allowed.

The types are dictionaries, not objects: a field that was left out stays left out, and null is no way to
leave one out.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, with_config
from pydantic_core import PydanticCustomError

CREDENTIAL_NAME = re.compile(r"(?!catalog\Z)[A-Za-z0-9_]{1,128}")
CREDENTIAL_NAME_RULE = (
    "1 to 128 letters, digits and underscores (A-Z a-z 0-9 _); 'catalog' is reserved"
)
WORKFLOW_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
WORKFLOW_NAME_RULE = "1 to 128 letters, digits, underscores and hyphens (A-Z a-z 0-9 _ -)"
SERVICE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SERVICE_NAME_RULE = (
    "a lower-case letter, then up to 63 lower-case letters, digits and underscores (a-z 0-9 _)"
)
RECIPE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
RECIPE_ID_RULE = (
    "a letter, then up to 127 letters, digits, underscores and hyphens (A-Z a-z 0-9 _ -)"
)

closed = with_config(ConfigDict(strict=True, extra="forbid"))
"""Decorate a TypedDict whose unknown fields are refused, where the contract says `additionalProperties: false`."""

extensible = with_config(ConfigDict(strict=True, extra="allow"))
"""Decorate a TypedDict that may have further fields."""


def matching(pattern: re.Pattern[str], rule: str) -> AfterValidator:
    """Return the check that a text matches a pattern in full; `rule` is the message."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError("pattern", "{rule}", {"rule": rule})
        return value

    return AfterValidator(check)


whole_numbers = BeforeValidator(
    lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
)
"""Let 1.0 be a whole number, as in JSON Schema."""

CredentialName = Annotated[str, matching(CREDENTIAL_NAME, CREDENTIAL_NAME_RULE)]
WorkflowName = Annotated[str, matching(WORKFLOW_NAME, WORKFLOW_NAME_RULE)]
ServiceName = Annotated[str, matching(SERVICE_NAME, SERVICE_NAME_RULE)]
RecipeId = Annotated[str, matching(RECIPE_ID, RECIPE_ID_RULE)]
VersionMessage = Annotated[str, Field(max_length=4096)]
"""Why a version of a recipe is made."""
ExpectedVersion = Annotated[int, Field(ge=0, le=999_999_999), whole_numbers]
"""The number that the newest version of a recipe must have; 0 for one that must not be there."""
