#ifndef _ASM_CURRENT_H
#define _ASM_CURRENT_H
struct task_struct;
/* The task of the running actor. */
struct task_struct *c_current(void) __attribute__((__const__));
#define current c_current()
#endif
