// One HTTP request, sent again and again over keep-alive connections, at a fixed rate or as fast as
// answers come.
//
//   load WHERE CONNECTIONS RATE SECONDS REQUEST [SEND-BUFFER]
//
// WHERE is a port of 127.0.0.1 or the path of a Unix socket; REQUEST is a file with header and
// body; SEND-BUFFER is SO_SNDBUF in bytes, the system's without it.
//
// With a RATE this is an open loop: request i is due at start + i / RATE, whatever the server does.
// It goes out on the connection that has been idle for longest, or waits for one; its latency runs
// from when it was due, so that a server that stalls is charged for everything that queues behind.
// RATE 0 is a closed loop. One line comes out: requests, seconds, p50, p99 and largest latency in
// microseconds. An answer other than 200 ends it all.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (1 << 20)
#define CONNECTIONS_MAX 1024
#define GRACE_NANOSECONDS 5000000000 // for the last answers
#define SECOND 1000000000

struct connection {
  int socket;
  size_t sent;      // of the request
  size_t received;  // of the answer
  size_t expected;  // bytes of the whole answer; 0 until its header is here
  int64_t due;
  int is_blocked; // waits for room to send
  char *answer;
};

static struct connection connections[CONNECTIONS_MAX];
static char *request;
static size_t request_count;
static int epoll;

// Idle connections, first in, first out.
static int idle[CONNECTIONS_MAX];
static size_t idle_head;
static size_t idle_count;

static uint32_t *latencies;
static size_t latency_count;
static size_t latency_capacity;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static void read_request(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail(path);
  request_count = (size_t)ftell(file);
  rewind(file);
  request = malloc(request_count);
  if (request == NULL || fread(request, 1, request_count, file) != request_count) fail(path);
  fclose(file);
}

static void watch(struct connection *connection, int operation, int is_blocked) {
  uint32_t events = is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->socket, &event) != 0) fail("epoll_ctl");
  connection->is_blocked = is_blocked;
}

static void push_idle(struct connection *connection) {
  idle[(idle_head + idle_count++) % CONNECTIONS_MAX] = (int)(connection - connections);
}

static void set_send_buffer(int fd, int bytes) {
  if (bytes > 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int connect_tcp(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  address.sin_port = htons((uint16_t)port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int connect_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  return fd;
}

static void open_connection(struct connection *connection, const char *where, int send_buffer) {
  connection->socket = where[0] == '/' ? connect_unix(where) : connect_tcp(atoi(where));
  set_send_buffer(connection->socket, send_buffer);
  connection->answer = malloc(ANSWER_BYTES_MAX);
  if (connection->answer == NULL) fail("malloc");
  fcntl(connection->socket, F_SETFL, O_NONBLOCK);
  watch(connection, EPOLL_CTL_ADD, 0);
  push_idle(connection);
}

// Sends what the socket takes; asks for more room only when that was not everything.
static void send_some(struct connection *connection) {
  while (connection->sent < request_count) {
    ssize_t sent = send(connection->socket, request + connection->sent,
                        request_count - connection->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      if (!connection->is_blocked) watch(connection, EPOLL_CTL_MOD, 1);
      return;
    }
    if (sent <= 0) fail("send");
    connection->sent += (size_t)sent;
  }
  if (connection->is_blocked) watch(connection, EPOLL_CTL_MOD, 0);
}

static void start_request(int64_t due) {
  struct connection *connection = &connections[idle[idle_head]];
  idle_head = (idle_head + 1) % CONNECTIONS_MAX;
  --idle_count;
  connection->due = due;
  connection->sent = connection->received = connection->expected = 0;
  send_some(connection);
}

static void record(int64_t nanoseconds) {
  if (latency_count == latency_capacity) {
    latency_capacity = latency_capacity == 0 ? 1 << 16 : 2 * latency_capacity;
    latencies = realloc(latencies, latency_capacity * sizeof *latencies);
    if (latencies == NULL) fail("realloc");
  }
  // In tenths of a microsecond: up to seven minutes.
  latencies[latency_count++] = (uint32_t)(nanoseconds / 100);
}

static void receive_some(struct connection *connection) {
  ssize_t got = recv(connection->socket, connection->answer + connection->received,
                     ANSWER_BYTES_MAX - 1 - connection->received, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("the server closed a connection");
  connection->received += (size_t)got;
  if (connection->expected == 0) {
    connection->answer[connection->received] = '\0';
    char *end = strstr(connection->answer, "\r\n\r\n");
    if (end == NULL) return;
    const char *length = strstr(connection->answer, "Content-Length: ");
    if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0 || length == NULL || length > end)
      fail(connection->answer);
    connection->expected = (size_t)(end + 4 - connection->answer) +
                           strtoul(length + strlen("Content-Length: "), NULL, 10);
  }
  if (connection->received < connection->expected) return;
  record(now() - connection->due);
  push_idle(connection);
}

// Waits for answers, or until then.
static int wait_until(int64_t when, struct epoll_event *events, int events_max) {
  int64_t left = when - now();
  if (left < 0) left = 0;
  struct timespec timeout = {left / SECOND, left % SECOND};
  return epoll_pwait2(epoll, events, events_max, &timeout, NULL);
}

// Sends everything that is due and has a connection; returns how many requests were sent so far.
static size_t send_due(size_t sent, int64_t start, int64_t end, double interval) {
  while (idle_count > 0) {
    int64_t time = now();
    int64_t due = interval == 0 ? time : start + (int64_t)((double)sent * interval);
    if (due > time || due >= end) break;
    start_request(due);
    ++sent;
  }
  return sent;
}

static void run(int connection_count, double rate, double seconds, int64_t start) {
  int64_t end = start + (int64_t)(seconds * SECOND);
  double interval = rate > 0 ? SECOND / rate : 0;
  size_t planned = rate > 0 ? (size_t)(seconds * rate) : SIZE_MAX;
  size_t sent = 0;
  for (;;) {
    sent = send_due(sent, start, end, interval);
    int64_t time = now();
    int is_over = rate > 0 ? sent >= planned : time >= end;
    if (is_over && idle_count == (size_t)connection_count) break;
    if (time > end + GRACE_NANOSECONDS) fail("too slow for this rate");
    bool awaits_due = rate > 0 && !is_over && idle_count > 0;
    int64_t until = awaits_due ? start + (int64_t)((double)sent * interval) : time + SECOND;
    struct epoll_event events[64];
    int count = wait_until(until, events, 64);
    for (int i = 0; i < count; ++i) {
      struct connection *connection = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) send_some(connection);
      if (events[i].events & ~(uint32_t)EPOLLOUT) receive_some(connection);
    }
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a;
  uint32_t right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) {
    fprintf(stderr, "usage: %s WHERE CONNECTIONS RATE SECONDS REQUEST [SEND-BUFFER]\n", argv[0]);
    return 2;
  }
  int connection_count = atoi(argv[2]);
  if (connection_count < 1 || connection_count > CONNECTIONS_MAX) fail("CONNECTIONS");
  read_request(argv[5]);
  epoll = epoll_create1(0);
  int send_buffer = argc == 7 ? atoi(argv[6]) : 0;
  for (int i = 0; i < connection_count; ++i) {
    open_connection(&connections[i], argv[1], send_buffer);
  }
  int64_t start = now();
  run(connection_count, atof(argv[3]), atof(argv[4]), start);
  double seconds = (double)(now() - start) / SECOND;
  if (latency_count == 0) fail("no answer");
  qsort(latencies, latency_count, sizeof *latencies, ascending);
  printf("RESULT %zu %.6f %.1f %.1f %.1f\n", latency_count, seconds,
         latencies[latency_count / 2] / 10.0, latencies[latency_count * 99 / 100] / 10.0,
         latencies[latency_count - 1] / 10.0);
  return 0;
}
