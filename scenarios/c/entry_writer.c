/* One entry of a table that an SMMU reads is changed while its stream is live: an STE or a CD, eight words.
 *
 * Hitless, where one 64-bit store can turn the old meaning into the new one: first what the old entry does not use, then
 * the word that decides, then the rest, and after each part the caches are invalidated and waited for. */
#include <linux/io.h>

enum { WORDS = 8 };

/* What Python gives: CFGI and CMD_SYNC for this entry. */
void iommu_sync(void);

static u64 target[WORDS];

void set_target(int n, u64 word) { target[n] = word; }

#define STE_V 0x1UL
#define STE_CONFIG 0xeUL
#define STE_CONFIG_S1 0x2UL
#define STE_CONFIG_S2 0x4UL
#define STE_CONFIG_BYPASS 0x8UL
#define STE_0_S1 (0x30UL | 0xfffffffffffc0UL | 0xf800000000000000UL)
#define STE_1_EATS 0x30000000UL
#define STE_1_EATS_FULL 0x10000000UL
#define STE_1_EATS_SPLIT 0x20000000UL
#define STE_1_MEV 0x80000UL
#define STE_1_SHCFG 0x300000000000UL
#define STE_1_S1DSS 0x3UL
#define STE_1_S1DSS_BYPASS 0x1UL
#define STE_1_S1 (0xffUL | 0x8000000UL | 0xc0000000UL | STE_1_EATS | STE_1_MEV)
#define STE_1_S2 (0x2000000UL | STE_1_EATS | STE_1_SHCFG | STE_1_MEV)
#define STE_2_VMID 0xffffUL
#define STE_2_S2S 0x200000000000000UL
#define STE_2_S2 (STE_2_VMID | 0x7ffff00000000UL | 0x8000000000000UL | 0x10000000000000UL | 0x40000000000000UL | \
		  STE_2_S2S | 0x400000000000000UL)
#define STE_3_TTB 0xffffffffffff0UL

/* The bits of word `n` that the SMMU looks at in an STE that begins with these two words. */
static u64 ste_used(u64 first, u64 second, int n)
{
	u64 config = first & STE_CONFIG, used = 0;
	int is_s1 = (config & STE_CONFIG_S1) != 0, is_s2 = (config & STE_CONFIG_S2) != 0;

	if (!(first & STE_V))
		return n == 0 ? STE_V : 0;
	switch (n) {
	case 0:
		return STE_V | STE_CONFIG | (is_s1 ? STE_0_S1 : 0);
	case 1:
		if (is_s1) {
			used |= STE_1_S1;
			if ((second & STE_1_S1DSS) == STE_1_S1DSS_BYPASS)
				used |= STE_1_SHCFG;
		}
		if (is_s2)
			used |= STE_1_S2;
		if (config == STE_CONFIG_BYPASS)
			used |= STE_1_SHCFG;
		return used;
	case 2:
		return (is_s1 ? STE_2_VMID : 0) | (is_s2 ? STE_2_S2 : 0);
	case 3:
		return is_s2 ? STE_3_TTB : 0;
	default:
		return 0;
	}
}

/* Bits of an STE that may change before the rest does. */
static u64 ste_safe(const volatile u64 *entry, int n)
{
	u64 safe = STE_1_MEV;

	if (n != 1)
		return 0;
	if ((entry[1] & STE_1_EATS) != STE_1_EATS_SPLIT && !(entry[2] & STE_2_S2S) &&
	    (target[1] & STE_1_EATS) != STE_1_EATS_SPLIT && !(target[2] & STE_2_S2S))
		safe |= STE_1_EATS_FULL;
	return safe;
}

#define CD_0_V 0x80000000UL
#define CD_0_EPD0 0x4000UL
#define CD_0_WALK 0x3fffUL
#define CD_1_TTB0 0xffffffffffff0UL

static u64 cd_used(u64 first, int n)
{
	if (!(first & CD_0_V))
		return n == 0 ? CD_0_V : 0;
	if (first & CD_0_EPD0)
		return n == 0 ? ~CD_0_WALK : n == 1 ? ~CD_1_TTB0 : ~0UL;
	return ~0UL;
}

static u64 used(u64 first, u64 second, int n, int is_cd)
{
	return is_cd ? cd_used(first, n) : ste_used(first, second, n);
}

/* Word `n` with all bits that may change now at their new value. */
static u64 ready(const volatile u64 *entry, u64 first, u64 second, int n, int is_cd)
{
	u64 wanted = used(target[0], target[1], n, is_cd);
	u64 keep = used(first, second, n, is_cd);

	if (!is_cd)
		keep &= ~(ste_safe(entry, n) & wanted);
	return (entry[n] & keep) | (target[n] & ~keep);
}

static int put(volatile u64 *entry, int n, u64 word)
{
	if (entry[n] == word)
		return 0;
	WRITE_ONCE(entry[n], word);
	return 1;
}

/* Bring all words but `without` to their new value. */
static void put_rest(volatile u64 *entry, int without)
{
	int changed = 0;

	for (int n = 0; n < WORDS; n++)
		if (n != without)
			changed |= put(entry, n, target[n]);
	if (changed)
		iommu_sync();
}

void write_hitless(volatile u64 *entry, int is_cd)
{
	u64 first = entry[0], second = entry[1];
	int critical = 0, count = 0, changed = 0;

	for (int n = 0; n < WORDS; n++) {
		u64 wanted = used(target[0], target[1], n, is_cd);

		if ((ready(entry, first, second, n, is_cd) & wanted) != (target[n] & wanted)) {
			critical = n;
			count++;
		}
	}
	if (count == 0) {
		put_rest(entry, -1);
	} else if (count == 1) {
		/* In word 1 the early bits decide about later ones only by EATS, which is in that very word. */
		for (int n = WORDS - 1; n >= 0; n--)
			if (n != critical)
				changed |= put(entry, n, ready(entry, first, second, n, is_cd));
		if (changed)
			iommu_sync();
		if (put(entry, critical, target[critical]))
			iommu_sync();
		put_rest(entry, -1);
	} else {
		if (put(entry, 0, 0))
			iommu_sync();
		put_rest(entry, 0);
		if (put(entry, 0, target[0]))
			iommu_sync();
	}
}

/* As one would write it without knowing who reads: word after word. */
void write_in_order(volatile u64 *entry, int is_cd)
{
	(void)is_cd;
	for (int n = 0; n < WORDS; n++)
		put(entry, n, target[n]);
	iommu_sync();
}
