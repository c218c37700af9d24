import type { Server } from "node:http";
import type { Engine } from "./engine.ts";

interface Listening {
  /** Refuses new connections; those that are open go on. */
  close(): void;
  /** Takes connections again. */
  open(): void;
}

const doors = new WeakMap<Engine, Listening>();

/** Remembers how an engine's doors are opened anew. */
export function keepDoors(engine: Engine, server: Server, reopen: (server: Server) => void): void {
  doors.set(engine, {
    close: () => void server.close(),
    open: () => {
      if (!server.listening) reopen(server);
    },
  });
}

/** The doors of an engine; nothing to open or close before it listens. */
export const listening = (engine: Engine): Listening => doors.get(engine) ?? { close() {}, open() {} };
