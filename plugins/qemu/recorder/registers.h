/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers that a trace holds, in the order of their numbers. The host's list is
 * tracedbg/arch/riscv64/registers.py; a test holds the two equal. */
#ifndef TRACEDBG_REGISTERS_H
#define TRACEDBG_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

enum register_id {
	REGISTER_X0 = 0,
	REGISTER_F0 = 32,
	REGISTER_FCSR = 64,
	REGISTER_MSTATUS,
	REGISTER_SATP,
	REGISTER_MEDELEG,
	REGISTER_MIDELEG,
	REGISTER_MIE,
	REGISTER_MTVEC,
	REGISTER_MCOUNTEREN,
	REGISTER_MSCRATCH,
	REGISTER_MEPC,
	REGISTER_MCAUSE,
	REGISTER_MTVAL,
	REGISTER_STVEC,
	REGISTER_SCOUNTEREN,
	REGISTER_SSCRATCH,
	REGISTER_SEPC,
	REGISTER_SCAUSE,
	REGISTER_STVAL,
	REGISTER_SENVCFG,
	REGISTER_MENVCFG,
	/* From here on only on harts with vectors. */
	REGISTER_VSTART,
	REGISTER_VCSR,
	REGISTER_VL,
	REGISTER_VTYPE,
	REGISTER_VLENB,
	REGISTER_V0, /* the first 8 bytes of v0; as many numbers as each vector register has words, then v1 */
};

#define VECTOR_REGISTERS 32
#define VECTOR_WORDS_MAX 16 /* QEMU's longest VLEN is 1,024 bits */
#define REGISTERS_MAX (REGISTER_V0 + VECTOR_REGISTERS * VECTOR_WORDS_MAX)

#define NO_REGISTER (-1)
#define HARTS_MAX 64

extern int register_count;	  /* how many of them this guest has */
extern unsigned int vector_words; /* 8-byte words of a vector register; 0 without vectors */

/* Finds QEMU's handles for a CPU, in its own thread; the name of a register that it lacks, or NULL. */
const char *registers_find(void);

/* From here on another hart may run: on a machine with CPUs of several kinds, finds out of which this one is. QEMU
 * does not say which CPU it is, and harts of all kinds share translations. */
void registers_choose(void);

/* Whether the CPU is one of RV64. To be called while a hart runs. */
bool registers_have_64_bits(void);

/* Finds how long vector registers are; false when that is more than a trace can hold. To be called while a hart
 * runs, before anything is read. */
bool registers_measure(void);

/* Reads a register of the hart that is running. */
uint64_t register_read(int id);

/* The same, or `otherwise` where the hart's present privilege or status forbids QEMU to show it. */
uint64_t register_read_or(int id, uint64_t otherwise);

/* Reads all words of vector register `number`. */
void register_read_vector(unsigned int number, uint64_t *words);

/* Reads all registers, by number; those that QEMU does not show now are left as they are. */
void registers_read(uint64_t *values);

uint64_t register_read_hart(void);

/* Right at the start of a block only: QEMU does not keep it inside. */
uint64_t register_read_pc(void);

/* Whether the CPU has double-precision floating point; without it Zcmp may use the same compressed encodings. */
bool register_has_double(void);
uint64_t register_read_privilege(void);

/* hstatus, which no trace holds; 0 where the CPU has none or does not show it now. */
uint64_t register_read_hypervisor_status(void);

/* The number of the tracked register that a CSR is, or is a part of; or NO_REGISTER. */
int register_of_csr(uint16_t csr);

#endif
