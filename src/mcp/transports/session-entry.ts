import type { Session } from "./session.ts";
import type { TableEntry } from "./session-table.ts";

/** What a session's messages go over. */
interface Carrier {
  /** Requests that it has not answered. */
  readonly running: number;
  /** Its client holds a stream open. */
  readonly listening: boolean;
}

/** A session with its transport, as the table of sessions keeps it. */
export class SessionEntry<T extends Carrier> implements TableEntry {
  readonly id: string;
  readonly key: string;
  readonly session: Session;
  readonly transport: T;

  constructor(session: Session, transport: T) {
    this.id = session.id;
    this.key = session.asker.caller.key;
    this.session = session;
    this.transport = transport;
  }

  busy(): boolean {
    return this.transport.running > 0;
  }

  listening(): boolean {
    return this.transport.listening;
  }

  end(): Promise<void> {
    return this.session.end();
  }
}
