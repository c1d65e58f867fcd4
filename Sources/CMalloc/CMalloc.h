// mallopt and its options, which Swift's Glibc leaves out.
#include <malloc.h>
