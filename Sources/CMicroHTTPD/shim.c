#define _GNU_SOURCE
#include "CMicroHTTPD.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

const short CMicroHTTPD_poll_read_hang_up = POLLRDHUP;

// The same function for every daemon of the process; whose log it is, the context says.
static void (*_Atomic log_message)(void *context, const char *message);

static void forward_log(void *context, const char *format, va_list arguments) {
  char message[1024];
  vsnprintf(message, sizeof message, format, arguments);
  log_message(context, message);
}

struct MHD_Daemon *CMicroHTTPD_start(const struct CMicroHTTPD_Options *options) {
  log_message = options->log;
  bool is_tls = options->tls_certificate != NULL && options->tls_key != NULL;
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->tls_certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->tls_key},
      {MHD_OPTION_END, 0, NULL},
  };
  return MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG
          | MHD_USE_NO_LISTEN_SOCKET | (is_tls ? MHD_USE_TLS : 0),
      0, NULL, NULL, options->handler, options->context,
      // First, so that it also hears what goes wrong with the options after it.
      MHD_OPTION_EXTERNAL_LOGGER, forward_log, options->context,
      MHD_OPTION_THREAD_POOL_SIZE, options->thread_count,
      MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
      MHD_OPTION_CONNECTION_TIMEOUT, options->connection_timeout_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
      MHD_OPTION_URI_LOG_CALLBACK, options->uri_received, options->context,
      MHD_OPTION_NOTIFY_COMPLETED, options->completed, options->context,
      MHD_OPTION_NOTIFY_CONNECTION, options->connection_changed, options->context,
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_ARRAY, is_tls ? tls : tls + 2,
      MHD_OPTION_END);
}

MHD_socket CMicroHTTPD_accept(MHD_socket listening, struct sockaddr *address, socklen_t *length) {
  return accept4(listening, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

size_t CMicroHTTPD_header_size(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == NULL ? 0 : info->header_size;
}

void *CMicroHTTPD_connection_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == NULL ? NULL : info->socket_context;
}

// FNV-1a: spreads what differs in a few bytes.
static uint64_t hash(const void *bytes, size_t count) {
  uint64_t value = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < count; i++) {
    value = (value ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
  }
  return value;
}

uint64_t CMicroHTTPD_peer(int descriptor) {
  struct sockaddr_storage address = {0};
  socklen_t size = sizeof address;
  if (getpeername(descriptor, (struct sockaddr *)&address, &size) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return hash(&((struct sockaddr_in *)&address)->sin_addr, sizeof(struct in_addr));
  }
  if (address.ss_family == AF_INET6) {
    const struct in6_addr *host = &((struct sockaddr_in6 *)&address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(host)) return hash(&host->s6_addr[12], 4);
    // A host may have all addresses of a network of 64 bits.
    return hash(host, 8);
  }
  struct ucred process = {0};
  size = sizeof process;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &process, &size) != 0) return 0;
  return hash(&process.pid, sizeof process.pid);
}

int CMicroHTTPD_descriptor(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

bool CMicroHTTPD_tcp_traffic(int descriptor, uint64_t *received, uint64_t *acknowledged) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  *received = info.tcpi_bytes_received;
  *acknowledged = info.tcpi_bytes_acked;
  return true;
}

int CMicroHTTPD_unread_bytes(int descriptor) {
  int count = 0;
  return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}
