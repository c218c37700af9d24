/** A metric of Omni's own. Who measures names it here, and who reads it looks here: no other place spells it. */
export interface OmniMetric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence with the unit, for `# HELP`. */
  readonly help: string;
  readonly labels: readonly string[];
  /** `gateway`: wherever the gateway runs. `node`: only where Omni runs on the machine itself and sees cards and disks. */
  readonly exportedBy: "gateway" | "node";
}

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
  },
  ready: {
    name: "omni_service_ready",
    type: "gauge",
    help: "1 when the service answers, 0 when it does not.",
    labels: ["omni_service"],
    exportedBy: "gateway",
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
  },
  firstToken: {
    name: "omni_time_to_first_token_seconds",
    type: "histogram",
    help: "Seconds from a request's last byte in to the first token out, waiting included.",
    labels: ["omni_route", "omni_service"],
    exportedBy: "gateway",
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
