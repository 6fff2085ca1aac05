/* Start of the kernel in C, on the boot hart. */
#include "console.h"
#include "frame.h"
#include "hart.h"
#include "page_table.h"
#include "sched.h"
#include "task.h"
#include "virtio_blk.h"

_Noreturn void kernel_main(uint64_t hart_id)
{
	printk("futex_stack kernel, hart %u\n", hart_id);
	frame_init();
	kernel_table_init();
	virtio_blk_init();
	hart_init(hart_id);
	task_create_init();
	harts_start(hart_id);
	schedule_forever();
}
