"""The committed copies of what is generated from the schema are fresh."""

from tracedbg.format import document, header
from tracedbg.format.schema import BLOCKS, EPOCH, MESSAGES


def test_the_format_page_is_what_the_schema_says() -> None:
    text = document.PATH.read_text()
    assert text == document.generate(), "run: python -m tracedbg.format.document"


def test_the_c_header_is_what_the_schema_says() -> None:
    text = header.PATH.read_text()
    assert text == header.generate(), "run: python -m tracedbg.format.header"


def test_constants_of_columns_are_named_after_topic_and_column() -> None:
    assert header.column_constant(EPOCH, EPOCH.columns[1]) == "COLUMN_EPOCH_RUN_BLOCK"
    assert header.column_constant(BLOCKS, BLOCKS.columns[2]) == "COLUMN_BLOCKS_NEXT_PHYSICAL"


def test_the_page_tells_of_every_column() -> None:
    text = document.generate()
    for message in MESSAGES:
        assert f"### {message.topic}\n\n{message.text}" in text
        for column in message.columns:
            assert f"| `{column.name}` | `{column.dtype}` | `{column.filter.value}` | {column.text} |" in text
