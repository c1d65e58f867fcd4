// What comes in by TLS is looked at when it is decrypted: the library calls gnutls_record_recv by
// its name, and a program's own function comes before GnuTLS's.
#define _GNU_SOURCE
#include "stream.h"

#include <dlfcn.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>

static ssize_t (*record_recv)(gnutls_session_t session, void *data, size_t size);

static void look_up(void) {
  void *found = dlsym(RTLD_NEXT, "gnutls_record_recv");
  record_recv = (ssize_t(*)(gnutls_session_t, void *, size_t))found;
  // The library is linked with it.
  if (record_recv == NULL) abort();
}

ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, look_up);
  ssize_t count = record_recv(session, data, size);
  struct CMicroHTTPD_Stream *stream = CMicroHTTPD_stream_of(gnutls_transport_get_int(session));
  if (count > 0 && stream != NULL && stream->is_encrypted)
    CMicroHTTPD_note(stream, data, (size_t)count);
  if (count == 0 && stream != NULL && stream->is_encrypted && stream->holds_end)
    return GNUTLS_E_AGAIN;
  return count;
}
