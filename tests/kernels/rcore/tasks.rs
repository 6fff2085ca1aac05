//! In order: tasks in address spaces of their own that are preempted, and futures of several jobs that are
//! polled in turns on the stack of the system call that waits for all of them.

#![no_std]

mod kernel;

use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::ptr::null;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use kernel::{call, create_task, current, exit, exit_task, suspend, TASKS};

const SYS_YIELD: usize = 124;
const SYS_SUM: usize = 1;
const SYS_JOBS: usize = 2;
const SYS_EXIT: usize = 93;

static mut EXITED: usize = 0;

pub fn set_up() {
    (0..TASKS).for_each(create_task);
}

#[inline(never)]
fn sum_of(parts: &[usize]) -> usize {
    let mut squares = [0; 16];
    for (square, part) in squares.iter_mut().zip(parts) {
        *square = part * part;
    }
    if parts.len() < 2 { squares[0] } else { squares[0] + sum_of(&parts[1..]) }
}

/// Is ready when it is polled the second time.
struct NextTurn(bool);

impl Future for NextTurn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let is_ready = self.0;
        self.0 = true;
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

async fn job(number: usize, total: &Cell<usize>) {
    let parts = [number, number + 1, number + 2];
    for part in parts {
        NextTurn(false).await;
        total.set(total.get() + sum_of(&[part, part]));
    }
}

fn waker() -> Waker {
    const TABLE: RawWakerVTable = RawWakerVTable::new(|_| RawWaker::new(null(), &TABLE), |_| (), |_| (), |_| ());
    unsafe { Waker::from_raw(RawWaker::new(null(), &TABLE)) }
}

#[inline(never)]
fn run_jobs(first: usize) -> usize {
    let total = Cell::new(0);
    let (mut one, mut two) = (job(first, &total), job(first + 3, &total));
    let mut jobs = [unsafe { Pin::new_unchecked(&mut one as &mut dyn Future<Output = ()>) }, unsafe {
        Pin::new_unchecked(&mut two as &mut dyn Future<Output = ()>)
    }];
    let mut is_done = [false; 2];
    let waker = waker();
    while !(is_done[0] && is_done[1]) {
        for (job, is_done) in jobs.iter_mut().zip(&mut is_done) {
            *is_done = *is_done || job.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        }
        suspend();
    }
    total.get()
}

pub fn system_call(number: usize, arguments: [usize; 3]) -> isize {
    match number {
        SYS_YIELD => suspend(),
        SYS_SUM => return sum_of(&arguments) as isize,
        SYS_JOBS => return run_jobs(arguments[0]) as isize,
        SYS_EXIT => unsafe {
            assert_eq!(arguments[0], current());
            EXITED += 1;
            if EXITED == TASKS {
                exit(b"ok\0");
            }
            exit_task();
        },
        _ => return -1,
    }
    0
}

#[no_mangle]
#[link_section = ".user"]
pub extern "C" fn user_main(task: usize) {
    let mut code = task;
    let mut turn = 0;
    while turn < 6 {
        let first = task + turn;
        let squares = first * first + (first + 1) * (first + 1) + (first + 2) * (first + 2);
        if call(SYS_SUM, [first, first + 1, first + 2]) != squares {
            code = 100;
        }
        call(SYS_YIELD, [0; 3]);
        let last = first + 3;
        let others = last * last + (last + 1) * (last + 1) + (last + 2) * (last + 2);
        if call(SYS_JOBS, [first, 0, 0]) != 2 * (squares + others) {
            code = 101;
        }
        turn += 1;
    }
    call(SYS_EXIT, [code, 0, 0]);
}
