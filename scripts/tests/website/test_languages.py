import pytest
import yaml

from scripts import ROOT
from scripts.website.languages import both, both_names

CATALOG = ROOT / "packages/server/src/arcrun_server/catalog/auth-recipes"


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("Files in Drive. 存取檔案。", "Files in Drive.", "存取檔案。"),
        ("It ended. LINE 已終止此服務。", "It ended.", "LINE 已終止此服務。"),
        ("API token 權杖", "API token", "權杖"),
        ("Account SID 帳戶 SID", "Account SID", "帳戶 SID"),
        ("Notion", "Notion", "Notion"),
    ],
)
def test_a_text_is_taken_apart_where_the_chinese_begins(
    text: str, english: str, chinese: str
) -> None:
    assert both(text) == {"en": english, "zh": chinese}


def test_a_name_is_in_chinese_first() -> None:
    assert both_names("HTTP 請求 HTTP request") == {"en": "HTTP request", "zh": "HTTP 請求"}


def test_each_shipped_description_is_in_both_languages() -> None:
    for path in CATALOG.glob("*.yaml"):
        text = both(yaml.safe_load(path.read_text("utf-8"))["description"])
        assert text["en"].isascii(), path.name
        assert not text["zh"].isascii(), path.name
