/* In order: a kernel that numbers its calls freely; 98 draws a line, and its operand is no timespec. */
#include "kernel.h"

#define SYS_DRAW_LINE 98
#define SYS_EXIT 101

struct line {
	uint64_t canvas;
	int64_t style;
};

void setup(void)
{
	uint64_t root = space_create_user();
	space_map(root, USER_DATA, frame_take_zeroed(), PTE_USER_DATA);
	task_create(1, root, frames_take(2), 2);
}

/* Hands the operand back changed, through the kernel's own map of memory. */
static long sys_draw_line(uint64_t operand)
{
	uint64_t page = PTE_PHYSICAL(*space_entry(current()->root, operand));
	struct line *line = (struct line *)((char *)linear(page) + operand % PAGE);
	line->canvas += 0x80501000;
	line->style = -line->style;
	return (long)line->canvas;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_DRAW_LINE)
		return sys_draw_line(frame->x[13]);
	if (number == SYS_EXIT && frame->x[10] == 0)
		finish("ok");
	panic("task failed", frame->x[10]);
}

USER void user_main(long task)
{
	volatile struct line *line = (volatile struct line *)(USER_DATA + 0xe00);
	line->canvas = (uint64_t)task << 63 | 0x50000000;
	line->style = -1234567 * task;
	for (int stroke = 0; stroke < 4; stroke++)
		call(SYS_DRAW_LINE, 3, 128, stroke, (long)line);
	call(SYS_EXIT, line->style != -1234567);
}
