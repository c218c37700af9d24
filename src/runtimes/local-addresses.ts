import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalAddress } from "../core/index.ts";
import { firstFree } from "./first-free.ts";
import { freePort } from "./free-port.ts";
import { openSocketFolder, socketName } from "./socket-folder.ts";

/** Where engines of one node listen: sockets in a private folder, or ports of loopback. */
export class LocalAddresses {
  readonly #stateFolder: string;
  /** Sockets of engines that live, whoever started them. */
  readonly #living: () => ReadonlySet<string>;
  /** Ports that were promised to a service. */
  readonly #ports = new Map<string, number>();
  #sockets: string | undefined;

  constructor(stateFolder: string, living: () => ReadonlySet<string>) {
    this.#stateFolder = stateFolder;
    this.#living = living;
  }

  /** Like `Runtime.allocate`. */
  async allocate(
    service: string,
    wants: { readonly socket: boolean; readonly port?: number },
  ): Promise<LocalAddress> {
    if (wants.socket) {
      this.#sockets ??= openSocketFolder(this.#stateFolder, tmpdir(), this.#living());
      if (this.#sockets !== undefined)
        return { kind: "unix", path: this.#socketPath(this.#sockets, service) };
    }
    const promised = [...this.#ports].some(([other, port]) => other !== service && port === wants.port);
    const port = await freePort(promised ? undefined : wants.port);
    this.#ports.set(service, port);
    return { kind: "tcp", host: "127.0.0.1", port };
  }

  /** Removes the sockets but for those of `kept`, and the folder when none is. */
  close(kept: ReadonlySet<string>): void {
    const folder = this.#sockets;
    this.#sockets = undefined;
    if (folder === undefined) return;
    const stays = readdirSync(folder).filter((name) => kept.has(join(folder, name)));
    if (stays.length === 0) rmSync(folder, { recursive: true, force: true });
    else {
      for (const name of readdirSync(folder)) {
        if (!stays.includes(name)) rmSync(join(folder, name), { force: true });
      }
    }
  }

  #socketPath(folder: string, service: string): string {
    const stem = join(folder, socketName(service).slice(0, -".sock".length));
    const path = firstFree(stem, ".sock", this.#living());
    rmSync(path, { force: true });
    return path;
  }
}
