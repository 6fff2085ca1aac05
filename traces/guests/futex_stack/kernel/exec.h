/* Loading programs. */
#ifndef EXEC_H
#define EXEC_H

struct task;

/* Replace the current program of `task`, which is running, by the ELF file at `path`. */
int exec_program(struct task *task, const char *path);

#endif
