# Who ruined the timeout of the last futex call that has one in stack_futex.bin:
#
#     tracedbg gdb traces/stack_futex.bin -x traces/stack_futex.gdb
#
# The call fails with EINVAL, for its tv_nsec is a kernel address. A watchpoint on the timeout, followed
# backwards from the call, leads to the store that put it there: not the program's, and not the kernel's on
# its behalf, but an interrupt that saves registers on a kernel stack which has grown into the user's page.

goto end
tbreak sys_futex if args[3] != 0
reverse-continue
set $timeout = (long (*)[2]) args[3]
print/x *$timeout
if (*$timeout)[1] >= 0 && (*$timeout)[1] < 1000000000
  echo not as expected: the timeout is a good one\n
  quit 1
end

watch -location *$timeout
reverse-continue
backtrace
x/i $pc
if $pc < (long) &trap_entry || $pc >= (long) &trap_return
  echo not as expected: the store is not in the trap handler's entry\n
  quit 1
end
