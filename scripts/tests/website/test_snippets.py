"""The code that the site shows for a service runs as it stands, up to the service itself."""

import yaml

from scripts import ROOT
from scripts.website.catalog import SHIPPED, set_up
from scripts.website.sizes import over_budget
from scripts.website.snippets import versions


def test_the_code_of_each_service_is_python_and_names_each_secret() -> None:
    for path in (SHIPPED / "auth-recipes").glob("*.yaml"):
        recipe = yaml.safe_load(path.read_text("utf-8"))
        keys = [secret["key"] for secret in recipe["required_secrets"]]
        code = set_up(recipe["service"], keys)
        compile(code["python"]["text"], path.name, "exec")
        for key in keys:
            assert f'{key}=os.environ["{key.upper()}"]' in code["python"]["text"]
            assert f"{key}: process.env.{key.upper()}," in code["javascript"]["text"]


def test_the_versions_are_those_of_the_packages() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert versions()["python"] == versions()["javascript"] == versions()["engine"]
    assert versions()["engine"] in changelog


def test_a_page_may_load_a_little_more_than_a_bare_one() -> None:
    loads = {"index": 115_000, "login": 115_001, "api-docs": 900_000, "docs/contract": 200_000}
    assert over_budget(loads, 100_000) == {"login": 15_001}
