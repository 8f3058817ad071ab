"""`acr init`: a folder whose contents work as they are."""

from __future__ import annotations


def test_the_example_is_pushed_tested_and_run_on_a_fresh_engine(acr, project, engine) -> None:
    pushed = acr("recipe", "push", project / "recipes/greeting.yaml", "--json")
    assert pushed.json["version"] == 1
    assert pushed.json["warnings"] == []
    tested = acr("recipe", "test", "greeting", "--json")
    assert (tested.code, tested.json["passed"], len(tested.json["tests"])) == (0, True, 2)
    assert acr("push", project / "workflows/greet.yaml", "--json").json["warnings"] == []
    ran = acr("run", "greet", "-f", project / "inputs/greet.json", "--json")
    assert ran.json["data"] == {"to": "小明", "greeting": "早安，小明！"}


def test_it_makes_the_folder_and_says_what_to_do_next(acr, tmp_path) -> None:
    ended = acr("init", tmp_path / "new")
    assert "acr dev" in ended.out
    assert f"cd {tmp_path / 'new'}" in ended.out
    made = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*")}
    assert {"workflows/greet.yaml", "recipes/greeting.yaml", "inputs/greet.json"} <= made


def test_keys_and_the_engines_data_are_kept_out_of_git(project) -> None:
    ignored = (project / ".gitignore").read_text().splitlines()
    assert {".env", ".arcrun/"} <= set(ignored)
    assert "ARCRUN_API_KEY=" in (project / ".env.example").read_text().splitlines()


def test_it_overwrites_nothing_and_makes_nothing_then(acr, tmp_path) -> None:
    (tmp_path / "replies.yaml").write_text("- reply: mine\n")
    ended = acr("init", tmp_path, "--json")
    assert ended.code == 6
    assert "replies.yaml" in ended.err
    assert (tmp_path / "replies.yaml").read_text() == "- reply: mine\n"
    assert not (tmp_path / "workflows").exists()


def test_a_dry_run_makes_nothing(acr, tmp_path) -> None:
    ended = acr("init", tmp_path / "new", "--dry-run", "--json")
    assert "workflows/greet.yaml" in ended.json["files"]
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_named(acr, tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    ended = acr("init", tmp_path / "file" / "below")
    assert ended.code == 2
    assert "can't be made" in ended.err
