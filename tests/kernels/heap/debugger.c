/*
 * In order: a task changes registers that another one has saved on its stack, as a debugger does, and an
 * exception's handler has what trapped go on behind the access, with a result in one of its registers.
 */
#include "kernel.h"

#define NOTHING_THERE 0x8000000UL
#define CAUSE_LOAD_ACCESS 5
#define S1 9
#define S2 18

static struct task *debugged;
static volatile int is_through;

/* Gives turns away for as long as a register that every call leaves alone holds what it held. */
NOINLINE static uint64_t wait_for_register(void)
{
	register uint64_t kept __asm__("s1") = 1;
	do {
		register uint64_t a7 __asm__("a7") = 0;
		__asm__ volatile("ecall" : "+r"(kept) : "r"(a7) : "memory");
	} while (kept == 1);
	return kept;
}

static void be_debugged(void *argument)
{
	(void)argument;
	if (wait_for_register() != 4711)
		panic("a register came back wrong", 0);
	is_through = 1;
	for (;;)
		yield();
}

/* Returns 0, or what the handler says where nothing answers. */
NOINLINE static uint64_t probe(uint64_t address)
{
	register uint64_t result __asm__("s2") = 0;
	__asm__ volatile(".option push\n.option norvc\nlw zero, (%1)\n.option pop"
			 : "+r"(result)
			 : "r"(address));
	return result;
}

int handle_fault(struct frame *frame, uint64_t cause)
{
	if (cause != CAUSE_LOAD_ACCESS)
		return 0;
	frame->x[S2] = 14;
	frame->epc += 4;
	return 1;
}

static void debug(void *argument)
{
	(void)argument;
	for (int turn = 0; turn < 3; turn++)
		yield();
	if (debugged->frame->x[S1] != 1)
		panic("the wrong register was saved", debugged->frame->x[S1]);
	debugged->frame->x[S1] = 4711;
	while (!is_through)
		yield();
	if (probe(RAM_START) || probe(NOTHING_THERE) != 14)
		panic("the fault was not put right", 0);
	finish("ok");
}

void setup(void)
{
	debugged = task_create("target", be_debugged, NULL, 1024);
	task_create("debugger", debug, NULL, 1024);
}
