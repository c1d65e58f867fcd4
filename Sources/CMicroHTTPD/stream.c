// NULs in headers, which the library hides. It writes NULs over colons and line ends, so that
// afterwards a client's own looks like one of these: "\0\n" like "\r\n", and "\n\0\r\n" like the
// end of a header. No proxy reads them so, and the two would disagree about where a request ends.
// So bytes are looked at as they come in, before the library does.
#include "stream.h"

#include <stdlib.h>
#include <string.h>

// Sockets with larger numbers have no stream, and their requests are refused.
enum { DESCRIPTORS_MAX = 1 << 20 };

static _Atomic(struct CMicroHTTPD_Stream *) streams[DESCRIPTORS_MAX];

static const uint64_t none = UINT64_MAX;

struct CMicroHTTPD_Stream *CMicroHTTPD_stream_of(int descriptor) {
  if (descriptor < 0 || descriptor >= DESCRIPTORS_MAX) return NULL;
  return atomic_load_explicit(&streams[descriptor], memory_order_relaxed);
}

struct CMicroHTTPD_Stream *CMicroHTTPD_open_stream(int descriptor, bool is_encrypted) {
  if (descriptor < 0 || descriptor >= DESCRIPTORS_MAX) return NULL;
  struct CMicroHTTPD_Stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) return NULL;
  stream->descriptor = descriptor;
  stream->is_encrypted = is_encrypted;
  stream->first_nul = none;
  atomic_store_explicit(&streams[descriptor], stream, memory_order_relaxed);
  return stream;
}

void CMicroHTTPD_close_stream(struct CMicroHTTPD_Stream *stream) {
  if (stream == NULL) return;
  atomic_store_explicit(&streams[stream->descriptor], NULL, memory_order_relaxed);
  free(stream);
}

// The first NUL of some bytes, of which the first is at `offset`.
static uint64_t nul_of(const char *bytes, size_t count, uint64_t offset) {
  const char *found = count == 0 ? NULL : memchr(bytes, 0, count);
  return found == NULL ? none : offset + (uint64_t)(found - bytes);
}

void CMicroHTTPD_note(struct CMicroHTTPD_Stream *stream, const char *bytes, size_t count) {
  const uint64_t before = atomic_load_explicit(&stream->received, memory_order_relaxed);
  const uint64_t header = atomic_load_explicit(&stream->header, memory_order_relaxed);
  atomic_store_explicit(&stream->received, before + count, memory_order_relaxed);
  if (before == header) stream->base = bytes;
  // Bodies are not looked at, and not even there if they are received to where they stay.
  const uint64_t skipped = header > before ? header - before : 0;
  if (skipped >= count || stream->first_nul != none) return;
  stream->first_nul = nul_of(bytes + skipped, count - skipped, before + skipped);
}

bool CMicroHTTPD_pass_header(struct CMicroHTTPD_Stream *stream, const char *method,
                             size_t header_size, uint64_t body_size) {
  if (stream == NULL || stream->base == NULL || method < stream->base) return false;
  const uint64_t received = atomic_load_explicit(&stream->received, memory_order_relaxed);
  const uint64_t header = atomic_load_explicit(&stream->header, memory_order_relaxed);
  // Empty lines may come before the method.
  const uint64_t size = (uint64_t)(method - stream->base) + header_size;
  if (header > received || size > received - header) return false;
  const uint64_t end = header + size, rest = received - end;
  const bool is_clean = stream->first_nul >= end;
  const uint64_t next = body_size < none - end ? end + body_size : none;
  atomic_store_explicit(&stream->header, next, memory_order_relaxed);
  // What has come of the request behind this one lies behind its body.
  stream->first_nul =
      body_size < rest ? nul_of(method + header_size + body_size, rest - body_size, next) : none;
  return is_clean;
}

void CMicroHTTPD_hold_end(struct CMicroHTTPD_Stream *stream, bool holds) {
  if (stream != NULL) stream->holds_end = holds;
}

bool CMicroHTTPD_has_begun(const struct CMicroHTTPD_Stream *stream) {
  return stream != NULL && atomic_load_explicit(&stream->received, memory_order_relaxed) >
                               atomic_load_explicit(&stream->header, memory_order_relaxed);
}
