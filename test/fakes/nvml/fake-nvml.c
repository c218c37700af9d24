/*
 * A libnvidia-ml.so.1 with the ABI of nvml.h and no driver behind it. What it tells stands in the text file that
 * FAKE_NVML names, read anew when it changes; fake-nvml.ts writes it. Compiled with -DOLD it lacks the functions that
 * drivers before 510 lack.
 *
 *   init 0                     what nvmlInit_v2 returns
 *   hang 1                     the next look at memory never returns
 *   crash 1                    it ends the process instead
 *   card status=0 uuid=… …     one line a card; `-1` for a value means NVML_ERROR_NOT_SUPPORTED
 *   event seq=1 card=0 type=8 data=79
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef int nvmlReturn_t;
enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, TIMEOUT = 10 };
enum { CARDS = 32, PROCESSES = 64, EVENTS = 4096 };

typedef struct {
  char uuid[96], name[96], bus[32];
  int status;
  long long total, used, reserved, util, temp, memtemp, power, limit, reasons, ecc, gen, width, recovery;
  int processes;
  struct { unsigned pid; unsigned long long bytes; } process[PROCESSES];
} card_t;

static card_t cards[CARDS];
static int card_count, listed, init_status, hang, crash_now, initialized;
static struct { long seq; int card; unsigned long long type, data; } events[EVENTS];
static int event_count;
static long last_seq;
static struct timespec read_at;
static off_t read_size = -1;

static const char *field(const char *line, const char *key, char *out, size_t size) {
  char needle[40];
  snprintf(needle, sizeof needle, " %s=", key);
  const char *at = strstr(line, needle);
  out[0] = 0;
  if (at == NULL) return out;
  at += strlen(needle);
  size_t n = strcspn(at, " \n");
  if (n >= size) n = size - 1;
  memcpy(out, at, n);
  out[n] = 0;
  return out;
}

static long long number(const char *line, const char *key) {
  char text[64];
  return field(line, key, text, sizeof text)[0] == 0 ? -1 : atoll(text);
}

static void read_card(const char *line) {
  card_t *c = &cards[card_count++];
  char list[2048];
  memset(c, 0, sizeof *c);
  field(line, "uuid", c->uuid, sizeof c->uuid);
  field(line, "name", c->name, sizeof c->name);
  for (char *p = c->name; *p; p++) if (*p == '_') *p = ' ';
  field(line, "pci", c->bus, sizeof c->bus);
  c->status = (int)number(line, "status");
  if (c->status < 0) c->status = 0;
  c->total = number(line, "total"), c->used = number(line, "used"), c->reserved = number(line, "reserved");
  c->util = number(line, "util"), c->temp = number(line, "temp"), c->memtemp = number(line, "memtemp");
  c->power = number(line, "power"), c->limit = number(line, "limit"), c->reasons = number(line, "reasons");
  c->ecc = number(line, "ecc"), c->gen = number(line, "gen"), c->width = number(line, "width");
  c->recovery = number(line, "recovery");
  field(line, "procs", list, sizeof list);
  for (char *save = NULL, *p = strtok_r(list, ",", &save); p && c->processes < PROCESSES; p = strtok_r(NULL, ",", &save)) {
    unsigned pid = 0;
    unsigned long long bytes = 0;
    if (sscanf(p, "%u:%llu", &pid, &bytes) == 2) {
      c->process[c->processes].pid = pid;
      c->process[c->processes++].bytes = bytes;
    }
  }
}

static void refresh(void) {
  const char *path = getenv("FAKE_NVML");
  struct stat s;
  if (path == NULL || stat(path, &s) != 0) return;
  if (s.st_size == read_size && s.st_mtim.tv_sec == read_at.tv_sec && s.st_mtim.tv_nsec == read_at.tv_nsec) return;
  FILE *f = fopen(path, "r");
  if (f == NULL) return;
  char line[4096];
  card_count = event_count = init_status = hang = crash_now = 0;
  while (fgets(line, sizeof line, f) != NULL) {
    if (sscanf(line, "init %d", &init_status) == 1 || sscanf(line, "hang %d", &hang) == 1 ||
        sscanf(line, "crash %d", &crash_now) == 1) continue;
    if (strncmp(line, "card ", 5) == 0 && card_count < CARDS) read_card(line);
    if (strncmp(line, "event ", 6) == 0 && event_count < EVENTS) {
      events[event_count].seq = (long)number(line, "seq");
      events[event_count].card = (int)number(line, "card");
      events[event_count].type = (unsigned long long)number(line, "type");
      events[event_count++].data = (unsigned long long)number(line, "data");
    }
  }
  fclose(f);
  read_at = s.st_mtim;
  read_size = s.st_size;
}

typedef struct device *nvmlDevice_t;
static nvmlReturn_t at(nvmlDevice_t device, card_t **card) {
  refresh();
  if (!initialized) return UNINITIALIZED;
  uintptr_t i = (uintptr_t)device - 1;
  if (i >= (uintptr_t)card_count) return NOT_FOUND;
  *card = &cards[i];
  return cards[i].status;
}

#define CARD(device) card_t *c; nvmlReturn_t r = at(device, &c); if (r != OK) return r
#define GIVE(value, target) do { CARD(device); if (c->value < 0) return NOT_SUPPORTED; *(target) = c->value; return OK; } while (0)

nvmlReturn_t nvmlInit_v2(void) {
  refresh();
  if (init_status == 0) initialized++, listed = card_count;
  return init_status;
}
nvmlReturn_t nvmlShutdown(void) { if (initialized > 0) initialized--; return OK; }
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) { refresh(); *count = (unsigned)listed; return initialized ? OK : UNINITIALIZED; }
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device) {
  *device = (nvmlDevice_t)(uintptr_t)(index + 1);
  CARD(*device);
  return OK;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned length) { CARD(device); snprintf(uuid, length, "%s", c->uuid); return OK; }
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned length) { CARD(device); snprintf(name, length, "%s", c->name); return OK; }
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } pci_t;
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, pci_t *pci) { CARD(device); memset(pci, 0, sizeof *pci); snprintf(pci->bus_id, 32, "%s", c->bus); return OK; }

static nvmlReturn_t memory_of(nvmlDevice_t device, card_t **card) {
  nvmlReturn_t r = at(device, card);
  if (hang) for (;;) pause();
  if (crash_now) abort();
  if (r != OK) return r;
  return (*card)->total < 0 ? NOT_SUPPORTED : OK;
}
typedef struct { unsigned long long total, free, used; } memory_t;
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, memory_t *m) {
  card_t *c;
  nvmlReturn_t r = memory_of(device, &c);
  if (r != OK) return r;
  m->total = c->total, m->used = c->used + c->reserved, m->free = m->total - m->used;
  return OK;
}
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, unsigned *rates) { rates[1] = 0; GIVE(util, rates); }
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned *temp) { if (sensor != 0) return INVALID; GIVE(temp, temp); }
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *power) { GIVE(power, power); }
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *limit) { GIVE(limit, limit); }
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) { GIVE(reasons, reasons); }
nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int type, int counter, unsigned long long *count) { if (type != 1 || counter != 0) return INVALID; GIVE(ecc, count); }
nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device, unsigned *gen) { GIVE(gen, gen); }
nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device, unsigned *width) { GIVE(width, width); }

#ifndef OLD
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) { GIVE(reasons, reasons); }
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory2_t;
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, memory2_t *m) {
  card_t *c;
  nvmlReturn_t r = memory_of(device, &c);
  if (m->version != (sizeof *m | (2u << 24))) return 25;
  if (r != OK) return r;
  m->total = c->total, m->reserved = c->reserved, m->used = c->used, m->free = m->total - m->used - m->reserved;
  return OK;
}
typedef struct { unsigned field, scope; long long timestamp, latency; int type, result; union { double d; unsigned u; unsigned long long ull; } value; } field_t;
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, field_t *values) {
  CARD(device);
  for (int i = 0; i < count; i++) {
    long long v = values[i].field == 82 ? c->memtemp : values[i].field == 230 ? c->recovery : -1;
    values[i].type = 1;
    values[i].result = v < 0 ? NOT_SUPPORTED : OK;
    values[i].value.u = (unsigned)v;
  }
  return OK;
}
typedef struct { unsigned pid; unsigned long long bytes; unsigned gi, ci; } process_t;
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned *count, process_t *list) {
  CARD(device);
  unsigned room = *count;
  *count = (unsigned)c->processes;
  if (room < *count) return TOO_SMALL;
  for (unsigned i = 0; i < *count; i++) list[i] = (process_t){c->process[i].pid, c->process[i].bytes, ~0u, ~0u};
  return OK;
}
nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned *count, process_t *list) { (void)list; CARD(device); *count = 0; return OK; }
#endif

typedef struct { nvmlDevice_t device; unsigned long long type, data; unsigned gi, ci; } event_t;
nvmlReturn_t nvmlEventSetCreate(void **set) {
  refresh();
  last_seq = 0;
  for (int i = 0; i < event_count; i++) if (events[i].seq > last_seq) last_seq = events[i].seq;
  *set = &last_seq;
  return OK;
}
nvmlReturn_t nvmlEventSetFree(void *set) { (void)set; return OK; }
nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device, unsigned long long *types) { CARD(device); *types = 0x1f; return OK; }
nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, void *set) {
  (void)set;
  CARD(device);
  return (types & ~0x1full) ? NOT_SUPPORTED : OK;
}
nvmlReturn_t nvmlEventSetWait_v2(void *set, event_t *data, unsigned timeout) {
  (void)set;
  /* The real one sleeps until the driver wakes it; FAKE_NVML_POLL says how often this one looks, in milliseconds. */
  const char *poll = getenv("FAKE_NVML_POLL");
  unsigned each = poll == NULL ? 20 : (unsigned)atoi(poll);
  for (unsigned waited = 0;; waited += each) {
    refresh();
    for (int i = 0; i < event_count; i++)
      if (events[i].seq > last_seq) {
        last_seq = events[i].seq;
        *data = (event_t){(nvmlDevice_t)(uintptr_t)(events[i].card + 1), events[i].type, events[i].data, ~0u, ~0u};
        return OK;
      }
    if (waited >= timeout) return TIMEOUT;
    usleep(each * 1000);
  }
}
