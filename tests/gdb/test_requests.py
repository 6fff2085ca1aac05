"""Packets become typed requests; nothing that arrives makes more than a RequestError."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedbg.gdb import requests as ask
from tracedbg.gdb.requests import ALL_THREADS, Point, PointKind, Request, RequestError, parse

KNOWN = {
    b"qSupported:swbreak+;hwbreak+": ask.Supported(frozenset({"swbreak+", "hwbreak+"})),
    b"?": ask.WhyStopped(),
    b"g": ask.ReadGeneral(),
    b"p1f": ask.ReadRegister(31),
    b"m80200000,40": ask.ReadMemory(0x80200000, 64),
    b"x80200000,40": ask.ReadMemory(0x80200000, 64, is_binary=True),
    b"Hg0": ask.SelectThread("g", 0),
    b"Hc-1": ask.SelectThread("c", ALL_THREADS),
    b"T2": ask.IsAlive(2),
    b"s": ask.Resume(is_step=True),
    b"C05": ask.Resume(is_step=False),
    b"bs": ask.Resume(is_step=True, is_reverse=True),
    b"bc": ask.Resume(is_step=False, is_reverse=True),
    b"vCont?": ask.VContActions(),
    b"vCont;s:2;c": ask.Resume(is_step=True, thread=2),
    b"vCont;r80200000,80200010:2;c": ask.Resume(is_step=True, thread=2, within=(0x80200000, 0x80200010)),
    b"vCont;c": ask.Resume(is_step=False),
    b"vCont;C05:1;S05:3": ask.Resume(is_step=True, thread=3),
    b"Z2,8000,4": ask.Insert(Point(PointKind.WRITE, 0x8000, 4)),
    b"Z0,8000,2;X3,010203": ask.Insert(Point(PointKind.SOFTWARE, 0x8000, 2)),
    b"z4,8000,8": ask.Remove(Point(PointKind.ACCESS, 0x8000, 8)),
    b"qXfer:features:read:target.xml:0,ffb": ask.Transfer("features", "target.xml", 0, 0xFFB),
    b"qRcmd,676f746f2033": ask.Command("goto 3"),
    b"qC": ask.CurrentThread(),
    b"qCRC:0,1": ask.Unknown(),
    b"qThreadExtraInfo,2": ask.DescribeThread(2),
    b"Qqemu.PhyMemMode:1": ask.PhysicalMode(enable=True),
    b"D": ask.Leave(is_kill=False),
    b"k": ask.Leave(is_kill=True),
    b"M80,1:00": ask.Write("memory"),
    b"c80200000": ask.Write("the program counter"),
    b"vMustReplyEmpty": ask.Unknown(),
    b"": ask.Unknown(),
}


@pytest.mark.parametrize("content", KNOWN)
def test_a_packet_is_read(content: bytes) -> None:
    assert parse(content) == KNOWN[content]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"m80", "1 numbers instead of 2"),
        (b"mxyz,4", "'xyz' is no hexadecimal number of 64 bits"),
        (b"p" + b"1" * 17, "'11111111111111111' is no hexadecimal number of 64 bits"),
        (b"Z9,0,4", "9 is no kind of breakpoint"),
        (b"Hx1", "'x' is no operation"),
        (b"vCont;t", "'t' is no action"),
        (b"vCont;r80:1", "'r80:1' is no action"),
        (b"qRcmd,6", "a monitor command is not written in hexadecimal digits"),
    ],
)
def test_wrong_fields_are_named(content: bytes, problem: str) -> None:
    with pytest.raises(RequestError) as error:
        parse(content)
    assert str(error.value) == problem


@given(
    st.one_of(
        st.binary(max_size=60), st.tuples(st.sampled_from(list(KNOWN)), st.binary(max_size=9)).map(b"".join)
    )
)
def test_any_content_is_a_request_or_a_request_error(content: bytes) -> None:
    with suppress(RequestError):
        assert isinstance(parse(content), Request)
