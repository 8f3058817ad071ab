from pathlib import Path

import pytest

from scripts import known_recipes

OWN = """
service: own
base_url: https://api.own.test/v1
required_secrets: [{key: own_token}, {key: own_name}]
inject:
  header: {Authorization: "Bearer {{secret.own_token}}", Accept: text/plain}
  query: {who: "{{secret.own_name}}"}
"""


def test_the_committed_tables_are_what_the_catalog_says() -> None:
    assert known_recipes.main(["--check"]) == 0


def test_a_shape_has_no_header_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    assert known_recipes.read_catalog(tmp_path) == {
        "own": [
            "https://api.own.test/v1",
            {
                "header": {"Authorization": "Bearer {{secret.own_token}}"},
                "query": {"who": "{{secret.own_name}}"},
            },
            ["own_token", "own_name"],
        ]
    }


def test_a_constant_outside_the_headers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("who: ", "format: json, who: "))
    with pytest.raises(ValueError, match="own: query"):
        known_recipes.read_catalog(tmp_path)


def test_a_table_that_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(known_recipes, "ROOT", tmp_path)
    monkeypatch.setattr(known_recipes, "PYTHON", tmp_path / "known.py")
    monkeypatch.setattr(known_recipes, "TYPESCRIPT", tmp_path / "known.ts")
    assert known_recipes.main(["--check"]) == 1
    assert "known.py differs: run python -m scripts.known_recipes" in capsys.readouterr().err
    assert known_recipes.main([]) == 0
    assert known_recipes.main(["--check"]) == 0
