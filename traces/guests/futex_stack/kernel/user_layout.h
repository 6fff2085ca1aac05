/* Addresses in a process, agreed between the kernel's loader and the programs. */
#ifndef USER_LAYOUT_H
#define USER_LAYOUT_H

#define USER_BASE_VA 0x40000000
#define USER_TEXT_VA 0x40000000
#define USER_DATA_VA 0x40010000	 /* one page: .data and .bss */
#define USER_STACK_VA 0x40020000 /* one page; arguments at its upper end */
#define USER_END_VA 0x40021000

/* The upper quarter of the data page is not the linker's: programs place data there by address. */
#define USER_PLACED_VA (USER_DATA_VA + 0xc00)

/* Where a program keeps the timeout of its futex waits. */
#ifndef USER_FUTEX_TS_VA
#define USER_FUTEX_TS_VA (USER_DATA_VA + 0xe00)
#endif

#endif
