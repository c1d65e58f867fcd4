#include "CInflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

struct CInflate {
  z_stream stream;
  size_t left;  // Bytes that the stream has not been given: its counters have 32 bits.
  _Bool is_gzip;
};

CInflate *CInflate_open(const void *bytes, size_t size, _Bool is_gzip) {
  CInflate *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->stream.next_in = (Bytef *)bytes;
  made->left = size;
  made->is_gzip = is_gzip;
  // 15 bits of window; 16 more mean gzip.
  if (inflateInit2(&made->stream, is_gzip ? 15 + 16 : 15) != Z_OK) {
    free(made);
    return NULL;
  }
  return made;
}

int CInflate_read(CInflate *from, void *out, size_t capacity, size_t *written) {
  z_stream *stream = &from->stream;
  uInt room = capacity < UINT_MAX ? (uInt)capacity : UINT_MAX;
  stream->next_out = out;
  stream->avail_out = room;
  int code = Z_OK;
  while (code == Z_OK && stream->avail_out > 0) {
    if (stream->avail_in == 0 && from->left > 0) {
      stream->avail_in = from->left < UINT_MAX ? (uInt)from->left : UINT_MAX;
      from->left -= stream->avail_in;
    }
    code = inflate(stream, Z_NO_FLUSH);
  }
  *written = room - stream->avail_out;
  if (code == Z_STREAM_END) {
    if (stream->avail_in == 0 && from->left == 0) return CInflate_end;
    // A gzip file is one member or more (RFC 1952).
    return from->is_gzip && inflateReset(stream) == Z_OK ? CInflate_more : CInflate_bad;
  }
  return code == Z_OK && stream->avail_out == 0 ? CInflate_more : CInflate_bad;
}

void CInflate_close(CInflate *from) {
  inflateEnd(&from->stream);
  free(from);
}
