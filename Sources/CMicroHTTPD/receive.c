// How the bodies of large requests are received. The library reads 16 KB at a time into its own
// memory, from where they would have to be copied: that was a fifth of the CPU of 4 MB (BARE.md).
// Here they are read to where they stay, up to 128 KB at a time, and the library is only told how
// many bytes came. It does not look at them (the body has a Content-Length; chunked ones are
// refused), and hands over a pointer that nobody follows.
//
// The library has no option for this. It calls recv by its name, and a program's own function comes
// before libc's: this one, which does what libc's does where no body is expected.
#define _GNU_SOURCE
#include "CMicroHTTPD.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Bytes of a body that are read at once: they are still in the cache when they are checked.
enum { READ_MAX = 128 << 10 };
// Sockets with larger numbers are read the library's way.
enum { DESCRIPTORS_MAX = 1 << 16 };

// Of each socket the body that is being received: written and read by the socket's own thread, so
// that no order is needed, only that nothing is torn.
static _Atomic(struct CMicroHTTPD_Body *) bodies[DESCRIPTORS_MAX];

static _Atomic uint64_t stored_bytes;

uint64_t CMicroHTTPD_bytes_received_directly(void) {
  return atomic_load_explicit(&stored_bytes, memory_order_relaxed);
}

bool CMicroHTTPD_receive_body(int descriptor, struct CMicroHTTPD_Body *body) {
  if (descriptor < 0 || descriptor >= DESCRIPTORS_MAX) return false;
  atomic_store_explicit(&bodies[descriptor], body, memory_order_relaxed);
  return true;
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

static ssize_t receive(int descriptor, struct CMicroHTTPD_Body *body, char *buffer, size_t size,
                       int flags) {
  size_t extra = 0;
  if (body->stored - body->reported < size) {
    ssize_t count = read_more(descriptor, body, buffer, size, flags, &extra);
    // What was read before comes first; an error or the end comes again.
    if (count <= 0 && body->stored == body->reported) return count;
  }
  size_t told = lesser(size, body->stored - body->reported);
  body->reported += told;
  if (body->reported == body->size) CMicroHTTPD_receive_body(descriptor, NULL);
  return (ssize_t)(told + extra);
}

ssize_t recv(int descriptor, void *buffer, size_t size, int flags) {
  struct CMicroHTTPD_Body *body = NULL;
  if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX)
    body = atomic_load_explicit(&bodies[descriptor], memory_order_relaxed);
  return body == NULL ? recvfrom(descriptor, buffer, size, flags, NULL, NULL)
                      : receive(descriptor, body, buffer, size, flags);
}
