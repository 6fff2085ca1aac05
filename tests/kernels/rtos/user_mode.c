/* In order: tasks in U-mode without paging; PMP lets them run all code and write their stacks alone. */
#include "kernel.h"

#define CALL_ADD 98
#define CALL_DONE 99
#define PMP_READ_EXECUTE_BELOW 0x0dUL
#define PMP_READ_WRITE_BELOW 0x0bUL

static char stacks[2][4096] __attribute__((aligned(4096)));
static struct task tasks[2];
static int done;

static long call(long number, const long *operands)
{
	register const long *a0 __asm__("a0") = operands;
	register long a7 __asm__("a7") = number;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return (long)a0;
}

/* Reads its operands from the task's memory and writes its result there. */
long system_call(long number, struct frame *frame)
{
	long *operands = (long *)frame->x[10];
	if (number == CALL_ADD) {
		operands[0] += operands[1];
		return 0;
	}
	if (*operands != 45)
		panic("task failed", (uint64_t)*operands);
	if (++done == 2)
		finish("ok");
	return 0;
}

static void count(void)
{
	long operands[2] = { 0, 0 };
	for (operands[1] = 0; operands[1] < 10; operands[1]++) {
		call(CALL_ADD, operands);
		yield();
	}
	call(CALL_DONE, operands);
	task_exit();
}

void setup(void)
{
	csr_write(pmpaddr0, (uint64_t)stacks >> 2);
	csr_write(pmpaddr1, ((uint64_t)stacks + sizeof(stacks)) >> 2);
	csr_write(pmpcfg0, PMP_READ_WRITE_BELOW << 8 | PMP_READ_EXECUTE_BELOW);
	for (int number = 0; number < 2; number++)
		task_create(&tasks[number], count, stacks[number] + sizeof(stacks[number]), MSTATUS_MPIE);
	start_timer();
}
