//! A kernel of tasks with an address space each, in Rust: kernel stacks in one static array, the context of
//! a trap pushed at the top of the task's own, and a switch between contexts of callee-saved registers.

#![allow(dead_code)]

use core::arch::asm;
use core::panic::PanicInfo;
use core::ptr::{addr_of, addr_of_mut};

pub const PAGE: usize = 4096;
pub const STACK_SIZE: usize = 2 * PAGE;
pub const TASKS: usize = 3;
const USER_TEXT: usize = 0x4000_0000;
const USER_STACK_TOP: usize = 0x4020_0000;
const USER_CALL: usize = 8;
const TIMER: usize = 1 << 63 | 5;
const STATUS: usize = 1 << 5 | 1 << 18;
const SLICE: usize = 300;

#[repr(C)]
pub struct TrapContext {
    pub x: [usize; 32],
    status: usize,
    pc: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct TaskContext {
    ra: usize,
    sp: usize,
    s: [usize; 12],
}

#[derive(Clone, Copy, PartialEq)]
enum TaskStatus {
    Ready,
    Running,
    Exited,
}

#[derive(Clone, Copy)]
struct Task {
    context: TaskContext,
    status: TaskStatus,
    satp: usize,
}

#[repr(C, align(4096))]
#[derive(Clone, Copy)]
pub struct KernelStack(pub [u8; STACK_SIZE]);

#[repr(C)]
pub struct Truth {
    pub stack_base: usize,
    pub stack_top: usize,
    pub victim: usize,
    pub victim_size: usize,
}

extern "C" {
    pub static mut truth: Truth;
    fn restore();
    fn trap_entry();
    fn switch(from: *mut TaskContext, to: *const TaskContext);
    fn space_create_user() -> usize;
    fn finish(last_line: *const u8) -> !;
    fn print(text: *const u8);
}

const NOWHERE: TaskContext = TaskContext { ra: 0, sp: 0, s: [0; 12] };
const NO_TASK: Task = Task { context: NOWHERE, status: TaskStatus::Exited, satp: 0 };

pub static mut KERNEL_STACK: [KernelStack; TASKS] = [KernelStack([0; STACK_SIZE]); TASKS];
static mut TASK: [Task; TASKS] = [NO_TASK; TASKS];
static mut CURRENT: usize = 0;

pub fn current() -> usize {
    unsafe { CURRENT }
}

pub fn stack_base(task: usize) -> usize {
    unsafe { addr_of!(KERNEL_STACK[task]) as usize }
}

/// Ends the run.
pub fn exit(last_line: &'static [u8]) -> ! {
    unsafe { finish(last_line.as_ptr()) }
}

pub fn create_task(task: usize) {
    let top = stack_base(task) + STACK_SIZE;
    let context = (top - core::mem::size_of::<TrapContext>()) as *mut TrapContext;
    let mut first = TrapContext { x: [0; 32], status: STATUS, pc: USER_TEXT };
    first.x[2] = USER_STACK_TOP;
    first.x[10] = task;
    unsafe {
        context.write(first);
        TASK[task].context = TaskContext { ra: restore as usize, sp: context as usize, s: [0; 12] };
        TASK[task].satp = 8 << 60 | space_create_user() >> 12;
        TASK[task].status = TaskStatus::Ready;
    }
}

fn set_trap_entry(entry: unsafe extern "C" fn()) {
    unsafe { asm!("csrw stvec, {}", in(reg) entry as usize) }
}

fn start_timer() {
    unsafe {
        asm!("csrr {0}, time", "add {0}, {0}, {1}", "csrw 0x14d, {0}", out(reg) _, in(reg) SLICE);
        asm!("csrs sie, {}", in(reg) 1 << 5);
    }
}

fn run_next(from: *mut TaskContext) {
    unsafe {
        let start = CURRENT;
        let next = (1..=TASKS).map(|step| (start + step) % TASKS);
        let next = next.into_iter().find(|&task| TASK[task].status == TaskStatus::Ready);
        let next = next.expect("no task is ready");
        CURRENT = next;
        TASK[next].status = TaskStatus::Running;
        asm!("csrw satp, {}", "sfence.vma", in(reg) TASK[next].satp);
        switch(from, addr_of!(TASK[next].context));
    }
}

pub fn suspend() {
    unsafe {
        TASK[CURRENT].status = TaskStatus::Ready;
        run_next(addr_of_mut!(TASK[CURRENT].context));
    }
}

pub fn exit_task() -> ! {
    unsafe {
        TASK[CURRENT].status = TaskStatus::Exited;
        run_next(addr_of_mut!(TASK[CURRENT].context));
    }
    unreachable!()
}

#[no_mangle]
extern "C" fn trap_handler(context: &mut TrapContext) {
    set_trap_entry(trap_entry);
    let (cause, value): (usize, usize);
    unsafe { asm!("csrr {}, scause", "csrr {}, stval", out(reg) cause, out(reg) value) }
    match cause {
        USER_CALL => {
            context.pc += 4;
            let arguments = [context.x[10], context.x[11], context.x[12]];
            context.x[10] = crate::system_call(context.x[17], arguments) as usize;
        }
        TIMER => {
            start_timer();
            suspend();
        }
        _ => panic!("unsupported trap {:#x}, value {:#x}", cause, value),
    }
}

#[no_mangle]
extern "C" fn trap_from_kernel() -> ! {
    panic!("a trap from kernel");
}

#[no_mangle]
extern "C" fn kernel_main() {
    crate::set_up();
    start_timer();
    unsafe { CURRENT = TASKS - 1 };
    let mut boot = NOWHERE;
    run_next(&mut boot);
}

#[panic_handler]
fn panicked(_: &PanicInfo) -> ! {
    unsafe { print(b"panicked\n\0".as_ptr()) }
    exit(b"shut down\0")
}

#[inline(always)]
pub fn call(number: usize, arguments: [usize; 3]) -> usize {
    let result;
    unsafe {
        asm!("ecall", in("a7") number, inlateout("a0") arguments[0] => result, in("a1") arguments[1],
             in("a2") arguments[2]);
    }
    result
}
