"""What error codes mean, and what to do."""

from __future__ import annotations

from typing import Any, Literal

from .error_codes import EXPLANATIONS
from .errors import CommandError, Next
from .sentences import either, sentence

Language = Literal["en", "zh"]
LISTING = Next("see the codes", "explain")


def explain_code(code: str | None = None, *, language: Language = "en") -> dict[str, Any]:
    """Say what an error code means, and what to do; without a code, list all of them.

    Args:
        code: as an error names it, such as invalid_graph
    """
    if code is None:
        return {"codes": [_short(each, language) for each in EXPLANATIONS]}
    if code not in EXPLANATIONS:
        from difflib import get_close_matches

        near = get_close_matches(code, EXPLANATIONS, 3, 0.5)
        hint = sentence("; did you mean {names}?", names=either(near)) if near else ""
        raise CommandError(
            "code_not_found",
            sentence("there is no error code {code}{hint}", code=repr(code), hint=hint),
            next=[LISTING],
        )
    found = EXPLANATIONS[code]
    return {
        **_short(code, language),
        "cure": found.cure_zh if language == "zh" else found.cure,
        **({"http_status": found.status} if found.status else {}),
    }


def meaning_of(code: str, language: Language) -> str:
    """Return what an error code means and what to do; empty for a code that is not known."""
    found = EXPLANATIONS.get(code)
    if found is None:
        return ""
    return (
        f"{found.meaning_zh}{found.cure_zh}"
        if language == "zh"
        else f"{found.meaning} {found.cure}"
    )


def _short(code: str, language: Language) -> dict[str, Any]:
    found = EXPLANATIONS[code]
    meaning = found.meaning_zh if language == "zh" else found.meaning
    return {"code": code, "exit_code": found.exit_code, "meaning": meaning}
