import type { Tool } from "@modelcontextprotocol/server";
import type { EventLog } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { Asker } from "../hub.ts";
import { PinBoard } from "../pins/pin-board.ts";
import { protocolErrorOf } from "./failures.ts";
import type { HubOptions, HubSettings } from "./hub-options.ts";
import { ServerLink } from "./server-link.ts";
import type { LinkNotices } from "./server-link.ts";
import type { Judgement } from "./tool-entry.ts";
import type { View } from "./view.ts";
import { Views } from "./views.ts";
import { Watches } from "./watches.ts";

/** Milliseconds until pins that could not be read are tried again. */
const READ_AGAIN = 5000;
const NOTHING_WRONG: Judgement = new Map();

/** All servers of a hub, what each kind of asker sees of them, and who is told when that changes. */
export class Links {
  readonly watches = new Watches();
  readonly pins: PinBoard;
  readonly #events: EventLog;
  readonly #views: Views;
  readonly #notices: LinkNotices;
  #links: readonly ServerLink[];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HubOptions, now: () => number) {
    this.#events = options.events;
    this.pins = new PinBoard(options.book, options.events, now);
    this.#views = new Views(options.searchAbove);
    this.#notices = {
      now,
      changed: (link, kind, isAwaited) => {
        this.#views.forget();
        if (isAwaited) this.watches.changed(link, kind);
      },
      updated: (link, uri) => this.watches.updated(link, uri),
      judge: (link, tools) => this.#judge(link, tools),
      cut: (link, kind, taken, of) => this.#sayCut(link, kind, taken, of),
    };
    this.#links = options.servers.map((member) => new ServerLink(member, prefixOf(options), this.#notices));
    this.#views.set(this.#links, options.searchAbove);
  }

  get all(): readonly ServerLink[] {
    return this.#links;
  }

  /** Throws `ProtocolError` when the hub is closed. */
  viewOf(asker: Asker): View {
    if (this.#closed) throw protocolErrorOf(new OmniError("mcp.closed", "The tool gateway has ended."));
    return this.#views.of(asker);
  }

  async update(settings: HubSettings): Promise<void> {
    const prefix = prefixOf(settings);
    const before = new Set(this.#links);
    this.#links = settings.servers.map((member) => {
      const kept = this.#links.find(
        (link) =>
          link.name === member.name && link.provider === member.provider && link.upstream === member.upstream,
      );
      if (kept === undefined) return new ServerLink(member, prefix, this.#notices);
      kept.settle(member.policy, prefix);
      return kept;
    });
    for (const link of this.#links) before.delete(link);
    this.#views.set(this.#links, settings.searchAbove);
    this.watches.changedAll();
    const stay = new Set(this.#links.map(({ provider }) => provider));
    await Promise.all(
      [...before].map(async (link) => {
        this.watches.forget(link);
        link.close();
        if (!stay.has(link.provider)) await link.provider.close();
      }),
    );
  }

  /** Whether what a server says of itself may be told: words of an upstream that changed are not. */
  mayQuote(link: ServerLink, words: string): boolean {
    return !link.upstream || !link.policy.pin || this.pins.acceptsWords(link.name, words);
  }

  /** Its definitions are judged again: one of them was accepted. */
  judgeAgain(server: string): void {
    for (const link of this.#links) {
      if (link.name !== server) continue;
      link.judgeAgain();
      this.#views.forget();
      this.watches.changed(link, "tools");
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.watches.close();
    for (const link of this.#links) link.close();
    await Promise.all(this.#links.map(({ provider }) => provider.close()));
  }

  #judge(link: ServerLink, tools: readonly Tool[]): Judgement {
    if (!link.upstream || !link.policy.pin) return NOTHING_WRONG;
    const judgement = this.pins.judge(link.name, tools);
    const [first] = judgement.values();
    if (first?.code === "mcp.pins-unreadable" && !this.#closed)
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        for (const { name, upstream, policy } of this.#links)
          if (upstream && policy.pin) this.judgeAgain(name);
      }, READ_AGAIN).unref();
    return judgement;
  }

  #sayCut({ name }: ServerLink, kind: string, taken: number, of: number): void {
    this.#events.record({
      kind: "mcp.list-cut",
      severity: "warning",
      message: `The MCP server ${name} lists ${of} ${kind}, of which ${taken} are taken: the others are too many or too large.`,
      data: { server: name, kind, taken, of },
    });
  }
}

/** Names without their server's before them say what they mean only where there is one server. */
const prefixOf = ({ prefix, servers }: Pick<HubSettings, "prefix" | "servers">): boolean =>
  prefix || servers.length !== 1;
