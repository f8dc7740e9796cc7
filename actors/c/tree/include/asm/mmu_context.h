#include <linux/types.h>
#include <asm/current.h>
#include <asm-generic/mmu_context.h>
