/*
 * The load of the gateway benchmark, in one thread over epoll. Usage: load PORT MODE CONNECTIONS SECONDS RATE KEY < BODY
 *   closed  keeps CONNECTIONS requests in flight for SECONDS; the first of each are spread over RATE milliseconds, because
 *           streams of the same length that begin together would end and begin together for ever;
 *   rate    sends RATE requests a second for SECONDS, each on an idle one of CONNECTIONS. Times count from when a request
 *           was due, so that one that had to wait for a connection is not flattered;
 *   hold    opens CONNECTIONS streams, prints a line once each has had its first event, and holds them until it is killed.
 * Prints one line of JSON; times are microseconds.
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

struct samples {
  float *at;
  size_t count, room;
};

enum state { IDLE, HEAD, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

struct connection {
  int fd, status, chunked;
  enum state state;
  uint64_t since;
  int seen;        /* the first byte of the body came */
  long left;       /* bytes of the body or chunk */
  char line[4096]; /* head, size of a chunk, or a line of an event */
  int length;
};

static struct samples first, whole, delay;
static long failures, requests;
static char *request;
static size_t request_length;
static struct sockaddr_in target;
static int poll_fd, holding, first_events;
static struct connection *idle[65536];
static int idle_count;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void add(struct samples *s, uint64_t ns) {
  if (s->count == s->room) s->at = realloc(s->at, (s->room = s->room ? s->room * 2 : 65536) * sizeof *s->at);
  s->at[s->count++] = (float)ns / 1000;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double quantile(struct samples *s, double q) {
  if (s->count == 0) return 0;
  size_t i = (size_t)((double)s->count * q);
  return s->at[i < s->count ? i : s->count - 1];
}

static void connect_one(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(c->fd, (struct sockaddr *)&target, sizeof target) < 0) {
    perror("load: connect");
    exit(1);
  }
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

static void ask(struct connection *c, uint64_t since) {
  c->state = HEAD;
  c->length = c->seen = 0;
  c->since = since;
  if (write(c->fd, request, request_length) < 0) {
    // A kept connection that the other side closed: one more try on a new one.
    close(c->fd);
    connect_one(c);
    if (write(c->fd, request, request_length) < 0) failures++;
  }
}

static void ended(struct connection *c, int good) {
  if (good && c->status == 200) {
    requests++;
    add(&whole, now() - c->since);
  } else {
    failures++;
  }
  c->state = IDLE;
  idle[idle_count++] = c;
}

/* A byte of the body: lines of events that hold their time are measured. */
static void see(struct connection *c, const char *bytes, long n, uint64_t t) {
  if (!c->seen) {
    c->seen = 1;
    add(&first, t - c->since);
    if (holding && c->status == 200) first_events++;
  }
  for (long i = 0; i < n; i++) {
    if (bytes[i] == '\n') {
      c->line[c->length] = 0;
      const char *mark = memmem(c->line, (size_t)c->length, " t=", 3);
      if (mark) add(&delay, t - strtoull(mark + 3, NULL, 10));
      c->length = 0;
    } else if (c->length < (int)sizeof c->line - 1) {
      c->line[c->length++] = bytes[i];
    }
  }
}

static void head_ended(struct connection *c) {
  c->line[c->length] = 0;
  c->status = atoi(c->line + 9);
  const char *length = strcasestr(c->line, "\ncontent-length:");
  c->chunked = length == NULL;
  c->left = length ? atol(length + 16) : 0;
  c->length = 0;
  c->state = c->chunked ? CHUNK_SIZE : LENGTH;
  if (!c->chunked && c->left == 0) ended(c, 1);
}

static void parse(struct connection *c, const char *at, long n, uint64_t t) {
  const char *end = at + n;
  while (at < end && c->state != IDLE) {
    switch (c->state) {
      case HEAD:
      case CHUNK_SIZE:
      case CHUNK_END:
      case TRAILER:
        if (c->length < (int)sizeof c->line - 1) c->line[c->length++] = *at;
        if (*at++ != '\n') break;
        if (c->state == HEAD) {
          if (c->length >= 4 && memcmp(c->line + c->length - 4, "\r\n\r\n", 4) == 0) head_ended(c);
        } else if (c->state == CHUNK_SIZE) {
          c->left = strtol(c->line, NULL, 16);
          c->state = c->left == 0 ? TRAILER : CHUNK;
          c->length = 0;
        } else {
          if (c->state == TRAILER && c->length <= 2) ended(c, 1);
          else if (c->state == CHUNK_END) c->state = CHUNK_SIZE;
          c->length = 0;
        }
        break;
      default: {
        long some = end - at < c->left ? end - at : c->left;
        // Events of this load's stub never lie in two chunks, so that one buffer serves lines and sizes.
        see(c, at, some, t);
        at += some;
        c->left -= some;
        if (c->left > 0) break;
        c->length = 0;
        if (c->chunked) c->state = CHUNK_END;
        else ended(c, 1);
      }
    }
  }
}

static void readable(struct connection *c) {
  static char bytes[65536];
  ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0) {
    parse(c, bytes, n, now());
    return;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  close(c->fd);
  connect_one(c);
  if (c->state != IDLE) ended(c, 0);
}

static char *read_all(size_t *length) {
  size_t room = 65536;
  char *text = malloc(room);
  ssize_t n;
  *length = 0;
  while ((n = read(0, text + *length, room - *length)) > 0) {
    *length += (size_t)n;
    if (*length == room) text = realloc(text, room *= 2);
  }
  return text;
}

static void build(int port, const char *key) {
  size_t length;
  char *body = read_all(&length);
  request = malloc(length + 1024);
  int head = sprintf(request,
                     "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
                     "authorization: Bearer %s\r\nuser-agent: load\r\naccept: */*\r\n%scontent-length: %zu\r\n\r\n",
                     port, key, getenv("LOAD_HEADERS") ? getenv("LOAD_HEADERS") : "", length);
  memcpy(request + head, body, length);
  request_length = (size_t)head + length;
  free(body);
}

static void report(double seconds) {
  qsort(first.at, first.count, sizeof(float), ascending);
  qsort(whole.at, whole.count, sizeof(float), ascending);
  qsort(delay.at, delay.count, sizeof(float), ascending);
  printf("{\"requests\":%ld,\"failures\":%ld,\"seconds\":%.4f,\"firstP50\":%.1f,\"firstP99\":%.1f,\"wholeP50\":%.1f,"
         "\"wholeP99\":%.1f,\"delayP50\":%.1f,\"delayP99\":%.1f}\n",
         requests, failures, seconds, quantile(&first, .5), quantile(&first, .99), quantile(&whole, .5),
         quantile(&whole, .99), quantile(&delay, .5), quantile(&delay, .99));
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count < 7) return 2;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int port = atoi(arguments[1]), size = atoi(arguments[3]), paced = strcmp(arguments[2], "rate") == 0;
  holding = strcmp(arguments[2], "hold") == 0;
  uint64_t time = (uint64_t)(atof(arguments[4]) * 1e9);
  double step = paced ? 1e9 / atof(arguments[5]) : 0, spread = paced ? 0 : atof(arguments[5]) * 1e6 + 1;
  build(port, arguments[6]);
  target.sin_family = AF_INET;
  target.sin_port = htons((uint16_t)port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  poll_fd = epoll_create1(0);
  struct connection *all = calloc((size_t)size, sizeof *all);
  struct epoll_event got[256];
  for (int i = 0; i < size; i++) {
    connect_one(&all[i]);
    idle[idle_count++] = &all[i];
    // A listener's queue of connections is bounded: a stream is asked for as soon as it stands.
    if (holding) ask(idle[--idle_count], now());
  }
  uint64_t start = now(), t = start, sent = 0;
  int told = 0;
  for (;;) {
    t = now();
    if (holding && !told && first_events + failures >= size) {
      told = 1;
      report(0);
    }
    int64_t wait = -1; /* ns: what is due in between does not wait for a whole millisecond */
    if (!holding && t - start >= time) {
      if (idle_count == size || t - start > time + 20000000000u) break;
      wait = 100000000;
    } else if (!holding && !paced) {
      uint64_t due = (uint64_t)((double)(t - start) / spread * size);
      while (idle_count > 0 && (sent >= (uint64_t)size || sent < due)) {
        sent++;
        ask(idle[--idle_count], now());
      }
      wait = sent < (uint64_t)size ? 1000000 : 100000000;
    } else if (paced) {
      while (idle_count > 0 && start + (uint64_t)((double)sent * step) <= t)
        ask(idle[--idle_count], start + (uint64_t)((double)sent++ * step));
      uint64_t due = start + (uint64_t)((double)sent * step);
      wait = idle_count == 0 ? 100000000 : due > t ? (int64_t)(due - t) : 0;
    }
    struct timespec most = {wait / 1000000000, wait % 1000000000};
    int n = epoll_pwait2(poll_fd, got, 256, wait < 0 ? NULL : &most, NULL);
    for (int i = 0; i < n; i++) readable(got[i].data.ptr);
  }
  report((double)(t - start) / 1e9);
  return 0;
}
