import { setTimeout as sleep } from "node:timers/promises";
import type { McpSubscription } from "@modelcontextprotocol/client";

import type { Link } from "./link.ts";

/** ms for a server to take a subscription. */
const TIMEOUT = 10_000;
/** ms that a list waits for it, and after which one that did not come is asked for again. */
const LIST_PATIENCE = 500;
const RETRY = 60_000;

/**
 * What a server is asked to tell by itself: changes of its lists, and of the resources that somebody watches. One stream
 * in the modern era, one request for each resource in the legacy era, and all of it anew on a new connection.
 */
export class Watches {
  readonly #uris = new Set<string>();
  readonly #onStreamEnd: () => void;
  #link: Link | undefined;
  #stream: McpSubscription | undefined;
  #listening: Promise<void> = Promise.resolve();
  #refusal: { readonly link: Link; readonly until: number } | undefined;

  /** `onStreamEnd` is called when the server no longer tells anything although the connection may be fine. */
  constructor(onStreamEnd: () => void) {
    this.#onStreamEnd = onStreamEnd;
  }

  get size(): number {
    return this.#uris.size;
  }

  /** Whether changes of lists arrive. */
  get hears(): boolean {
    if (this.#link === undefined || this.#link.gone) return false;
    return !this.#link.modern || this.#stream !== undefined;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Listens on this connection from now on. */
  attach(link: Link): Promise<void> {
    if (this.#link === link && this.hears) return this.#listening;
    this.#link = link;
    this.#stream = undefined;
    return this.#again(async () => {
      if (link.modern) return this.#listen(link);
      for (const uri of this.#uris) await this.#subscribe(link, uri).catch(() => {});
    });
  }

  /**
   * The same for a list, which is better fetched after the server listens: it waits a moment for that, and does not bother
   * a server again that did not answer.
   */
  async attachSoon(link: Link): Promise<void> {
    if (this.#refusal?.link === link && performance.now() < this.#refusal.until) return;
    const attached = this.attach(link).catch(() => {});
    const left = new AbortController();
    const late = sleep(LIST_PATIENCE, true, { signal: left.signal, ref: false }).catch(() => false);
    if (await Promise.race([attached, late])) this.#refusal = { link, until: performance.now() + RETRY };
    left.abort();
  }

  async add(uri: string): Promise<void> {
    this.#uris.add(uri);
    const link = this.#link;
    if (link === undefined || link.gone) return;
    await this.#again(() => (link.modern ? this.#listen(link) : this.#subscribe(link, uri)));
  }

  async remove(uri: string): Promise<void> {
    if (!this.#uris.delete(uri)) return;
    const link = this.#link;
    if (link === undefined || link.gone) return;
    await this.#again(async () => {
      if (link.modern) await this.#listen(link);
      else await link.request("resources/unsubscribe", { uri }, { timeout: TIMEOUT });
    }).catch(() => {});
  }

  has(uri: string): boolean {
    return this.#uris.has(uri);
  }

  /** One change of what is listened to after the other. */
  #again(change: () => Promise<unknown>): Promise<void> {
    const done = this.#listening.then(async () => void (await change()));
    this.#listening = done.catch(() => {});
    return done;
  }

  async #subscribe(link: Link, uri: string): Promise<void> {
    if (link.capabilities.resources?.subscribe !== true) return;
    await link.request("resources/subscribe", { uri }, { timeout: TIMEOUT });
  }

  async #listen(link: Link): Promise<void> {
    const { tools, resources, prompts } = link.capabilities;
    const filter = {
      ...(tools?.listChanged === true ? { toolsListChanged: true } : {}),
      ...(resources?.listChanged === true ? { resourcesListChanged: true } : {}),
      ...(prompts?.listChanged === true ? { promptsListChanged: true } : {}),
      ...(this.#uris.size > 0 ? { resourceSubscriptions: [...this.#uris] } : {}),
    };
    const before = this.#stream;
    if (Object.keys(filter).length === 0) {
      this.#stream = undefined;
      await before?.close();
      return;
    }
    const stream = await link.client.listen(filter, { timeout: TIMEOUT });
    this.#stream = stream;
    void this.#notice(link, stream);
    await before?.close();
  }

  async #notice(link: Link, stream: McpSubscription): Promise<void> {
    await stream.closed;
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    if (!link.gone) this.#onStreamEnd();
  }
}
