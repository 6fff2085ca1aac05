/* Error numbers that user space sees, with Linux's values. */
#ifndef ERRNO_H
#define ERRNO_H

#define ENOENT 2
#define EIO 5
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EFAULT 14
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define EMFILE 24
#define ENAMETOOLONG 36
#define ENOSYS 38
#define ELOOP 40
#define ETIMEDOUT 110

#endif
