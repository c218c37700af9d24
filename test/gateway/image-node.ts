import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { LocalAddress } from "../../src/core/index.ts";
import { GIB } from "../../src/core/index.ts";
import { imageEndpoints } from "../../src/gateway/images/image-endpoints.ts";
import type { ImageLimits } from "../../src/gateway/images/image-limits.ts";
import { readImageModels } from "../../src/gateway/images/image-models.ts";
import { KeptImages } from "../../src/gateway/images/kept-images.ts";
import type { Backends, ServiceState } from "../../src/supervisor/backends.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import { serveSurface } from "../fakes/surface-server.ts";
import type { SimulatedEngine } from "../simulation/simulated.ts";
import { CARD, endAll, freePort, startSimulated, testBoard } from "../simulation/simulated.ts";

const WORKFLOWS = fileURLToPath(new URL("workflows/", import.meta.url));

/** A simulated ComfyUI in a process of its own, the images' surface before it, and the little supervisor it needs. */
export class ImageNode implements AsyncDisposable {
  readonly place = testBoard();
  readonly events = new MemoryEventLog();
  readonly folder = mkdtempSync(join(tmpdir(), "omni-images-"));
  readonly broken: string[] = [];
  readonly stopping = new AbortController();
  demands = 0;
  leases = 0;
  state: ServiceState = "ready";
  engine: SimulatedEngine | undefined;
  url = "";
  now = 0;
  /** Called when a request waits for the service. */
  onDemand: (() => void) | undefined;
  #close: (() => Promise<void>) | undefined;
  readonly #waiters = new Set<() => void>();

  async open(limits: Partial<ImageLimits> = {}, stepsPerSecond = 400): Promise<this> {
    await this.start(stepsPerSecond);
    const models = readImageModels(
      { images: { workflows: { flux: "text-to-image.json", "flux-edit": "edit.json" } }, chat: {} },
      WORKFLOWS,
    );
    this.now = Date.now();
    const bounds = { keptTime: 60_000, keptBytes: 100_000, ...limits };
    const kept = await KeptImages.open(join(this.folder, "images"), bounds, () => this.now);
    const { events } = this;
    const server = await serveSurface(
      imageEndpoints({
        backends: this.backends(),
        models,
        kept,
        events,
        limits,
        stopping: this.stopping.signal,
      }),
    );
    this.url = server.url;
    this.#close = () => server.close();
    return this;
  }

  /** Starts the engine, at the address that it had. */
  async start(stepsPerSecond = 400): Promise<void> {
    const address: LocalAddress = this.engine?.address ?? {
      kind: "tcp",
      host: "127.0.0.1",
      port: await freePort(),
    };
    this.engine = startSimulated(
      this.place.board,
      "comfyui",
      {
        service: "images",
        address,
        loadTime: 0,
        tokensPerSecond: stepsPerSecond,
        memory: { [CARD]: { weights: 12 * GIB, compute: 2 * GIB, overhead: GIB / 2 } },
      },
      ["python3", "main.py", "--listen", "127.0.0.1", "--preview-method", "latent2rgb"],
    );
    await this.engine.ready("/system_stats");
  }

  set(state: ServiceState): void {
    this.state = state;
    for (const wake of this.#waiters) wake();
  }

  backends(): Backends {
    return {
      services: () => [
        {
          name: "images",
          engine: "comfyui",
          kind: "comfyui",
          model: "flux",
          state: this.state,
          restarts: 0,
          since: 0,
          contextTokens: 0,
          parallel: 1,
          inFlight: this.leases,
        },
      ],
      routes: () => [],
      address: () => this.engine?.address,
      acquire: (service) => {
        if (service !== "images" || this.state !== "ready" || this.engine === undefined) return undefined;
        this.leases++;
        let held = true;
        return {
          address: this.engine.address,
          release: () => {
            if (held) this.leases--;
            held = false;
          },
        };
      },
      demand: () => {
        this.demands++;
        this.onDemand?.();
        return () => {};
      },
      whenReady: async (_service, timeout, signal) => {
        const until = Date.now() + timeout;
        while (this.state !== "ready" && this.state !== "failed" && Date.now() < until && !signal.aborted)
          await this.#change(until - Date.now(), signal);
        return this.state === "ready";
      },
      reportBroken: (_service, why) => void this.broken.push(why),
      diagnostics: () => [],
    };
  }

  #change(timeout: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, timeout));
      this.#waiters.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** What ComfyUI has of workflows. */
  async queue(): Promise<{ readonly running: number; readonly waiting: number; readonly kept: number }> {
    const ask = async (path: string): Promise<Record<string, unknown[]>> =>
      JSON.parse((await this.engine?.send("GET", path))?.body ?? "{}");
    const queue = await ask("/queue");
    const kept = Object.keys(await ask("/history")).length;
    return {
      running: queue["queue_running"]?.length ?? 0,
      waiting: queue["queue_pending"]?.length ?? 0,
      kept,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close?.();
    await endAll();
    this.place.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The workflow that a picture of the simulated ComfyUI carries, as the real one's do. */
export function workflowIn(png: Buffer): Record<string, { readonly inputs: Record<string, unknown> }> {
  const at = png.indexOf("tEXtprompt\0");
  const length = png.readUInt32BE(at - 4);
  return JSON.parse(png.toString("utf8", at + "tEXtprompt\0".length, at + 4 + length));
}

export const sizeOf = (png: Buffer): string => `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
