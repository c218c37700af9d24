import type { Prompt, Resource, ResourceTemplateType, Tool } from "@modelcontextprotocol/server";
import { plainName } from "../../keys/tool-names.ts";
import type { HubServer } from "../hub.ts";
import type { ServerPolicy } from "../policy/server-policy.ts";
import type { Provider, ProviderChange } from "../provider.ts";
import { schemeOf } from "./addresses.ts";
import type { HubMember } from "./hub-options.ts";
import { Listing } from "./listing.ts";
import { listBound } from "./list-bounds.ts";
import { clientNames, toolEntries } from "./tool-entry.ts";
import type { Judgement, ToolEntry } from "./tool-entry.ts";

/** A prompt with its names. */
export interface PromptEntry {
  readonly link: ServerLink;
  readonly prompt: Prompt;
  readonly name: string;
  readonly shown: Prompt;
}

/** A kind of list of a server. */
export type Kind = "tools" | "resources" | "templates" | "prompts";

/** What a link tells the hub. */
export interface LinkNotices {
  /** `isAwaited`: somebody may have a list without what is there now. */
  readonly changed: (link: ServerLink, kind: "tools" | "resources" | "prompts", isAwaited: boolean) => void;
  readonly updated: (link: ServerLink, uri: string) => void;
  /** Judges the definitions of tools; what it names may not be called. */
  readonly judge: (link: ServerLink, tools: readonly Tool[]) => Judgement;
  /** Items of a list beyond what the hub takes from one server. */
  readonly cut: (link: ServerLink, kind: Kind, taken: number, of: number) => void;
  readonly now: () => number;
}

/** One server as the hub knows it: its lists, and how its names read outside. */
export class ServerLink {
  readonly name: string;
  readonly provider: Provider;
  readonly upstream: boolean;
  readonly lists: {
    readonly tools: Listing<Tool>;
    readonly resources: Listing<Resource>;
    readonly templates: Listing<ResourceTemplateType>;
    readonly prompts: Listing<Prompt>;
  };
  readonly #notices: LinkNotices;
  readonly #ended = new AbortController();
  readonly #unsubscribe: () => void;
  #policy: ServerPolicy;
  #prefix: boolean;
  #entries: readonly ToolEntry[] | undefined;
  #prompts: readonly PromptEntry[] | undefined;
  #quarantined = 0;

  constructor({ name, provider, upstream, policy }: HubMember, prefix: boolean, notices: LinkNotices) {
    this.name = name;
    this.provider = provider;
    this.upstream = upstream;
    this.#policy = policy;
    this.#prefix = prefix;
    this.#notices = notices;
    this.lists = {
      tools: this.#listing("tools", (signal) => provider.tools(signal)),
      resources: this.#listing("resources", (signal) => provider.resources(signal)),
      templates: this.#listing("templates", (signal) => provider.templates(signal)),
      prompts: this.#listing("prompts", (signal) => provider.prompts(signal)),
    };
    this.#unsubscribe = provider.onChange((change) => this.#onChange(change));
  }

  get policy(): ServerPolicy {
    return this.#policy;
  }

  get prefix(): boolean {
    return this.#prefix;
  }

  /** What stands before its addresses outside. */
  get scheme(): string {
    return this.#prefix ? schemeOf(this.name) : "";
  }

  /** Other settings of the same server. */
  settle(policy: ServerPolicy, prefix: boolean): void {
    this.#policy = policy;
    this.#prefix = prefix;
    this.judgeAgain();
  }

  /** The tools as last listed. */
  get tools(): readonly ToolEntry[] {
    if (this.#entries === undefined) {
      const tools = this.lists.tools.items;
      const judgement = this.#notices.judge(this, tools);
      this.#entries = toolEntries(this, tools, this.#policy, this.#prefix, judgement);
      this.#quarantined = this.#entries.filter(({ quarantine }) => quarantine !== undefined).length;
    }
    return this.#entries;
  }

  get prompts(): readonly PromptEntry[] {
    if (this.#prompts === undefined) {
      const prompts = this.lists.prompts.items;
      const names = clientNames(this.name, [...new Set(prompts.map(({ name }) => name))], this.#prefix);
      this.#prompts = prompts
        .map((prompt) => this.#promptEntry(prompt, names.get(prompt.name) ?? prompt.name))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    }
    return this.#prompts;
  }

  /** Its definitions were judged otherwise, or are named otherwise. */
  judgeAgain(): void {
    this.#entries = undefined;
    this.#prompts = undefined;
  }

  view(): HubServer {
    const tools = this.lists.tools.isLoaded ? this.tools : [];
    return {
      ...this.provider.view(),
      name: this.name,
      enabled: this.#policy.enabled,
      tools: tools.length - this.#quarantined,
      quarantined: this.#quarantined,
    };
  }

  plain(name: string): string {
    return plainName(this.name, name);
  }

  /** Ends its lists; the provider is its owner's to close. */
  close(): void {
    this.#ended.abort();
    this.#unsubscribe();
    for (const list of Object.values(this.lists)) list.close();
  }

  #promptEntry(prompt: Prompt, name: string): PromptEntry {
    return { link: this, prompt, name, shown: Object.freeze({ ...prompt, name }) };
  }

  #listing<T>(kind: Kind, ask: (signal: AbortSignal) => Promise<readonly T[]>): Listing<T> {
    const load = async (): Promise<readonly T[]> => {
      const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(this.#policy.timeout)]);
      const offers = await this.provider.offers(signal);
      if (!offers[kind === "templates" ? "resources" : kind]) return [];
      const items = await ask(signal);
      const taken = listBound(items);
      if (taken.length < items.length) this.#notices.cut(this, kind, taken.length, items.length);
      return taken;
    };
    const changed = (isAwaited: boolean): void => {
      if (kind === "tools") this.#entries = undefined;
      if (kind === "prompts") this.#prompts = undefined;
      this.#notices.changed(this, kind === "templates" ? "resources" : kind, isAwaited);
    };
    return new Listing(load, changed, this.#notices.now);
  }

  #onChange(change: ProviderChange): void {
    switch (change.kind) {
      case "updated":
        this.#notices.updated(this, change.uri);
        return;
      case "state":
        // Back after a failure: what could not be listed then can be now.
        if (this.provider.view().state === "ready")
          for (const list of Object.values(this.lists)) if (list.why !== undefined) list.expire();
        return;
      case "resources":
        this.lists.resources.expire();
        this.lists.templates.expire();
        return;
      case "tools":
      case "prompts":
        this.lists[change.kind].expire();
    }
  }
}
