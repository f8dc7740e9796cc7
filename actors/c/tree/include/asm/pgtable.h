#ifndef _ASM_PGTABLE_H
#define _ASM_PGTABLE_H
/* Two levels, so that what walks tables compiles; nothing here is a machine's format. */
#include <asm-generic/pgtable-nopmd.h>
#include <asm/page.h>
#include <linux/version.h>
#define PFN_PTE_SHIFT PAGE_SHIFT
#define PGDIR_SHIFT 21
#define PGDIR_SIZE (1UL << PGDIR_SHIFT)
#define PGDIR_MASK (~(PGDIR_SIZE - 1))
#define PTRS_PER_PGD 512
#define PTRS_PER_PTE 512
#define FIRST_USER_ADDRESS 0UL
#define VMALLOC_START 0x60000000UL
#define VMALLOC_END 0x70000000UL
#define _PAGE_PRESENT 1UL
#define _PAGE_WRITE 2UL
#define _PAGE_YOUNG 4UL
#define _PAGE_DIRTY 8UL
#define _PAGE_SPECIAL 16UL
#define PAGE_NONE __pgprot(0)
#define PAGE_READONLY __pgprot(_PAGE_PRESENT)
#define PAGE_SHARED __pgprot(_PAGE_PRESENT | _PAGE_WRITE)
#define PAGE_COPY PAGE_READONLY
#define PAGE_KERNEL PAGE_SHARED
#define PAGE_KERNEL_RO PAGE_READONLY
#define PAGE_KERNEL_EXEC PAGE_SHARED
#define pte_none(entry) (!pte_val(entry))
#define pte_present(entry) (pte_val(entry) & _PAGE_PRESENT)
#define pte_write(entry) (pte_val(entry) & _PAGE_WRITE)
#define pte_young(entry) (pte_val(entry) & _PAGE_YOUNG)
#define pte_dirty(entry) (pte_val(entry) & _PAGE_DIRTY)
#define pte_special(entry) (pte_val(entry) & _PAGE_SPECIAL)
#define pte_pfn(entry) (pte_val(entry) >> PAGE_SHIFT)
#define pte_page(entry) pfn_to_page(pte_pfn(entry))
#define pfn_pte(pfn, protection) __pte((pfn) << PAGE_SHIFT | pgprot_val(protection))
#define set_pte(place, entry) WRITE_ONCE(*(place), entry)
#define pte_clear(mm, address, place) set_pte(place, __pte(0))
#define pgd_none(entry) (!pgd_val(entry))
#define C_PTE(name, change) static inline pte_t pte_##name(pte_t entry) { return __pte(pte_val(entry) change); }
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define pte_mkwrite_novma pte_mkwrite
#endif
C_PTE(mkwrite_novma, | _PAGE_WRITE)
C_PTE(wrprotect, & ~_PAGE_WRITE)
C_PTE(mkyoung, | _PAGE_YOUNG)
C_PTE(mkold, & ~_PAGE_YOUNG)
C_PTE(mkdirty, | _PAGE_DIRTY)
C_PTE(mkclean, & ~_PAGE_DIRTY)
C_PTE(mkspecial, | _PAGE_SPECIAL)
static inline pte_t pte_modify(pte_t entry, pgprot_t protection)
{
	return __pte((pte_val(entry) & PAGE_MASK) | pgprot_val(protection));
}
#define pmd_none(entry) (!pmd_val(entry))
#define pmd_present(entry) (pmd_val(entry) & _PAGE_PRESENT)
#define pmd_bad(entry) 0
#define pmd_page(entry) pfn_to_page(pmd_pfn(entry))
#define pmd_pfn(entry) (pmd_val(entry) >> PAGE_SHIFT)
#define pmd_page_vaddr(entry) ((unsigned long)__va(pmd_val(entry) & PAGE_MASK))
#define pmd_clear(place) (pmd_val(*(place)) = 0)
#define set_pmd(place, entry) (*(place) = (entry))
#define pmd_leaf(entry) 0
#define update_mmu_cache_range(fault, area, address, place, count) ((void)(address))
#define update_mmu_cache(area, address, place) ((void)(address))
#define __swp_type(entry) ((entry).val & 31)
#define __swp_offset(entry) ((entry).val >> 5)
#define __swp_entry(type, offset) ((swp_entry_t) { (type) | (offset) << 5 })
#define __pte_to_swp_entry(entry) ((swp_entry_t) { pte_val(entry) >> 8 })
#define __swp_entry_to_pte(entry) __pte((entry).val << 8)
#define __HAVE_ARCH_PTE_SWP_EXCLUSIVE
static inline int pte_swp_exclusive(pte_t entry) { return 0; }
C_PTE(swp_mkexclusive, | 0)
C_PTE(swp_clear_exclusive, | 0)
#include <asm/tlbflush.h>
extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
#define ZERO_PAGE(address) virt_to_page(0)
#endif
