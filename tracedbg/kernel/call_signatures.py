"""What the arguments of named system calls mean, as Linux's manual pages (section 2) give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ArgumentKind(Enum):
    """How an argument is to be read."""

    NUMBER = "number"
    """A signed number."""
    HEX = "hex"
    """Flags or an address."""
    STRING = "string"
    """The address of a text that ends in a zero byte."""
    BYTES = "bytes"
    """The address of as many bytes as the next argument says."""
    FILLED = "filled"
    """The address of a buffer that the call fills; its result says how many bytes."""
    TIMESPEC = "timespec"
    """The address of a struct timespec that the kernel reads, 0 for none."""
    TIMESPEC_OUT = "timespec out"
    """The address of a struct timespec that the kernel writes, 0 for none."""
    FUTEX_OPERATION = "futex operation"
    FUTEX_TIMEOUT = "futex timeout"
    """A TIMESPEC with an operation that waits, else a number."""
    OPEN_FLAGS = "open flags"


@dataclass(frozen=True)
class Parameter:
    """An argument by its name."""

    name: str
    kind: ArgumentKind


FUTEX_OPERATIONS = (
    "WAIT", "WAKE", "FD", "REQUEUE", "CMP_REQUEUE", "WAKE_OP", "LOCK_PI", "UNLOCK_PI", "TRYLOCK_PI",
    "WAIT_BITSET", "WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI", "LOCK_PI2",
)  # fmt: skip
FUTEX_WITH_TIMEOUT = frozenset(("WAIT", "LOCK_PI", "WAIT_BITSET", "WAIT_REQUEUE_PI", "LOCK_PI2"))
FUTEX_FLAGS = {0x80: "PRIVATE", 0x100: "CLOCK_REALTIME"}

OPEN_ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
OPEN_FLAGS = {
    0o100: "O_CREAT", 0o200: "O_EXCL", 0o400: "O_NOCTTY", 0o1000: "O_TRUNC", 0o2000: "O_APPEND",
    0o4000: "O_NONBLOCK", 0o10000: "O_DSYNC", 0o40000: "O_DIRECT", 0o100000: "O_LARGEFILE",
    0o200000: "O_DIRECTORY", 0o400000: "O_NOFOLLOW", 0o1000000: "O_NOATIME", 0o2000000: "O_CLOEXEC",
    0o10000000: "O_PATH",
}  # fmt: skip
"""The generic values."""

_FIRST_ERRORS = """
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK
    EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE
    EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP
"""
ERRORS = {
    **dict(enumerate(_FIRST_ERRORS.split(), 1)),
    88: "ENOTSOCK", 95: "EOPNOTSUPP", 97: "EAFNOSUPPORT", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL",
    104: "ECONNRESET", 105: "ENOBUFS", 107: "ENOTCONN", 110: "ETIMEDOUT", 111: "ECONNREFUSED",
    115: "EINPROGRESS",
}  # fmt: skip
"""Names of Linux's error numbers, of which calls return the negative."""

_KINDS = {
    "s": ArgumentKind.STRING,
    "b": ArgumentKind.BYTES,
    "f": ArgumentKind.FILLED,
    "t": ArgumentKind.TIMESPEC,
    "o": ArgumentKind.TIMESPEC_OUT,
    "x": ArgumentKind.HEX,
    "n": ArgumentKind.NUMBER,
    "op": ArgumentKind.FUTEX_OPERATION,
    "ft": ArgumentKind.FUTEX_TIMEOUT,
    "of": ArgumentKind.OPEN_FLAGS,
}

_TEXTS = {
    "futex": "uaddr:x op:op val:n timeout:ft uaddr2:x val3:n",
    "nanosleep": "req:t rem:o",
    "clock_nanosleep": "clock:n flags:x req:t rem:o",
    "ppoll": "fds:x nfds:n timeout:t sigmask:x sigsetsize:n",
    "pselect6": "nfds:n readfds:x writefds:x exceptfds:x timeout:t sigmask:x",
    "epoll_pwait2": "epfd:n events:x maxevents:n timeout:t sigmask:x sigsetsize:n",
    "futex_waitv": "waiters:x nr:n flags:x timeout:t clock:n",
    "rt_sigtimedwait": "set:x info:x timeout:t sigsetsize:n",
    "semtimedop": "semid:n sops:x nsops:n timeout:t",
    "mq_timedsend": "mqdes:n msg:b len:n prio:n timeout:t",
    "mq_timedreceive": "mqdes:n msg:f len:n prio:x timeout:t",
    "recvmmsg": "fd:n msgs:x vlen:n flags:x timeout:t",
    "io_getevents": "ctx:x min:n nr:n events:x timeout:t",
    "io_pgetevents": "ctx:x min:n nr:n events:x timeout:t sigmask:x",
    "clock_settime": "clock:n time:t",
    "clock_gettime": "clock:n time:o",
    "clock_getres": "clock:n resolution:o",
    "sched_rr_get_interval": "pid:n interval:o",
    "openat": "dirfd:n path:s flags:of mode:x",
    "open": "path:s flags:of mode:x",
    "execve": "path:s argv:x envp:x",
    "execveat": "dirfd:n path:s argv:x envp:x flags:x",
    "exec": "path:s argv:x",
    "read": "fd:n buf:f count:n",
    "write": "fd:n buf:b count:n",
    "pread64": "fd:n buf:f count:n offset:n",
    "pwrite64": "fd:n buf:b count:n offset:n",
    "readlinkat": "dirfd:n path:s buf:f size:n",
    "newfstatat": "dirfd:n path:s statbuf:x flags:x",
    "statx": "dirfd:n path:s flags:x mask:x statxbuf:x",
    "faccessat": "dirfd:n path:s mode:n",
    "faccessat2": "dirfd:n path:s mode:n flags:x",
    "unlinkat": "dirfd:n path:s flags:x",
    "mkdirat": "dirfd:n path:s mode:x",
    "mknodat": "dirfd:n path:s mode:x dev:x",
    "symlinkat": "target:s dirfd:n path:s",
    "chdir": "path:s",
    "chroot": "path:s",
    "mount": "source:s target:s type:s flags:x data:x",
    "umount2": "target:s flags:x",
    "getcwd": "buf:f size:n",
    "getrandom": "buf:f count:n flags:x",
    "close": "fd:n",
    "dup": "fd:n",
    "dup3": "oldfd:n newfd:n flags:of",
    "fcntl": "fd:n cmd:n arg:x",
    "ioctl": "fd:n request:x arg:x",
    "lseek": "fd:n offset:n whence:n",
    "fstat": "fd:n statbuf:x",
    "getdents64": "fd:n buf:f count:n",
    "readv": "fd:n iov:x iovcnt:n",
    "writev": "fd:n iov:x iovcnt:n",
    "pipe2": "fds:x flags:of",
    "brk": "addr:x",
    "mmap": "addr:x length:x prot:x flags:x fd:n offset:x",
    "munmap": "addr:x length:x",
    "mprotect": "addr:x length:x prot:x",
    "madvise": "addr:x length:x advice:n",
    "clone": "flags:x stack:x parent_tid:x tls:x child_tid:x",
    "wait4": "pid:n status:x options:x rusage:x",
    "kill": "pid:n sig:n",
    "tgkill": "tgid:n tid:n sig:n",
    "exit": "status:n",
    "exit_group": "status:n",
    "reboot": "magic:x magic2:x cmd:x arg:x",
    "rt_sigaction": "sig:n act:x oldact:x sigsetsize:n",
    "rt_sigprocmask": "how:n set:x oldset:x sigsetsize:n",
    "set_tid_address": "tidptr:x",
    "prctl": "option:n arg2:x arg3:x arg4:x arg5:x",
}  # fmt: skip
_WITHOUT_ARGUMENTS = (
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "sched_yield", "sync", "setsid",
    "vhangup", "rt_sigreturn", "restart_syscall", "munlockall",
)  # fmt: skip


def _parameters(text: str) -> tuple[Parameter, ...]:
    pairs = (item.split(":") for item in text.split())
    return tuple(Parameter(name, _KINDS[kind]) for name, kind in pairs)


SIGNATURES: Mapping[str, tuple[Parameter, ...]] = {
    **dict.fromkeys(_WITHOUT_ARGUMENTS, ()),
    **{name: _parameters(text) for name, text in _TEXTS.items()},
}
"""The parameters of calls by name; those of names that are missing are not known."""
