import type { ProtocolError } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import { visible } from "../approvals/visible-text.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Asker, HubContext } from "../hub.ts";
import { mayReadAddress, mayReadFrom } from "../policy/key-scope.ts";
import { splitAddress } from "./addresses.ts";
import { unknownResource, unknownTool } from "./failures.ts";
import type { Links } from "./links.ts";
import { called } from "./search-tools.ts";
import type { PromptEntry, ServerLink } from "./server-link.ts";
import type { Permit } from "./view.ts";
import { settled } from "./waiting.ts";

type Arguments = Readonly<Record<string, unknown>>;

export type Found =
  | { readonly is: "permit"; readonly permit: Permit; readonly args: Arguments }
  | { readonly is: "search" }
  | { readonly is: "unreachable"; readonly error: OmniError };

/** Characters of an address. */
const MOST_ADDRESS = 8192;

/** Finds what a name or address of a client means, among what that client may use. */
export class Finder {
  readonly #links: Links;
  readonly #trail: AuditTrail;

  constructor(links: Links, trail: AuditTrail) {
    this.#links = links;
    this.#trail = trail;
  }

  /** A name that is none of the tools listed so far. Rejects with `ProtocolError` where it is none at all. */
  async tool(name: string, args: Arguments, asker: Asker, context: HubContext): Promise<Found> {
    if (SEARCH_NAMES.has(name)) await settled(this.#links.viewOf(asker).links, ["tools"], context.signal);
    const view = this.#links.viewOf(asker);
    if (view.isSearching && !view.permits.has(name)) {
      if (name === view.searchNames.search) return { is: "search" };
      if (name === view.searchNames.call) {
        const inner = called(args);
        return this.#named(inner.name, inner.args, asker, context);
      }
    }
    return this.#named(name, args, asker, context);
  }

  /** Waits until the server's tools are known. Rejects with `OmniError` `mcp.unknown-server`, `mcp.unreachable`. */
  async server(server: string, asker: Asker, signal: AbortSignal): Promise<ServerLink> {
    const link = this.#links.viewOf(asker).links.find(({ name }) => name === server);
    if (link === undefined)
      throw new OmniError(
        "mcp.unknown-server",
        `There is no MCP server ${visible(server, 64)} for this key.`,
      );
    await settled([link], ["tools"], signal, link.policy.timeout);
    if (!link.lists.tools.isLoaded) throw unreachable(link);
    return link;
  }

  /** Throws `ProtocolError` for what is not there and for what the asker may not read, alike. */
  resource(uri: string, asker: Asker): { readonly link: ServerLink; readonly own: string } {
    const found = this.#addressed(uri, asker);
    if (found === undefined) throw unknownResource(uri);
    return found;
  }

  async prompt(name: string, asker: Asker, signal: AbortSignal): Promise<PromptEntry | undefined> {
    const known = this.#links.viewOf(asker).prompts.get(name);
    if (known !== undefined) return known;
    const links = this.#unlisted(name, asker, "prompts");
    await settled(links, ["prompts"], signal, longest(links));
    return this.#links.viewOf(asker).prompts.get(name);
  }

  /** What a call of nothing is answered with; it is in the audit, for somebody tried. */
  unknown(name: string, server: string, args: Arguments, asker: Asker, context: HubContext): ProtocolError {
    this.#trail.add(
      {
        server,
        method: "tools/call",
        name: visible(name, 128),
        args,
        argumentBytes: 0,
        asker,
        context,
        began: performance.now(),
      },
      { outcome: "refused", code: "-32602" },
    );
    return unknownTool(name);
  }

  async #named(name: string, args: Arguments, asker: Asker, context: HubContext): Promise<Found> {
    const known = this.#links.viewOf(asker).permits.get(name);
    if (known !== undefined) return { is: "permit", permit: known, args };
    const links = this.#unlisted(name, asker, "tools");
    if (links.length > 0) {
      await settled(links, ["tools"], context.signal, longest(links));
      const permit = this.#links.viewOf(asker).permits.get(name);
      if (permit !== undefined) return { is: "permit", permit, args };
      const away = links.find((link) => !link.lists.tools.isLoaded);
      if (away !== undefined) return { is: "unreachable", error: unreachable(away) };
    }
    throw this.unknown(name, "", args, asker, context);
  }

  /** Servers whose names are not known yet and that may have this one. */
  #unlisted(name: string, asker: Asker, kind: "tools" | "prompts"): readonly ServerLink[] {
    return this.#links
      .viewOf(asker)
      .links.filter((link) => !link.lists[kind].isLoaded && mayBeOf(link, name));
  }

  #addressed(uri: string, asker: Asker): { readonly link: ServerLink; readonly own: string } | undefined {
    const { links } = this.#links.viewOf(asker);
    if (uri.length > MOST_ADDRESS) return undefined;
    const split = splitAddress(uri);
    for (const link of links) {
      const own = link.scheme === "" ? uri : split?.scheme === link.scheme ? split.own : undefined;
      if (own === undefined || own === "") continue;
      const may = mayReadFrom(asker.caller, link.name) && mayReadAddress(asker.caller, uri);
      return may ? { link, own } : undefined;
    }
    return undefined;
  }
}

const SEARCH_NAMES: ReadonlySet<string> = new Set([
  "search_tools",
  "call_tool",
  "omni_search_tools",
  "omni_call_tool",
]);

/** Long names are cut, but never their first characters. */
const mayBeOf = ({ name: server, prefix }: ServerLink, name: string): boolean =>
  !prefix || name.startsWith(`${server}__`.slice(0, 55));

const longest = (links: readonly ServerLink[]): number =>
  Math.max(0, ...links.map(({ policy }) => policy.timeout));

const unreachable = ({ name, lists }: ServerLink): OmniError =>
  new OmniError(
    "mcp.unreachable",
    `The MCP server ${name} is not there: ${lists.tools.why?.slice(0, 500) ?? "it did not start in time"}`,
  );
