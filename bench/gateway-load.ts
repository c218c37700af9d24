/**
 * The load of the gateway benchmark, in a process of its own over undici: keeps `connections` requests in flight for
 * `time` milliseconds and reports how many were answered, and when the first byte of the body and the end came.
 */
import { Pool } from "undici";

export interface Load {
  /** `unix:PATH` or a URL. */
  readonly target: string;
  readonly connections: number;
  /** Milliseconds. */
  readonly time: number;
  readonly body: string;
  readonly key?: string;
}

/** Times are microseconds. */
export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  readonly firstP50: number;
  readonly firstP99: number;
  readonly wholeP50: number;
  readonly wholeP99: number;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

function run(load: Load): Promise<LoadResult> {
  const pool = load.target.startsWith("unix:")
    ? new Pool("http://localhost", { socketPath: load.target.slice(5), connections: load.connections })
    : new Pool(load.target, { connections: load.connections });
  const headers = ["content-type", "application/json", "authorization", `Bearer ${load.key ?? "sk-bench"}`];
  const options = { path: "/v1/chat/completions", method: "POST", headers, body: load.body } as const;
  const first: number[] = [];
  const whole: number[] = [];
  const start = performance.now();
  let failures = 0;
  let open = load.connections;
  return new Promise((resolve) => {
    const finish = (): void => {
      const seconds = (performance.now() - start) / 1000;
      first.sort((a, b) => a - b);
      whole.sort((a, b) => a - b);
      void pool.close().then(() =>
        resolve({
          requests: whole.length,
          failures,
          seconds,
          firstP50: quantile(first, 0.5),
          firstP99: quantile(first, 0.99),
          wholeP50: quantile(whole, 0.5),
          wholeP99: quantile(whole, 0.99),
        }),
      );
    };
    const next = (): void => {
      if (performance.now() - start < load.time) ask();
      else if (--open === 0) finish();
    };
    const ask = (): void => {
      const sent = performance.now();
      let seen = false;
      let ok = false;
      pool.dispatch(options, {
        onRequestStart() {},
        onResponseStart(_controller, status) {
          ok = status === 200;
        },
        onResponseData() {
          if (!seen) first.push((performance.now() - sent) * 1000);
          seen = true;
        },
        onResponseEnd() {
          if (ok) whole.push((performance.now() - sent) * 1000);
          else failures++;
          next();
        },
        onResponseError() {
          failures++;
          next();
        },
      });
    };
    for (let i = 0; i < load.connections; i++) ask();
  });
}

process.on("message", (load: Load) => {
  void run(load).then((result) => process.send?.(result));
});
process.once("disconnect", () => process.exit(0));
