import type { Answer } from "../../api/contract/index.ts";
import type { ServiceAction } from "../../supervisor/service-control.ts";

/** What an operator looks at, beside the model. */
export interface TopView {
  readonly page: "node" | "service" | "events" | "help";
  /** The service that keys act on; the first one while nobody chose. */
  readonly selected?: string;
  /** Lines that the events are scrolled back. */
  readonly back: number;
  readonly paused: boolean;
  /** An order that waits for y or n. */
  readonly question?: { readonly service: string; readonly action: ServiceAction };
  /** What came of the last order. */
  readonly notice?: { readonly ok: boolean; readonly text: string };
  /** The end of the selected service's log, once it came. */
  readonly log?: { readonly service: string; readonly log: Answer<"GET /api/services/{name}/log"> };
}

export const FIRST_VIEW: TopView = { page: "node", back: 0, paused: false };
