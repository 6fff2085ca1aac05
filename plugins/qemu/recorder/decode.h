/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the recorder must know of a RISC-V instruction before it runs: which registers it writes, whether it may
 * end its block early, and where control can go after it. */
#ifndef TRACEDBG_DECODE_H
#define TRACEDBG_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "../trace_columns.h"

enum traits {
	MAY_TRAP = 1 << 0,     /* may end its block early */
	WRITES_FLOAT = 1 << 1, /* a floating point register, `rd` */
	WRITES_FCSR = 1 << 2,  /* fflags may change, and mstatus.FS */
	WRITES_CSR = 1 << 3,   /* `csr` */
	IS_XRET = 1 << 4,
	IS_SC = 1 << 5,
	IS_CBO_ZERO = 1 << 6,
	IS_EBREAK = 1 << 7,
	IS_FENCE_VMA = 1 << 8,
	IS_UNKNOWN = 1 << 9, /* may write anything: all registers are read after it */
	IS_ATOMIC = 1 << 10,
	IS_VECTOR = 1 << 11, /* the vector registers from `vd` on, also when it traps, and vector CSRs */
};

/* Those after which more than the integer destination must be looked at. */
#define SPECIAL                                                                                              \
	(WRITES_FLOAT | WRITES_FCSR | WRITES_CSR | IS_XRET | IS_SC | IS_CBO_ZERO | IS_EBREAK |               \
	 IS_FENCE_VMA | IS_UNKNOWN | IS_VECTOR)

enum successor { NEXT, NEXT_OR_TARGET, TARGET, ANYWHERE, NOWHERE };

struct decoded {
	uint64_t constant; /* for SOURCE_CONSTANT */
	uint64_t target;   /* for TARGET and NEXT_OR_TARGET */
	uint16_t traits;
	uint16_t csr;
	uint8_t source; /* enum value_source */
	uint8_t rd;	/* integer, or floating point with WRITES_FLOAT */
	uint8_t rs1;
	uint8_t successor;
	uint8_t vd;
	uint8_t vectors; /* how many vector registers it may write */
};

/* Whether c.fld and the like are what they are; else Zcmp and Zcmt may use their encodings. */
extern bool decode_doubles;

/* Whether the CPU has vectors; else others may use their encodings. */
extern bool decode_vectors;

/* Decodes the instruction of `length` bytes at `address`. */
struct decoded decode(uint32_t bits, unsigned int length, uint64_t address);
struct decoded decode_compressed(uint32_t bits, uint64_t address);

#endif
