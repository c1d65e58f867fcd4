// The least that a socket can do for a large body: recv() Content-Length bytes into one buffer that
// is used again and again, then a constant answer. One connection at a time, no library.
//
//   recvloop ANSWER SOCKET
//
// ANSWER is a file with header and body, sent as it is. Listens on a port of 127.0.0.1 that it
// prints, and on the Unix socket SOCKET.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_BYTES_MAX 65536
#define ANSWER_BYTES_MAX (1 << 20)

static char header[HEADER_BYTES_MAX];
static char *body;
static size_t body_capacity;
static char answer[ANSWER_BYTES_MAX];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// One request; false when the client has gone. The client waits for its answer: nothing follows.
static int serve(int client, size_t answer_count) {
  size_t count = 0;
  char *end = NULL;
  while (end == NULL) {
    ssize_t got = recv(client, header + count, HEADER_BYTES_MAX - 1 - count, 0);
    if (got <= 0) return 0;
    count += (size_t)got;
    header[count] = '\0';
    end = strstr(header, "\r\n\r\n");
  }
  const char *length = strstr(header, "Content-Length: ");
  if (length == NULL || length > end) return 0;
  size_t expected = strtoul(length + strlen("Content-Length: "), NULL, 10);
  if (expected > body_capacity) {
    free(body);
    body = malloc(expected);
    if (body == NULL) fail("malloc");
    body_capacity = expected;
  }
  size_t have = count - (size_t)(end + 4 - header);
  if (have > expected) return 0;
  memcpy(body, end + 4, have);
  while (have < expected) {
    ssize_t got = recv(client, body + have, expected - have, 0);
    if (got <= 0) return 0;
    have += (size_t)got;
  }
  return send(client, answer, answer_count, MSG_NOSIGNAL) == (ssize_t)answer_count;
}

static int listen_tcp(void) {
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (server < 0 || bind(server, (struct sockaddr *)&address, length) != 0 ||
      listen(server, 16) != 0 || getsockname(server, (struct sockaddr *)&address, &length) != 0)
    fail("listen");
  printf("recvloop listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return server;
}

static int listen_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(server, 16) != 0)
    fail("listen");
  return server;
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) fail("usage: recvloop ANSWER SOCKET");
  size_t answer_count = fread(answer, 1, sizeof answer, file);
  fclose(file);
  // The Unix socket first: it is there when the port is printed.
  int on_unix = listen_unix(argv[2]);
  struct pollfd servers[2] = {{.fd = on_unix, .events = POLLIN},
                              {.fd = listen_tcp(), .events = POLLIN}};
  for (;;) {
    if (poll(servers, 2, -1) < 0) fail("poll");
    int is_unix = (servers[0].revents & POLLIN) != 0;
    int client = accept(servers[is_unix ? 0 : 1].fd, NULL, NULL);
    if (client < 0) fail("accept");
    int yes = 1;
    if (!is_unix) setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    while (serve(client, answer_count)) {
    }
    close(client);
  }
}
