/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU plugin that records every instruction, register write and memory access of a riscv64 guest.
 *
 * Options: slots=FILE,host=SOCKET,ram=FILE and optionally keyframe=N,start-pc=A,start-t=T,stop-pc=A,stop-t=T.
 * One hart runs at a time (-accel tcg,thread=single), so nothing here is locked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accesses.h"
#include "api.h"
#include "blocks.h"
#include "harts.h"
#include "memory.h"
#include "traps.h"
#include "walk.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 4;

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv);

static struct {
	const char *slots, *host, *ram;
	uint64_t start_pc, start_t, stop_pc, stop_t;
} options = { .start_pc = NEVER, .stop_pc = NEVER, .stop_t = NEVER };

static unsigned int harts_max;
static bool stopped;
static uint64_t waiting_t;	    /* instructions started before recording began */
static const struct block *waiting; /* the block that ran last then */

static bool contains(const struct block *block, uint64_t pc)
{
	const struct insn *last = &block->insn[block->instructions - 1];

	return pc - block->virtual < last->address + last->length - block->virtual;
}

/* What the host is told when recording stops before the guest ends. */
enum { STOP_REACHED = 'x', STOP_VIRTUAL = 'v' };

static void start_recording(uint64_t t)
{
	hart_start_recording(t);
	slots_ask('s', shadow_fd);
	memory_start();
	shared->started = 1;
	recording = true;
}

static void stop_recording(uint64_t t, char why)
{
	recording = false;
	stopped = true;
	slots_finish(t, why);
}

/* Before recording begins: counts, and looks whether it does. */
static bool starts_with(const struct block *block)
{
	if (waiting)
		waiting_t += slot->run_index + 1;
	slot->run_index = 0;
	waiting = block;
	if (options.start_pc != NEVER ? !contains(block, options.start_pc) :
					waiting_t + block->instructions <= options.start_t)
		return false;
	start_recording(waiting_t);
	return true;
}

static struct hart *running_hart(void)
{
	uint64_t id;

	if (harts_max == 1)
		return &harts[0];
	id = register_read_hart();
	return &harts[id < HARTS_MAX ? id : HARTS_MAX - 1];
}

/* t of the block that is about to run. */
static uint64_t next_t(void)
{
	return hart ? slot->run_t + slot->run_index + 1 : slot->run_t;
}

static void block_starts(unsigned int vcpu, void *udata)
{
	struct block *block = udata;

	(void)vcpu;
	registers_choose();
	if (reset_pc == NEVER)
		reset_pc = block->virtual;
	if (!recording && (stopped || !starts_with(block)))
		return;
	if (contains(block, options.stop_pc) || next_t() >= options.stop_t) {
		stop_recording(hart_stop(running_hart(), block), STOP_REACHED);
		return;
	}
	if ((block->insn[0].decoded.traits & IS_XRET) &&
	    trap_enters_virtual(&block->insn[0], block->privilege)) {
		stop_recording(hart_stop(running_hart(), block), STOP_VIRTUAL);
		return;
	}
	hart_enter(running_hart(), block);
	if (block->insn[0].decoded.traits & SPECIAL)
		hart_prepare(&block->insn[0]);
}

/* The instruction has started. What the one before it left is in the slot by now, also if QEMU is killed here. */
static void set_started(const struct insn *insn)
{
	__atomic_store_n(&slot->run_index, insn->index, __ATOMIC_RELEASE);
}

/* Nothing of the instruction before is to be read. */
static void insn_starts(unsigned int vcpu, void *udata)
{
	const struct insn *insn = udata;

	(void)vcpu;
	set_started(insn);
}

static void insn_starts_after_write(unsigned int vcpu, void *udata)
{
	const struct insn *insn = udata;

	(void)vcpu;
	if (recording)
		APPEND(COLUMN_WRITES_VALUE, uint64_t, register_read(insn[-1].decoded.rd));
	set_started(insn);
}

static void insn_starts_special(unsigned int vcpu, void *udata)
{
	const struct insn *insn = udata;

	(void)vcpu;
	if (recording)
		hart_read_result(&insn[-1]);
	if (recording && (insn->decoded.traits & IS_XRET) && trap_enters_virtual(insn, hart->privilege)) {
		stop_recording(hart_close(), STOP_VIRTUAL);
		return;
	}
	set_started(insn);
	if (!recording)
		return;
	if (insn->decoded.traits & SPECIAL)
		hart_prepare(insn);
	if (keyframe_every == 1)
		hart_keyframe(slot->run_t + insn->index, hart->block->insn[insn->index].address);
}

static void register_insn(struct qemu_plugin_insn *source, struct insn *insn)
{
	const struct decoded *before = &insn[-1].decoded;

	qemu_plugin_register_vcpu_mem_cb(source, access_seen, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
					 insn);
	if (insn->index == 0)
		return;
	if (keyframe_every == 1 || (before->traits & SPECIAL) || (insn->decoded.traits & SPECIAL))
		qemu_plugin_register_vcpu_insn_exec_cb(source, insn_starts_special, QEMU_PLUGIN_CB_R_REGS,
						       insn);
	else if (before->source == SOURCE_RECORDED)
		qemu_plugin_register_vcpu_insn_exec_cb(source, insn_starts_after_write, QEMU_PLUGIN_CB_R_REGS,
						       insn);
	else if (insn->has_callback)
		qemu_plugin_register_vcpu_insn_exec_cb(source, insn_starts, QEMU_PLUGIN_CB_NO_REGS, insn);
}

static void measure_registers(void)
{
	if (!registers_have_64_bits()) {
		fprintf(stderr, "tracedbg: a 32-bit CPU cannot be recorded: use another -cpu\n");
		exit(1);
	}
	if (!registers_measure()) {
		fprintf(stderr, "tracedbg: vector registers of more than %d bits cannot be recorded\n",
			VECTOR_WORDS_MAX * 64);
		exit(1);
	}
	shared->vector_words = vector_words;
	decode_vectors = vector_words != 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static bool asked;
	struct block *block;

	(void)id;
	if (stopped)
		return;
	registers_choose();
	/* By now the machine is built, so that the host can ask QEMU for its memory map. */
	if (!asked) {
		asked = true;
		measure_registers();
		slots_ask('m', -1);
	}
	decode_doubles = register_has_double();
	block = block_for(tb, (uint8_t)register_read_privilege());
	qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), block_starts,
					       QEMU_PLUGIN_CB_R_REGS, block);
	for (uint16_t i = 0; i < block->instructions; i++)
		register_insn(qemu_plugin_tb_get_insn(tb, i), &block->insn[i]);
}

static void hart_appears(qemu_plugin_id_t id, unsigned int vcpu)
{
	const char *missing = registers_find();

	(void)id;
	(void)vcpu;
	if (missing) {
		fprintf(stderr,
			"tracedbg: a CPU without the register %s cannot be recorded: use another -cpu\n",
			missing);
		exit(1);
	}
}

static bool take_option(const char *text)
{
	static const struct {
		const char *name;
		const char **text;
		uint64_t *number;
	} known[] = {
		{ "slots=", &options.slots, NULL },	  { "host=", &options.host, NULL },
		{ "ram=", &options.ram, NULL },		  { "keyframe=", NULL, &keyframe_every },
		{ "start-pc=", NULL, &options.start_pc }, { "start-t=", NULL, &options.start_t },
		{ "stop-pc=", NULL, &options.stop_pc },	  { "stop-t=", NULL, &options.stop_t },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].name);

		if (strncmp(text, known[i].name, length) != 0)
			continue;
		if (known[i].text)
			*known[i].text = text + length;
		else
			*known[i].number = strtoull(text + length, NULL, 0);
		return true;
	}
	return false;
}

static const char *begin(const qemu_info_t *info, int argc, char **argv)
{
	const char *problem;

	if (!info->system_emulation || strcmp(info->target_name, "riscv64") != 0)
		return "only riscv64 machines can be recorded";
	if (info->version.cur < 4)
		return "QEMU 9.2 or later is needed to record; attach to its gdbstub instead";
	for (int i = 0; i < argc; i++) {
		if (!take_option(argv[i]))
			return "an option of the plugin is unknown";
	}
	if (!options.slots || !options.host || !options.ram || !keyframe_every)
		return "an option of the plugin is missing";
	harts_max = (unsigned int)info->system.max_vcpus;
	if (harts_max > HARTS_MAX)
		return "more harts than can be recorded";
	problem = slots_open(options.slots, options.host);
	if (problem)
		return problem;
	shared->harts = harts_max;
	return memory_open(options.ram);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *problem = begin(info, argc, argv);

	if (problem) {
		fprintf(stderr, "tracedbg: %s\n", problem);
		return 1;
	}
	qemu_plugin_register_vcpu_init_cb(id, hart_appears);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
