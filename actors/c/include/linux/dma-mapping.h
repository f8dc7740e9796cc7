#ifndef _LINUX_DMA_MAPPING_H
#define _LINUX_DMA_MAPPING_H
#include <linux/kernel.h>

/* The world's memory, which devices see, begins here; `code.attach()` makes C see it. */
#define C_DMA 0x50000000UL

struct device;
void *dma_alloc_coherent(struct device *device, size_t size, dma_addr_t *handle, gfp_t flags);
static inline phys_addr_t virt_to_phys(const volatile void *pointer) { return (unsigned long)pointer - C_DMA; }
static inline void *phys_to_virt(phys_addr_t address) { return (void *)(address + C_DMA); }
#endif
