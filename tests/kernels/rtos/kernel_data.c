/* A task's stack lies right above what the kernel knows about its serial line. */
#include "kernel.h"

static struct {
	char name[8];
	volatile unsigned long baud, parity;
	char stack[1024] __attribute__((aligned(16)));
} line = { .baud = 115200 };
static char sender_stack[1024] __attribute__((aligned(16)));
static struct task scanner, sender;

NOINLINE static unsigned long visit(unsigned long node, int depth)
{
	volatile unsigned long path[8];
	for (int place = 0; place < 8; place++)
		path[place] = node * 3 + (unsigned long)place;
	return depth ? visit(node + path[7], depth - 1) + path[0] : path[1];
}

static void scan(void)
{
	visit(1, 14);
	yield();
	task_exit();
}

NOINLINE static void set_up_line(void)
{
	if (line.baud != 115200 || line.parity > 2)
		finish("no such line speed");
	finish("line is up");
}

void setup(void)
{
	task_create(&sender, set_up_line, sender_stack + sizeof(sender_stack), MSTATUS_MPP_M);
	task_create(&scanner, scan, line.stack + sizeof(line.stack), MSTATUS_MPP_M);
	truth = (struct truth){ (uint64_t)line.stack, (uint64_t)line.stack + sizeof(line.stack),
				(uint64_t)&line.baud, 16 };
}
