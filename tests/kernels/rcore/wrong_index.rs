//! Before a task is started anew its stack is cleared: that of the wrong task, whose call is under way.

#![no_std]

mod kernel;

use core::mem::size_of;
use core::ptr::addr_of_mut;
use kernel::{call, create_task, exit, stack_base, suspend, truth};
use kernel::{TrapContext, Truth, KERNEL_STACK, STACK_SIZE};

const SYS_YIELD: usize = 124;
const SYS_RESTART: usize = 1;
const SYS_EXIT: usize = 93;
const CLEARED: usize = 512;

pub fn set_up() {
    create_task(0);
    create_task(1);
    unsafe {
        truth = Truth {
            stack_base: stack_base(1),
            stack_top: stack_base(1) + STACK_SIZE,
            victim: stack_base(0) + STACK_SIZE - CLEARED,
            victim_size: CLEARED - size_of::<TrapContext>(),
        };
    }
}

#[inline(never)]
fn clear_stack(task: usize) {
    let stack = unsafe { &mut (*addr_of_mut!(KERNEL_STACK))[task - 2].0 };
    stack[STACK_SIZE - CLEARED..].fill(0);
}

pub fn system_call(number: usize, arguments: [usize; 3]) -> isize {
    match number {
        SYS_YIELD => suspend(),
        SYS_RESTART => clear_stack(arguments[0]),
        _ => exit(b"through\0"),
    }
    0
}

#[no_mangle]
#[link_section = ".user"]
pub extern "C" fn user_main(task: usize) {
    if task == 1 {
        call(SYS_RESTART, [2, 0, 0]);
    }
    call(SYS_YIELD, [0; 3]);
    call(SYS_YIELD, [0; 3]);
    call(SYS_EXIT, [0; 3]);
}
