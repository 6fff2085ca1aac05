//! A path is resolved with more call depth than the stack has room for; below it lies the page where the
//! same task keeps the timeout of its next call. Stands on the kernel of identity/.

#![no_std]

use core::arch::asm;
use core::panic::PanicInfo;
use core::ptr::{addr_of_mut, read_volatile, write_volatile};

const PAGE: u64 = 4096;
const USER_DATA: u64 = 0x4001_0000;
const TIMEOUT: u64 = USER_DATA + 0xd00;
const USER_DATA_FLAGS: u64 = 0xd7;
const SYS_OPEN: i64 = 56;
const SYS_FUTEX: i64 = 98;
const INVALID: i64 = -22;
const LONGEST_NAME: usize = 255;
const MOST_LINKS: usize = 30;

#[repr(C)]
pub struct Frame {
    x: [u64; 32],
    epc: u64,
    status: u64,
}

#[repr(C)]
pub struct Task([u64; 20]);

#[repr(C)]
pub struct Truth {
    stack_base: u64,
    stack_top: u64,
    victim: u64,
    victim_size: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    static mut truth: Truth;
    fn frame_take_zeroed() -> u64;
    fn frames_take(count: i32) -> u64;
    fn space_create_user() -> u64;
    fn space_map(root: u64, address: u64, physical: u64, flags: u64);
    fn task_create(task: *mut Task, number: i64, root: u64, top: u64);
    fn finish(last_line: *const u8) -> !;
}

static mut TASK: Task = Task([0; 20]);

#[no_mangle]
pub unsafe extern "C" fn setup() {
    let root = space_create_user();
    let data = frame_take_zeroed();
    let stack = frames_take(2);
    space_map(root, USER_DATA, data, USER_DATA_FLAGS);
    task_create(addr_of_mut!(TASK), 1, root, stack + 2 * PAGE);
    truth = Truth {
        stack_base: stack,
        stack_top: stack + 2 * PAGE,
        victim: data + TIMEOUT % PAGE,
        victim_size: 16,
    };
}

struct Name {
    bytes: [u8; LONGEST_NAME],
    length: usize,
}

impl Name {
    #[inline(never)]
    fn joined(parent: &Name, letter: u8) -> Name {
        let mut bytes = [letter; LONGEST_NAME];
        let length = parent.length.min(LONGEST_NAME - 1);
        bytes[..length].copy_from_slice(&parent.bytes[..length]);
        Name { bytes, length: length + 1 }
    }
}

#[inline(never)]
fn resolve(parent: &Name, links: usize) -> usize {
    let name = Name::joined(parent, b'a' + links as u8);
    if links == MOST_LINKS {
        return name.length;
    }
    resolve(&name, links + 1) + name.bytes[links] as usize
}

#[inline(never)]
fn sys_futex(timeout: *const Timespec) -> i64 {
    let given = unsafe { read_volatile(timeout) };
    if given.seconds == 2 && given.nanoseconds == 7000 { 0 } else { INVALID }
}

#[no_mangle]
pub extern "C" fn system_call(number: i64, frame: &Frame) -> i64 {
    match number {
        SYS_OPEN => resolve(&Name { bytes: [b'/'; LONGEST_NAME], length: 1 }, 0) as i64,
        SYS_FUTEX => sys_futex(frame.x[13] as *const Timespec),
        _ if frame.x[10] == 0 => unsafe { finish(b"woken\0".as_ptr()) },
        _ => unsafe { finish(b"futex: invalid argument\0".as_ptr()) },
    }
}

#[inline(always)]
unsafe fn call(number: i64, first: i64, timeout: u64) -> i64 {
    let result;
    asm!("ecall", in("a7") number, inlateout("a0") first => result, in("a3") timeout);
    result
}

#[no_mangle]
#[link_section = ".user"]
pub unsafe extern "C" fn user_main(_task: i64) {
    let timeout = TIMEOUT as *mut Timespec;
    write_volatile(addr_of_mut!((*timeout).seconds), 2);
    write_volatile(addr_of_mut!((*timeout).nanoseconds), 7000);
    call(SYS_OPEN, 0, 0);
    call(93, call(SYS_FUTEX, 0, TIMEOUT), 0);
}

#[panic_handler]
fn panicked(_: &PanicInfo) -> ! {
    unsafe { finish(b"panic\0".as_ptr()) }
}
