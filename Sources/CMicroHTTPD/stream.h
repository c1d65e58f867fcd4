// What is known of the bytes that come in on a socket of the library's.
#ifndef CMICROHTTPD_STREAM_H
#define CMICROHTTPD_STREAM_H

#include "CMicroHTTPD.h"

#include <stdatomic.h>
#include <sys/types.h>

// Offsets count the bytes that the library has been given since the connection began. All of it is
// written by the connection's own thread; the reaper reads the atomic ones.
struct CMicroHTTPD_Stream {
  int descriptor;
  bool is_encrypted;
  _Atomic uint64_t received;
  // Where the next header begins, or began.
  _Atomic uint64_t header;
  // The first NUL from there on; UINT64_MAX if there was none.
  uint64_t first_nul;
  // Where the library puts the first byte of a header.
  const char *base;
  // Whether the library must not hear yet that the client has ended its side: it would close the
  // connection, and whoever only half-closed would never read the answer that is on its way.
  bool holds_end;
  // The body that is being received to where it stays.
  struct CMicroHTTPD_Body *body;
};

// The stream of a socket; NULL for sockets of others.
struct CMicroHTTPD_Stream *CMicroHTTPD_stream_of(int descriptor);

// The library gets these bytes next.
void CMicroHTTPD_note(struct CMicroHTTPD_Stream *stream, const char *bytes, size_t count);

#endif
