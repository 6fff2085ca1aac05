/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "registers.h"

/* QEMU's names, by number. It calls s0 "fp". */
static const char *const names[REGISTER_V0] = {
	"zero",
	"ra",
	"sp",
	"gp",
	"tp",
	"t0",
	"t1",
	"t2",
	"fp",
	"s1",
	"a0",
	"a1",
	"a2",
	"a3",
	"a4",
	"a5",
	"a6",
	"a7",
	"s2",
	"s3",
	"s4",
	"s5",
	"s6",
	"s7",
	"s8",
	"s9",
	"s10",
	"s11",
	"t3",
	"t4",
	"t5",
	"t6",
	"ft0",
	"ft1",
	"ft2",
	"ft3",
	"ft4",
	"ft5",
	"ft6",
	"ft7",
	"fs0",
	"fs1",
	"fa0",
	"fa1",
	"fa2",
	"fa3",
	"fa4",
	"fa5",
	"fa6",
	"fa7",
	"fs2",
	"fs3",
	"fs4",
	"fs5",
	"fs6",
	"fs7",
	"fs8",
	"fs9",
	"fs10",
	"fs11",
	"ft8",
	"ft9",
	"ft10",
	"ft11",
	[REGISTER_FCSR] = "fcsr",
	[REGISTER_MSTATUS] = "mstatus",
	[REGISTER_SATP] = "satp",
	[REGISTER_MEDELEG] = "medeleg",
	[REGISTER_MIDELEG] = "mideleg",
	[REGISTER_MIE] = "mie",
	[REGISTER_MTVEC] = "mtvec",
	[REGISTER_MCOUNTEREN] = "mcounteren",
	[REGISTER_MSCRATCH] = "mscratch",
	[REGISTER_MEPC] = "mepc",
	[REGISTER_MCAUSE] = "mcause",
	[REGISTER_MTVAL] = "mtval",
	[REGISTER_STVEC] = "stvec",
	[REGISTER_SCOUNTEREN] = "scounteren",
	[REGISTER_SSCRATCH] = "sscratch",
	[REGISTER_SEPC] = "sepc",
	[REGISTER_SCAUSE] = "scause",
	[REGISTER_STVAL] = "stval",
	[REGISTER_SENVCFG] = "senvcfg",
	[REGISTER_MENVCFG] = "menvcfg",
	[REGISTER_VSTART] = "vstart",
	[REGISTER_VCSR] = "vcsr",
	[REGISTER_VL] = "vl",
	[REGISTER_VTYPE] = "vtype",
	[REGISTER_VLENB] = "vlenb",
};

static const struct {
	uint16_t csr;
	uint8_t id;
} csrs[] = {
	{ 0x001, REGISTER_FCSR },     { 0x002, REGISTER_FCSR },	   { 0x003, REGISTER_FCSR },
	{ 0x100, REGISTER_MSTATUS },  { 0x300, REGISTER_MSTATUS }, { 0x180, REGISTER_SATP },
	{ 0x302, REGISTER_MEDELEG },  { 0x303, REGISTER_MIDELEG }, { 0x104, REGISTER_MIE },
	{ 0x304, REGISTER_MIE },      { 0x305, REGISTER_MTVEC },   { 0x306, REGISTER_MCOUNTEREN },
	{ 0x340, REGISTER_MSCRATCH }, { 0x341, REGISTER_MEPC },	   { 0x342, REGISTER_MCAUSE },
	{ 0x343, REGISTER_MTVAL },    { 0x105, REGISTER_STVEC },   { 0x106, REGISTER_SCOUNTEREN },
	{ 0x140, REGISTER_SSCRATCH }, { 0x141, REGISTER_SEPC },	   { 0x142, REGISTER_SCAUSE },
	{ 0x143, REGISTER_STVAL },    { 0x10a, REGISTER_SENVCFG }, { 0x30a, REGISTER_MENVCFG },
	{ 0x008, REGISTER_VSTART },   { 0x009, REGISTER_VCSR },	   { 0x00a, REGISTER_VCSR },
	{ 0x00f, REGISTER_VCSR },
};

int register_count = REGISTER_VSTART;
unsigned int vector_words;

/* QEMU's handles of one CPU's registers; NULL for those that it lacks. */
struct handles {
	struct qemu_plugin_register *named[REGISTER_V0];
	struct qemu_plugin_register *vector[VECTOR_REGISTERS];
	struct qemu_plugin_register *hart, *privilege, *pc, *isa, *hstatus;
};

static struct handles kinds[HARTS_MAX]; /* of CPUs: those whose registers have other handles */
static unsigned int kind_count;
static const struct handles *cpu = kinds; /* of the hart that is running */
static GByteArray *buffer;

static void take_handle(struct handles *to, const qemu_plugin_reg_descriptor *descriptor)
{
	if (!strcmp(descriptor->name, "mhartid"))
		to->hart = descriptor->handle;
	if (!strcmp(descriptor->name, "pc"))
		to->pc = descriptor->handle;
	if (!strcmp(descriptor->name, "misa"))
		to->isa = descriptor->handle;
	if (!strcmp(descriptor->name, "hstatus"))
		to->hstatus = descriptor->handle;
	if (!strcmp(descriptor->name, "priv"))
		to->privilege = descriptor->handle;
	for (int i = 0; i < REGISTER_V0; i++) {
		if (names[i] && !strcmp(descriptor->name, names[i]))
			to->named[i] = descriptor->handle;
	}
	for (int i = 0; i < VECTOR_REGISTERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "v%d", i);
		if (!strcmp(descriptor->name, name))
			to->vector[i] = descriptor->handle;
	}
}

static struct handles handles_here(void)
{
	struct handles found = { .hart = NULL };
	GArray *all = qemu_plugin_get_registers();

	for (unsigned int i = 0; i < all->len; i++)
		take_handle(&found, &((const qemu_plugin_reg_descriptor *)(void *)all->data)[i]);
	g_array_free(all, 1);
	return found;
}

static const char *missing_of(const struct handles *found)
{
	if (!found->hart)
		return "mhartid";
	if (!found->pc)
		return "pc";
	if (!found->privilege)
		return "priv";
	/* A CPU without F, S or a newer CSR has no such register; one without integer registers is no RISC-V. */
	for (int i = 1; i < REGISTER_F0; i++) {
		if (!found->named[i])
			return names[i];
	}
	return NULL;
}

const char *registers_find(void)
{
	struct handles found = handles_here();

	if (!buffer)
		buffer = g_byte_array_new();
	for (unsigned int i = 0; i < kind_count; i++) {
		if (!memcmp(&kinds[i], &found, sizeof(found)))
			return NULL;
	}
	kinds[kind_count++] = found;
	return missing_of(&found);
}

static uint32_t size_of(struct qemu_plugin_register *handle)
{
	buffer->len = 0;
	qemu_plugin_read_register(handle, buffer);
	return buffer->len;
}

void registers_choose(void)
{
	/* Handles count a CPU's registers, CSRs by their number: no CSR is as far from mhartid as kinds are apart. */
	for (unsigned int i = 0; kind_count > 1 && i < kind_count; i++) {
		if (size_of(kinds[i].hart))
			cpu = &kinds[i];
	}
}

bool registers_have_64_bits(void)
{
	return size_of(cpu->named[1]) == 8;
}

bool registers_measure(void)
{
	for (int i = 0; i < VECTOR_REGISTERS; i++) {
		if (!cpu->vector[i])
			return true;
	}
	uint32_t size = size_of(cpu->vector[0]);

	if (size > VECTOR_WORDS_MAX * 8 || size % 8)
		return false;
	vector_words = size / 8;
	if (vector_words)
		register_count = REGISTER_V0 + VECTOR_REGISTERS * (int)vector_words;
	return true;
}

static inline uint64_t read_handle(struct qemu_plugin_register *handle, uint64_t otherwise)
{
	uint64_t value = otherwise;

	if (!handle)
		return otherwise;
	buffer->len = 0;
	qemu_plugin_read_register(handle, buffer);
	if (buffer->len == 8)
		memcpy(&value, buffer->data, 8);
	else if (buffer->len == 4)
		value = *(const uint32_t *)(const void *)buffer->data;
	return value;
}

uint64_t register_read(int id)
{
	return read_handle(cpu->named[id], 0);
}

uint64_t register_read_or(int id, uint64_t otherwise)
{
	uint64_t words[VECTOR_WORDS_MAX];
	unsigned int word;

	if (id < REGISTER_V0)
		return read_handle(cpu->named[id], otherwise);
	word = (unsigned int)(id - REGISTER_V0);
	register_read_vector(word / vector_words, words);
	return words[word % vector_words];
}

void register_read_vector(unsigned int number, uint64_t *words)
{
	buffer->len = 0;
	qemu_plugin_read_register(cpu->vector[number], buffer);
	memcpy(words, buffer->data, vector_words * sizeof(*words));
}

void registers_read(uint64_t *values)
{
	int scalars = register_count < REGISTER_V0 ? register_count : REGISTER_V0;

	values[0] = 0;
	for (int id = 1; id < scalars; id++)
		values[id] = read_handle(cpu->named[id], values[id]);
	for (unsigned int i = 0; vector_words && i < VECTOR_REGISTERS; i++)
		register_read_vector(i, values + REGISTER_V0 + i * vector_words);
}

uint64_t register_read_hart(void)
{
	return read_handle(cpu->hart, 0);
}

uint64_t register_read_pc(void)
{
	return read_handle(cpu->pc, 0);
}

bool register_has_double(void)
{
	return read_handle(cpu->isa, 1 << 3) >> 3 & 1;
}

uint64_t register_read_privilege(void)
{
	return read_handle(cpu->privilege, 0);
}

uint64_t register_read_hypervisor_status(void)
{
	return read_handle(cpu->hstatus, 0);
}

int register_of_csr(uint16_t csr)
{
	for (unsigned int i = 0; i < sizeof(csrs) / sizeof(csrs[0]); i++) {
		if (csrs[i].csr == csr && csrs[i].id < register_count)
			return csrs[i].id;
	}
	return NO_REGISTER;
}
