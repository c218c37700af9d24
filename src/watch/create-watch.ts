import { catalogGpu } from "../inventory/catalog-gpu.ts";
import { CardBook } from "./card-book.ts";
import type { Moment } from "./card-book.ts";
import type { CardLook, XidNotice } from "./card-sample.ts";
import { NO_CARDS } from "./card-sample.ts";
import { FaultGate } from "./fault-gate.ts";
import { HostReader } from "./host-reading.ts";
import { openKernelLog } from "./kernel-log/kernel-log.ts";
import type { KernelLog } from "./kernel-log/kernel-log.ts";
import type { KernelWord } from "./kernel-log/xid-line.ts";
import type { CardFault, CardReading, HostReading, Reading, Watch } from "./reading.ts";
import { Ring } from "./ring.ts";
import { SourceHolder } from "./source-holder.ts";

export interface WatchOptions {
  /** Milliseconds between two looks. */
  readonly interval?: number;
  /** Mounts to look at, absolute paths; all local file systems when absent. */
  readonly disks?: readonly string[];
  /** The program; `false` for never. */
  readonly nvidiaSmi?: string | false;
  /** Path of the library, or whether to look for it. */
  readonly nvml?: "auto" | false | (string & {});
  /** The kernel's device, a file that is appended to, or whether to look for it. */
  readonly kernelLog?: "auto" | false | (string & {});
  /** Stands for `/` of /proc and /sys; ends with a slash. */
  readonly root?: string;
  /** Looks that `recent` keeps. */
  readonly keep?: number;
  /** Milliseconds after which a driver that does not answer counts as hung. */
  readonly patience?: number;
  /** Milliseconds between two attempts to get a lost card back. */
  readonly retry?: number;
}

/** A watch with what its owner may want to know of it. */
export interface NodeWatch extends Watch {
  /** Resolves once it is known how cards are read, and they were. Rejects never. */
  readonly ready: Promise<void>;
  /** What it cannot see at present and why, with what to do: sentences for a person. */
  notes(): readonly string[];
}

/** Milliseconds for which the same Xid of the same card is counted rather than told. */
const XID_WINDOW = 10_000;
/** Milliseconds that the clock of the wall may differ from one look to the next before it counts as a jump. */
const JUMP = 5000;
/** Least milliseconds between two looks that something other than the interval asked for. */
const SOONEST = 200;
/** An Xid after which the driver does not reach the card. */
const FALLEN_OFF = 79;

/** Begins to look at cards and machine. Throws nothing: what cannot be read is absent, and named in `notes`. */
export function createWatch(options: WatchOptions = {}): NodeWatch {
  return new CardWatch(options);
}

class CardWatch implements NodeWatch {
  readonly ready: Promise<void>;
  readonly #interval: number;
  readonly #sources: SourceHolder;
  readonly #kernel: KernelLog | undefined;
  readonly #host: HostReader;
  readonly #book = new CardBook();
  readonly #gate = new FaultGate(XID_WINDOW);
  readonly #ring: Ring<Reading>;
  readonly #readingListeners = new Set<(reading: Reading) => void>();
  readonly #faultListeners = new Set<(fault: CardFault) => void>();
  #latest: Reading | undefined;
  #lastLook: CardLook | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #tickedAt = -Infinity;
  #planned = 0;
  #clockOffset = wallOffset();
  #jump: string | undefined;
  #closed = false;

  constructor(options: WatchOptions) {
    const { interval = 1000, root = "/", kernelLog = "auto", keep = 600 } = options;
    this.#interval = Math.max(50, interval);
    this.#ring = new Ring(keep);
    this.#host = new HostReader(root, options.disks);
    this.#sources = new SourceHolder({
      interval: this.#interval,
      nvidiaSmi: options.nvidiaSmi ?? "nvidia-smi",
      nvml: options.nvml ?? "auto",
      root,
      patience: options.patience ?? 10_000,
      retry: options.retry ?? 30_000,
      onXid: (notice) => this.#onXid(notice),
      onChange: () => this.#soon(),
    });
    // Opened before the cards are, so that nothing falls between.
    this.#kernel = kernelLog === false ? undefined : openKernelLog(kernelLog, (word) => this.#onWord(word));
    this.#planned = performance.now();
    this.ready = this.#begin();
  }

  get source(): Watch["source"] {
    return this.#sources.name;
  }

  latest(): Reading | undefined {
    return this.#latest;
  }

  async lookNow(): Promise<Reading> {
    await this.ready;
    this.#kernel?.read();
    return this.#compose(this.#closed ? NO_CARDS : await this.#sources.look(true));
  }

  recent(): readonly Reading[] {
    return this.#ring.all();
  }

  onReading(listener: (reading: Reading) => void): () => void {
    this.#readingListeners.add(listener);
    return () => this.#readingListeners.delete(listener);
  }

  onFault(listener: (fault: CardFault) => void): () => void {
    this.#faultListeners.add(listener);
    return () => this.#faultListeners.delete(listener);
  }

  notes(): readonly string[] {
    const kernel = this.source === "none" ? undefined : this.#kernel?.note();
    return [...this.#sources.problems(), kernel, this.#jump].filter((note) => note !== undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#kernel?.close();
    await this.#sources.close();
    await this.ready;
    await this.#ticking;
    this.#readingListeners.clear();
    this.#faultListeners.clear();
  }

  async #begin(): Promise<void> {
    // Disks come with the first reading: nobody takes a disk for missing that was not asked yet.
    await Promise.all([this.#sources.tend(performance.now()), this.#host.lookAtDisks()]);
    this.#planned = performance.now();
    await this.#tick();
    this.#schedule();
  }

  /** The next look, on a clock that does not jump; looks that were missed are not made up for. */
  #schedule(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#planned += this.#interval;
    if (this.#planned < now) this.#planned = now + this.#interval;
    this.#timer = setTimeout(() => {
      void this.#tick().then(() => this.#schedule());
    }, this.#planned - now);
  }

  /** A look without waiting for the interval: somebody says that something has changed. */
  #soon(): void {
    if (this.#closed || this.#ticking !== undefined || performance.now() - this.#tickedAt < SOONEST) return;
    void this.#tick();
  }

  #tick(): Promise<void> {
    this.#ticking ??= this.#look().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    const now = performance.now();
    this.#tickedAt = now;
    this.#noticeJump();
    this.#kernel?.read();
    for (const fault of this.#gate.flush(now)) this.#tell(this.#faultListeners, fault);
    void this.#sources.tend(now);
    // A driver that hangs does not keep the machine's own figures from being read.
    const look = await within(this.#sources.look(false), this.#interval);
    if (this.#closed) return;
    const reading = this.#compose(look);
    this.#ring.put(reading);
    this.#tell(this.#readingListeners, reading);
  }

  /** One look makes one reading, however many asked for it. */
  #compose(look: CardLook): Reading {
    if (look === this.#lastLook && look !== NO_CARDS && this.#latest !== undefined) return this.#latest;
    this.#lastLook = look;
    const now = moment();
    const { cards, faults } = this.#book.take(look, now);
    const host = this.#host.read();
    this.#latest = {
      ...now,
      cards: cards.map((card) => withSharedMemory(card, host)),
      host,
    };
    for (const fault of faults) this.#tell(this.#faultListeners, fault);
    return this.#latest;
  }

  #onWord(word: KernelWord): void {
    const uuid = this.#book.uuidAt(word.pci);
    if (word.kind === "xid") {
      const { kind, pci, xid, text, pid } = word;
      if (uuid !== undefined) this.#book.xid(uuid, xid);
      const fault = {
        kind,
        pci,
        xid,
        text,
        ...(uuid === undefined ? {} : { uuid }),
        ...(pid === undefined ? {} : { pid }),
      };
      this.#offer(fault, "kernel", 1);
    }
    const fallen = word.kind === "lost" || word.xid === FALLEN_OFF;
    if (!fallen || uuid === undefined) return;
    const said = word.text.replace(/^pid='?<unknown>'?, name=<unknown>, /, "");
    const reason = word.kind === "lost" ? said : `Xid ${FALLEN_OFF}: ${said}`;
    for (const fault of this.#book.lose(uuid, reason, moment(), true))
      this.#tell(this.#faultListeners, fault);
    this.#soon();
  }

  #onXid({ uuid, pci: told, xid, count }: XidNotice): void {
    // The kernel writes its line before the driver tells: with luck it has been read now, with its words.
    this.#kernel?.read();
    const pci = told ?? (uuid === undefined ? undefined : this.#book.pciOf(uuid)) ?? "unknown";
    if (uuid !== undefined) this.#book.xid(uuid, xid);
    const text = "told by NVML, without the kernel's words";
    this.#offer({ kind: "xid", pci, xid, text, ...(uuid === undefined ? {} : { uuid }) }, "nvml", count);
    this.#soon();
  }

  #offer(fault: Extract<CardFault, { kind: "xid" }>, teller: "nvml" | "kernel", count: number): void {
    const told = this.#gate.offer(fault, teller, count, performance.now());
    if (told !== undefined) this.#tell(this.#faultListeners, told);
  }

  #noticeJump(): void {
    const offset = wallOffset();
    const jumped = offset - this.#clockOffset;
    this.#clockOffset = offset;
    if (Math.abs(jumped) < JUMP) return;
    const direction = jumped > 0 ? "forwards" : "backwards";
    this.#jump = `The clock jumped ${direction} by ${Math.round(Math.abs(jumped) / 1000)} s at ${new Date().toISOString()}: it was set, or the machine slept.`;
  }

  /** A listener that fails is a defect of the listener; neither the watch nor the other listeners pay for it. */
  #tell<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}

const moment = (): Moment => ({ time: Date.now(), steady: performance.now() });

const wallOffset = (): number => Date.now() - performance.now();

async function within(look: Promise<CardLook>, milliseconds: number): Promise<CardLook> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CardLook>((resolve) => {
    timer = setTimeout(() => resolve(NO_CARDS), milliseconds);
  });
  try {
    return await Promise.race([look, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** GB10 and its kin have no memory of their own: theirs is the machine's. */
function withSharedMemory(card: CardReading, host: HostReading): CardReading {
  if (card.memoryTotal !== undefined) return card;
  if (catalogGpu({ name: card.name, vendor: "nvidia" })?.name !== "GB10") return card;
  const { memoryTotal, memoryAvailable } = host;
  return { ...card, memoryTotal, memoryFree: memoryAvailable, memoryUsed: memoryTotal - memoryAvailable };
}
