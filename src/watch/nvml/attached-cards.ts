import { pciAddressOf } from "../../inventory/pci-address.ts";
import type { CardSample, LostCard } from "../card-sample.ts";
import { EVENT, NVML, isLost, nvmlWords } from "./constants.ts";
import type { NvmlLibrary } from "./library.ts";
import { readCard } from "./read-card.ts";
import type { AttachedCard, SlowFigures } from "./read-card.ts";

/** Looks in a row that end in an unknown error before a card counts as lost: one is often a passing one. */
const STRIKES = 3;

/**
 * The cards that the library holds handles for. A lost one is let go, so that it can be reset: the driver refuses to
 * reset a card that any process has open.
 */
export class AttachedCards {
  readonly #library: NvmlLibrary;
  #attached: AttachedCard[] = [];
  /** Every card ever seen, so that one that disappears can be named. */
  readonly #known = new Map<string, AttachedCard>();
  readonly #gone = new Map<string, string>();
  readonly #strikes = new Map<string, number>();
  readonly #slow = new Map<string, SlowFigures>();
  #events: bigint | undefined;

  constructor(library: NvmlLibrary) {
    this.#library = library;
  }

  /** The event set of what is attached; `undefined` where the driver tells no events. */
  get events(): bigint | undefined {
    return this.#events;
  }

  get anyGone(): boolean {
    return this.#gone.size > 0;
  }

  find(handle: bigint): AttachedCard | undefined {
    return this.#attached.find((card) => card.handle === handle);
  }

  /** Opens the library and every card that answers. Returns why it cannot be used, `undefined` when it can. */
  attach(): string | undefined {
    const status = this.#library.call("nvmlInit_v2");
    if (status !== NVML.success) return `NVML cannot be used: ${nvmlWords(status)}`;
    const count = Buffer.alloc(4);
    const counted = this.#library.call("nvmlDeviceGetCount_v2", count);
    if (counted !== NVML.success) return `NVML cannot count the cards: ${nvmlWords(counted)}`;
    const refused: number[] = [];
    this.#attached = Array.from({ length: count.readUInt32LE(0) }, (_, i) => this.#open(i, refused)).filter(
      (card) => card !== undefined,
    );
    for (const card of this.#attached) this.#known.set(card.uuid, card);
    const here = new Set(this.#attached.map(({ uuid }) => uuid));
    for (const uuid of here) this.#gone.delete(uuid);
    // A card that refuses its handle does not tell who it is: it is the one that is missing.
    for (const uuid of this.#known.keys())
      if (!here.has(uuid) && !this.#gone.has(uuid))
        this.#gone.set(
          uuid,
          refused[0] === undefined ? "the driver does not list it any more" : nvmlWords(refused[0]),
        );
    this.#register();
    return undefined;
  }

  /** Lets go of everything and opens what answers now. Not while a wait for events is under way. */
  reattach(): void {
    if (this.#events !== undefined) this.#library.call("nvmlEventSetFree", this.#events);
    this.#events = undefined;
    this.#library.call("nvmlShutdown");
    this.attach();
  }

  /** All cards as they are, `all` figures of them or those that change slowly as they were before. Those that have just been lost are let go with the next `reattach`. */
  look(all: boolean): { cards: CardSample[]; lost: LostCard[] } {
    const cards: CardSample[] = [];
    for (const card of this.#attached) {
      if (this.#gone.has(card.uuid)) continue;
      const read = readCard(this.#library, card, all ? undefined : this.#slow.get(card.uuid));
      if ("sample" in read) {
        this.#slow.set(card.uuid, read.slow);
        this.#strikes.delete(card.uuid);
        cards.push(read.sample);
      } else this.#fault(card, read.status, cards);
    }
    const lost = [...this.#gone].map(([uuid, reason]) => {
      const pci = this.#known.get(uuid)?.pci;
      return { uuid, ...(pci === undefined ? {} : { pci }), reason };
    });
    return { cards, lost };
  }

  #fault(card: AttachedCard, status: number, cards: CardSample[]): void {
    const strikes = (this.#strikes.get(card.uuid) ?? 0) + 1;
    this.#strikes.set(card.uuid, strikes);
    if (isLost(status) || strikes >= STRIKES) {
      this.#strikes.delete(card.uuid);
      this.#gone.set(card.uuid, nvmlWords(status));
      return;
    }
    const { uuid, name, pci } = card;
    cards.push({ uuid, name, ...(pci === undefined ? {} : { pci }) });
  }

  #open(index: number, refused: number[]): AttachedCard | undefined {
    const pointer = Buffer.alloc(8);
    const text = Buffer.alloc(96);
    const status = this.#library.call("nvmlDeviceGetHandleByIndex_v2", index, pointer);
    if (status !== NVML.success) {
      // One that belongs to somebody else is none of ours; it is not lost.
      if (status !== NVML.noPermission) refused.push(status);
      return undefined;
    }
    const handle = pointer.readBigUInt64LE(0);
    const uuidStatus = this.#library.call("nvmlDeviceGetUUID", handle, text, text.length);
    if (uuidStatus !== NVML.success) {
      refused.push(uuidStatus);
      return undefined;
    }
    const uuid = cString(text);
    const name =
      this.#library.call("nvmlDeviceGetName", handle, text, text.length) === NVML.success
        ? cString(text)
        : "NVIDIA GPU";
    // `nvmlPciInfo_t`: the address in full is text at byte 36.
    const found = this.#library.call("nvmlDeviceGetPciInfo_v3", handle, text) === NVML.success;
    const pci = found ? pciAddressOf(cString(text.subarray(36, 68))) : undefined;
    return { handle, uuid, name, ...(pci === undefined ? {} : { pci }) };
  }

  #register(): void {
    const pointer = Buffer.alloc(8);
    if (this.#library.wait === undefined || this.#attached.length === 0) return;
    if (this.#library.call("nvmlEventSetCreate", pointer) !== NVML.success) return;
    const set = pointer.readBigUInt64LE(0);
    const kinds = Buffer.alloc(8);
    let registered = 0;
    for (const { handle } of this.#attached) {
      const supported =
        this.#library.call("nvmlDeviceGetSupportedEventTypes", handle, kinds) === NVML.success
          ? kinds.readBigUInt64LE(0)
          : EVENT.xid;
      const wanted = supported & (EVENT.xid | EVENT.unavailable | EVENT.recovery);
      if (
        wanted !== 0n &&
        this.#library.call("nvmlDeviceRegisterEvents", handle, wanted, set) === NVML.success
      )
        registered++;
    }
    if (registered > 0) this.#events = set;
    else this.#library.call("nvmlEventSetFree", set);
  }
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}
