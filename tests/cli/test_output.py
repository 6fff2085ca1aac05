"""One typed grid, two renderings."""

import json

import pytest

from tracedbg.cli.output import Column, Form, Grid, Kind, Report, show, size_text

GRID = Grid(
    (
        Column("t", Kind.NUMBER),
        Column("physical_address", Kind.ADDRESS),
        Column("value", Kind.BYTES),
        Column("count", Kind.COUNT),
        Column("symbol", Kind.TEXT, "where"),
    ),
    (
        (5, 0x80200010, b"\x01\xff", 1234567, "sys_futex+0x1c"),
        (123456, None, None, 1, None),
    ),
)
FORM = Form(
    (Column("file_size", Kind.SIZE), Column("user_mode", Kind.SHARE), Column("complete", Kind.YES)),
    (2_500_000, 0.125, True),
)


def test_a_table_aligns_numbers_right_and_shows_the_unknown() -> None:
    assert GRID.text() == (
        "     t  physical address  value      count  where\n"
        "     5        0x80200010  01ff   1,234,567  sys_futex+0x1c\n"
        "123456                ??  ??             1  ??"
    )


def test_json_keeps_names_exact_numbers_and_null_for_the_unknown() -> None:
    assert GRID.json() == [
        {
            "t": 5,
            "physical_address": "0x80200010",
            "value": "01ff",
            "count": 1234567,
            "symbol": "sys_futex+0x1c",
        },
        {"t": 123456, "physical_address": None, "value": None, "count": 1, "symbol": None},
    ]


def test_a_form_stands_upright() -> None:
    assert FORM.text() == "file size  2.5 MB\nuser mode  12.5%\ncomplete   yes"
    assert FORM.json() == {"file_size": 2_500_000, "user_mode": 0.125, "complete": True}


def test_an_empty_grid_has_headings_only() -> None:
    assert Grid((Column("t", Kind.NUMBER), Column("name", Kind.TEXT)), ()).text() == "t  name"


def test_a_report_indents_its_named_parts() -> None:
    report = Report({"": FORM, "by_hart": Grid((Column("hart", Kind.NUMBER),), ((0,),))})
    assert report.text() == (
        "file size  2.5 MB\nuser mode  12.5%\ncomplete   yes\n\nby hart:\n  hart\n     0"
    )
    assert report.json() == {
        "file_size": 2_500_000,
        "user_mode": 0.125,
        "complete": True,
        "by_hart": [{"hart": 0}],
    }


def test_show_prints_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    show(FORM, as_json=True)
    assert json.loads(capsys.readouterr().out) == FORM.json()
    show(FORM, as_json=False)
    assert capsys.readouterr().out == FORM.text() + "\n"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (999_400, "999 KB"),
        (999_600, "1 MB"),
        (1_234_567_890, "1.23 GB"),
        (5_000_000_000_000_000, "5,000 TB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(size: int, text: str) -> None:
    assert size_text(size) == text
