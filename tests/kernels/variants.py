"""What each kernel of this folder is, and the truth about what goes wrong in it.

Addresses are not here: each kernel fills in ``truth`` (base/truth.h) when it hands out the memory.
"""

from dataclasses import dataclass, replace
from enum import Enum

FRAMES = ("-O1", "-fno-omit-frame-pointer")
RELEASE = ("-O2", "-fomit-frame-pointer")
VECTORS = (*RELEASE, "-march=rv64imafdcv_zicsr_zifencei")
HIGH_HALF = 0xFFFF_FFC0_0000_0000


@dataclass(frozen=True)
class Design:
    """What several kernels share; ``offset`` is what their addresses are above physical ones."""

    folder: str
    sources: tuple[str, ...]
    offset: int


_BASE = ("base/console.c", "base/memory.c", "base/truth.c")
_SUPERVISOR = (*_BASE, "base/start.S", "base/frames.c", "base/paging.c")
_PAGED = (*_SUPERVISOR, "base/user_start.S")
_IDENTITY = ("identity/switch.S", "identity/kernel.c")
_HEAP = ("heap/port.S", "heap/grow.S", "heap/heap.c", "heap/kernel.c")
_TRAMPOLINE = (
    *_BASE, "base/frames.c", "base/user_start.S", "trampoline/entry.S", "trampoline/trampoline.S",
    *(f"trampoline/{name}.c" for name in ("machine", "locks", "spaces", "processes", "traps")),
)  # fmt: skip
DESIGNS = {
    "highhalf": Design("highhalf", (*_PAGED, "highhalf/trap.S", "highhalf/kernel.c"), HIGH_HALF),
    "identity": Design("identity", (*_PAGED, *_IDENTITY, "identity/trap.S"), 0),
    "own_stack": Design("identity", (*_PAGED, *_IDENTITY, "identity/own_stack_trap.S"), 0),
    "rust": Design("rust", (*_PAGED, *_IDENTITY, "identity/trap.S"), 0),
    "rcore": Design("rcore", (*_PAGED, "rcore/trap.S"), 0),
    "vmap": Design("vmap", (*_SUPERVISOR, "vmap/switch.S", "vmap/trap.S", "vmap/kernel.c"), 0),
    "vmap_lazy": Design("vmap", (*_SUPERVISOR, "vmap/switch.S", "vmap/lazy_trap.S", "vmap/kernel.c"), 0),
    "capability": Design("capability", (*_PAGED, "capability/trap.S", "capability/kernel.c"), 0),
    "capability_push": Design("capability", (*_PAGED, "capability/push_trap.S", "capability/kernel.c"), 0),
    "heap_vector": Design(
        "heap", ("base/console.c", "base/truth.c", "heap/vector_memory.S", "rtos/jump.S", *_HEAP), 0
    ),
    "heap": Design("heap", (*_BASE, "rtos/jump.S", *_HEAP), 0),
    "trampoline": Design("trampoline", _TRAMPOLINE, 0),
    "rtos": Design("rtos", (*_BASE, "rtos/port.S", "rtos/jump.S", "rtos/kernel.c"), 0),
}


class Fault(Enum):
    """How a kernel goes wrong."""

    BELOW_STACK = "stores below the lowest address of the stack in use reach the victim"
    LIVE_FRAMES = "stores that do not come from below a stack reach the victim, live frames of a stack"
    STRAY = "stores through a wrong pointer, of a stack that is in order, reach the victim"
    GUARD = "the first access below a stack traps: the victim is the guard page, and stays as it was"
    NEAR_END = "sp stays above the stack's base, by less than 5 % of the stack"
    OLD_FRAME = "a reader takes the victim out of a frame that is no more mapped where it reads"
    HANG = "no task is left that could wake another"
    SLEEP = "the same, but the harts wait with interrupts enabled, as they would for input"
    FREED = (
        "stack pages in use are given back, and filled by who has them next: those stores reach the victim"
    )
    UNMAPPED = "the stack in use is unmapped"
    VECTOR = "the trap vector cannot be fetched: no instruction runs any more"


class Owner(Enum):
    """Whose memory the victim is."""

    USER_PAGE = "a page that user mode has touched"
    PAGE_TABLE = "a page table in use"
    STACK = "the live part of another task's stack"
    OWN_STACK = "live frames of the stack in use"
    KERNEL_DATA = "a variable of the kernel"
    GUARD = "a guard page"


@dataclass(frozen=True)
class Truth:
    """What goes wrong in a kernel.

    ``writers`` are the functions whose stores reach the victim, ``readers`` those that read what was stored
    (none for a page table: hardware reads it). ``detectors`` are the names of those that have to find it.
    ``writer_task`` and ``victim_task`` are the kernel's own numbers, ``trap`` the cause of the trap that ends
    the run.
    """

    fault: Fault
    detectors: tuple[str, ...]
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    owner: Owner | None = None
    writer_task: int | None = None
    victim_task: int | None = None
    trap: int | None = None


@dataclass(frozen=True)
class Kernel:
    """A kernel: its own source in its design's folder, how it is built, run, and how its console ends.

    ``truth`` is None for one that is in order. A run that hangs is ended after ``seconds``.
    """

    name: str
    design: str
    source: str
    last_line: str
    truth: Truth | None = None
    flags: tuple[str, ...] = FRAMES
    harts: int = 1
    cpu: str = "rv64"
    seconds: int = 15
    stripped: bool = False


UNDERFLOW = "stack-underflow"
LIVE_FRAME = "live-frame-overwrite"
RETURN = "return-address"
FUTEX = "futex-timespec"
GUARD = "guard-page"
FATAL = "fatal-trap"

_USER_PAGE = Truth(
    Fault.BELOW_STACK, (UNDERFLOW, FUTEX), ("follow_link",), ("memcpy",), Owner.USER_PAGE, 1, 1
)
_PAGE_TABLE = Truth(
    Fault.BELOW_STACK, (UNDERFLOW, FATAL), ("sum_of_halves",), (), Owner.PAGE_TABLE, 1, 3, trap=13
)
_GUARD_PAGE = Truth(Fault.GUARD, (GUARD, FATAL), ("descend",), (), Owner.GUARD, trap=15)
_FREED = Truth(
    Fault.FREED, (LIVE_FRAME, RETURN, FATAL), ("memset",), ("page_give",), Owner.OWN_STACK, trap=12
)
_WILD_CALL = Truth(
    Fault.STRAY, (FATAL,), ("name_device",), ("call_device",), Owner.KERNEL_DATA, 1, 2, trap=12
)
_CONTROL_BLOCK = Truth(Fault.BELOW_STACK, (UNDERFLOW, FATAL), ("search",), ("yield",), Owner.KERNEL_DATA)
_NO_BANNER = "smoke test failed: no banner"
_TRAP = "panic: unexpected trap 0x{:016x}".format

KERNELS = (
    Kernel("identity_same_window", "identity", "same_window.c", "ok"),
    Kernel(
        "identity_same_window_below", "identity", "same_window.c", "wrong",
        Truth(Fault.BELOW_STACK, (UNDERFLOW,), ("sum", "yield"), ("user_main",), Owner.USER_PAGE, 0, 1),
        flags=(*FRAMES, "-DPAGES_BELOW=1"),
    ),
    Kernel(
        "identity_same_window_space_last", "identity", "same_window.c", "ok", flags=(*RELEASE, "-DSPACE_LAST")
    ),
    Kernel("highhalf_user_page", "highhalf", "user_page.c", _NO_BANNER, _USER_PAGE),
    Kernel(
        "highhalf_user_page_linear", "highhalf", "user_page.c", _NO_BANNER,
        replace(_USER_PAGE, readers=("sys_futex",)), flags=(*FRAMES, "-DREAD_LINEAR"),
    ),
    Kernel("highhalf_user_page_release", "highhalf", "user_page.c", _NO_BANNER, _USER_PAGE, flags=RELEASE),
    Kernel(
        "highhalf_user_page_stripped", "highhalf", "user_page.c", _NO_BANNER, _USER_PAGE,
        flags=RELEASE, stripped=True,
    ),
    Kernel("highhalf_page_table", "highhalf", "page_table.c", _TRAP(13), _PAGE_TABLE),
    Kernel(
        "highhalf_two_harts", "highhalf", "two_harts.c", "sleep: invalid argument",
        Truth(Fault.BELOW_STACK, (UNDERFLOW, FUTEX), ("digest",), ("memcpy",), Owner.USER_PAGE, 2, 1),
        harts=2,
    ),
    Kernel("highhalf_wild_call", "highhalf", "wild_call.c", _TRAP(12), _WILD_CALL),
    Kernel(
        "highhalf_null_call", "highhalf", "wild_call.c", _TRAP(12), _WILD_CALL, flags=(*FRAMES, "-DLETTER=0")
    ),
    Kernel(
        "highhalf_lost_wakeup", "highhalf", "lost_wakeup.c", "sent",
        Truth(Fault.HANG, (), writer_task=2, victim_task=1), seconds=10,
    ),
    Kernel(
        "highhalf_late_answer", "highhalf", "late_answer.c", "wait: invalid argument",
        Truth(Fault.STRAY, (FUTEX,), ("deliver",), ("memcpy",), Owner.USER_PAGE, 2, 1),
    ),
    Kernel(
        "highhalf_answer", "highhalf", "late_answer.c", "waited", flags=(*FRAMES, "-DOWN_BUFFER")
    ),
    Kernel(
        "highhalf_moved_page", "highhalf", "moved_page.c", "slept too short",
        Truth(Fault.OLD_FRAME, (FUTEX,), owner=Owner.USER_PAGE, victim_task=1), harts=2,
    ),
    Kernel(
        "highhalf_moved_page_shot_down", "highhalf", "moved_page.c", "slept",
        flags=(*FRAMES, "-DSHOOT_DOWN"), harts=2,
    ),
    Kernel("highhalf_shallow", "highhalf", "user_page.c", "smoke test ok", flags=(*FRAMES, "-DLINKS=8")),
    Kernel(
        "highhalf_two_harts_shallow", "highhalf", "two_harts.c", "slept", flags=(*FRAMES, "-DROUNDS=3"),
        harts=2,
    ),
    Kernel("highhalf_reuse", "highhalf", "reuse.c", "ok"),
    Kernel("highhalf_fork", "highhalf", "fork.c", "ok"),
    Kernel("highhalf_exec", "highhalf", "exec.c", "ok", flags=(*FRAMES, "-DPAUSE"), harts=2),
    Kernel("highhalf_other_numbers", "highhalf", "other_numbers.c", "ok"),
    Kernel("highhalf_device_memory", "highhalf", "device_memory.c", "ok"),
    Kernel(
        "identity_user_page", "identity", "user_page.c", "wrong count",
        Truth(Fault.BELOW_STACK, (UNDERFLOW,), ("trap_entry",), ("user_main",), Owner.USER_PAGE, 1, 2),
    ),
    Kernel(
        "identity_neighbour", "identity", "neighbour.c", _TRAP(12),
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, LIVE_FRAME, RETURN, FATAL), ("hash",), ("yield",), Owner.STACK,
            1, 2, trap=12,
        ),
    ),
    Kernel(
        "identity_stale_frame", "identity", "stale_frame.c",
        "panic: work served without having been asked for 0x0000000000000002",
        Truth(
            Fault.LIVE_FRAMES, (LIVE_FRAME,), ("trap_entry",), ("return_from_trap",), Owner.OWN_STACK, 1, 1
        ),
        flags=RELEASE,
    ),
    Kernel("identity_thread_info", "identity", "thread_info.c", "ok"),
    Kernel("identity_all_user", "identity", "all_user.c", "ok"),
    Kernel("identity_own_stack", "own_stack", "own_stack.c", "ok"),
    Kernel(
        "rtos_neighbour", "rtos", "neighbour.c", _TRAP(1),
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, LIVE_FRAME, RETURN, FATAL), ("format_line",), ("parse_tokens",),
            Owner.STACK, trap=1,
        ),
    ),
    Kernel(
        "rtos_kernel_data", "rtos", "kernel_data.c", "no such line speed",
        Truth(Fault.BELOW_STACK, (UNDERFLOW,), ("visit",), ("set_up_line",), Owner.KERNEL_DATA),
    ),
    Kernel(
        "rtos_return_address", "rtos", "return_address.c", _TRAP(1),
        Truth(Fault.STRAY, (RETURN, FATAL), ("copy_text",), ("greet",), Owner.OWN_STACK, trap=1),
    ),
    Kernel("rtos_user_mode", "rtos", "user_mode.c", "ok"),
    Kernel("rtos_coroutines", "rtos", "coroutines.c", "ok"),
    Kernel("capability_messages", "capability", "messages.c", "ok"),
    Kernel("capability_two_harts", "capability", "messages.c", "ok", flags=RELEASE, harts=2),
    Kernel("capability_push", "capability_push", "messages.c", "ok"),
    Kernel(
        "capability_threads", "capability", "messages.c", "wrong answer",
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW,), ("walk",), ("resume",), Owner.KERNEL_DATA, 2, 3,
        ),
        flags=(*FRAMES, "-DBAD_STEPS=20"),
    ),
    Kernel("heap_busy", "heap", "busy.c", "ok"),
    Kernel("heap_busy_release", "heap", "busy.c", "ok", flags=RELEASE),
    Kernel(
        "heap_neighbour", "heap", "overflow.c",
        "panic: a block is given back that was not given out 0x0000000000000000", _CONTROL_BLOCK,
    ),
    Kernel(
        "heap_own_block", "heap", "overflow.c", _TRAP(5), replace(_CONTROL_BLOCK, trap=5),
        flags=(*RELEASE, "-DBLOCK_BELOW_STACK", "-DLEVELS=14"),
    ),
    Kernel(
        "heap_interrupts", "heap", "interrupts.c", _TRAP(5),
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, FATAL), ("average",), ("trap_entry",), Owner.KERNEL_DATA, trap=5
        ),
    ),
    Kernel("heap_vectors", "heap_vector", "busy.c", "ok", flags=VECTORS, cpu="rv64,v=true"),
    Kernel("heap_debugger", "heap", "debugger.c", "ok"),
    Kernel("heap_growing", "heap", "growing.c", "ok", flags=RELEASE),
    Kernel("identity_signals", "identity", "signals.c", "ok"),
    Kernel("vmap_lazy", "vmap_lazy", "lazy.c", "ok"),
    Kernel(
        "vmap_big_array", "vmap", "big_array.c", _TRAP(1),
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, LIVE_FRAME, RETURN, FATAL), ("fill_table",), ("switch_stacks",),
            Owner.STACK, trap=1,
        ),
        flags=RELEASE,
    ),
    Kernel(
        "vmap_stray_pointer", "vmap", "stray_pointer.c", "wrong count of words",
        Truth(Fault.STRAY, (LIVE_FRAME,), ("answer",), ("count_words",), Owner.STACK), flags=RELEASE,
    ),
    Kernel(
        "vmap_live_pointer", "vmap", "stray_pointer.c", "counted", flags=(*RELEASE, "-DLIVE_LETTER")
    ),
    Kernel(
        "vmap_bad_pointer", "vmap", "bad_pointer.c", _TRAP(13),
        Truth(Fault.STRAY, (FATAL,), ("blank_screen",), ("weigh",), Owner.KERNEL_DATA, trap=13),
        flags=RELEASE,
    ),
    Kernel(
        "vmap_guard_page", "vmap", "guard_page.c", _TRAP(15),
        Truth(Fault.GUARD, (GUARD, FATAL), ("climb",), (), Owner.GUARD, trap=15), flags=RELEASE,
    ),
    Kernel(
        "vmap_near_end", "vmap", "near_end.c", "ok",
        Truth(Fault.NEAR_END, (GUARD,), ("dive",), (), Owner.GUARD), flags=RELEASE,
    ),
    Kernel("vmap_guard_frames", "vmap", "guard_frames.c", "ok"),
    Kernel("rcore_tasks", "rcore", "tasks.rs", "ok", flags=RELEASE),
    Kernel("rcore_tasks_frames", "rcore", "tasks.rs", "ok"),
    Kernel(
        "rcore_overflow", "rcore", "overflow.rs", "shut down",
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, LIVE_FRAME, RETURN, FATAL), ("overflow::parse",),
            ("trap_handler",), Owner.STACK, trap=12,
        ),
        flags=RELEASE,
    ),
    Kernel(
        "rcore_wrong_index", "rcore", "wrong_index.rs", "shut down",
        Truth(
            Fault.STRAY, (LIVE_FRAME, RETURN, FATAL), ("memset",), ("trap_handler",), Owner.STACK, trap=1
        ),
        flags=RELEASE,
    ),
    Kernel(
        "rust_user_page", "rust", "paths.rs", "futex: invalid argument",
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, FUTEX), ("memcpy", "paths::Name::joined"), ("paths::sys_futex",),
            Owner.USER_PAGE, 1, 1,
        ),
    ),
    Kernel("trampoline_deep", "trampoline", "deep.c", "ok"),
    Kernel(
        "trampoline_deep_release", "trampoline", "deep.c", "ok", flags=(*RELEASE, "-DMACHINE_CLOCK"), harts=2
    ),
    Kernel("trampoline_faults", "trampoline", "faults.c", "ok", flags=(*RELEASE, "-DMACHINE_CLOCK")),
    Kernel("trampoline_pipe", "trampoline", "pipe.c", "ok", harts=2),
    Kernel("trampoline_shared", "trampoline", "shared.c", "ok", flags=(*FRAMES, "-DMACHINE_CLOCK")),
    Kernel(
        "trampoline_programs", "trampoline", "programs.c", "ok", flags=(*RELEASE, "-DDIRECT_STACKS"), harts=2
    ),
    Kernel("trampoline_busy", "trampoline", "busy.c", "all done", flags=RELEASE, harts=3, seconds=10),
    Kernel("trampoline_ended", "trampoline", "ended.c", "ok", harts=2),
    Kernel(
        "trampoline_guard_page", "trampoline", "deep.c", _TRAP(15), _GUARD_PAGE,
        flags=(*FRAMES, "-DDEPTH=40"),
    ),
    Kernel(
        "trampoline_guard_page_forever", "trampoline", "deep.c", "", _GUARD_PAGE,
        flags=(*FRAMES, "-DDEPTH=40", "-DSTORE_FIRST"), seconds=3,
    ),
    Kernel(
        "trampoline_neighbour", "trampoline", "deep.c", _TRAP(12),
        Truth(
            Fault.BELOW_STACK, (UNDERFLOW, LIVE_FRAME, RETURN, FATAL), ("descend",), ("leave",), Owner.STACK,
            1, 2, trap=12,
        ),
        flags=(*FRAMES, "-DDEPTH=20", "-DGUARD_PAGES=0"),
    ),
    Kernel(
        "trampoline_registers", "trampoline", "deep.c", "panic: the first process ended 0xffffffffffffffff",
        Truth(Fault.BELOW_STACK, (FATAL,), ("descend",), (), Owner.KERNEL_DATA, 1, 1, trap=12),
        flags=(*FRAMES, "-DDEPTH=37", "-DDIRECT_STACKS"),
    ),
    Kernel(
        "trampoline_page_table", "trampoline", "deep.c", "",
        Truth(Fault.BELOW_STACK, (UNDERFLOW, FATAL), ("descend",), (), Owner.PAGE_TABLE, 1, 1),
        flags=(*RELEASE, "-DDEPTH=34", "-DDIRECT_STACKS", "-DREGISTERS_FIRST"), seconds=25,
    ),
    Kernel(
        "trampoline_lost_wakeup", "trampoline", "pipe.c", "", Truth(Fault.SLEEP, ()),
        flags=(*FRAMES, "-DLOST_WAKEUP"), harts=2, seconds=10,
    ),
    Kernel(
        "trampoline_stack_given_back", "trampoline", "ended.c", _TRAP(12), _FREED,
        flags=(*FRAMES, "-DDIRECT_STACKS", "-DGIVE_STACK"),
    ),
    Kernel(
        "trampoline_stack_freed_early", "trampoline", "ended.c", _TRAP(12),
        replace(_FREED, readers=("yield",), owner=Owner.STACK),
        flags=(*RELEASE, "-DDIRECT_STACKS", "-DEARLY_END"), harts=2,
    ),
    Kernel(
        "trampoline_stack_unmapped", "trampoline", "ended.c", _TRAP(15),
        Truth(Fault.UNMAPPED, (FATAL,), ("unmap",), trap=15), flags=(*RELEASE, "-DUNMAP_STACK"),
    ),
    Kernel(
        "trampoline_stale_mapping", "trampoline", "stale.c", _TRAP(13),
        Truth(Fault.STRAY, (FATAL,), ("memcpy",), trap=13), flags=(*FRAMES, "-DVICTIM=0"),
    ),
    Kernel(
        "trampoline_cut_off", "trampoline", "cut_off.c", "", Truth(Fault.VECTOR, (FATAL,), ("unmap",)),
        seconds=25,
    ),
    Kernel(
        "trampoline_physical_vector", "trampoline", "deep.c", "", Truth(Fault.VECTOR, (FATAL,)),
        flags=(*RELEASE, "-DUSER_VECTOR=(uint64_t)user_vector"), seconds=25,
    ),
)  # fmt: skip
