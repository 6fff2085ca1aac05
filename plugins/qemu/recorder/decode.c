/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RISC-V ISA manual, volume I: chapter 35 (instruction listings) and 28 (compressed instructions). */
#include "decode.h"

bool decode_vectors;

static inline uint32_t field(uint32_t bits, int high, int low)
{
	return (bits >> low) & ((1u << (high - low + 1)) - 1);
}

static inline int64_t sign_extend(uint64_t value, int width)
{
	return (int64_t)(value << (64 - width)) >> (64 - width);
}

static void set_constant(struct decoded *d, uint64_t value)
{
	d->source = SOURCE_CONSTANT;
	d->constant = value;
}

static void decode_jump(struct decoded *d, uint32_t bits, uint64_t address)
{
	uint64_t offset = (uint64_t)field(bits, 31, 31) << 20 | field(bits, 19, 12) << 12 |
			  field(bits, 20, 20) << 11 | field(bits, 30, 21) << 1;

	set_constant(d, address + 4);
	d->successor = TARGET;
	d->target = address + (uint64_t)sign_extend(offset, 21);
	d->traits |= MAY_TRAP;
}

static void decode_branch(struct decoded *d, uint32_t bits, uint64_t address)
{
	uint64_t offset = (uint64_t)field(bits, 31, 31) << 12 | field(bits, 7, 7) << 11 |
			  field(bits, 30, 25) << 5 | field(bits, 11, 8) << 1;

	d->successor = NEXT_OR_TARGET;
	d->target = address + (uint64_t)sign_extend(offset, 13);
	d->traits |= MAY_TRAP;
}

static void decode_load(struct decoded *d, uint32_t bits)
{
	static const uint8_t sources[8] = {
		SOURCE_LOAD_S8, SOURCE_LOAD_S16, SOURCE_LOAD_S32, SOURCE_LOAD_64,
		SOURCE_LOAD_U8, SOURCE_LOAD_U16, SOURCE_LOAD_U32, SOURCE_RECORDED
	};

	d->source = sources[field(bits, 14, 12)];
	d->traits |= MAY_TRAP;
}

static void decode_immediate(struct decoded *d, uint32_t bits, bool word)
{
	uint32_t funct3 = field(bits, 14, 12);
	uint32_t top = word ? field(bits, 31, 25) << 1 : field(bits, 31, 26) << 2;
	bool base;

	d->source = SOURCE_RECORDED;
	if (funct3 == 0 && d->rs1 == 0)
		set_constant(d, (uint64_t)sign_extend(field(bits, 31, 20), 12));
	if (funct3 == 1)
		base = top == 0;
	else if (funct3 == 5)
		base = top == 0 || top == 0x40;
	else
		base = !word || funct3 == 0;
	/* Encodings outside the base ISA raise an exception on a CPU without their extension. */
	if (!base)
		d->traits |= MAY_TRAP;
}

static void decode_register(struct decoded *d, uint32_t bits, bool word)
{
	uint32_t funct3 = field(bits, 14, 12), funct7 = field(bits, 31, 25);
	bool base;

	d->source = SOURCE_RECORDED;
	if (word)
		base = (funct7 == 0 && (funct3 == 0 || funct3 == 1 || funct3 == 5)) ||
		       (funct7 == 0x20 && (funct3 == 0 || funct3 == 5));
	else
		base = funct7 == 0 || (funct7 == 0x20 && (funct3 == 0 || funct3 == 5));
	if (!base)
		d->traits |= MAY_TRAP;
}

static void decode_atomic(struct decoded *d, uint32_t bits)
{
	static const uint8_t sources[8] = {
		SOURCE_LOAD_S8,	 SOURCE_LOAD_S16, SOURCE_LOAD_S32, SOURCE_LOAD_64,
		SOURCE_RECORDED, SOURCE_RECORDED, SOURCE_RECORDED, SOURCE_RECORDED
	};
	uint32_t funct5 = field(bits, 31, 27), width = field(bits, 14, 12);

	d->traits |= MAY_TRAP | IS_ATOMIC;
	if (funct5 == 3) {
		d->source = SOURCE_RECORDED;
		d->traits |= IS_SC;
		return;
	}
	d->source = sources[width];
	/* amocas.q writes a pair of registers, and a width that this table does not know may do anything. */
	if (width >= 4)
		d->traits |= IS_UNKNOWN;
}

static void decode_environment(struct decoded *d, uint32_t bits)
{
	d->source = SOURCE_NONE;
	switch (field(bits, 31, 20)) {
	case 0x000:
		d->successor = NOWHERE;
		return;
	case 0x001:
		/* A semihosting call returns in a0; any other ebreak traps and so writes nothing. */
		d->source = SOURCE_RECORDED;
		d->rd = 10;
		d->traits |= IS_EBREAK;
		return;
	case 0x102:
	case 0x302:
	case 0x702:
		d->successor = ANYWHERE;
		d->traits |= IS_XRET;
		return;
	case 0x105: /* wfi */
	case 0x00d: /* wrs.nto */
	case 0x01d: /* wrs.sto */
		return;
	}
	if (field(bits, 31, 25) == 0x09 || field(bits, 31, 25) == 0x0b || field(bits, 31, 25) == 0x11 ||
	    field(bits, 31, 25) == 0x31)
		d->traits |= IS_FENCE_VMA;
	else
		d->traits |= IS_UNKNOWN;
}

static void decode_system(struct decoded *d, uint32_t bits)
{
	uint32_t funct3 = field(bits, 14, 12);

	d->traits |= MAY_TRAP;
	if (funct3 == 0) {
		decode_environment(d, bits);
		return;
	}
	d->source = SOURCE_RECORDED;
	if (funct3 == 4)
		return;
	d->csr = (uint16_t)field(bits, 31, 20);
	if (funct3 == 1 || funct3 == 5 || d->rs1 != 0)
		d->traits |= WRITES_CSR;
	/* Reading a counter or seed changes nothing that is tracked. */
}

static void decode_misc_memory(struct decoded *d, uint32_t bits)
{
	d->source = SOURCE_NONE;
	d->traits |= MAY_TRAP;
	if (field(bits, 14, 12) == 2 && field(bits, 31, 20) == 4)
		d->traits |= IS_CBO_ZERO;
	else if (field(bits, 14, 12) > 2)
		d->traits |= IS_UNKNOWN;
}

/* Widths 0 and 5 to 7 of the floating point loads and stores are vector accesses. */
static bool is_vector_width(uint32_t bits)
{
	uint32_t width = field(bits, 14, 12);

	return width == 0 || width >= 5;
}

/* A register group and a segment load write 8 registers at most. */
static void set_vectors(struct decoded *d, uint32_t bits)
{
	d->vd = (uint8_t)field(bits, 11, 7);
	d->vectors = d->vd > 24 ? (uint8_t)(32 - d->vd) : 8;
}

/* The vector extension's chapters 7 (loads and stores) and 10 to 16, and vector cryptography. */
static void decode_vector(struct decoded *d, uint32_t bits)
{
	uint32_t funct3 = field(bits, 14, 12);
	bool to_scalar = field(bits, 31, 26) == 0x10;
	bool is_float = funct3 == 1 || funct3 == 5;

	d->source = SOURCE_NONE;
	if (!decode_vectors || ((bits & 0x7f) == 0x77 && funct3 != 2)) {
		d->traits = MAY_TRAP | IS_UNKNOWN;
		return;
	}
	d->traits = MAY_TRAP | IS_VECTOR;
	if ((bits & 0x7f) == 0x57 && is_float)
		d->traits |= WRITES_FCSR;
	if ((bits & 0x7f) == 0x57 && (funct3 == 7 || (funct3 == 2 && to_scalar)))
		d->source = SOURCE_RECORDED;
	else if ((bits & 0x7f) == 0x57 && funct3 == 1 && to_scalar)
		d->traits |= WRITES_FLOAT;
	else if ((bits & 0x7f) != 0x27)
		set_vectors(d, bits);
}

static void decode_float_load(struct decoded *d, uint32_t bits)
{
	d->source = SOURCE_NONE;
	d->traits |= MAY_TRAP | WRITES_FLOAT | WRITES_FCSR;
	if (is_vector_width(bits))
		decode_vector(d, bits);
}

static void decode_float(struct decoded *d, uint32_t bits)
{
	uint32_t funct5 = field(bits, 31, 27);
	/* Comparisons, conversions to integer, moves and classification; the rest writes a float register. */
	bool to_integer = funct5 == 0x14 || funct5 == 0x18 || funct5 == 0x1c;

	d->traits |= MAY_TRAP | WRITES_FCSR;
	d->source = to_integer ? SOURCE_RECORDED : SOURCE_NONE;
	if (!to_integer)
		d->traits |= WRITES_FLOAT;
}

static struct decoded decode_full(uint32_t bits, uint64_t address)
{
	struct decoded d = { .rd = (uint8_t)field(bits, 11, 7), .rs1 = (uint8_t)field(bits, 19, 15) };

	switch (bits & 0x7f) {
	case 0x37:
		set_constant(&d, (uint64_t)sign_extend(bits & 0xfffff000, 32));
		break;
	case 0x17:
		set_constant(&d, address + (uint64_t)sign_extend(bits & 0xfffff000, 32));
		break;
	case 0x6f:
		decode_jump(&d, bits, address);
		break;
	case 0x67:
		set_constant(&d, address + 4);
		d.successor = ANYWHERE;
		d.traits = MAY_TRAP;
		break;
	case 0x63:
		decode_branch(&d, bits, address);
		break;
	case 0x03:
		decode_load(&d, bits);
		break;
	case 0x23:
		d.traits = MAY_TRAP;
		break;
	case 0x27:
		d.traits = MAY_TRAP;
		if (is_vector_width(bits))
			decode_vector(&d, bits);
		break;
	case 0x13:
	case 0x1b:
		decode_immediate(&d, bits, (bits & 0x7f) == 0x1b);
		break;
	case 0x33:
	case 0x3b:
		decode_register(&d, bits, (bits & 0x7f) == 0x3b);
		break;
	case 0x2f:
		decode_atomic(&d, bits);
		break;
	case 0x73:
		decode_system(&d, bits);
		break;
	case 0x0f:
		decode_misc_memory(&d, bits);
		break;
	case 0x07:
		decode_float_load(&d, bits);
		break;
	case 0x43:
	case 0x47:
	case 0x4b:
	case 0x4f:
		d.traits = MAY_TRAP | WRITES_FLOAT | WRITES_FCSR;
		break;
	case 0x53:
		decode_float(&d, bits);
		break;
	case 0x57:
	case 0x77:
		decode_vector(&d, bits);
		break;
	default:
		d.traits = MAY_TRAP | IS_UNKNOWN;
	}
	return d;
}

struct decoded decode(uint32_t bits, unsigned int length, uint64_t address)
{
	struct decoded d =
		length == 2 ? decode_compressed(bits & 0xffff, address) : decode_full(bits, address);

	if (d.traits & IS_UNKNOWN) {
		d.successor = ANYWHERE;
		d.source = SOURCE_NONE;
	}
	if (d.source == SOURCE_NONE && !(d.traits & WRITES_FLOAT))
		d.rd = 0;
	if (d.rd == 0 && !(d.traits & WRITES_FLOAT))
		d.source = SOURCE_NONE;
	return d;
}
