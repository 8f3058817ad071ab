import io

from rich.table import Table

from scripts.console import make_console


def test_what_is_printed_into_a_log_is_whole_and_as_it_is() -> None:
    log = io.StringIO()
    console = make_console(log)
    console.print("src/auth.ts:100:3 " + "很長" * 200)
    assert log.getvalue() == "src/auth.ts:100:3 " + "很長" * 200 + "\n"


def test_a_table_in_a_log_cuts_no_cell() -> None:
    log = io.StringIO()
    table = Table()
    for number in range(3):
        table.add_column(f"column {number}")
    table.add_row(*("x" * 40 for _ in range(3)))
    make_console(log).print(table)
    assert log.getvalue().count("x" * 40) == 3
