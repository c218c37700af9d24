import type { Caller } from "../keys/index.ts";
import type { ContentKeeper, ContentTee } from "../telemetry/index.ts";
import type { Client } from "./client.ts";
import type { Outlet } from "./outlet.ts";

/** The outlet with an ear on the answer, where contents of the caller's key are kept; the outlet itself otherwise. */
export function withContents(
  { id, caller, outlet }: Pick<Client, "id" | "outlet"> & { readonly caller: Caller },
  request: Buffer,
  keeper: ContentKeeper,
): Outlet {
  const tee = keeper.begin(id, caller);
  if (tee === undefined) return outlet;
  tee.asked(request);
  outlet.once("close", () => tee.end());
  return new TeeOutlet(outlet, tee);
}

class TeeOutlet implements Outlet {
  readonly #outlet: Outlet;
  readonly #tee: ContentTee;

  constructor(outlet: Outlet, tee: ContentTee) {
    this.#outlet = outlet;
    this.#tee = tee;
  }

  get headersSent(): boolean {
    return this.#outlet.headersSent;
  }

  get destroyed(): boolean {
    return this.#outlet.destroyed;
  }

  get readsEvents(): boolean {
    return this.#outlet.readsEvents === true;
  }

  writeHead(status: number, headers: string[]): void {
    this.#outlet.writeHead(status, headers);
  }

  write(bytes: Buffer | string): boolean {
    this.#tee.answered(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    return this.#outlet.write(bytes);
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.#tee.answered(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    this.#outlet.end(bytes);
  }

  destroy(): void {
    this.#outlet.destroy();
  }

  once(event: "close" | "drain", listener: () => void): void {
    this.#outlet.once(event, listener);
  }

  off(event: "close" | "drain", listener: () => void): void {
    this.#outlet.off(event, listener);
  }
}
