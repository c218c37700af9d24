/** One happening of the node, with its cause. `seq` grows by one and never repeats within a state folder. */
export interface NodeEvent {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly severity: "info" | "warning" | "error";
  /** Dotted kind: `service.ready`, `service.crashed`, `request.retried`. */
  readonly kind: string;
  readonly service?: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type NewEvent = Omit<NodeEvent, "seq" | "time">;

/** Where events go and come from; `after` reads at most `limit` events with a greater `seq`, oldest first. */
export interface EventLog {
  record(event: NewEvent): NodeEvent;
  after(seq: number, limit: number): readonly NodeEvent[];
  /** The newest `limit` events, oldest first. */
  latest(limit: number): readonly NodeEvent[];
  subscribe(listener: (event: NodeEvent) => void): () => void;
}
