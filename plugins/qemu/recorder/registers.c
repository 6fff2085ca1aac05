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

static struct qemu_plugin_register *handles[REGISTER_V0];
static struct qemu_plugin_register *vector_handles[VECTOR_REGISTERS];
static struct qemu_plugin_register *hart_handle;
static struct qemu_plugin_register *privilege_handle;
static struct qemu_plugin_register *pc_handle;
static struct qemu_plugin_register *isa_handle;
static GByteArray *buffer;

static void take_handle(const qemu_plugin_reg_descriptor *descriptor)
{
	if (!strcmp(descriptor->name, "mhartid"))
		hart_handle = descriptor->handle;
	if (!strcmp(descriptor->name, "pc"))
		pc_handle = descriptor->handle;
	if (!strcmp(descriptor->name, "misa"))
		isa_handle = descriptor->handle;
	if (!strcmp(descriptor->name, "priv"))
		privilege_handle = descriptor->handle;
	for (int i = 0; i < REGISTER_V0; i++) {
		if (names[i] && !strcmp(descriptor->name, names[i]))
			handles[i] = descriptor->handle;
	}
	for (int i = 0; i < VECTOR_REGISTERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "v%d", i);
		if (!strcmp(descriptor->name, name))
			vector_handles[i] = descriptor->handle;
	}
}

const char *registers_find(void)
{
	GArray *all = qemu_plugin_get_registers();

	if (!buffer)
		buffer = g_byte_array_new();
	for (unsigned int i = 0; i < all->len; i++)
		take_handle(&((const qemu_plugin_reg_descriptor *)(void *)all->data)[i]);
	g_array_free(all, 1);
	if (!hart_handle)
		return "mhartid";
	if (!pc_handle)
		return "pc";
	if (!privilege_handle)
		return "priv";
	/* A CPU without F, S or a newer CSR has no such register; one without integer registers is no RISC-V. */
	for (int i = 1; i < REGISTER_F0; i++) {
		if (!handles[i])
			return names[i];
	}
	return NULL;
}

bool registers_measure(void)
{
	for (int i = 0; i < VECTOR_REGISTERS; i++) {
		if (!vector_handles[i])
			return true;
	}
	buffer->len = 0;
	qemu_plugin_read_register(vector_handles[0], buffer);
	if (buffer->len > VECTOR_WORDS_MAX * 8 || buffer->len % 8)
		return false;
	vector_words = buffer->len / 8;
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
	return read_handle(handles[id], 0);
}

uint64_t register_read_or(int id, uint64_t otherwise)
{
	uint64_t words[VECTOR_WORDS_MAX];
	unsigned int word;

	if (id < REGISTER_V0)
		return read_handle(handles[id], otherwise);
	word = (unsigned int)(id - REGISTER_V0);
	register_read_vector(word / vector_words, words);
	return words[word % vector_words];
}

void register_read_vector(unsigned int number, uint64_t *words)
{
	buffer->len = 0;
	qemu_plugin_read_register(vector_handles[number], buffer);
	memcpy(words, buffer->data, vector_words * sizeof(*words));
}

void registers_read(uint64_t *values)
{
	int scalars = register_count < REGISTER_V0 ? register_count : REGISTER_V0;

	values[0] = 0;
	for (int id = 1; id < scalars; id++)
		values[id] = read_handle(handles[id], values[id]);
	for (unsigned int i = 0; vector_words && i < VECTOR_REGISTERS; i++)
		register_read_vector(i, values + REGISTER_V0 + i * vector_words);
}

uint64_t register_read_hart(void)
{
	return read_handle(hart_handle, 0);
}

uint64_t register_read_pc(void)
{
	return read_handle(pc_handle, 0);
}

bool register_has_double(void)
{
	return read_handle(isa_handle, 1 << 3) >> 3 & 1;
}

uint64_t register_read_privilege(void)
{
	return read_handle(privilege_handle, 0);
}

int register_of_csr(uint16_t csr)
{
	for (unsigned int i = 0; i < sizeof(csrs) / sizeof(csrs[0]); i++) {
		if (csrs[i].csr == csr && csrs[i].id < register_count)
			return csrs[i].id;
	}
	return NO_REGISTER;
}
