/* What drivers ask a processor for; nothing is promised. */
#define ARM64_HAS_VIRT_HOST_EXTN 0
#define cpus_have_cap(feature) 0
#define X86_FEATURE_GBPAGES 0
#define X86_FEATURE_LA57 0
