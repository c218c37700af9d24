/*
 * The one program of the isolation test's image, which is built FROM scratch: a static binary that needs nothing else.
 *
 *   probe serve PORT TEXT           answers every HTTP request with TEXT
 *   probe forward PORT HOST PORT    carries every connection to HOST:PORT, as a gateway does
 *   probe names ADDRESS             answers every question for a name, on UDP port 53, with ADDRESS
 *   probe dial HOST PORT            prints what an HTTP server there answers; exit 0 reached, 1 not reached
 *
 * HOST is an IPv4 address or a name that Docker's own name server (127.0.0.11) knows. Everything waits 2 s at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void fail(const char *what) {
  printf("%s: %s\n", what, strerror(errno));
  exit(1);
}

static void bound(int fd) {
  struct timeval wait = {.tv_sec = 2};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

/* Asks Docker's name server for the A record of a name: glibc's resolver cannot be linked statically. 0 is success. */
static int resolve(const char *name, struct in_addr *address) {
  if (inet_pton(AF_INET, name, address) == 1) return 0;
  unsigned char query[300] = {0x4f, 0x4d, 1, 0, 0, 1}, answer[1024];
  size_t length = 12;
  for (const char *label = name; *label != 0 && length < 250;) {
    size_t size = strcspn(label, ".");
    if (size == 0 || size > 63 || length + size > 250) return -1;
    query[length++] = (unsigned char)size;
    memcpy(query + length, label, size);
    length += size;
    label += size + (label[size] == '.');
  }
  memcpy(query + length, "\0\0\1\0\1", 5);
  length += 5;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
  inet_pton(AF_INET, "127.0.0.11", &server.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  bound(fd);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) return -1;
  send(fd, query, length, 0);
  ssize_t got = recv(fd, answer, sizeof answer, 0);
  close(fd);
  /* No error and at least one record: the last thing in the message is then the address of the last one. */
  if (got < (ssize_t)length + 14 || (answer[3] & 15) != 0 || answer[7] == 0) return -1;
  memcpy(address, answer + got - 4, 4);
  return 0;
}

/* A name server as a node has one on its loopback: every name is ADDRESS. */
static void names(const char *address) {
  struct sockaddr_in on = {.sin_family = AF_INET, .sin_port = htons(53)}, from;
  on.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr *)&on, sizeof on) != 0) fail("names");
  for (;;) {
    unsigned char message[600];
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(fd, message, 500, 0, (struct sockaddr *)&from, &size);
    if (got < 17) continue;
    /* The question as asked, without what may follow it; then its answer, whose name points at the question's. */
    size_t end = 12;
    while (end < (size_t)got && message[end] != 0) end += 1u + message[end];
    end += 5;
    int isAddress = end <= (size_t)got && message[end - 3] == 1;
    memcpy(message + 2, isAddress ? "\x81\x80\0\1\0\1\0\0\0\0" : "\x81\x80\0\1\0\0\0\0\0\0", 10);
    if (isAddress) {
      memcpy(message + end, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
      inet_pton(AF_INET, address, message + end + 12);
      end += 16;
    }
    sendto(fd, message, end, 0, (struct sockaddr *)&from, size);
  }
}

static int dial(const char *name, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  if (resolve(name, &to.sin_addr) != 0) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  bound(fd);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int listening(const char *port) {
  struct sockaddr_in on = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&on, sizeof on) != 0 || listen(fd, 16) != 0) fail("listen");
  return fd;
}

static void carry(int client, int engine) {
  struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = engine, .events = POLLIN}};
  char buffer[4096];
  while (poll(ends, 2, 2000) > 0)
    for (int i = 0; i < 2; i++) {
      if (ends[i].revents == 0) continue;
      ssize_t got = read(ends[i].fd, buffer, sizeof buffer);
      if (got <= 0 || write(ends[1 - i].fd, buffer, (size_t)got) != got) return;
    }
}

static void answer(int client, const char *text) {
  char buffer[4096];
  read(client, buffer, sizeof buffer);
  dprintf(client, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n%s", strlen(text), text);
}

int main(int count, char **words) {
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  if (count == 4 && strcmp(words[1], "dial") == 0) {
    int fd = dial(words[2], words[3]);
    if (fd < 0) fail("dial");
    dprintf(fd, "GET / HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n", words[2]);
    char buffer[4096];
    ssize_t got, all = 0;
    for (; (got = read(fd, buffer, sizeof buffer)) > 0; all += got) fwrite(buffer, 1, (size_t)got, stdout);
    return all > 0 ? 0 : 1;
  }
  if (count == 3 && strcmp(words[1], "names") == 0) names(words[2]);
  int serves = count == 4 && strcmp(words[1], "serve") == 0;
  if (!serves && !(count == 5 && strcmp(words[1], "forward") == 0)) return 2;
  for (int fd = listening(words[2]);;) {
    int client = accept(fd, NULL, NULL);
    if (client < 0) continue;
    if (fork() == 0) {
      bound(client);
      int engine = serves ? -1 : dial(words[3], words[4]);
      if (serves) answer(client, words[3]);
      else if (engine >= 0) carry(client, engine);
      exit(0);
    }
    close(client);
  }
}
