#ifndef _ASM_SPINLOCK_H
#define _ASM_SPINLOCK_H
int c_spin_is_locked(const void *lock);
#define arch_spin_is_locked(lock) c_spin_is_locked(lock)
#define arch_spin_is_contended(lock) 0
#define arch_spin_value_unlocked(lock) 1
#endif
