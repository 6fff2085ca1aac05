/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed instructions: RISC-V ISA manual, volume I, chapters 28 (C) and 29 (Zc*). */
#include "decode.h"

static inline uint32_t field(uint32_t bits, int high, int low)
{
	return (bits >> low) & ((1u << (high - low + 1)) - 1);
}

static inline int64_t sign_extend(uint64_t value, int width)
{
	return (int64_t)(value << (64 - width)) >> (64 - width);
}

static inline uint8_t short_register(uint32_t bits, int low)
{
	return (uint8_t)(8 + field(bits, low + 2, low));
}

static inline uint64_t immediate6(uint32_t bits)
{
	return (uint64_t)sign_extend(field(bits, 12, 12) << 5 | field(bits, 6, 2), 6);
}

static struct decoded unknown(void)
{
	return (struct decoded){ .traits = MAY_TRAP | IS_UNKNOWN };
}

/* Zcb: loads and stores of bytes and halfwords. */
static struct decoded decode_zcb_memory(uint32_t bits)
{
	struct decoded d = { .traits = MAY_TRAP, .rd = short_register(bits, 2) };

	switch (field(bits, 12, 10)) {
	case 0:
		d.source = SOURCE_LOAD_U8;
		return d;
	case 1:
		d.source = field(bits, 6, 6) ? SOURCE_LOAD_S16 : SOURCE_LOAD_U16;
		return d;
	case 2:
	case 3:
		d.source = SOURCE_NONE;
		return d;
	}
	return unknown();
}

static struct decoded decode_quadrant0(uint32_t bits)
{
	struct decoded d = { .rd = short_register(bits, 2), .traits = MAY_TRAP };

	switch (field(bits, 15, 13)) {
	case 0: /* c.addi4spn; all zero is the defined illegal instruction */
		d.source = SOURCE_RECORDED;
		d.traits = field(bits, 12, 5) ? 0 : MAY_TRAP;
		return d;
	case 1: /* c.fld */
		d.traits |= WRITES_FLOAT | WRITES_FCSR;
		return d;
	case 2: /* c.lw */
		d.source = SOURCE_LOAD_S32;
		return d;
	case 3: /* c.ld */
		d.source = SOURCE_LOAD_64;
		return d;
	case 4:
		return decode_zcb_memory(bits);
	default: /* c.fsd, c.sw, c.sd */
		return d;
	}
}

static struct decoded decode_arithmetic(uint32_t bits)
{
	struct decoded d = { .rd = short_register(bits, 7), .source = SOURCE_RECORDED };

	/* c.subw and c.addw are base; c.mul and the unary operations of Zcb may be absent. */
	if (field(bits, 11, 10) == 3 && field(bits, 12, 12) == 1 && field(bits, 6, 5) > 1)
		d.traits = MAY_TRAP;
	return d;
}

static struct decoded decode_jump(uint32_t bits, uint64_t address)
{
	uint64_t offset = (uint64_t)field(bits, 12, 12) << 11 | field(bits, 11, 11) << 4 |
			  field(bits, 10, 9) << 8 | field(bits, 8, 8) << 10 | field(bits, 7, 7) << 6 |
			  field(bits, 6, 6) << 7 | field(bits, 5, 3) << 1 | field(bits, 2, 2) << 5;

	return (struct decoded){ .successor = TARGET, .target = address + (uint64_t)sign_extend(offset, 12) };
}

static struct decoded decode_branch(uint32_t bits, uint64_t address)
{
	uint64_t offset = (uint64_t)field(bits, 12, 12) << 8 | field(bits, 11, 10) << 3 |
			  field(bits, 6, 5) << 6 | field(bits, 4, 3) << 1 | field(bits, 2, 2) << 5;

	return (struct decoded){ .successor = NEXT_OR_TARGET,
				 .target = address + (uint64_t)sign_extend(offset, 9) };
}

/* c.lui, c.addi16sp, and what Zcmop defines where their immediate is zero. */
static struct decoded decode_upper(uint32_t bits)
{
	struct decoded d = { .rd = (uint8_t)field(bits, 11, 7) };

	if (d.rd == 2) {
		d.source = SOURCE_RECORDED;
		d.traits = immediate6(bits) ? 0 : MAY_TRAP;
		return d;
	}
	if (immediate6(bits) == 0)
		return (struct decoded){ .traits = MAY_TRAP };
	d.source = SOURCE_CONSTANT;
	d.constant = immediate6(bits) << 12;
	return d;
}

static struct decoded decode_quadrant1(uint32_t bits, uint64_t address)
{
	struct decoded d = { .rd = (uint8_t)field(bits, 11, 7), .source = SOURCE_RECORDED };

	switch (field(bits, 15, 13)) {
	case 0: /* c.addi */
		return d;
	case 1: /* c.addiw; rd of zero is reserved */
		d.traits = d.rd ? 0 : MAY_TRAP;
		return d;
	case 2: /* c.li */
		d.source = SOURCE_CONSTANT;
		d.constant = immediate6(bits);
		return d;
	case 3:
		return decode_upper(bits);
	case 4:
		return decode_arithmetic(bits);
	case 5:
		return decode_jump(bits, address);
	default:
		return decode_branch(bits, address);
	}
}

/* c.jr, c.mv, c.ebreak, c.jalr and c.add. */
static struct decoded decode_register(uint32_t bits, uint64_t address)
{
	struct decoded d = { .rd = (uint8_t)field(bits, 11, 7), .source = SOURCE_RECORDED };
	bool link = field(bits, 12, 12);

	if (field(bits, 6, 2))
		return d;
	d.traits = MAY_TRAP;
	if (d.rd == 0) {
		d.rd = link ? 10 : 0;
		d.traits |= link ? IS_EBREAK : 0;
		return d;
	}
	d.rd = link ? 1 : 0;
	d.source = link ? SOURCE_CONSTANT : SOURCE_NONE;
	d.constant = address + 2;
	d.successor = ANYWHERE;
	return d;
}

static struct decoded decode_quadrant2(uint32_t bits, uint64_t address)
{
	struct decoded d = { .rd = (uint8_t)field(bits, 11, 7), .traits = MAY_TRAP };

	switch (field(bits, 15, 13)) {
	case 0: /* c.slli */
		d.source = SOURCE_RECORDED;
		d.traits = 0;
		return d;
	case 1: /* c.fldsp */
		d.traits |= WRITES_FLOAT | WRITES_FCSR;
		return d;
	case 2: /* c.lwsp */
		d.source = SOURCE_LOAD_S32;
		return d;
	case 3: /* c.ldsp */
		d.source = SOURCE_LOAD_64;
		return d;
	case 4:
		return decode_register(bits, address);
	default: /* c.fsdsp, c.swsp, c.sdsp */
		return d;
	}
}

bool decode_doubles = true;

/* c.fld, c.fsd, c.fldsp and c.fsdsp. */
static bool is_double_access(uint32_t bits)
{
	return (bits & 1) == 0 && (field(bits, 15, 13) == 1 || field(bits, 15, 13) == 5);
}

struct decoded decode_compressed(uint32_t bits, uint64_t address)
{
	if (!decode_doubles && is_double_access(bits))
		return unknown();
	switch (bits & 3) {
	case 0:
		return decode_quadrant0(bits);
	case 1:
		return decode_quadrant1(bits, address);
	default:
		return decode_quadrant2(bits, address);
	}
}
