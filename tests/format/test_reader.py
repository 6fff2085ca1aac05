"""Files that are whole, cut short, damaged, or no traces."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap.writer import Writer

from tracedbg.errors import TraceFormatError
from tracedbg.format.chunk import WHOLE_LIMIT
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import CONSOLE, MESSAGES, SPAN, WRITES
from tracedbg.format.writer import TraceWriter, schema_text

WRITTEN = 4


def values(index: int) -> np.ndarray:
    return np.arange(index, index + 20, dtype="<u8") * 1_000_003


def whole() -> bytes:
    """A small trace: four messages, a span, metadata, an attachment."""
    file = BytesIO()
    writer = TraceWriter(file)
    writer.metadata("guest", {"arch": "riscv64"})
    for index in range(WRITTEN):
        writer.write(WRITES, {"value": values(index)}, 1000 * index)
    writer.write(SPAN, {"epochs": np.array([0, 8], "<u4")}, 7, "span/1")
    writer.attach("kernel.elf", "application/x-elf", b"\x7fELF" * 10)
    writer.finish()
    return file.getvalue()


def places(content: bytes) -> list[int]:
    """Every byte of a file, but only a few of those that spell out the schema's sentences."""
    inside = set()
    for message in MESSAGES:
        text = schema_text(message).encode()
        start = content.find(text)
        while start >= 0:
            inside |= {place for place in range(start, start + len(text)) if place % 200}
            start = content.find(text, start + 1)
    return [place for place in range(len(content)) if place not in inside]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.trace"


def test_everything_that_was_written_comes_back(path: Path) -> None:
    with TraceFile(written(path, whole())) as file:
        assert file.losses == ()
        assert file.times("writes").tolist() == [0, 1000, 2000, 3000]
        for index in (3, 0, 2):
            np.testing.assert_array_equal(file.fetch("writes", index).column("value"), values(index))
        assert file.fetch("span/1", 0).column("epochs").tolist() == [0, 8]
        assert (file.count("span/0"), file.count("nothing")) == (0, 0)
        assert file.metadata("guest") == {"arch": "riscv64"}
        assert file.metadata("ending") is None
        (entry,) = file.attachments
        assert (entry.name, entry.media_type, entry.size) == ("kernel.elf", "application/x-elf", 40)
        assert file.attachment(entry) == b"\x7fELF" * 10
        with pytest.raises(IndexError, match="topic writes has 4 messages, none is number 4"):
            file.fetch("writes", 4)


def test_another_reader_of_mcap_finds_the_same_messages() -> None:
    reader = make_reader(BytesIO(whole()), validate_crcs=True)
    found = [
        (channel.topic, message.log_time)
        for _, channel, message in reader.iter_messages(log_time_order=False)
    ]
    assert found == [*(("writes", 1000 * index) for index in range(WRITTEN)), ("span/1", 7)]


@pytest.mark.slow
def test_a_file_cut_at_any_length_gives_what_is_whole_or_one_clear_error(path: Path) -> None:
    content = whole()
    seen: set[int | str] = set()
    for length in places(content):
        try:
            with TraceFile(written(path, content[:length])) as file:
                assert len(file.losses) == 1
                count = file.count("writes")
                for index in range(count):
                    np.testing.assert_array_equal(file.fetch("writes", index).column("value"), values(index))
                seen.add(count)
        except TraceFormatError as error:
            seen.add(error.problem)
    assert seen == {
        "is empty: it holds no trace",
        "the file ends inside its header: nothing of the recording is left",
        "the file ends before its first message: nothing of it is left",
        *range(1, WRITTEN + 1),
    }


def test_what_was_lost_is_said(path: Path) -> None:
    content = whole()
    with TraceFile(written(path, content[:-1])) as file:
        assert file.losses == ("the summary at the end of the file is damaged; nothing recorded is lost",)
        assert file.metadata("guest") == {"arch": "riscv64"}
        assert file.attachment(file.attachments[0]) == b"\x7fELF" * 10
    with TraceFile(path) as file:
        third = int(file._index.topics["writes"].offsets[2])
    with TraceFile(written(path, content[: third + 30])) as file:
        problem = f"the file cannot be read beyond byte {third} (the file ends inside a record)"
        assert file.losses == (f"{problem}: its last 30 bytes are lost",)
    with TraceFile(written(path, content[:third])) as file:
        assert file.losses == (f"the file was not finished: it ends after {third} bytes without a summary",)


@pytest.mark.slow
def test_a_flipped_bit_anywhere_gives_an_error_or_what_was_written(path: Path) -> None:
    content = bytearray(whole())
    for place in places(bytes(content)):
        content[place] ^= 1 << place % 8
        with suppress(TraceFormatError), TraceFile(written(path, bytes(content))) as file:
            check_each(file)
        content[place] ^= 1 << place % 8


def check_each(file: TraceFile) -> None:
    """Every message is whole or says that it is damaged; at most one can be."""
    broken = 0
    for index in range(file.count("writes")):
        try:
            found = file.fetch("writes", index).column("value")
            np.testing.assert_array_equal(found, values(index))
        except TraceFormatError:
            broken += 1
    assert broken <= 1
    assert file.metadata("guest") in ({"arch": "riscv64"}, None)
    for entry in file.attachments:
        assert file.attachment(entry) == b"\x7fELF" * 10


def test_a_damaged_message_is_named_and_the_others_stay_usable(path: Path) -> None:
    content = bytearray(whole())
    with TraceFile(written(path, bytes(content))) as file:
        start = int(file._index.topics["writes"].offsets[1])
    content[start + 120] ^= 1
    with TraceFile(written(path, bytes(content))) as file:
        with pytest.raises(TraceFormatError) as caught:
            file.fetch("writes", 1)
        problem = "message writes is damaged: its checksum differs"
        repair = "tracedbg repair keeps what lies before it"
        assert str(caught.value) == f"{path}: byte {start}: {problem}; {repair}"
        np.testing.assert_array_equal(file.fetch("writes", 2).column("value"), values(2))


def test_a_long_message_is_checked_segment_by_segment(path: Path) -> None:
    file_bytes = BytesIO()
    writer = TraceWriter(file_bytes)
    content = np.random.default_rng(1).integers(0, 256, 2 * WHOLE_LIMIT, np.uint8)
    writer.write(CONSOLE, {"byte": content}, 0)
    writer.finish()
    data = bytearray(file_bytes.getvalue())
    data[len(data) // 2] ^= 1
    with TraceFile(written(path, bytes(data))) as file:
        message = file.fetch("console", 0)
        np.testing.assert_array_equal(message.slice("byte", 0, 1000), content[:1000])
        with pytest.raises(TraceFormatError, match="column byte cannot be decompressed: "):
            message.column("byte")


def profile(text: str) -> bytes:
    file = BytesIO()
    writer = Writer(file)
    writer.start(text)
    writer.finish()  # type: ignore[no-untyped-call]
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: it holds no trace"),
        (b"\x7fELF" + bytes(100), "is not a trace: it does not begin as an MCAP file does"),
        (profile("ros1"), "is an MCAP file but not a trace: its profile is 'ros1'"),
        (
            profile("tracedbg/2"),
            "has format version 2, and this tracedbg reads 1: open it with another tracedbg",
        ),
    ],
)
def test_what_is_no_trace_is_said(path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(TraceFormatError) as caught:
        TraceFile(written(path, content))
    assert str(caught.value) == f"{path}: {problem}"


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(TraceFormatError, match="cannot be opened: No such file or directory"):
        TraceFile(tmp_path / "none")
    with pytest.raises(TraceFormatError, match="cannot be opened: Is a directory"):
        TraceFile(tmp_path)
