/*
 * Copies between the kernel and the current task's memory, through the kernel's mapping of the
 * frame: a bad user address is an error here and never a fault.
 */
#include "address_space.h"
#include "errno.h"
#include "sched.h"
#include "string.h"
#include "user_memory.h"

static int copy_user(vaddr_t user, void *kernel, size_t size, bool to_user)
{
	while (size) {
		size_t chunk = PAGE_SIZE - (user & PAGE_MASK);
		paddr_t address =
			address_space_translate(current_task()->space, user, to_user ? PTE_W : PTE_R);

		if (!address)
			return -EFAULT;
		if (chunk > size)
			chunk = size;
		if (to_user)
			memcpy((void *)address, kernel, chunk);
		else
			memcpy(kernel, (const void *)address, chunk);
		user += chunk;
		kernel = (char *)kernel + chunk;
		size -= chunk;
	}
	return 0;
}

int copy_from_user(void *to, vaddr_t from, size_t size)
{
	return copy_user(from, to, size, false);
}

int copy_to_user(vaddr_t to, const void *from, size_t size)
{
	return copy_user(to, (void *)(uintptr_t)from, size, true);
}

int copy_string_from_user(char *to, vaddr_t from, size_t size)
{
	for (size_t length = 0; length < size; length++) {
		if (copy_from_user(&to[length], from + length, 1) < 0)
			return -EFAULT;
		if (to[length] == '\0')
			return (int)length;
	}
	return -ENAMETOOLONG;
}
