// zlib for Swift: its set-up functions are macros. No logic.
#ifndef CINFLATE_H
#define CINFLATE_H

#include <stddef.h>

typedef struct CInflate CInflate;

enum { CInflate_more = 0, CInflate_end = 1, CInflate_bad = -1 };

/// A decompressor of gzip (or of zlib's own format, which HTTP calls deflate) that reads `size`
/// bytes; NULL without memory. Close it.
CInflate *CInflate_open(const void *bytes, size_t size, _Bool is_gzip);

/// Writes up to `capacity` bytes to `out`, or none where one member of gzip ends and another
/// begins. CInflate_end: all is read. CInflate_bad: what is read
/// is damaged, or ends too early.
int CInflate_read(CInflate *from, void *out, size_t capacity, size_t *written);

void CInflate_close(CInflate *from);

#endif
