/* A name that is longer than its buffer reaches the return address. */
#include "kernel.h"

static char stack[2048] __attribute__((aligned(16)));
static struct task greeter;
static const char name_given[] = "an unreasonably long name, given by somebody who did not read the manual";

NOINLINE static void copy_text(volatile char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

NOINLINE static int greet(const char *name)
{
	volatile char copy[24];
	truth.victim = (uint64_t)__builtin_frame_address(0) - 8;
	truth.victim_size = 8;
	copy_text(copy, name);
	return copy[0];
}

static void greet_all(void)
{
	print("greeting\n");
	greet("Ada");
	print("greeted\n");
	greet(name_given);
	finish("greeted all");
}

void setup(void)
{
	truth.stack_base = (uint64_t)stack;
	truth.stack_top = (uint64_t)stack + sizeof(stack);
	task_create(&greeter, greet_all, stack + sizeof(stack), MSTATUS_MPP_M);
}
