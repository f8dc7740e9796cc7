/* The primitives for whoever gives them names: those of the small set of headers, or of a kernel tree, whose own types are
 * none of this library's. All addresses are `unsigned long`. */
#ifndef STOPMARKER_PRIMITIVES_H
#define STOPMARKER_PRIMITIVES_H

/* How a lock is taken: without sleeping; beside others; being one that many may hold. */
enum { SPINS = 1, SHARED = 2, MANY = 4 };
void c_acquire(unsigned long lock, const char *verb, unsigned how, unsigned long pc, unsigned long sp);
void c_release(unsigned long lock, const char *verb, unsigned how, unsigned long pc, unsigned long sp);
int c_try(unsigned long lock, const char *verb, unsigned how, unsigned long pc, unsigned long sp);
int c_is_held(unsigned long lock, unsigned long pc, unsigned long sp);
/* Memory: poisoned unless it is to be zero. The size of what begins there, 0 if nothing does. */
void *c_allocate(unsigned long size, int is_zero, int sleeps, unsigned long pc);
void c_free(unsigned long address, unsigned long pc, unsigned long sp);
unsigned long c_size(unsigned long address);
/* Who reads what is only freed after a grace period: `domain` is an address, such as that of an SRCU structure. */
extern unsigned long rcu_readers; /* stands for those of RCU itself */
void c_begin_reading(unsigned long domain, unsigned long pc, unsigned long sp);
void c_end_reading(unsigned long domain, unsigned long pc, unsigned long sp);
void c_wait_for_readers(unsigned long domain, unsigned long pc, unsigned long sp);
/* One step on the 4 bytes at an address that is not taken until they are 0. */
void c_wait_for_zero(const char *verb, unsigned long address, unsigned long pc, unsigned long sp);
unsigned long c_number(void);
int c_is_setup(void);
void c_warn_at(const char *text, unsigned long pc);
/* What may sleep must not be called under a spin lock. */
void c_may_sleep(unsigned long pc);
#define CALLER ((unsigned long)__builtin_return_address(0))
#define STACK_OF_CALLER ((unsigned long)__builtin_frame_address(0) + 16)
#endif
