import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { Asker, HubChange } from "../hub.ts";
import type { ServerLink } from "./server-link.ts";
import { maySee } from "./view.ts";

/** Resources of one server that are watched at most: what clients ask for is kept, here and there. */
const MOST_WATCHED = 1000;

interface Listener {
  readonly asker: Asker;
  readonly tell: (change: HubChange) => void;
}

interface Watched {
  readonly askers: Asker[];
  /** Whether the server was asked for it. */
  isAsked: boolean;
  /** Steps towards the server one after the other, so that an end never overtakes its begin. */
  step: Promise<void>;
}

/** Who is told of what: changes of lists to everybody who sees the server, updates of a resource to who watches it. */
export class Watches {
  readonly #listeners = new Set<Listener>();
  /** By link and own address. */
  readonly #watched = new Map<ServerLink, Map<string, Watched>>();

  listen(asker: Asker, tell: (change: HubChange) => void): () => void {
    const listener = { asker, tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Rejects as the provider's `watch` does, and with `ProtocolError` where too much is watched. */
  async watch(link: ServerLink, own: string, asker: Asker): Promise<() => void> {
    const byUri = this.#watched.get(link) ?? new Map<string, Watched>();
    this.#watched.set(link, byUri);
    if (byUri.size >= MOST_WATCHED && !byUri.has(own))
      throw new ProtocolError(
        ProtocolErrorCode.InvalidRequest,
        `${MOST_WATCHED} resources of the server ${link.name} are watched already; no more can be.`,
      );
    const watched = byUri.get(own) ?? { askers: [], isAsked: false, step: Promise.resolve() };
    byUri.set(own, watched);
    watched.askers.push(asker);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      const at = watched.askers.indexOf(asker);
      if (at >= 0) watched.askers.splice(at, 1);
      this.#adjust(link, own, watched).catch(() => {
        // It was never watched, or its server is gone.
      });
    };
    try {
      await this.#adjust(link, own, watched);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  changed(link: ServerLink, kind: "tools" | "resources" | "prompts"): void {
    for (const { asker, tell } of this.#listeners) if (maySee(link, asker)) tell({ kind });
  }

  /** Everything may be another now: settings changed. */
  changedAll(): void {
    for (const { tell } of this.#listeners) for (const kind of KINDS) tell({ kind });
  }

  updated(link: ServerLink, own: string): void {
    const watched = this.#watched.get(link)?.get(own);
    if (watched === undefined) return;
    const told = new Set<Listener>();
    for (const asker of watched.askers) {
      const listeners = [...this.#listeners];
      // Who listens and watches as the same asker is meant itself; else all of its key by its way are.
      const same = listeners.filter((listener) => listener.asker === asker);
      for (const listener of same.length > 0
        ? same
        : listeners.filter((other) => isAlike(other.asker, asker)))
        told.add(listener);
    }
    for (const { asker, tell } of told)
      if (maySee(link, asker)) tell({ kind: "updated", uri: link.scheme + own });
  }

  /** The server is gone: nobody watches anything of it any more. */
  forget(link: ServerLink): void {
    this.#watched.delete(link);
  }

  close(): void {
    this.#listeners.clear();
    this.#watched.clear();
  }

  /** Asks the server for what is wanted now, after what it was asked before. Rejects as the provider does. */
  #adjust(link: ServerLink, own: string, watched: Watched): Promise<void> {
    const adjust = async (): Promise<void> => {
      const isWanted = watched.askers.length > 0;
      if (isWanted === watched.isAsked) return;
      watched.isAsked = isWanted;
      try {
        await (isWanted ? link.provider.watch(own) : link.provider.unwatch(own));
      } catch (error) {
        watched.isAsked = false;
        throw error;
      } finally {
        const byUri = this.#watched.get(link);
        if (watched.askers.length === 0 && byUri?.get(own) === watched) byUri.delete(own);
      }
    };
    watched.step = watched.step.then(adjust, adjust);
    return watched.step;
  }
}

const KINDS = ["tools", "resources", "prompts"] as const;

const isAlike = (a: Asker, b: Asker): boolean => a.caller.key === b.caller.key && a.channel === b.channel;
