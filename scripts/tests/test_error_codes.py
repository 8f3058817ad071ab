import pytest
import yaml

from scripts.error_codes import CONTRACT, OPENAPI, TEXTS, explanations, main, page

TEXT = {"zh": "錯誤。", "cure": "Mend it.", "cure_zh": "修正。"}
OPENAPI_TEXT = "One of `invalid_json`, `gone`.\n"


def contract(*codes: str) -> str:
    rows = "".join(f"| `{code}` | 400 | It means {code}. |\n" for code in codes)
    return f"\n### Errors\n\n| code | status | meaning |\n|---|---|---|\n{rows}\n### Capabilities\n\n| `x` | 200 | no |\n"


def texts(*codes: str) -> dict:
    local = {"timeout": {"en": "Too late.", **TEXT}}
    return {"engine": dict.fromkeys(codes, TEXT), "local": local, "exit_codes": {7: ["timeout"]}}


def test_the_committed_files_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_the_contract_says_what_a_code_of_the_engine_means() -> None:
    found = explanations(
        contract("invalid_json", "gone"), OPENAPI_TEXT, texts("invalid_json", "gone")
    )
    assert found["gone"] == [400, 1, "It means gone.", "錯誤。", "Mend it.", "修正。"]
    assert found["timeout"] == [0, 7, "Too late.", "錯誤。", "Mend it.", "修正。"]
    assert list(found) == ["invalid_json", "gone", "timeout"]


def test_a_name_that_is_not_found_has_an_exit_code_of_its_own() -> None:
    openapi = "One of `invalid_json`, `run_not_found`.\n"
    codes = ("invalid_json", "run_not_found")
    assert explanations(contract(*codes), openapi, texts(*codes))["run_not_found"][1] == 3


@pytest.mark.parametrize(
    ("rows", "openapi", "written", "names"),
    [
        (("invalid_json", "gone"), "One of `invalid_json`.\n", ("invalid_json", "gone"), "openapi"),
        (("invalid_json",), OPENAPI_TEXT, ("invalid_json",), "docs/contract.md"),
        (("invalid_json", "gone"), OPENAPI_TEXT, ("invalid_json",), "scripts/error_codes.yaml"),
    ],
)
def test_a_code_that_stands_in_one_place_only_is_named(rows, openapi, written, names) -> None:
    with pytest.raises(ValueError, match=rf"{names}.* lacks gone"):
        explanations(contract(*rows), openapi, texts(*written))


def test_an_exit_code_of_an_unknown_code_is_refused() -> None:
    wrong = texts("invalid_json", "gone")
    wrong["exit_codes"][2] = ["no_such_code"]
    with pytest.raises(ValueError, match="no_such_code"):
        explanations(contract("invalid_json", "gone"), OPENAPI_TEXT, wrong)


def test_the_page_has_the_codes_of_the_command_line_only() -> None:
    found = explanations(
        contract("invalid_json", "gone"), OPENAPI_TEXT, texts("invalid_json", "gone")
    )
    text = "a\n<!-- error codes -->\nold\n<!-- end of error codes -->\nb\n"
    row = "| `timeout` | 7 | Too late. | Mend it. |"
    head = "| code | exit code | meaning | what to do |\n|---|---|---|---|"
    assert page(text, found) == (
        f"a\n<!-- error codes -->\n{head}\n{row}\n<!-- end of error codes -->\nb\n"
    )
    with pytest.raises(ValueError, match="error codes"):
        page("no place", found)


def test_every_text_is_in_both_languages_and_ends_as_a_sentence() -> None:
    written = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    found = explanations(
        CONTRACT.read_text(encoding="utf-8"), OPENAPI.read_text(encoding="utf-8"), written
    )
    for _, _, meaning, meaning_zh, cure, cure_zh in found.values():
        assert meaning.endswith(".")
        assert cure.endswith((".", "?"))
        assert meaning_zh.endswith("。")
        assert cure_zh.endswith(("。", "？"))
