/** A metric of Omni's own. Who measures names it here, and who reads it looks here: no other place spells it. */
export interface OmniMetric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence with the unit, for `# HELP`. */
  readonly help: string;
  readonly labels: readonly string[];
  /** `gateway`: wherever the gateway runs. `node`: only where Omni runs on the machine itself and sees cards and disks. */
  readonly exportedBy: "gateway" | "node";
  /** Upper bounds of a histogram's buckets, rising, in the unit of its name; the last one, infinite, is left out. */
  readonly buckets?: readonly number[];
  /** How the figures of several processes become one; `sum` when absent. */
  readonly merge?: "sum" | "max";
}

/** Seconds. vLLM's own boundaries (vllm/v1/metrics/loggers.py), so that gateway and engine can be laid over each other. */
const FIRST_TOKEN_BUCKETS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
] as const;
const INTER_TOKEN_BUCKETS = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
] as const;
/** vLLM's begin at 0.3; embeddings and small models answer long before. */
const DURATION_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480,
  960, 1920, 7680,
] as const;
/** A place is free at once, or after an answer, or after a load. */
const QUEUE_BUCKETS = [
  0.001, 0.005, 0.01, 0.05, 0.1, 0.3, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 240, 480, 960,
] as const;
const LOOP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/**
 * The metrics, by what they are about. Labels: `omni_service` and `omni_route` are names of the spec; they are not called
 * `service`, because Prometheus puts a label of that name on everything that it finds by a Service of Kubernetes.
 */
export const OMNI_METRICS = {
  build: {
    name: "omni_build_info",
    type: "gauge",
    help: "1; the version of Omni is its label.",
    labels: ["version"],
    exportedBy: "gateway",
    merge: "max",
  },
  ready: {
    name: "omni_service_ready",
    type: "gauge",
    help: "1 when the service answers, 0 when it does not.",
    labels: ["omni_service"],
    exportedBy: "gateway",
    merge: "max",
  },
  requests: {
    name: "omni_requests_total",
    type: "counter",
    help: "Requests answered, by route, by the service that answered and by status code.",
    labels: ["omni_route", "omni_service", "code"],
    exportedBy: "gateway",
  },
  duration: {
    name: "omni_request_duration_seconds",
    type: "histogram",
    help: "Seconds from a request's last byte in to its answer's last byte out.",
    labels: ["omni_route", "omni_service"],
    exportedBy: "gateway",
    buckets: DURATION_BUCKETS,
  },
  firstToken: {
    name: "omni_time_to_first_token_seconds",
    type: "histogram",
    help: "Seconds from a request's last byte in to the first token out, waiting included.",
    labels: ["omni_route", "omni_service"],
    exportedBy: "gateway",
    buckets: FIRST_TOKEN_BUCKETS,
  },
  interToken: {
    name: "omni_inter_token_latency_seconds",
    type: "histogram",
    help: "Seconds between two events of a stream that carried content.",
    labels: ["omni_service"],
    exportedBy: "gateway",
    buckets: INTER_TOKEN_BUCKETS,
  },
  queueTime: {
    name: "omni_request_queue_time_seconds",
    type: "histogram",
    help: "Seconds that a request waited for a place or for its model to be loaded.",
    labels: ["omni_route", "omni_service"],
    exportedBy: "gateway",
    buckets: QUEUE_BUCKETS,
  },
  running: {
    name: "omni_requests_running",
    type: "gauge",
    help: "Requests that a service is answering.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  queued: {
    name: "omni_requests_queued",
    type: "gauge",
    help: "Requests that wait for a service.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  tokens: {
    name: "omni_tokens_total",
    type: "counter",
    help: "Tokens, by direction: prompt or generated.",
    labels: ["omni_service", "direction"],
    exportedBy: "gateway",
  },
  ladder: {
    name: "omni_service_ladder_steps",
    type: "gauge",
    help: "Steps of the contingency ladder that a service has gone down; 0 is as planned.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  outcomes: {
    name: "omni_request_outcomes_total",
    type: "counter",
    help: "Requests by how they ended: answered, refused, failed, cut or abandoned.",
    labels: ["omni_route", "omni_service", "outcome"],
    exportedBy: "gateway",
  },
  refusals: {
    name: "omni_requests_refused_total",
    type: "counter",
    help: "Requests that Omni itself refused, by the code of its answer; limits of keys and full queues among them.",
    labels: ["reason"],
    exportedBy: "gateway",
  },
  retries: {
    name: "omni_request_retries_total",
    type: "counter",
    help: "Tries after a request's first one.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  continued: {
    name: "omni_streams_continued_total",
    type: "counter",
    help: "Times that a cut answer was continued on another engine.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  keyRequests: {
    name: "omni_key_requests_total",
    type: "counter",
    help: "Requests by the name of their key.",
    labels: ["omni_key"],
    exportedBy: "gateway",
  },
  keyTokens: {
    name: "omni_key_tokens_total",
    type: "counter",
    help: "Tokens by the name of their key and by direction: prompt or generated.",
    labels: ["omni_key", "direction"],
    exportedBy: "gateway",
  },
  cachedTokens: {
    name: "omni_cached_tokens_total",
    type: "counter",
    help: "Tokens of prompts that an engine had in its cache.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  openRequests: {
    name: "omni_gateway_open_requests",
    type: "gauge",
    help: "Requests that are being answered or wait, streams included.",
    labels: [],
    exportedBy: "gateway",
  },
  streams: {
    name: "omni_gateway_open_streams",
    type: "gauge",
    help: "Event streams that are open to clients.",
    labels: [],
    exportedBy: "gateway",
  },
  ejected: {
    name: "omni_service_ejected",
    type: "gauge",
    help: "1 while the router keeps requests away from a service that failed too often.",
    labels: ["omni_service"],
    exportedBy: "gateway",
    merge: "max",
  },
  ejections: {
    name: "omni_service_ejections_total",
    type: "counter",
    help: "Times that the router began to keep requests away from a service.",
    labels: ["omni_service"],
    exportedBy: "gateway",
  },
  workers: {
    name: "omni_gateway_workers",
    type: "gauge",
    help: "Processes that serve the gateway's port.",
    labels: [],
    exportedBy: "gateway",
  },
  loopDelay: {
    name: "omni_gateway_event_loop_delay_seconds",
    type: "histogram",
    help: "Seconds that a gateway process was late for a timer of half a second, measured while requests come.",
    labels: [],
    exportedBy: "gateway",
    buckets: LOOP_BUCKETS,
  },
  processMemory: {
    name: "omni_gateway_memory_bytes",
    type: "gauge",
    help: "Bytes that the gateway's processes hold, by kind: resident, heap or external.",
    labels: ["kind"],
    exportedBy: "gateway",
  },
  processTime: {
    name: "omni_gateway_cpu_seconds_total",
    type: "counter",
    help: "Seconds of processor time that the gateway's processes used, by mode: user or system.",
    labels: ["mode"],
    exportedBy: "gateway",
  },
  telemetryDropped: {
    name: "omni_telemetry_dropped_total",
    type: "counter",
    help: "What telemetry could not keep up with, by kind: access_log, span, request_row or content.",
    labels: ["kind"],
    exportedBy: "gateway",
  },
  restarts: {
    name: "omni_service_restarts_total",
    type: "counter",
    help: "Starts of a service after its first one.",
    labels: ["omni_service"],
    exportedBy: "node",
  },
  cardFree: {
    name: "omni_gpu_memory_free_bytes",
    type: "gauge",
    help: "Bytes of a card's memory that nobody has.",
    labels: ["gpu", "uuid"],
    exportedBy: "node",
  },
  cardUsed: {
    name: "omni_gpu_memory_used_bytes",
    type: "gauge",
    help: "Bytes of a card's memory in use.",
    labels: ["gpu", "uuid"],
    exportedBy: "node",
  },
  cardTemperature: {
    name: "omni_gpu_temperature_celsius",
    type: "gauge",
    help: "Degrees Celsius of a card's processor.",
    labels: ["gpu", "uuid"],
    exportedBy: "node",
  },
  cardXid: {
    name: "omni_gpu_last_xid",
    type: "gauge",
    help: "Number of the last Xid of a card since Omni started, 0 for none.",
    labels: ["gpu", "uuid"],
    exportedBy: "node",
  },
  diskFree: {
    name: "omni_disk_free_bytes",
    type: "gauge",
    help: "Bytes that a disk of the spec has free.",
    labels: ["disk", "mount"],
    exportedBy: "node",
  },
  memoryAvailable: {
    name: "omni_memory_available_bytes",
    type: "gauge",
    help: "Bytes of main memory that programs can still get.",
    labels: [],
    exportedBy: "node",
  },
} as const satisfies Readonly<Record<string, OmniMetric>>;
