"""Tables for a terminal: columns that line up."""

from launch.process.text_table import text_table

LINES = [["genre", "files", "written to"], ["Hip Hop", "4", "a"], ["jazz", "12", "bc"]]


def test_columns_are_as_wide_as_they_need_and_flush_right():
    assert text_table(LINES).splitlines() == [
        "  genre  files  written to",
        "Hip Hop      4           a",
        "   jazz     12          bc",
    ]


def test_those_named_are_flush_left_and_no_line_ends_in_blanks():
    assert text_table(LINES, flush_left=("genre", "written to")).splitlines() == [
        "genre    files  written to",
        "Hip Hop      4  a",
        "jazz        12  bc",
    ]
