import type { Prompt, Resource, ResourceTemplateType, Tool } from "@modelcontextprotocol/server";
import { plainName } from "../../keys/tool-names.ts";
import { mayUseServer, mayUseTool } from "../../keys/tool-scope.ts";
import type { Asker } from "../hub.ts";
import { rulesFor } from "../policy/argument-rules.ts";
import type { ArgumentRule } from "../policy/argument-rules.ts";
import { mayReadAddress, mayReadFrom } from "../policy/key-scope.ts";
import { isExposed, offersTool } from "../policy/server-policy.ts";
import { MOST_LISTED, sizeOf, within } from "./list-bounds.ts";
import { searchTools } from "./search-tools.ts";
import type { SearchTools } from "./search-tools.ts";
import type { PromptEntry, ServerLink } from "./server-link.ts";
import type { ToolEntry } from "./tool-entry.ts";
import { ToolIndex } from "./tool-index.ts";

/** A tool that an asker may call, and what its arguments must look like for that one. */
export interface Permit {
  readonly entry: ToolEntry;
  readonly rules: readonly ArgumentRule[];
}

/** Everything that askers of the same rights see by the same way, built once for all of their requests. */
export class View {
  /** Servers that they may use anything of, by name. */
  readonly links: readonly ServerLink[];
  readonly #asker: Asker;
  readonly #searchAbove: number;
  #permits: ReadonlyMap<string, Permit> | undefined;
  #byPlain: ReadonlyMap<string, Permit> | undefined;
  #tools: readonly Tool[] | undefined;
  #resources: readonly Resource[] | undefined;
  #templates: readonly ResourceTemplateType[] | undefined;
  #prompts: ReadonlyMap<string, PromptEntry> | undefined;
  #searching: boolean | undefined;
  #index: ToolIndex | undefined;
  #ours: SearchTools | undefined;

  constructor(asker: Asker, links: readonly ServerLink[], searchAbove: number) {
    this.#asker = asker;
    this.#searchAbove = searchAbove;
    this.links = links.filter((link) => maySee(link, asker));
  }

  /** By clients' names; quarantined ones too. Where two servers' names are one, the first server's counts. */
  get permits(): ReadonlyMap<string, Permit> {
    if (this.#permits !== undefined) return this.#permits;
    const permits = new Map<string, Permit>();
    for (const link of this.links) {
      for (const entry of link.tools) {
        if (permits.has(entry.name) || !mayCall(entry, this.#asker)) continue;
        const names = [entry.plain, entry.name];
        permits.set(entry.name, { entry, rules: rulesFor(this.#asker.caller.mcp?.arguments, names) });
      }
    }
    this.#permits = permits;
    return permits;
  }

  /** By server and own name. */
  permitOf(server: string, tool: string): Permit | undefined {
    this.#byPlain ??= new Map([...this.permits.values()].map((permit) => [permit.entry.plain, permit]));
    return this.#byPlain.get(plainName(server, tool));
  }

  /** All tools that may be called now. */
  get tools(): readonly Tool[] {
    this.#tools ??= Object.freeze(
      [...this.permits.values()]
        .filter(({ entry }) => entry.quarantine === undefined)
        .map(({ entry }) => entry.shown),
    );
    return this.#tools;
  }

  /** Whether there are so many that clients search. */
  get isSearching(): boolean {
    this.#searching ??=
      this.tools.length > this.#searchAbove || (sizeOf(this.tools) ?? MOST_LISTED + 1) > MOST_LISTED;
    return this.#searching;
  }

  /** What a client lists instead: the two tools by which it finds and calls the others. */
  get searchList(): readonly Tool[] {
    const { search, call } = this.#searchTools();
    return [search, call];
  }

  get searchNames(): { readonly search: string; readonly call: string } {
    const { search, call } = this.#searchTools();
    return { search: search.name, call: call.name };
  }

  get index(): ToolIndex {
    this.#index ??= new ToolIndex(
      [...this.permits.values()]
        .map(({ entry }) => entry)
        .filter(({ quarantine }) => quarantine === undefined),
    );
    return this.#index;
  }

  get resources(): readonly Resource[] {
    this.#resources ??= this.#addressed((link) =>
      link.lists.resources.items.map((resource) => ({ ...resource, uri: link.scheme + resource.uri })),
    ).filter(({ uri }) => mayReadAddress(this.#asker.caller, uri));
    return this.#resources;
  }

  get templates(): readonly ResourceTemplateType[] {
    this.#templates ??= this.#addressed((link) =>
      link.lists.templates.items.map((template) => ({
        ...template,
        uriTemplate: link.scheme + template.uriTemplate,
      })),
    );
    return this.#templates;
  }

  get prompts(): ReadonlyMap<string, PromptEntry> {
    if (this.#prompts !== undefined) return this.#prompts;
    const prompts = new Map<string, PromptEntry>();
    for (const link of this.links) {
      for (const entry of link.prompts) {
        if (!prompts.has(entry.name) && mayUseTool(this.#asker.caller, link.name, entry.prompt.name))
          prompts.set(entry.name, entry);
      }
    }
    this.#prompts = prompts;
    return prompts;
  }

  get promptList(): readonly Prompt[] {
    return within(
      [...this.prompts.values()].map(({ shown }) => shown),
      MOST_LISTED,
    );
  }

  #searchTools(): SearchTools {
    this.#ours ??= searchTools((name) => this.permits.has(name));
    return this.#ours;
  }

  #addressed<T>(of: (link: ServerLink) => readonly T[]): readonly T[] {
    return within(
      this.links.filter((link) => mayReadFrom(this.#asker.caller, link.name)).flatMap((link) => of(link)),
      MOST_LISTED,
    );
  }
}

/** Whether an asker may use anything at all of a server. */
export const maySee = (link: ServerLink, { caller, channel }: Asker): boolean =>
  isExposed(link.policy, channel) && mayUseServer(caller, link.name);

function mayCall({ link, tool, readOnly }: ToolEntry, { caller }: Asker): boolean {
  return (
    mayUseTool(caller, link.name, tool.name) &&
    (caller.mcp?.readOnly !== true || readOnly) &&
    offersTool(link.policy, tool.name)
  );
}
