import type { EngineTook } from "../engine.ts";

export type TookTerm = "weights" | "kvCache" | "compute";

/** What an engine's log says of each device, as it is read: pieces of the same term add up. Bytes. */
export class DeviceTally {
  readonly #byDevice = new Map<string, { weights?: number; kvCache?: number; compute?: number }>();

  add(device: string, term: TookTerm, bytes: number): void {
    if (!Number.isFinite(bytes) || bytes < 0) return;
    const terms = this.#byDevice.get(device) ?? {};
    terms[term] = (terms[term] ?? 0) + Math.round(bytes);
    this.#byDevice.set(device, terms);
  }

  /** For engines that say the whole term again, each time better: the newest counts. */
  set(device: string, term: TookTerm, bytes: number): void {
    if (!Number.isFinite(bytes) || bytes < 0) return;
    this.#byDevice.set(device, { ...this.#byDevice.get(device), [term]: Math.round(bytes) });
  }

  /** By the names of the devices, numbers as numbers. */
  devices(): EngineTook["devices"] {
    return [...this.#byDevice]
      .map(([device, terms]) => ({ device, ...terms }))
      .toSorted((a, b) => a.device.localeCompare(b.device, "en", { numeric: true }));
  }
}
