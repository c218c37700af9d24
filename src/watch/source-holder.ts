import { observePciGpus } from "../inventory/pci-gpus.ts";
import type { CardLook, CardSource, XidNotice } from "./card-sample.ts";
import { NO_CARDS } from "./card-sample.ts";
import { nvmlLibraries } from "./nvml/nvml-libraries.ts";
import { openNvml } from "./nvml/nvml-source.ts";
import { openSmi } from "./smi/smi-source.ts";

export interface SourceOptions {
  readonly interval: number;
  readonly nvidiaSmi: string | false;
  readonly nvml: string | false;
  readonly root: string;
  /** Milliseconds after which a driver that does not answer counts as hung. */
  readonly patience: number;
  /** Milliseconds between two attempts to get a lost card back. */
  readonly retry: number;
  onXid(notice: XidNotice): void;
  onChange(): void;
}

/** Milliseconds between two looks at what processes hold: a cheap question to NVML, a start of nvidia-smi. */
const SLOW = { nvml: 5000, "nvidia-smi": 30_000 } as const;
/** Milliseconds until a source is looked for again after it ended, and where there are cards and none was found. */
const AFTER_END = 1000;
const AFTER_NONE = 60_000;
/** NVML's program may end as often within the time until nvidia-smi is taken instead. */
const ENDS = { most: 3, within: 600_000 };

/** Finds the best way to read the cards, and another when that ends. It has no timer: `tend` is called at every interval. */
export class SourceHolder {
  readonly #options: SourceOptions;
  readonly #closing = new AbortController();
  #source: CardSource | undefined;
  #opening: Promise<void> | undefined;
  #openAt = 0;
  #ends: number[] = [];
  #refusals: readonly string[] = [];

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  get name(): "nvml" | "nvidia-smi" | "none" {
    return this.#source?.name ?? "none";
  }

  /** Looks for a source when it is time to. */
  tend(now: number): Promise<void> {
    if (this.#source !== undefined || this.#closing.signal.aborted || now < this.#openAt)
      return Promise.resolve();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async look(fresh: boolean): Promise<CardLook> {
    const source = this.#source;
    return source === undefined ? NO_CARDS : source.look(fresh);
  }

  problems(): readonly string[] {
    const problem = this.#source?.problem();
    return problem === undefined ? this.#refusals : [problem, ...this.#refusals];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    await this.#source?.close();
    this.#source = undefined;
  }

  async #open(): Promise<void> {
    const refusals: string[] = [];
    const source = (await this.#openNvml(refusals)) ?? (await this.#openSmi(refusals));
    this.#refusals = refusals;
    if (this.#closing.signal.aborted) return source?.close();
    this.#source = source;
    if (source !== undefined) return undefined;
    // The driver may be loaded later, where there is a card to load it for.
    const cards = observePciGpus(this.#options.root).some(({ vendor }) => vendor === "nvidia");
    this.#openAt = cards || refusals.length > 0 ? performance.now() + AFTER_NONE : Infinity;
    return undefined;
  }

  async #openNvml(refusals: string[]): Promise<CardSource | undefined> {
    const libraries = nvmlLibraries(this.#options.nvml, this.#options.root);
    const now = performance.now();
    this.#ends = this.#ends.filter((at) => now - at < ENDS.within);
    if (libraries.length === 0) return undefined;
    if (this.#ends.length >= ENDS.most) {
      refusals.push(
        `the program that reads NVML ended ${this.#ends.length} times; nvidia-smi is asked instead`,
      );
      return undefined;
    }
    const options = this.#options;
    const { patience, retry } = options;
    const onEnd = (): void => {
      this.#source = undefined;
      this.#ends.push(performance.now());
      this.#openAt = performance.now() + AFTER_END;
    };
    const opened = await openNvml(
      {
        libraries,
        patience,
        retry,
        slow: SLOW.nvml,
        onXid: (notice) => options.onXid(notice),
        onChange: () => options.onChange(),
        onEnd,
      },
      this.#closing.signal,
    );
    if (!("refused" in opened)) return opened;
    refusals.push(opened.refused);
    return undefined;
  }

  async #openSmi(refusals: string[]): Promise<CardSource | undefined> {
    const { nvidiaSmi, interval, patience, retry } = this.#options;
    if (nvidiaSmi === false || this.#closing.signal.aborted) return undefined;
    const opened = await openSmi(
      { program: nvidiaSmi, interval, patience, retry, holders: SLOW["nvidia-smi"] },
      this.#closing.signal,
    );
    if (!("refused" in opened)) return opened;
    if (!opened.absent) refusals.push(opened.refused);
    return undefined;
  }
}
