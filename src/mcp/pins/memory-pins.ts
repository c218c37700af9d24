import type { McpBook, PinRow } from "../../store/index.ts";

/** Pins of a gateway without a state folder: they last as long as the process. */
export class MemoryPins implements Pick<McpBook, "pins" | "pin" | "hasLostPins"> {
  readonly hasLostPins = false;
  readonly #servers = new Map<string, Map<string, PinRow>>();

  pins(server?: string): readonly PinRow[] {
    const maps = server === undefined ? [...this.#servers.values()] : [this.#servers.get(server)];
    return maps.flatMap((map) => [...(map?.values() ?? [])]);
  }

  pin(rows: readonly PinRow[]): void {
    for (const row of rows) {
      const map = this.#servers.get(row.server) ?? new Map<string, PinRow>();
      map.set(row.tool, row);
      this.#servers.set(row.server, map);
    }
  }
}
