from scripts.fuzz.run import findings, safe_operations


def test_only_operations_that_touch_nothing_are_sent_to_other_engines() -> None:
    safe = set(safe_operations())
    assert {"getHealth", "listAuthRecipes", "getAuthRecipe", "validateGraph"} <= safe
    assert not {name for name in safe if name.startswith(("push", "delete", "replace", "trigger"))}
    assert "pushAuthRecipe" not in safe


def test_what_was_found_is_shown_with_its_curl_command() -> None:
    log = (
        "noise\n=== FAILURES ===\n____ POST /credentials ____\n- ST108 Response violates schema\n\n"
        "    curl -X POST http://127.0.0.1:1/credentials\n\n=== SUMMARY ===\nmore noise\n"
    )
    found = findings(log)
    assert found.startswith("____ POST /credentials ____")
    assert found.endswith("curl -X POST http://127.0.0.1:1/credentials")
    assert findings("nothing of that kind") == ""
