// The least that libmicrohttpd can do for a request of topkd: read the body into one buffer, answer
// a constant. What topkd takes beyond this is its own.
//
//   bare IO_THREADS CONNECTION_MEMORY_BYTES HEADERS BODY
//
// HEADERS (a file of "Name: value" lines) and BODY are the answer to every request. Flags and
// options are those of Sources/CMicroHTTPD/shim.c. Neither server touches TCP_NODELAY: the library
// sets it.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024
#define CONNECTIONS_MAX 4096
#define TIMEOUT_SECONDS 60

// One for each connection: a buffer that stays from request to request, as topkd recycles its own.
struct upload {
  char *memory;
  size_t capacity;
  size_t expected;
  size_t count;
};

static struct MHD_Response *answer;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static char *read_file(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail(path);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) fail(path);
  fclose(file);
  text[size] = '\0';
  *count = (size_t)size;
  return text;
}

// Content-Length and Date are the library's.
static void add_headers(char *text) {
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char *colon = strstr(line, ": ");
    if (colon == NULL) continue;
    *colon = '\0';
    MHD_add_response_header(answer, line, colon + 2);
  }
}

static struct upload *upload_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info->socket_context;
}

// The header is here: makes room for the body.
static enum MHD_Result begin(struct MHD_Connection *connection, struct upload *upload) {
  const char *length =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  upload->expected = length == NULL ? 0 : strtoul(length, NULL, 10);
  upload->count = 0;
  if (upload->expected > upload->capacity) {
    free(upload->memory);
    upload->memory = malloc(upload->expected);
    upload->capacity = upload->memory == NULL ? 0 : upload->expected;
  }
  return upload->expected <= upload->capacity ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *count, void **slot) {
  (void)context, (void)url, (void)method, (void)version;
  struct upload *upload = *slot;
  if (upload == NULL) {
    *slot = upload = upload_of(connection);
    return begin(connection, upload);
  }
  if (*count == 0) return MHD_queue_response(connection, MHD_HTTP_OK, answer);
  if (*count > upload->expected - upload->count) return MHD_NO;
  memcpy(upload->memory + upload->count, data, *count);
  upload->count += *count;
  *count = 0;
  return MHD_YES;
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **slot,
                               enum MHD_ConnectionNotificationCode code) {
  (void)context, (void)connection;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *slot = calloc(1, sizeof(struct upload));
    if (*slot == NULL) fail("calloc");
  } else {
    struct upload *upload = *slot;
    free(upload->memory);
    free(upload);
  }
}

static int listen_on_loopback(int *port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) != 0 ||
      listen(descriptor, BACKLOG) != 0 ||
      getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
    fail("listen");
  *port = ntohs(address.sin_port);
  return descriptor;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s IO_THREADS CONNECTION_MEMORY_BYTES HEADERS BODY\n", argv[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);
  size_t count = 0;
  size_t headers_count = 0;
  char *headers = read_file(argv[3], &headers_count);
  char *body = read_file(argv[4], &count);
  answer = MHD_create_response_from_buffer(count, body, MHD_RESPMEM_PERSISTENT);
  add_headers(headers);
  int port = 0;
  int descriptor = listen_on_loopback(&port);
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG,
      0, NULL, NULL, handle, NULL,
      MHD_OPTION_LISTEN_SOCKET, descriptor,
      MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)atoi(argv[1]),
      MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)strtoul(argv[2], NULL, 10),
      MHD_OPTION_NOTIFY_CONNECTION, connection_changed, NULL,
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_END);
  if (daemon == NULL) fail("MHD_start_daemon");
  printf("bare listening on http://127.0.0.1:%d\n", port);
  fflush(stdout);
  int received = 0;
  sigwait(&ends, &received);
  MHD_stop_daemon(daemon);
  return 0;
}
