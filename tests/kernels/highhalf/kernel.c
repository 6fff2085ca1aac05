#include "kernel.h"

#define LINEAR 0xffffffc000000000UL

const uint64_t linear_offset = LINEAR;
struct task tasks[TASKS];

static struct task *running[HARTS];
static uint64_t scheduler_sp[HARTS];
static volatile int is_set_up;

extern uint64_t boot_root[];
void return_from_trap(void);
void switch_stacks(uint64_t *save_sp, uint64_t sp);

static unsigned long hart(void)
{
	unsigned long number;
	__asm__ volatile("mv %0, tp" : "=r"(number));
	return number;
}

struct task *current(void)
{
	return running[hart()];
}

struct frame *task_frame(const struct task *task)
{
	return (struct frame *)(task->stack_top - 16) - 1;
}

void task_create(long number, uint64_t root, uint64_t stack, int pages)
{
	struct task *task = &tasks[number];
	uint64_t *top = (uint64_t *)((char *)linear(stack) + pages * PAGE) - 2;
	task->stack_top = (uint64_t)(top + 2);
	struct frame *frame = task_frame(task);
	uint64_t *context = (uint64_t *)frame - 14;

	top[0] = (uint64_t)task->hart;
	memset(context, 0, (char *)top - (char *)context);
	frame->epc = USER_TEXT;
	frame->x[2] = USER_STACK + PAGE;
	frame->x[10] = (uint64_t)number;
	frame->status = SSTATUS_SUM;
	context[0] = (uint64_t)return_from_trap;
	task->number = number;
	task->root = root;
	task->sp = (uint64_t)context;
	task->is_alive = 1;
}

static void run_tasks(void)
{
	for (;;) {
		int ran = 0;
		for (struct task *task = tasks; task < tasks + TASKS; task++) {
			if (!task->is_alive || task->waits_for || (unsigned long)task->hart != hart())
				continue;
			running[hart()] = task;
			space_use(task->root);
			switch_stacks(&scheduler_sp[hart()], task->sp);
			ran = 1;
		}
		if (!ran)
			__asm__ volatile("wfi");
	}
}

void yield(void)
{
	switch_stacks(&current()->sp, scheduler_sp[hart()]);
}

void wait_for(const volatile void *what)
{
	current()->waits_for = what;
	yield();
}

void wake(const volatile void *what)
{
	for (struct task *task = tasks; task < tasks + TASKS; task++)
		if (task->waits_for == what)
			task->waits_for = NULL;
}

void task_exit(void)
{
	current()->is_alive = 0;
	yield();
}

void let_others_run(void)
{
	csr_write(0x14d, csr_read(time) + 100); /* stimecmp */
	csr_set(sie, SIE_TIMER);
	__asm__ volatile("wfi");
	csr_clear(sie, SIE_TIMER);
}

NOINLINE void copy_from_user(void *to, uint64_t from, size_t size)
{
	memcpy(to, (const void *)from, size);
}

NOINLINE void copy_to_user(uint64_t to, const void *from, size_t size)
{
	memcpy((void *)to, from, size);
}

__attribute__((weak)) int handle_fault(struct frame *frame, uint64_t cause, uint64_t address)
{
	(void)frame, (void)cause, (void)address;
	return 0;
}

void handle_trap(struct frame *frame)
{
	uint64_t cause = csr_read(scause);
	if (cause == CAUSE_USER_ECALL) {
		frame->epc += 4;
		frame->x[10] = (uint64_t)system_call((long)frame->x[17], frame);
	} else if (!handle_fault(frame, cause, csr_read(stval))) {
		panic_on_trap(cause, frame->epc, csr_read(stval));
	}
}

void kernel_main(unsigned long number)
{
	__asm__ volatile("mv tp, %0" ::"r"(number));
	csr_set(sstatus, SSTATUS_SUM);
	if (number == 0) {
		boot_root[0] = boot_root[2] = 0;
		setup();
		is_set_up = 1;
	}
	while (!is_set_up)
		let_others_run();
	run_tasks();
}
