import type { StreamSources } from "../../src/api/stream/index.ts";
import type { OpenRequest } from "../../src/gateway/open-exchanges.ts";
import type { NodeStatus } from "../../src/gateway/status-endpoint.ts";
import type { RequestRow } from "../../src/store/index.ts";
import type { ServiceView } from "../../src/supervisor/index.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";

type Routes = NodeStatus["routes"];

/** A node as the stream asks it, which counts what is asked and who listens. */
export class FakeSources implements StreamSources {
  readonly events = new MemoryEventLog();
  readonly asked = { status: 0, frame: 0, services: 0, traffic: 0, hardware: 0, open: 0, runs: 0 };
  counts: Record<string, NodeStatus["traffic"][string]> = { oracle: traffic(0), flux: traffic(0) };
  routes: Routes = [];
  #views: ServiceView[] = [view("oracle"), view("flux")];
  #open: OpenRequest[] = [];
  readonly #readings = new Set<() => void>();
  readonly #requests = new Set<(row: RequestRow) => void>();
  #runs = 0;

  readonly status: StreamSources["status"] = () => {
    this.asked.status++;
    return {
      version: "1.0.0",
      url: "http://127.0.0.1:1",
      pid: 1,
      started: 0,
      uptime: 1,
      stopping: false,
      services: this.#views,
      routes: this.routes,
      diagnostics: [],
      traffic: this.counts,
    };
  };

  readonly frame: StreamSources["frame"] = () => {
    this.asked.frame++;
    return { routes: this.routes, diagnostics: [] };
  };

  readonly services: StreamSources["services"] = () => {
    this.asked.services++;
    return this.#views;
  };

  readonly traffic: StreamSources["traffic"] = () => {
    this.asked.traffic++;
    return this.counts;
  };

  readonly hardware: StreamSources["hardware"] = () => {
    this.asked.hardware++;
    return { source: "none", reading: null, notes: [] };
  };

  readonly open: StreamSources["open"] = () => {
    this.asked.open++;
    return { requests: this.#open, total: this.#open.length };
  };

  readonly onReading: StreamSources["onReading"] = (listener) => {
    this.#readings.add(listener);
    return () => this.#readings.delete(listener);
  };

  readonly onRequest: StreamSources["onRequest"] = (listener) => {
    this.#requests.add(listener);
    return () => this.#requests.delete(listener);
  };

  readonly openRuns: StreamSources["openRuns"] = () => {
    this.#runs++;
    let first = true;
    return {
      look: () => {
        this.asked.runs++;
        const found = first ? [] : undefined;
        first = false;
        return found;
      },
      close: () => void this.#runs--,
    };
  };

  /** Who listens and what is open, of all sources together. */
  listening(): number {
    return this.events.listeners + this.#readings.size + this.#requests.size + this.#runs;
  }

  service(name: string, changes: Partial<ServiceView>): void {
    this.#views = this.#views.map((one) => (one.name === name ? { ...one, ...changes } : one));
    this.events.record({ kind: "service.changed", severity: "info", service: name, message: "It changed." });
  }

  drop(name: string): void {
    this.#views = this.#views.filter((one) => one.name !== name);
  }

  look(): void {
    for (const listener of this.#readings) listener();
  }

  finished(id: string): void {
    for (const listener of this.#requests) listener(row(id));
  }

  opened(id: string): void {
    this.#open = [{ id, started: 1, operation: "chat", key: "local", stream: true, attempts: 1 }];
  }
}

const view = (name: string): ServiceView => ({
  name,
  engine: "llama.cpp",
  model: "m",
  state: "ready",
  restarts: 0,
  contextTokens: 4096,
  parallel: 1,
  since: 0,
});

export const traffic = (attempts: number): NodeStatus["traffic"][string] => ({
  attempts,
  inFlight: 0,
  retried: 0,
  cut: 0,
  continued: 0,
  promptTokens: 0,
  completionTokens: 0,
});

const row = (id: string): RequestRow => ({
  id,
  started: 1,
  method: "POST",
  path: "/v1/chat/completions",
  operation: "chat",
  status: 200,
  outcome: "answered",
  key: "local",
  stream: false,
  attempts: 1,
  continued: 0,
  duration: 5,
  queued: 0,
  bytesIn: 1,
  bytesOut: 1,
});
