"""Where everything of a generated guest lies, physically and virtually."""

RAM = 0x8000_0000
RAM_MEBIBYTES = 32
PAGE = 4096

MACHINE_DIRECT = (RAM + 0x100, RAM + 0x108)
MACHINE_VECTORED = (RAM + 0x200, RAM + 0x300)
SUPERVISOR_DIRECT = (RAM + 0x400, RAM + 0x408)
SUPERVISOR_VECTORED = (RAM + 0x500, RAM + 0x600)

HART_AREAS = RAM + 0x1_0000
HART_AREA_SIZE = 0x4000
STREAMS = RAM + 0x2_0000
TABLES = RAM + 0x8_0000
TABLE_FRAMES = 64
DATA = RAM + 0xC_0000
DATA_FRAMES = 48
PATCH = RAM + 0x10_0000
PATCH_FRAMES = 2
CODE_COPY = RAM + 0x11_0000
CODE_COPY_FRAMES = 96
SEMIHOSTING = RAM + 0x18_0000
DENIED = RAM + 0x1F_0000
"""One frame that physical memory protection keeps from S- and U-mode."""

LARGE_DATA = RAM + 0x20_0000
"""Two mebibytes that a U-mode superpage covers; nothing is loaded there."""
SURVIVOR = RAM + 0x100_0000
"""A frame that the loader does not touch, so that it keeps its content over a reset."""
ABSENT = 0x5_0000
"""A physical address at which nothing answers."""

FINISHER = 0x10_0000
BOOT_ROM = 0x1000
RTC = 0x10_1000
CLINT = 0x200_0000
MTIME = CLINT + 0xBFF8
PLIC = 0xC00_0000
UART = 0x1000_0000
FLASH = 0x2000_0000
UART_INTERRUPT = 10

WINDOW = 0x20_0000_0000
"""One gibibyte of virtual addresses that every address space maps in its own way."""
SLICE = 0x20_0000
USER_CODE = WINDOW
SUPERVISOR_CODE = WINDOW + SLICE
USER_PATCH = WINDOW + 2 * SLICE
SUPERVISOR_PATCH = WINDOW + 3 * SLICE
PATCH_ALIAS_PAGES = 4
DATA_WINDOW = WINDOW + 4 * SLICE
DATA_WINDOW_PAGES = 64
SUPERVISOR_LARGE = WINDOW + 5 * SLICE
USER_LARGE = WINDOW + 6 * SLICE
ABSENT_TABLE = WINDOW + 7 * SLICE
"""The page table for this slice would be at ABSENT."""
MISALIGNED_LARGE = WINDOW + 8 * SLICE
USER_DEVICES = 0x21_0000_0000
"""The first gibibyte of physical addresses, for U-mode."""
HIGH_DATA = 0xFFFF_FFFF_FFE0_0000
"""The data window's frames once more, at the top of the virtual addresses, for S-mode."""
UNMAPPED = 0x30_0000_0000
NOT_CANONICAL = 0x4000_0000_0000_0000

NEXT_SEGMENT = 0x5EED_0000_0001
"""In a7 at an ecall: this segment has ended."""

SURVIVOR_RESETS = SURVIVOR
FRAME_SIZE = 512
GLOBALS = 0x3000
