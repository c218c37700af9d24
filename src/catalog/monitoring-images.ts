/** What watches a node and is not Omni's: images by the digest of their index, and where that was read. */
export const MONITORING_IMAGES = {
  prometheus:
    "docker.io/prom/prometheus:v3.14.0@sha256:5ce7540c3c00ef4ab0c9d2c995c6a5b9c421f44b4a115d97a2c7af3b1c21cbb0",
  nodeExporter:
    "docker.io/prom/node-exporter:v1.12.1@sha256:1b4e4438faca4dd7e001dd445d161a4a2091b0fededa84093b3a8dfeae1f1be0",
  dcgmExporter:
    "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless@sha256:60d3b00ac80b4ae77f94dae2f943685605585ad9e92fdccda3154d009ae317cc",
  source:
    "https://hub.docker.com/u/prom, https://catalog.ngc.nvidia.com/orgs/nvidia/teams/k8s/containers/dcgm-exporter",
  date: "2026-10-15",
} as const;

/** Metrics of dcgm-exporter's default set (default-counters.csv); memory in MiB, `XID_ERRORS` is the last Xid seen. */
export const DCGM_METRICS = {
  free: "DCGM_FI_DEV_FB_FREE",
  used: "DCGM_FI_DEV_FB_USED",
  temperature: "DCGM_FI_DEV_GPU_TEMP",
  power: "DCGM_FI_DEV_POWER_USAGE",
  utilization: "DCGM_FI_DEV_GPU_UTIL",
  xid: "DCGM_FI_DEV_XID_ERRORS",
} as const;
