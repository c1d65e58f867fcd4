// GNU libmicrohttpd for Swift: the library itself, plain functions for its variadic ones and for
// the one macro-shaped callback (va_list), and what stands between it and the system where it has
// no option: how its threads wait (poll.c), and how they receive (receive.c, stream.c, tls.c).
#ifndef CMICROHTTPD_H
#define CMICROHTTPD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/// Everything that a daemon is started with.
struct CMicroHTTPD_Options {
  unsigned int thread_count;
  unsigned int connections_max;
  /// Idle time after which a connection that is not suspended is closed.
  unsigned int connection_timeout_seconds;
  /// Pool for headers and reads of one connection.
  size_t connection_memory_bytes;
  void *context;
  void *(*uri_received)(void *context, const char *uri, struct MHD_Connection *connection);
  MHD_AccessHandlerCallback handler;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection_changed;
  void (*log)(void *context, const char *message);
  /// PEM texts; TLS where both are given.
  const char *tls_certificate;
  const char *tls_key;
};

/// Starts the epoll threads, which wait for MHD_add_connection; NULL when the library refuses.
struct MHD_Daemon *CMicroHTTPD_start(const struct CMicroHTTPD_Options *options);

/// The calling thread is the library's, and looks so long for events before it sleeps, where it
/// expects some.
void CMicroHTTPD_set_busy_poll(int64_t nanoseconds);

/// How often a thread that had been awake for a millisecond offered its processor: all threads.
uint64_t CMicroHTTPD_yields(void);

/// How often a thread found something while it looked, and did not have to be woken: all threads.
uint64_t CMicroHTTPD_busy_poll_hits(void);

/// The rest of a request's body, which is received to where it stays.
struct CMicroHTTPD_Body {
  char *memory;
  size_t size;
  /// Bytes that are in memory, and those of them that the library knows of: the others it will be
  /// told of when it asks for more.
  size_t stored;
  size_t reported;
};

/// What is known of the bytes that come in on a connection.
struct CMicroHTTPD_Stream;

/// Before the first byte of a connection is read; NULL without memory for it, or if the number of
/// its socket is too large.
struct CMicroHTTPD_Stream *CMicroHTTPD_open_stream(int descriptor, bool is_encrypted);

/// Before the socket is closed.
void CMicroHTTPD_close_stream(struct CMicroHTTPD_Stream *stream);

/// Whether there was no NUL in a header that has just been read, which began with `method` and has
/// `header_size` bytes; false if that is not known. A body of so many bytes follows.
bool CMicroHTTPD_pass_header(struct CMicroHTTPD_Stream *stream, const char *method,
                             size_t header_size, uint64_t body_size);

/// Whether the library is not to hear that the client has ended its side: while an answer is being
/// made. Afterwards it hears so from whoever ends the connection. The connection's own thread.
void CMicroHTTPD_hold_end(struct CMicroHTTPD_Stream *stream, bool holds);

/// Whether bytes of another header have come since. Any thread.
bool CMicroHTTPD_has_begun(const struct CMicroHTTPD_Stream *stream);

/// From here on what comes in on a connection without TLS is the rest of this body, until the
/// library knows of all of it. The struct and its memory have to stay until then, or until NULL is
/// given.
///
/// Only where the library has nothing that it has not handed over, on the connection's own thread.
void CMicroHTTPD_receive_body(struct CMicroHTTPD_Stream *stream, struct CMicroHTTPD_Body *body);

/// How many bytes of bodies came that way: all threads.
uint64_t CMicroHTTPD_bytes_received_directly(void);

/// accept4, whose sockets do not block and are not inherited.
MHD_socket CMicroHTTPD_accept(MHD_socket listening, struct sockaddr *address, socklen_t *length);

/// The pointer that connection_changed stored for this connection.
void *CMicroHTTPD_connection_context(struct MHD_Connection *connection);

/// Who is at the other end of a socket: the same number for the same address, or for the same
/// process at a Unix socket.
uint64_t CMicroHTTPD_peer(int descriptor);

/// The socket of a connection, or -1.
int CMicroHTTPD_descriptor(struct MHD_Connection *connection);

/// Bytes that a TCP connection has received and the other side acknowledged; false for others.
bool CMicroHTTPD_tcp_traffic(int descriptor, uint64_t *received, uint64_t *acknowledged);

/// Bytes that a socket has received and nobody has read; -1 if that cannot be told.
int CMicroHTTPD_unread_bytes(int descriptor);

/// POLLRDHUP, which Swift does not see.
extern const short CMicroHTTPD_poll_read_hang_up;
/// Bytes from the method to the end of the empty line behind the header; 0 before it is read.
size_t CMicroHTTPD_header_size(struct MHD_Connection *connection);

#endif
