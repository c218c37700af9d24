import type { EngineDriver, EngineLoad, Health } from "../engine.ts";
import { COMFYUI_FAILURES, COMFYUI_SERVING } from "../failures/python-failures.ts";
import { asList, asObject, parseJson } from "../json-object.ts";
import { present } from "../metrics/engine-load.ts";
import { notReady } from "./http-health.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy, saidOnce } from "./reading.ts";

/**
 * ComfyUI. No image is small enough for a probe. Models are loaded by workflows, as they need them and as room is, so that
 * its log tells nothing that would hold for the next one.
 */
export const comfyuiDriver: EngineDriver = {
  kind: "comfyui",
  title: "ComfyUI",
  listensOnSocket: false,
  healthPath: "/system_stats",
  readHealth,
  load: { request: { method: "GET", path: "/queue" }, read: readQueue },
  ...failuresBy(COMFYUI_FAILURES, COMFYUI_SERVING),
  readTook: () => ({ devices: [] }),
  onProcessorInstead: saidOnce(/(?:^|[\s\]])Device: cpu\b|Torch not compiled with CUDA enabled/),
  // Estimates: importing PyTorch and the custom nodes; a model is read by the first workflow that needs it.
  loadTime: loadingTime({ start: 20_000, bytesPerSecond: Infinity }),
};

function readHealth(status: number, body: string): Health {
  const devices = asList(asObject(parseJson(body))?.["devices"]);
  return status === 200 && devices !== undefined
    ? { state: "ready" }
    : notReady("/system_stats", status, body);
}

function readQueue(body: string): EngineLoad {
  const queue = asObject(parseJson(body));
  return present({
    running: asList(queue?.["queue_running"])?.length,
    waiting: asList(queue?.["queue_pending"])?.length,
    kvUsed: undefined,
    promptTokens: undefined,
    generatedTokens: undefined,
    preempted: undefined,
    progress: undefined,
  });
}
