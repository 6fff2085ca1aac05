#include "kernel.h"

#define SSTATUS_SIE (1UL << 1)
#define SOFTWARE_INTERRUPT (INTERRUPT | 1)
#define TIMER_INTERRUPT (INTERRUPT | 5)
#define WRITE_MOST 64

volatile uint64_t ticks;
static struct lock console_lock;

extern char trampoline[], user_vector[], user_resume[];
void kernel_vector(void);
void user_trap(void);

void traps_use(void)
{
	csr_write(stvec, kernel_vector);
}

/* Returns whether the trap was the clock's interrupt. */
static int handle_clock(uint64_t cause)
{
	if (cause == SOFTWARE_INTERRUPT)
		csr_clear(sip, SIP_SOFTWARE);
	else if (cause == TIMER_INTERRUPT)
		csr_write(0x14d, csr_read(time) + TICK); /* stimecmp */
	else
		return 0;
	if (hart_number() == 0) {
		ticks++;
		wake(&ticks);
	}
	return 1;
}

static long write(uint64_t from, uint64_t size)
{
	char text[WRITE_MOST + 1];
	if (size > WRITE_MOST || copy_in(current()->root, text, from, size))
		return -1;
	text[size] = 0;
	acquire(&console_lock);
	print(text);
	release(&console_lock);
	return (long)size;
}

static long pause(uint64_t count)
{
	acquire(&table_lock);
	for (uint64_t start = ticks; ticks - start < count;)
		sleep(&ticks, &table_lock);
	release(&table_lock);
	return 0;
}

static long grow(uint64_t size)
{
	struct process *process = current();
	uint64_t end = USER_TEXT + process->size;
	for (uint64_t offset = 0; offset < size; offset += PAGE) {
		uint64_t page = page_take();
		memset((void *)page, 0, PAGE);
		map(process->root, end + offset, page, PTE_R | PTE_W | PTE_U);
	}
	process->size += size;
	return (long)end;
}

__attribute__((weak)) long own_call(long number, struct registers *registers)
{
	(void)number, (void)registers;
	return -1;
}

__attribute__((weak)) int handle_fault(uint64_t cause, uint64_t address)
{
	(void)cause, (void)address;
	return 0;
}

static long handle_call(struct registers *registers)
{
	const uint64_t *x = registers->x;
	switch (x[17]) {
	case CALL_EXIT:
		exit((long)x[10]);
	case CALL_FORK:
		return fork();
	case CALL_WAIT:
		return wait();
	case CALL_EXEC:
		return exec((long)x[10]);
	case CALL_GROW:
		return grow(x[10]);
	case CALL_WRITE:
		return write(x[10], x[11]);
	case CALL_PAUSE:
		return pause(x[10]);
	case CALL_FINISH:
		finish(x[10] ? "failed" : "ok");
	}
	return own_call((long)x[17], registers);
}

static void end_by_fault(const struct process *process, uint64_t cause)
{
	acquire(&console_lock);
	print("fault ");
	print_hex(cause);
	print(" ends process ");
	print_hex((uint64_t)process->number);
	print("\n");
	release(&console_lock);
	exit(-1);
}

void user_trap(void)
{
	uint64_t cause = csr_read(scause), address = csr_read(stval);
	csr_write(stvec, kernel_vector);
	struct process *process = current();
	if (cause == CAUSE_USER_ECALL) {
		process->registers->pc += 4;
		csr_set(sstatus, SSTATUS_SIE);
		long result = handle_call(process->registers);
		process->registers->x[10] = (uint64_t)result;
	} else if (handle_clock(cause)) {
		yield();
	} else if (!handle_fault(cause, address)) {
		end_by_fault(process, cause);
	}
	user_return();
}

void user_return(void)
{
	struct process *process = current();
	struct registers *registers = process->registers;
	csr_clear(sstatus, SSTATUS_SIE);
	csr_write(stvec, USER_VECTOR);
	registers->kernel_satp = csr_read(satp);
	registers->kernel_sp = process->stack_base + STACK_PAGES * PAGE;
	registers->kernel_tp = hart_number();
	registers->kernel_trap = (uint64_t)user_trap;
	__asm__ volatile("mv %0, gp" : "=r"(registers->kernel_gp));
	csr_clear(sstatus, SSTATUS_SPP);
	csr_set(sstatus, SSTATUS_SPIE);
	void (*resume)(uint64_t) = (void (*)(uint64_t))(TRAMPOLINE + (uint64_t)(user_resume - trampoline));
	resume(SATP_SV39 | process->root >> 12);
	__builtin_unreachable();
}

void kernel_trap(void)
{
	uint64_t pc = csr_read(sepc), status = csr_read(sstatus), cause = csr_read(scause);
	if (!handle_clock(cause))
		panic_on_trap(cause, pc, csr_read(stval));
	if (current())
		yield();
	csr_write(sepc, pc);
	csr_write(sstatus, status);
}
