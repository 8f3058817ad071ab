from pathlib import Path

import pytest

from scripts.website.policy import inline_scripts, policy, write_policies


def test_only_scripts_that_stand_in_the_page_count() -> None:
    text = '<script src="/a.js"></script><script>one()</script><script id="x">two()\n</script>'
    assert inline_scripts(text) == ["one()", "two()\n"]


def test_a_script_is_allowed_by_its_hash_and_nothing_inline_besides() -> None:
    allowed = policy(["alert('Hello, world.');"], "")
    # The example of the specification of Content-Security-Policy.
    assert "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" in allowed
    assert "unsafe" not in allowed


def test_requests_go_to_the_engine_that_the_site_was_built_for() -> None:
    assert "connect-src 'self' https://cypher.arcrun.dev;" in policy(
        [], "https://cypher.arcrun.dev"
    )


def test_each_page_has_its_policy_before_anything_else(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<html><head><script>a</script></head></html>", "utf-8")
    assert write_policies(tmp_path, "") == 1
    assert page.read_text("utf-8").startswith(
        '<html><head><meta http-equiv="Content-Security-Policy" content="default-src'
    )
    with pytest.raises(ValueError, match="has a policy already"):
        write_policies(tmp_path, "")
