#ifndef _ASM_PAGE_H
#define _ASM_PAGE_H
#include <linux/const.h>
#include <linux/types.h>
#define PAGE_SHIFT 12
#define PAGE_SIZE (_AC(1, UL) << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_OFFSET 0x50000000UL /* where the world's memory is seen */
typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pgd; } pgd_t;
typedef struct { unsigned long pgprot; } pgprot_t;
typedef pte_t *pgtable_t;
#define pte_val(x) ((x).pte)
#define pgd_val(x) ((x).pgd)
#define pgprot_val(x) ((x).pgprot)
#define __pte(x) ((pte_t) { (x) })
#define __pgd(x) ((pgd_t) { (x) })
#define __pgprot(x) ((pgprot_t) { (x) })
#define __pa(x) ((unsigned long)(x) - PAGE_OFFSET)
#define __va(x) ((void *)((unsigned long)(x) + PAGE_OFFSET))
#define clear_page(to) memset(to, 0, PAGE_SIZE)
#define copy_page(to, from) memcpy(to, from, PAGE_SIZE)
#define clear_user_page(to, address, page) clear_page(to)
#define copy_user_page(to, from, address, page) copy_page(to, from)
#define virt_addr_valid(x) 1
#define virt_to_pfn(x) (__pa(x) >> PAGE_SHIFT)
#define pfn_to_kaddr(x) __va((unsigned long)(x) << PAGE_SHIFT)
#define phys_to_pfn(x) ((x) >> PAGE_SHIFT)
#define ARCH_PFN_OFFSET 0
#define virt_to_page(x) pfn_to_page(virt_to_pfn(x))
#define page_to_virt(x) __va(page_to_pfn(x) << PAGE_SHIFT)
#include <asm-generic/memory_model.h>
#include <asm-generic/getorder.h>
#endif
