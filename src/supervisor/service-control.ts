export const SERVICE_ACTIONS = [
  "load",
  "unload",
  "restart",
  "drain",
  "resume",
  "step-down",
  "step-up",
] as const;

/** What an operator can ask of a service by hand. */
export type ServiceAction = (typeof SERVICE_ACTIONS)[number];

/** What came of it: whether it was begun, and a sentence for a person. What follows is seen in the service's state. */
export interface ActionAnswer {
  readonly ok: boolean;
  readonly message: string;
}

/** Orders by hand; `service` is one of the node's. */
export type ServiceControl = (service: string, action: ServiceAction) => ActionAnswer;
