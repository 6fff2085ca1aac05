"""Control and status registers: their names and the instructions on them.

RISC-V ISA manual vol. I, "Zicsr", and vol. II, 2.2. capstone 5 swaps pmpaddr13 and pmpaddr14 and does
not know registers of privileged architecture 1.12, so it is not asked.
"""

from tracedbg.disasm.riscv_extensions import INTEGER_NAMES

_NAMES = {
    0x001: "fflags", 0x002: "frm", 0x003: "fcsr",
    0x008: "vstart", 0x009: "vxsat", 0x00A: "vxrm", 0x00F: "vcsr", 0x015: "seed", 0x017: "jvt",
    0x100: "sstatus", 0x104: "sie", 0x105: "stvec", 0x106: "scounteren", 0x10A: "senvcfg",
    0x120: "scountinhibit", 0x140: "sscratch", 0x141: "sepc", 0x142: "scause", 0x143: "stval", 0x144: "sip",
    0x14D: "stimecmp", 0x150: "siselect", 0x151: "sireg", 0x15C: "stopei", 0x180: "satp",
    0x200: "vsstatus", 0x204: "vsie", 0x205: "vstvec", 0x240: "vsscratch", 0x241: "vsepc",
    0x242: "vscause", 0x243: "vstval", 0x244: "vsip", 0x24D: "vstimecmp", 0x280: "vsatp",
    0x300: "mstatus", 0x301: "misa", 0x302: "medeleg", 0x303: "mideleg", 0x304: "mie", 0x305: "mtvec",
    0x306: "mcounteren", 0x30A: "menvcfg", 0x320: "mcountinhibit",
    0x340: "mscratch", 0x341: "mepc", 0x342: "mcause", 0x343: "mtval", 0x344: "mip", 0x34A: "mtinst",
    0x34B: "mtval2", 0x350: "miselect", 0x351: "mireg", 0x35C: "mtopei",
    0x5A8: "scontext", 0x600: "hstatus", 0x602: "hedeleg", 0x603: "hideleg", 0x604: "hie",
    0x605: "htimedelta", 0x606: "hcounteren", 0x607: "hgeie", 0x60A: "henvcfg", 0x643: "htval",
    0x644: "hip", 0x645: "hvip", 0x64A: "htinst", 0x680: "hgatp", 0x6A8: "hcontext",
    0x250: "vsiselect", 0x251: "vsireg", 0x25C: "vstopei", 0xEB0: "vstopi", 0x308: "mvien", 0x309: "mvip",
    0x608: "hvien", 0x609: "hvictl", 0x646: "hviprio1", 0x647: "hviprio2",
    0x747: "mseccfg", 0x7A0: "tselect", 0x7A1: "tdata1", 0x7A2: "tdata2", 0x7A3: "tdata3", 0x7A4: "tinfo",
    0x7A5: "tcontrol", 0x7A8: "mcontext", 0x7AA: "mscontext", 0x7B0: "dcsr", 0x7B1: "dpc", 0x7B2: "dscratch0",
    0x7B3: "dscratch1", 0xB00: "mcycle", 0xB02: "minstret", 0xC00: "cycle", 0xC01: "time",
    0xC02: "instret", 0xC20: "vl", 0xC21: "vtype", 0xC22: "vlenb", 0xDA0: "scountovf", 0xDB0: "stopi",
    0xE12: "hgeip", 0xF11: "mvendorid", 0xF12: "marchid", 0xF13: "mimpid", 0xF14: "mhartid",
    0xF15: "mconfigptr", 0xFB0: "mtopi",
}  # fmt: skip
# (first, how many, name, number of the first): registers that only a number tells apart.
_ROWS = (
    (0x10C, 4, "sstateen", 0), (0x30C, 4, "mstateen", 0), (0x60C, 4, "hstateen", 0),
    (0x323, 29, "mhpmevent", 3), (0x3A0, 16, "pmpcfg", 0), (0x3B0, 64, "pmpaddr", 0),
    (0xB03, 29, "mhpmcounter", 3), (0xC03, 29, "hpmcounter", 3),
)  # fmt: skip
_MNEMONICS = {1: "csrrw", 2: "csrrs", 3: "csrrc", 5: "csrrwi", 6: "csrrsi", 7: "csrrci"}
# csrrs with no bits to set, by register: reads that have names of their own.
_READS = {0xC00: "rdcycle", 0xC01: "rdtime", 0xC02: "rdinstret", 1: "frflags", 2: "frrm", 3: "frcsr"}
_FLOATING_WRITES = {1: "fsflags", 2: "fsrm", 3: "fscsr"}


def csr_name(number: int) -> str:
    """The register's name, its number in hexadecimal where it has none."""
    name = _NAMES.get(number)
    if name is not None:
        return name
    for first, count, stem, start in _ROWS:
        if first <= number < first + count:
            return f"{stem}{number - first + start}"
    return f"{number:#x}"


def decode_csr(word: int) -> tuple[str, str] | None:
    """The mnemonic and operands of an instruction on a CSR, else None."""
    function = (word >> 12) & 7
    if word & 0x7F != 0x73 or function not in _MNEMONICS:
        return None
    number, rd, source = word >> 20, (word >> 7) & 31, (word >> 15) & 31
    if function == 2 and source == 0:
        if number in _READS:
            return _READS[number], INTEGER_NAMES[rd]
        return "csrr", f"{INTEGER_NAMES[rd]}, {csr_name(number)}"
    value = str(source) if function & 4 else INTEGER_NAMES[source]
    if function in (1, 5) and number in _FLOATING_WRITES and (function == 1 or number != 3):
        mnemonic = _FLOATING_WRITES[number] + ("i" if function & 4 else "")
        return mnemonic, value if rd == 0 else f"{INTEGER_NAMES[rd]}, {value}"
    mnemonic = _MNEMONICS[function]
    if rd == 0:
        return mnemonic.replace("csrr", "csr"), f"{csr_name(number)}, {value}"
    return mnemonic, f"{INTEGER_NAMES[rd]}, {csr_name(number)}, {value}"
