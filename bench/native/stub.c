/*
 * The upstream of the gateway benchmark: an engine that does nothing but answer, in one thread over epoll, so that what
 * is measured is what stands before it. Usage: stub PORT (0 for a free one); prints the port, ends when stdin closes.
 *
 * A body with `"stream":true` is answered with EVENTS events, `"gap":N` milliseconds apart; each holds the time it was
 * written, CLOCK_MONOTONIC in ns, as `t=NNN`. `"hold":true` sends one event and then nothing until the client leaves.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, MOST = 65536 };

struct connection {
  char *in;
  size_t have, room;
  uint64_t due; /* of the next event, ns; 0 when none is owed */
  uint64_t gap;
  int sent;
  int paced_at; /* place in the list of paced streams, -1 when not there */
};

static struct connection *connections[MOST];
static int paced[MOST], paced_count;
static char whole[2048];
static size_t whole_length;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void unpace(struct connection *c) {
  if (c->paced_at < 0) return;
  int last = paced[--paced_count];
  paced[c->paced_at] = last;
  connections[last]->paced_at = c->paced_at;
  c->paced_at = -1;
}

static void drop(int fd) {
  unpace(connections[fd]);
  free(connections[fd]->in);
  free(connections[fd]);
  connections[fd] = NULL;
  close(fd);
}

/* Answers here are smaller than a socket's buffer: what is not taken at once belongs to a client that is gone. */
static void say(int fd, const char *text, size_t length) {
  if (write(fd, text, length) < 0) return;
}

static void say_chunk(int fd, const char *data, int length) {
  char out[1024];
  int n = snprintf(out, sizeof out, "%x\r\n%.*s\r\n", length, length, data);
  say(fd, out, (size_t)n);
}

#define HEAD_OF_EVENT "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"stub\",\"choices\":[{\"index\":0,\"delta\":"

static void say_event(int fd) {
  char data[512];
  int n = snprintf(data, sizeof data,
                   HEAD_OF_EVENT "{\"content\":\"word t=%llu \"},\"finish_reason\":null}]}\n\n",
                   (unsigned long long)now());
  say_chunk(fd, data, n);
}

static void say_last(int fd) {
  char out[1024], data[512];
  int n = snprintf(data, sizeof data,
                   HEAD_OF_EVENT "{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n",
                   EVENTS, EVENTS + 12);
  int all = snprintf(out, sizeof out, "%x\r\n%s\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", n, data);
  say(fd, out, (size_t)all);
}

static void begin_stream(int fd, struct connection *c, const char *body) {
  static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  say(fd, head, sizeof head - 1);
  if (strstr(body, "\"hold\":true")) {
    say_event(fd);
    return;
  }
  const char *gap = strstr(body, "\"gap\":");
  c->gap = gap ? strtoull(gap + 6, NULL, 10) * 1000000u : 0;
  if (c->gap == 0) {
    for (int i = 0; i < EVENTS; i++) say_event(fd);
    say_last(fd);
    return;
  }
  say_event(fd);
  c->sent = 1;
  c->due = now() + c->gap;
  c->paced_at = paced_count;
  paced[paced_count++] = fd;
}

static void answer(int fd, struct connection *c, const char *head, const char *body) {
  if (strncmp(head, "POST", 4) == 0 && strstr(body, "\"stream\":true")) begin_stream(fd, c, body);
  else say(fd, whole, whole_length);
}

/* Whole requests in what has come; requests are not pipelined. */
static void take(int fd, struct connection *c) {
  c->in[c->have] = 0;
  char *end = strstr(c->in, "\r\n\r\n");
  if (end == NULL) return;
  *end = 0;
  const char *told = strcasestr(c->in, "\r\ncontent-length:");
  size_t length = told ? strtoull(told + 17, NULL, 10) : 0;
  size_t all = (size_t)(end - c->in) + 4 + length;
  if (c->have < all) {
    *end = '\r';
    return;
  }
  c->have = 0;
  answer(fd, c, c->in, end + 4);
}

static void readable(int fd) {
  struct connection *c = connections[fd];
  for (;;) {
    if (c->room - c->have < 4096) {
      c->room = c->room == 0 ? 8192 : c->room * 2;
      c->in = realloc(c->in, c->room + 1);
    }
    ssize_t n = read(fd, c->in + c->have, c->room - c->have);
    if (n > 0) {
      c->have += (size_t)n;
      take(fd, c);
      if ((size_t)n < 4096) return;
    } else {
      if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop(fd);
      return;
    }
  }
}

/* Sends what is due and gives the milliseconds until the next, -1 when nothing is owed. */
static int pace(void) {
  uint64_t t = now(), next = UINT64_MAX;
  for (int i = 0; i < paced_count;) {
    int fd = paced[i];
    struct connection *c = connections[fd];
    if (c->due <= t) {
      if (c->sent == EVENTS) {
        say_last(fd);
        unpace(c);
        continue;
      }
      say_event(fd);
      c->sent++;
      c->due += c->gap;
    }
    if (c->due < next) next = c->due;
    i++;
  }
  if (next == UINT64_MAX) return -1;
  return next <= t ? 0 : (int)((next - t + 999999) / 1000000);
}

static void accept_all(int listener, int poll) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= MOST) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = calloc(1, sizeof **connections);
    connections[fd]->paced_at = -1;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
  }
}

static void write_whole(void) {
  char words[256] = "", json[1024];
  for (int i = 0; i < 40; i++) strcat(words, "word ");
  int n = snprintf(json, sizeof json,
                   "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"stub\",\"choices\":[{\"index\":0,"
                   "\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
                   "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":40,\"total_tokens\":52}}",
                   words);
  whole_length = (size_t)snprintf(whole, sizeof whole,
                                  "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", n, json);
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  write_whole();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(count > 1 ? atoi(arguments[1]) : 0))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 8192) < 0) {
    perror("stub");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&at, &size);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  int poll = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, got[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e);
  e.data.fd = 0;
  epoll_ctl(poll, EPOLL_CTL_ADD, 0, &e);
  for (;;) {
    int n = epoll_wait(poll, got, 256, pace());
    for (int i = 0; i < n; i++) {
      int fd = got[i].data.fd;
      if (fd == listener) accept_all(listener, poll);
      else if (fd == 0) return 0;
      else if (connections[fd]) readable(fd);
    }
  }
}
