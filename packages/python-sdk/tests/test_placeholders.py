"""Placeholders of auth recipes: found, filled in, and refused where they point nowhere."""

from __future__ import annotations

import re
import string
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun import InvalidArgumentError, UnexpectedResponseError
from arcrun._core.origins import origin_of
from arcrun._core.placeholders import Template, render_base_url, scan
from arcrun._core.secret import Secret

anything = st.text(min_size=1, max_size=60)

# What a placeholder is. Taking cubic time, it is used here on short texts only.
DEFINITION = re.compile(r"(?s)\{\{\s*(.*?)\s*\}\}")


def hidden(**values: str) -> dict[str, Secret]:
    return {key: Secret(value) for key, value in values.items()}


def split_by_definition(text: str) -> list[tuple[str, str | None]]:
    """The parts of a text, each as written and with its name if it is a placeholder."""
    parts: list[tuple[str, str | None]] = []
    position = 0
    for found in DEFINITION.finditer(text):
        parts += [(text[position : found.start()], None), (found[0], found[1])]
        position = found.end()
    return [*parts, (text[position:], None)]


def split_by_scanner(text: str) -> list[tuple[str, str | None]]:
    return [(p, None) if isinstance(p, str) else (p.text, p.name) for p in scan(text)]


@given(st.text("{} \n\t\u3000\x1cab.", max_size=24))
def test_scanner_finds_what_the_definition_says(text: str) -> None:
    assert split_by_scanner(text) == split_by_definition(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("plain", []),
        ("{{a}}", ["a"]),
        ("{{ a }}{{b}}", ["a", "b"]),
        ("{{a}}}", ["a"]),
        ("{{{a}}", ["{a"]),
        ("{{}}", [""]),
        ("{{}", []),
        ("{{a} }", []),
        ("}}{{a", []),
        ("{{a {{b}}", ["a {{b"]),
        ("{{a\nb}}", ["a\nb"]),
    ],
)
def test_placeholders_of_a_text(text: str, names: list[str]) -> None:
    assert [name for _, name in split_by_scanner(text) if name is not None] == names


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "{{" + " " * size,
        lambda size: "{{" + " " * size + "}",
        lambda size: "{{" * size,
        lambda size: "{{" * size + "}" * size,
        lambda size: "{{ a }}" * size,
        lambda size: "{{" + " " * size + "a" + " " * size + "}}",
    ],
)
@pytest.mark.parametrize("use", [Template, origin_of])
def test_time_grows_linearly_with_the_text(make, use) -> None:
    """40 times the text takes some 40 times as long; quadratic time would be 1,600 times."""

    def seconds(size: int) -> float:
        text = f"https://{make(size)}"
        times = []
        for _ in range(5):
            started = time.thread_time()  # computing only, not waiting for a turn
            use(text)
            times.append(time.thread_time() - started)
        return min(times)  # noise can only add

    assert seconds(80_000) < 400 * seconds(2_000) + 0.05


@given(anything, anything)
def test_values_replace_their_placeholders(a: str, b: str) -> None:
    template = Template("{{secret.a}}/{{ secret.b }}!{{runtime.access_token}}")
    assert template.render(hidden(a=a, b=b), Secret("t")) == f"{a}/{b}!t"


@pytest.mark.parametrize("value", ["{{secret.b}}", "{{runtime.access_token}}", "\\1", "\\g<0>"])
def test_a_value_that_looks_like_a_placeholder_stays(value: str) -> None:
    assert Template("x{{secret.a}}").render(hidden(a=value, b="no")) == f"x{value}"


@pytest.mark.parametrize(
    "placeholder",
    [
        "{{secret.unknown}}",
        "{{ runtime.access_token }}",
        "{{env.HOME}}",
        "{{}}",
        "{{secret.a b}}",
        "{{secret.ä}}",
        "{{secret.a\n.b}}",
    ],
)
def test_an_unknown_placeholder_is_named_in_the_error(placeholder: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        Template(f"Bearer {placeholder}").render(hidden(a="value"))
    assert repr(placeholder) in str(caught.value)
    assert "value" not in str(caught.value).replace("{{secret", "")


def test_secret_keys_of_a_template() -> None:
    template = Template("{{secret.a}}:{{ secret.b }}{{runtime.access_token}}")
    assert template.secret_keys == ("a", "b")


@pytest.mark.parametrize(
    ("text", "expected"), [("", True), ("2022-06-28", True), ("{{x", True), ("{{secret.a}}", False)]
)
def test_a_text_without_placeholders_is_constant(text: str, expected: bool) -> None:
    assert Template(text).is_constant is expected
    assert not expected or Template(text).render({}) == text


def render_url(template: str, **values: str) -> str:
    return render_base_url(Template(template), hidden(**values))


@given(st.from_regex(r"[A-Za-z0-9-]{1,30}", fullmatch=True))
def test_a_part_of_a_host_name_is_filled_in(value: str) -> None:
    url = render_url("https://{{secret.domain}}.atlassian.net/rest", domain=value)
    assert urlsplit(url).netloc == f"{value}.atlassian.net"


@given(st.text(min_size=1).filter(lambda text: not text.isascii() or not text.isalnum()))
def test_a_secret_never_changes_the_host(value: str) -> None:
    try:
        url = render_url("https://{{secret.domain}}.atlassian.net/rest", domain=value)
    except InvalidArgumentError:
        return
    assert set(value) <= {*string.ascii_letters, *string.digits, "-"}
    assert urlsplit(url).netloc == f"{value}.atlassian.net"


@pytest.mark.parametrize(
    "value", ["evil.test/", "evil.test#", "evil.test@", "a\n", "..", "a.b", ""]
)
def test_a_value_that_would_change_the_host_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="becomes part of the address"):
        render_url("https://{{secret.d}}.atlassian.net", d=value)
