"""The table of differences from the deployed engine, row by row with the tests of what the reference engine does.

A row without a test, or a test without a row, is a difference that nobody holds.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "packages/server/tests"
DIFFERENCES = "engine/test_deployed_differences.py"

HELD_BY: dict[str, dict[str, tuple[str, ...]]] = {
    "Accounts": {
        "accounts/test_account_keys.py": (
            "test_what_was_sealed_under_the_old_key_opens_in_runs_under_the_new_one",
        ),
        "accounts/test_identities.py": ("test_person_logs_in_with_github_and_gets_a_key",),
    },
    "API keys": {
        "test_errors.py": ("test_unknown_key_is_refused", "test_revoked_key_is_refused_at_once")
    },
    "Keys on `POST /execute`, `POST /cypher/execute` and on writes of recipes": {
        "test_runs.py": ("test_running_needs_a_key",),
        "test_recipes.py": ("test_changing_recipes_needs_a_key",),
    },
    "Errors": {"test_errors.py": ("test_unknown_route_is_404_in_the_common_shape",)},
    "Invalid JSON": {"test_errors.py": ("test_bad_json_is_400_with_its_position",)},
    "`X-Request-Id`": {"test_errors.py": ("test_clients_request_id_is_repeated",)},
    "Capabilities": {"test_contract.py": ("test_health_lists_the_capabilities",)},
    "CORS": {"test_errors.py": ("test_pages_of_named_origins_may_call",)},
    "`GET /openapi.json`": {"test_contract.py": ("test_routes_and_contract_are_the_same_set",)},
    "Sealed credentials": {
        "test_credentials.py": ("test_sealed_push_is_read_back_as_it_was_given",)
    },
    "Credential names": {"test_credentials.py": ("test_list_shows_all_sorted_and_no_value",)},
    "Lists": {"test_paging.py": ("test_pages_give_every_entry_once_and_in_order",)},
    "List of credentials": {"test_credentials.py": ("test_list_shows_all_sorted_and_no_value",)},
    "Deleting a missing credential": {
        "test_credentials.py": ("test_delete_removes_and_a_second_one_is_404",)
    },
    "Stored auth recipes": {
        "test_recipes.py": (
            "test_own_recipes_are_private",
            "test_what_is_shipped_can_not_be_changed",
        )
    },
    "`help_url` of secrets": {"test_auth_recipes.py": ("test_recipe_is_that_of_the_contract",)},
    "HTTP Basic in recipes": {
        "recipes/test_steering.py": ("test_basic_credentials_that_a_service_repeats_are_redacted",)
    },
    "Graphs": {DIFFERENCES: ("test_loops_are_found_before_a_graph_is_stored",)},
    "Flow lines": {
        DIFFERENCES: (
            "test_a_malformed_line_is_refused_and_not_dropped",
            "test_an_unknown_label_is_refused_and_not_taken_for_a_pipe",
        )
    },
    "Branch and iterator names": {
        DIFFERENCES: (
            "test_branch_names_of_chinese_do_not_turn_into_a_pipe",
            "test_iterator_names_of_chinese_are_read",
        )
    },
    "A start node with a component": {
        DIFFERENCES: ("test_a_start_node_with_a_component_is_a_component_and_runs",)
    },
    "IF": {
        DIFFERENCES: (
            "test_an_if_compares_by_type_and_not_as_text",
            "test_an_if_on_a_missing_key_is_false",
            "test_an_if_without_condition_is_refused",
        )
    },
    "Conditions of if_control and filter": {
        "engine/test_condition_data.py": (
            "test_an_if_edge_and_if_control_read_no_value_as_a_condition",
        )
    },
    "ON_BRANCH without a name": {DIFFERENCES: ("test_a_bare_on_branch_is_refused",)},
    "CALLS_SUBFLOW": {DIFFERENCES: ("test_calls_subflow_is_no_no_op",)},
    "Several outgoing edges": {
        DIFFERENCES: (
            "test_the_second_edge_sees_its_own_nodes_result",
            "test_of_on_true_and_on_false_at_most_one_fires",
            "test_of_on_success_and_on_fail_exactly_one_fires",
        )
    },
    "Several start nodes": {DIFFERENCES: ("test_each_start_node_runs_to_its_end_before_the_next",)},
    "Fan-in": {DIFFERENCES: ("test_an_untaken_edge_does_not_starve_a_fan_in",)},
    "FOREACH": {
        DIFFERENCES: (
            "test_a_foreach_without_a_list_fails",
            "test_edges_after_a_foreach_see_results",
            "test_loop_stays_bound_downstream",
        )
    },
    "Placeholders": {DIFFERENCES: ("test_templates_of_chinese_and_with_spaces_are_filled",)},
    "`{{credential.NAME}}`": {DIFFERENCES: ("test_run_input_cannot_fetch_secrets",)},
    "A credential in an http_request whose `url` comes from elsewhere": {
        "test_strictness.py": ("test_a_push_refuses_a_credential_for_a_host_that_data_chooses",),
        "components/test_http_components.py": (
            "test_a_credential_goes_to_no_host_that_the_input_chooses",
        ),
    },
    "Parameters of http_request, services, API recipes and `trigger_workflow`": {
        "components/test_http_components.py": ("test_the_input_sets_no_parameter_of_a_request",),
        "recipes/test_steering.py": ("test_run_input_sets_no_parameter_that_the_node_left_out",),
        "engine/test_sub_workflows.py": (
            "test_the_input_does_not_choose_the_workflow_that_is_run",
        ),
    },
    "Parameters whose name is almost one of a component's, such as `header`": {
        "components/test_registry.py": ("test_a_misspelled_parameter_is_refused_and_not_ignored",)
    },
    "Built-ins": {
        DIFFERENCES: ("test_a_built_in_gives_back_the_values_without_the_results_by_node",)
    },
    "Output node": {DIFFERENCES: ("test_the_result_of_an_output_node_is_what_came_before",)},
    "Failed run": {DIFFERENCES: ("test_a_failed_run_names_its_node",)},
    "Executions": {"test_workflows.py": ("test_graph_bears_the_workflows_name",)},
    "Fields of [Policies](#policies)": {
        "test_policies.py": ("test_requests_are_repeated_until_they_succeed",),
        "engine/test_retry.py": (
            "test_continue_goes_on_after_an_exception",
            "test_stop_ends_the_run_after_a_failure_that_was_returned",
        ),
        "engine/test_concurrency.py": (
            "test_so_many_elements_run_at_the_same_time_and_results_are_in_order",
        ),
    },
    "Failures that a run goes on after": {
        "test_strictness.py": ("test_a_run_that_went_on_after_a_failure_is_partial",)
    },
    "Placeholders that point nowhere": {
        "test_strictness.py": (
            "test_a_push_refuses_what_cannot_be_a_placeholder",
            "test_a_run_names_the_placeholders_that_found_nothing",
        )
    },
    "Paused run": {
        "test_durable_runs.py": ("test_a_paused_run_survives_a_kill_and_is_resumed_once",)
    },
    "`?async=1` on a trigger": {
        "test_durable_runs.py": ("test_an_accepted_run_is_executed_and_can_be_looked_at",)
    },
}
# What the deployed engine does as well: no row of the table, but found by comparing the two.
AS_DEPLOYED = {
    "test_data_of_an_input_node_is_merged_into_the_context",
    "test_a_resumed_run_obeys_the_types_of_edges",
}


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the table: topic, deployed, reference engine."""
    page = (ROOT / "docs/contract.md").read_text("utf-8")
    table = page.partition("\n## Differences from the deployed engine\n")[2]
    found = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    return [row for row in found if row[0] != "topic"]


def names_in(file: str) -> set[str]:
    return set(
        re.findall(r"^(?:async )?def (test_\w+)", (TESTS / file).read_text("utf-8"), re.MULTILINE)
    )


def test_every_row_of_the_table_is_held_by_tests() -> None:
    assert [topic for topic, _, _ in rows()] == list(HELD_BY)


def test_no_row_says_the_same_of_both_engines() -> None:
    assert [topic for topic, deployed, ours in rows() if deployed == ours] == []


@pytest.mark.parametrize("topic", HELD_BY)
def test_the_tests_of_a_row_are_there(topic: str) -> None:
    for file, names in HELD_BY[topic].items():
        assert set(names) <= names_in(file), file


def test_every_test_of_a_difference_has_a_row() -> None:
    named = {name for held in HELD_BY.values() for name in held.get(DIFFERENCES, ())}
    assert names_in(DIFFERENCES) == named | AS_DEPLOYED
