import { z } from "zod";
import { formatBytes } from "../../core/index.ts";
import type { StartProgress } from "../runtime.ts";

/** A message of `POST /images/create`. */
export const pullMessage = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
});
export type PullMessage = z.infer<typeof pullMessage>;

interface PulledLayer {
  readonly total?: number;
  readonly received: number;
  readonly unpacked: boolean;
}

/** Unpacking takes about as long as a fast download; of the whole it counts a quarter. */
const UNPACKING = 0.25;

/** How far a pull is, by the messages of its layers. */
export class PullProgress {
  readonly #image: string;
  readonly #layers = new Map<string, PulledLayer>();

  constructor(image: string) {
    this.#image = image;
  }

  /** Bytes that are still to come, as far as Docker has told. */
  get missing(): number {
    return this.#sum(({ total, received }) => Math.max(0, (total ?? 0) - received));
  }

  take({ id, status = "", progressDetail }: PullMessage): void {
    // Ids of layers are the first 12 digits of their digests; the tag has an id of its own.
    if (id === undefined || !/^[0-9a-f]{12}$/.test(id)) return;
    const before = this.#layers.get(id) ?? { received: 0, unpacked: false };
    const { current, total } = progressDetail ?? {};
    const known = before.total ?? 0;
    switch (status) {
      case "Already exists":
        this.#layers.set(id, { total: 0, received: 0, unpacked: true });
        break;
      case "Downloading":
        this.#layers.set(id, {
          ...before,
          received: current ?? before.received,
          ...(total === undefined || total <= 0 ? {} : { total }),
        });
        break;
      case "Verifying Checksum":
      case "Download complete":
      case "Extracting":
        this.#layers.set(id, { ...before, received: Math.max(known, before.received) });
        break;
      case "Pull complete":
        this.#layers.set(id, { ...before, received: Math.max(known, before.received), unpacked: true });
        break;
      default:
        this.#layers.set(id, before);
    }
  }

  /** For a person and a bar; the fraction is there once every layer's size is known. */
  view(): StartProgress {
    const layers = [...this.#layers.values()];
    if (layers.length === 0) return { message: `pulling ${this.#image}` };
    const ready = layers.filter(({ unpacked }) => unpacked).length;
    const received = this.#sum(({ received }) => received);
    const count = `${ready} of ${layers.length} layers`;
    if (layers.some(({ total, unpacked }) => total === undefined && !unpacked))
      return { message: `pulling ${this.#image}: ${formatBytes(received)} so far, ${count}` };
    const total = this.#sum(({ total }) => total ?? 0);
    const done = this.#sum(
      ({ received, unpacked, total = 0 }) => (unpacked ? total : 0) * UNPACKING + received * (1 - UNPACKING),
    );
    return {
      message: `pulling ${this.#image}: ${formatBytes(received)} of ${formatBytes(total)}, ${count}`,
      fraction: total === 0 ? 1 : Math.min(1, done / total),
    };
  }

  #sum(of: (layer: PulledLayer) => number): number {
    return [...this.#layers.values()].reduce((total, layer) => total + of(layer), 0);
  }
}
