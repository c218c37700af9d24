import type { Tool } from "@modelcontextprotocol/server";
import type { EventLog } from "../../core/index.ts";
import { messageOf, OmniError } from "../../core/index.ts";
import type { McpBook, PinRow } from "../../store/index.ts";
import { visible } from "../approvals/visible-text.ts";
import type { Pin } from "../hub.ts";
import type { Judgement, Quarantine } from "../hub/tool-entry.ts";
import { definitionOf, definitionOfWords, hashOf } from "./definition.ts";
import type { Definition } from "./definition.ts";
import { MemoryPins } from "./memory-pins.ts";

/** Who accepted what was there when a tool was first seen. */
const FIRST_USE = "first use";
/** Who accepted what is no longer known. */
const LOST = "lost";
/** By what name a server's instructions are pinned; a tool that is called so is never accepted. */
const INSTRUCTIONS = "(instructions)";
/** Tools of one server that are pinned at most: one that invents names all the time fills no book. */
const MOST_PINS = 10_000;

type Offer = NonNullable<Pin["offered"]>;

/**
 * Accepted definitions of upstream tools. A tool is accepted as it is when it is first seen; from then on only as it is
 * pinned, until a person takes another definition. Pins stay when a tool goes, and count when it comes back.
 */
export class PinBoard {
  readonly #book: Pick<McpBook, "pins" | "pin" | "hasLostPins">;
  readonly #events: EventLog;
  readonly #now: () => number;
  /** By server and tool: what is offered in place of the pinned definition. */
  readonly #offers = new Map<string, Map<string, Offer>>();
  #saidUnreadable = false;

  constructor(book: McpBook | undefined, events: EventLog, now: () => number) {
    this.#book = book ?? new MemoryPins();
    this.#events = events;
    this.#now = now;
  }

  /** What is wrong with which of a server's tools. What is new is pinned. Throws nothing. */
  judge(server: string, tools: readonly Tool[]): Judgement {
    const definitions = definitionsOf(tools);
    try {
      let rows = this.#book.pins(server);
      if (this.#book.hasLostPins && rows.every(({ tool }) => tool === INSTRUCTIONS)) {
        // What was accepted is not known any more: each is pinned as something that nothing is.
        rows = [...definitions.keys()].map((tool) => this.#pinOf(server, tool, "", "", LOST));
        this.#book.pin(rows);
      }
      const pins = new Map(rows.filter(({ tool }) => tool !== INSTRUCTIONS).map((pin) => [pin.tool, pin]));
      const judgement = this.#compare(server, definitions, pins);
      if (pins.size + definitions.size <= MOST_PINS) this.#pinNew(server, definitions, pins);
      this.#saidUnreadable = false;
      return judgement;
    } catch (error) {
      this.#sayUnreadable(error);
      return new Map(
        tools.map(({ name }) => [
          name,
          quarantined("mcp.pins-unreadable", definitions.get(name)?.hash ?? ""),
        ]),
      );
    }
  }

  /** Whether a server's instructions are the accepted ones; the first ones are. Throws nothing. */
  acceptsWords(server: string, words: string): boolean {
    try {
      const definition = definitionOfWords(words);
      const pin = this.#book.pins(server).find(({ tool }) => tool === INSTRUCTIONS);
      const { hash, text } = definition;
      if (pin === undefined) {
        const isLost = this.#book.hasLostPins;
        const row = this.#pinOf(server, INSTRUCTIONS, hash, text, FIRST_USE);
        this.#book.pin([isLost ? { ...row, hash: "", definition: "", by: LOST } : row]);
        if (!isLost) return true;
      }
      const offers = this.#offers.get(server) ?? new Map<string, Offer>();
      if (pin !== undefined && isIntact(pin) && pin.hash === hash) {
        offers.delete(INSTRUCTIONS);
        return true;
      }
      this.#offers.set(server, offers);
      if (offers.get(INSTRUCTIONS)?.hash !== hash) this.#sayChanged(server, INSTRUCTIONS, definition, pin);
      offers.set(INSTRUCTIONS, { hash, definition: text, seen: this.#now() });
    } catch (error) {
      this.#sayUnreadable(error);
    }
    return false;
  }

  /** Every pin, and every tool that waits to be accepted. Empty where they cannot be read. */
  list(): readonly Pin[] {
    try {
      const pins = this.#book.pins().map((row): Pin => {
        const offered = this.#offers.get(row.server)?.get(row.tool);
        return offered === undefined ? row : { ...row, offered };
      });
      const known = new Set(pins.map(({ server, tool }) => JSON.stringify([server, tool])));
      for (const [server, offers] of this.#offers) {
        for (const [tool, offered] of offers) {
          if (!known.has(JSON.stringify([server, tool])))
            pins.push({ ...this.#pinOf(server, tool, "", "", LOST), accepted: 0, offered });
        }
      }
      return pins.toSorted(byName);
    } catch (error) {
      this.#sayUnreadable(error);
      return [];
    }
  }

  /** Throws `OmniError` `mcp.unknown-pin`, `mcp.pin-moved`, `store.unwritable`. */
  accept(server: string, tool: string, hash: string, by: string): void {
    const offers = this.#offers.get(server);
    const offered = offers?.get(tool);
    if (offered === undefined) {
      const pinned = this.#book.pins(server).find((pin) => pin.tool === tool);
      if (pinned === undefined)
        throw new OmniError(
          "mcp.unknown-pin",
          `No tool ${visible(tool, 64)} of the server ${visible(server, 64)} is pinned.`,
        );
      if (pinned.hash === hash) return;
    }
    if (offered?.hash !== hash)
      throw new OmniError(
        "mcp.pin-moved",
        `The tool ${visible(tool, 64)} of ${server} is offered with ${offered?.hash.slice(0, 12) ?? "its pinned definition"}, not with ${visible(hash.slice(0, 12), 12)}.`,
      );
    this.#book.pin([this.#pinOf(server, tool, hash, offered.definition, by)]);
    offers?.delete(tool);
    this.#events.record({
      kind: "mcp.pin-accepted",
      severity: "info",
      message: `${by} accepted the definition ${hash.slice(0, 12)} of the tool ${visible(tool, 64)} of ${server}.`,
      data: { server, tool: visible(tool, 64), hash, by },
    });
  }

  #compare(
    server: string,
    definitions: ReadonlyMap<string, Definition | undefined>,
    pins: ReadonlyMap<string, PinRow>,
  ): Judgement {
    const judgement = new Map<string, Quarantine>();
    const offers = new Map<string, Offer>();
    const before = this.#offers.get(server);
    const mayGrow = pins.size + definitions.size <= MOST_PINS;
    const words = before?.get(INSTRUCTIONS);
    if (words !== undefined) offers.set(INSTRUCTIONS, words);
    for (const [tool, definition] of definitions) {
      if (definition === undefined) {
        judgement.set(tool, quarantined("mcp.quarantined", ""));
        continue;
      }
      const pin = pins.get(tool);
      if (pin === undefined ? mayGrow : isIntact(pin) && pin.hash === definition.hash) continue;
      const known = before?.get(tool);
      const offer =
        known?.hash === definition.hash
          ? known
          : { hash: definition.hash, definition: definition.text, seen: this.#now() };
      offers.set(tool, offer);
      judgement.set(tool, quarantined("mcp.quarantined", definition.hash));
      if (offer !== known) this.#sayChanged(server, tool, definition, pin);
    }
    if (offers.size > 0) this.#offers.set(server, offers);
    else this.#offers.delete(server);
    return judgement;
  }

  #pinNew(
    server: string,
    definitions: ReadonlyMap<string, Definition | undefined>,
    pins: ReadonlyMap<string, PinRow>,
  ): void {
    const rows: PinRow[] = [];
    for (const [tool, definition] of definitions) {
      if (definition === undefined || pins.has(tool)) continue;
      const { hash, text } = definition;
      rows.push(this.#pinOf(server, tool, hash, text, FIRST_USE));
    }
    if (rows.length === 0) return;
    this.#book.pin(rows);
    const some = rows.slice(0, 5).map(({ tool }) => visible(tool, 64));
    const names = `${some.join(", ")}${rows.length > some.length ? `, and ${rows.length - some.length} more` : ""}`;
    this.#events.record({
      kind: "mcp.tools-pinned",
      severity: pins.size === 0 ? "info" : "warning",
      message:
        pins.size === 0
          ? `The ${rows.length} tools of the MCP server ${server} are pinned as they were at first use: ${names}.`
          : `The MCP server ${server} has new tools, pinned as they are now: ${names}.`,
      data: { server, tools: rows.length },
    });
  }

  #pinOf(server: string, tool: string, hash: string, definition: string, by: string): PinRow {
    return { server, tool, hash, definition, accepted: this.#now(), by };
  }

  #sayChanged(server: string, tool: string, definition: Definition, pin: PinRow | undefined): void {
    const was = pin === undefined ? "is not known to be accepted" : "is another one than the accepted one";
    this.#events.record({
      kind: "mcp.tool-quarantined",
      severity: "warning",
      message: `The definition of the tool ${visible(tool, 64)} of the MCP server ${server} ${was}: it is not offered until that is accepted (./omni mcp pins).`,
      data: { server, tool: visible(tool, 64), offered: definition.hash, pinned: pin?.hash ?? "" },
    });
  }

  #sayUnreadable(error: unknown): void {
    if (this.#saidUnreadable) return;
    this.#saidUnreadable = true;
    this.#events.record({
      kind: "mcp.pins-unreadable",
      severity: "error",
      message: `The accepted definitions of tools cannot be read or kept; pinned tools are not offered: ${messageOf(error)}`,
    });
  }
}

/** By name; `undefined` where a tool cannot be pinned: it is nested too deeply to be written, or has our own name. */
function definitionsOf(tools: readonly Tool[]): ReadonlyMap<string, Definition | undefined> {
  const definitions = new Map<string, Definition | undefined>();
  for (const tool of tools) {
    if (definitions.has(tool.name)) continue;
    try {
      definitions.set(tool.name, tool.name === INSTRUCTIONS ? undefined : definitionOf(tool));
    } catch {
      definitions.set(tool.name, undefined);
    }
  }
  return definitions;
}

const byName = (a: Pin, b: Pin): number =>
  (a.server === b.server ? a.tool < b.tool : a.server < b.server) ? -1 : 1;

/** A definition that no longer has its own hash was changed in the book itself. */
const isIntact = ({ definition, hash }: PinRow): boolean => hashOf(definition) === hash;

const quarantined = (code: Quarantine["code"], offered: string): Quarantine => ({ code, offered });
