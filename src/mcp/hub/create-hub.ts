import type { Hub } from "../hub.ts";
import type { HubOptions, HubSettings } from "./hub-options.ts";
import { OpenHub } from "./open-hub.ts";

/** A hub whose servers and policies may change while it runs. */
export interface ChangingHub extends Hub {
  /**
   * Takes other settings. A server that stays is the one with the same name and the same provider: its connections, lists
   * and watches stay. Providers that go are closed; resolves when they are.
   */
  update(settings: HubSettings): Promise<void>;
}

/** Makes one of many servers. It closes their providers when it is closed; the book is its opener's to close. */
export const createHub = (options: HubOptions): ChangingHub => new OpenHub(options);
