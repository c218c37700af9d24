import type { EventLog } from "../../core/index.ts";
import type { Hub } from "../hub.ts";
import type { Pulse } from "./pulse.ts";

/** What all parts of an endpoint share. */
export interface EndpointContext {
  readonly hub: Hub;
  readonly version: string;
  /** Bytes of a body at most. */
  readonly bodyLimit: number;
  /** How long a client may take for one question of a server, in milliseconds. */
  readonly roundTime: number;
  readonly pulse: Pulse;
  readonly events: EventLog;
  readonly log: (line: string) => void;
}
