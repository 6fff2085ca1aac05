"""Device and ROM accesses that are neither first nor last of their block."""

from tests.recorder.exotics.model import Accesses, Changed, Content, Exotic, Register, Runs, Touch, WasReset
from tests.recorder.exotics.source import guest
from tests.recorder.generator import layout
from tracedbg.format.schema import Cause
from tracedbg.query import Kind

_LINE_STATUS = 0x60
_AUIPC_T0 = 0x297
_NAME = b"exotic.elf"
_BUFFER = layout.SEMIHOSTING + 0x100

EXOTICS = (
    Exotic(
        "device_load_in_mid_block",
        guest(
            f"""
  li a0, {layout.UART:#x}
  li a1, 3
before: addi a1, a1, 1
load: lbu a2, 5(a0)
after: addi a3, a2, 1
  addi a4, a1, 1
second: lbu a5, 5(a0)
last: addi a6, a5, 2
end: quit
"""
        ),
        (
            Runs("before", 1),
            Runs("load", 1),
            Runs("after", 1),
            Accesses("load", (Touch(Kind.LOAD, layout.UART + 5, 1, _LINE_STATUS),)),
            Accesses("second", (Touch(Kind.LOAD, layout.UART + 5, 1, _LINE_STATUS),)),
            Register("before", "a1", 4),
            Register("load", "a2", _LINE_STATUS),
            Register("after", "a3", _LINE_STATUS + 1),
            Register("last", "a6", _LINE_STATUS + 2),
        ),
    ),
    Exotic(
        "device_store_in_mid_block",
        guest(
            f"""
  li a0, {layout.UART:#x}
  li a1, 0x41
before: addi a2, a1, 1
first: sb a1, 0(a0)
second: sb a2, 0(a0)
after: addi a3, a2, 1
end: quit
"""
        ),
        (
            Runs("first", 1),
            Runs("second", 1),
            Accesses("first", (Touch(Kind.STORE, layout.UART, 1, 0x41),)),
            Accesses("second", (Touch(Kind.STORE, layout.UART, 1, 0x42),)),
            Accesses("after", ()),
            Register("after", "a3", 0x43),
        ),
    ),
    Exotic(
        "boot_rom_load",
        guest(
            f"""
  li a0, {layout.BOOT_ROM:#x}
word: lw a1, 0(a0)
odd: lhu a2, 1(a0)
store: sw x0, 0(a0)
again: lw a3, 0(a0)
end: quit
"""
        ),
        (
            Accesses("word", (Touch(Kind.LOAD, layout.BOOT_ROM, 4, _AUIPC_T0),)),
            Accesses("odd", (Touch(Kind.LOAD, layout.BOOT_ROM + 1, 2, 2),)),
            Register("word", "a1", _AUIPC_T0),
            Register("odd", "a2", 2),
            Register("again", "a3", _AUIPC_T0),
        ),
    ),
    Exotic(
        "semihosting_command_line",
        guest(
            f"""
  li a1, {layout.SEMIHOSTING:#x}
  li a2, {_BUFFER:#x}
  sd a2, 0(a1)
  li a3, 64
  sd a3, 8(a1)
  li a0, 0x15
  .balign 16
  slli x0, x0, 0x1f
call: ebreak
back: srai x0, x0, 7
load: ld a4, 0(a2)
end: quit
"""
        ),
        (
            Register("call", "a0", 0),
            Content("call", _BUFFER, len(_NAME) + 1, 0),
            Content("load", _BUFFER, len(_NAME) + 1, int.from_bytes(_NAME, "little")),
            Content("load", layout.SEMIHOSTING + 8, 8, len(_NAME)),
            Register("load", "a4", int.from_bytes(_NAME[:8], "little")),
            Changed("call", "end", _BUFFER, 8, Cause.SEMIHOSTING),
        ),
        qemu_args=("-semihosting-config", "enable=on,target=native,arg=exotic.elf"),
    ),
    Exotic(
        "guest_reset",
        guest(
            f"""
  li a0, {layout.SURVIVOR:#x}
  la a1, loaded
load: ld a2, 0(a1)
  sd a0, 0(a1)
survivor: ld a3, 0(a0)
  bnez a3, end
  li a4, 1
  sd a4, 0(a0)
  li a0, {layout.FINISHER:#x}
  li a1, 0x7777
ask: sw a1, 0(a0)
wait: wfi
  j wait
end: quit
  .balign 8
loaded: .dword 0x5151
"""
        ),
        (
            WasReset(layout.BOOT_ROM, 1),
            Runs("load", 2),
            Runs("ask", 1),
            Register("load", "a2", 0x5151),
            Register("load", "a2", 0x5151, nth=1),
            Register("survivor", "a3", 0),
            Register("survivor", "a3", 1, nth=1),
            Content("load", "loaded", 8, 0x5151, nth=1),
            Changed("ask", "end", "loaded", 8, Cause.RESET),
        ),
    ),
)
