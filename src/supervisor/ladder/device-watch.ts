import type { PlannedService } from "../../plan/plan.ts";
import type { CardReading, Reading } from "../../watch/reading.ts";
import { EASY, stepDevice } from "./device-pressure.ts";
import type { DeviceLook, DeviceStep } from "./device-pressure.ts";
import { lookAt } from "./ladder-devices.ts";
import type { LadderDevice } from "./ladder-devices.ts";
import type { Cause, Room } from "./ladder-state.ts";

/** After a step, a device is left alone for this long once the service is ready again; milliseconds. */
const SETTLES = 15_000;

/** What was said about a device is said again only after this much calm; milliseconds. */
const FORGOTTEN = 300_000;

const UNSEEN: DeviceStep = { state: EASY, missing: 0, tooHot: false, calm: false };

/** What is going on at one device, from look to look. */
export class DeviceWatch {
  readonly device: LadderDevice;
  /** It was said that nothing on it can step down. */
  told = false;
  #step: DeviceStep = UNSEEN;
  #look: DeviceLook | undefined;
  #card: CardReading | undefined;
  #limit = 0;
  #troubledAt = 0;
  /** No step before this. */
  #settledAt = 0;
  /** The service whose restart is waited for. */
  #settling: string | undefined;

  constructor(device: LadderDevice, before?: DeviceWatch) {
    this.device = device;
    if (before === undefined) return;
    this.told = before.told;
    this.#troubledAt = before.#troubledAt;
    this.#settledAt = before.#settledAt;
    this.#settling = before.#settling;
  }

  look(reading: Reading, maxTemperature: number, now: number): void {
    this.#look = lookAt(this.device, reading);
    this.#card = reading.cards.find(({ uuid }) => uuid === this.device.uuid);
    this.#limit = maxTemperature;
    this.#step =
      this.#look === undefined
        ? UNSEEN
        : stepDevice(this.#step.state, this.#look, { kept: this.device.kept, maxTemperature });
    if (!this.#step.calm) this.#troubledAt = now;
    else if (now - this.#troubledAt >= FORGOTTEN) this.told = false;
  }

  get room(): Room {
    const free = this.#look?.free;
    return { device: this.device.device, calm: this.#step.calm, ...(free === undefined ? {} : { free }) };
  }

  /** Bytes to free, while it is short of them. */
  get missing(): number {
    return this.#step.missing;
  }

  /** What is wrong with it, if anything; `foreign` says who else holds a card. */
  cause(foreign: (card: CardReading) => string | undefined): Cause | undefined {
    const { device, kept } = this.device;
    if (this.#step.missing > 0) {
      const who = this.#card && foreign(this.#card);
      const free = this.#look?.free ?? 0;
      return { is: "memory", device, free, kept, ...(who === undefined ? {} : { foreign: who }) };
    }
    const temperature = this.#look?.temperature;
    if (!this.#step.tooHot || temperature === undefined) return undefined;
    return { is: "heat", device, temperature, limit: this.#limit };
  }

  mayStep(now: number): boolean {
    return now >= this.#settledAt;
  }

  /** A step was taken: nothing more until its effect shows. `restarting` is the service whose new start it waits for. */
  settle(now: number, restarting: Pick<PlannedService, "name" | "loadTimeout"> | undefined): void {
    this.#settling = restarting?.name;
    this.#settledAt = now + SETTLES + (restarting?.loadTimeout ?? 0);
  }

  /** The service is ready or gone. */
  settled(service: string, now: number): void {
    if (this.#settling !== service) return;
    this.#settling = undefined;
    this.#settledAt = now + SETTLES;
  }
}
