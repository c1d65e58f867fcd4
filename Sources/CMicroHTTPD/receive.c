// How the bodies of large requests are received. The library reads 16 KB at a time into its own
// memory, from where they would have to be copied: that was a fifth of the CPU of 4 MB (BARE.md).
// Here they are read to where they stay, up to 128 KB at a time, and the library is only told how
// many bytes came. It does not look at them (the body has a Content-Length; chunked ones are
// refused), and hands over a pointer that nobody follows.
//
// The library has no option for this. It calls recv by its name, and a program's own function comes
// before libc's: this one, which does what libc's does where no body is expected.
#define _GNU_SOURCE
#include "stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Bytes of a body that are read at once: they are still in the cache when they are checked.
enum { READ_MAX = 128 << 10 };
static _Atomic uint64_t stored_bytes;

uint64_t CMicroHTTPD_bytes_received_directly(void) {
  return atomic_load_explicit(&stored_bytes, memory_order_relaxed);
}

void CMicroHTTPD_receive_body(struct CMicroHTTPD_Stream *stream, struct CMicroHTTPD_Body *body) {
  stream->body = body;
}

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

// Reads more of the body and, where the library asked for more than is left of it, what follows it:
// `extra` gets how many bytes of that there are. They go to where the library expects them, behind
// as much room as the body's bytes would have taken.
static ssize_t read_more(int descriptor, struct CMicroHTTPD_Body *body, char *buffer, size_t size,
                         int flags, size_t *extra) {
  size_t left = body->size - body->stored;
  size_t behind = body->size - body->reported;
  struct iovec parts[2] = {
      {.iov_base = body->memory + body->stored, .iov_len = lesser(left, READ_MAX)}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1};
  // Less would look to the library as if the socket had no more.
  if (size > behind && left <= READ_MAX) {
    parts[1] = (struct iovec){.iov_base = buffer + behind, .iov_len = size - behind};
    message.msg_iovlen = 2;
  }
  ssize_t count = recvmsg(descriptor, &message, flags);
  if (count <= 0) return count;
  size_t own = lesser((size_t)count, left);
  body->stored += own;
  atomic_fetch_add_explicit(&stored_bytes, own, memory_order_relaxed);
  *extra = (size_t)count - own;
  return count;
}

static ssize_t receive(struct CMicroHTTPD_Stream *stream, char *buffer, size_t size, int flags) {
  struct CMicroHTTPD_Body *body = stream->body;
  size_t extra = 0;
  if (body->stored - body->reported < size) {
    ssize_t count = read_more(stream->descriptor, body, buffer, size, flags, &extra);
    // What was read before comes first; an error or the end comes again.
    if (count <= 0 && body->stored == body->reported) return count;
  }
  size_t told = lesser(size, body->stored - body->reported);
  body->reported += told;
  if (body->reported == body->size) stream->body = NULL;
  return (ssize_t)(told + extra);
}

ssize_t recv(int descriptor, void *buffer, size_t size, int flags) {
  struct CMicroHTTPD_Stream *stream = CMicroHTTPD_stream_of(descriptor);
  // What TLS decrypts is another function's business (tls.c).
  if (stream == NULL || stream->is_encrypted)
    return recvfrom(descriptor, buffer, size, flags, NULL, NULL);
  ssize_t count = stream->body == NULL ? recvfrom(descriptor, buffer, size, flags, NULL, NULL)
                                       : receive(stream, buffer, size, flags);
  if (count > 0) CMicroHTTPD_note(stream, buffer, (size_t)count);
  if (count == 0 && size > 0 && stream->holds_end) {
    errno = EAGAIN;
    return -1;
  }
  return count;
}
