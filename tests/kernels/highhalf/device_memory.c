/* In order: a device writes into a page that was a stack before, and user code reads what it brought. */
#include "kernel.h"

#define SYS_IDENTIFY 77
#define SYS_EXIT 93
#define FIRMWARE_CONFIG 0x10100000UL
#define DMA_ADDRESS (FIRMWARE_CONFIG + 16)
#define SELECT_SIGNATURE_AND_READ 0x0000000aU

struct dma {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

static uint64_t first_stack;

static uint64_t big_endian(uint64_t value)
{
	uint64_t turned = 0;
	for (int place = 0; place < 8; place++)
		turned |= (value >> 8 * place & 0xff) << (56 - 8 * place);
	return turned;
}

static uint32_t big_endian_word(uint32_t value)
{
	return (uint32_t)(big_endian(value) >> 32);
}

void setup(void)
{
	first_stack = frames_take(2);
	task_create(1, space_create_user(), first_stack, 2);
	task_create(2, space_create_user(), frames_take(2), 2);
}

static long sys_identify(void)
{
	static volatile struct dma request;
	uint64_t physical = (uint64_t)&request - linear_offset;
	request.control = big_endian_word(SELECT_SIGNATURE_AND_READ);
	request.length = big_endian_word(4);
	request.address = big_endian(first_stack + 2 * PAGE - 16);
	*(volatile uint64_t *)linear(DMA_ADDRESS) = big_endian(physical);
	while (request.control)
		;
	space_map(current()->root, USER_DATA, first_stack + PAGE, PTE_USER_DATA);
	return 0;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_IDENTIFY)
		return sys_identify();
	if (current()->number == 1)
		task_exit();
	if (frame->x[10])
		panic("task failed", frame->x[10]);
	finish("ok");
}

USER void user_main(long task)
{
	volatile char *signature = (volatile char *)(USER_DATA + PAGE - 16);
	if (task == 1)
		call(SYS_EXIT, 0);
	call(SYS_IDENTIFY);
	call(SYS_EXIT,
	     signature[0] != 'Q' || signature[1] != 'E' || signature[2] != 'M' || signature[3] != 'U');
}
