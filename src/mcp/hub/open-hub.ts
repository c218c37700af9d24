import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import { ApprovalDesk } from "../approvals/approval-desk.ts";
import { Approver } from "../approvals/approver.ts";
import { CallStates } from "../approvals/call-state.ts";
import { visible } from "../approvals/visible-text.ts";
import { AuditTrail } from "../audit/audit-trail.ts";
import type { Asker, AuditEntry, AuditQuery, Hub, HubChange, HubContext } from "../hub.ts";
import type { HubServer, PendingApproval, Pin } from "../hub.ts";
import { CallRates } from "../policy/call-rates.ts";
import type { Answer } from "../provider.ts";
import { failedTool, unknownPrompt } from "./failures.ts";
import { Finder } from "./finder.ts";
import type { HubOptions, HubSettings } from "./hub-options.ts";
import { instructionsText } from "./instructions.ts";
import { Links } from "./links.ts";
import { Readings } from "./readings.ts";
import { RefusalLog } from "./refusal-log.ts";
import { search } from "./search-tools.ts";
import type { ServerLink } from "./server-link.ts";
import { ToolCalls } from "./tool-calls.ts";
import type { Permit } from "./view.ts";
import { settled, withinTime } from "./waiting.ts";

/** The hub, composed of its parts; each request finds what it means (`Finder`) and goes its way. */
export class OpenHub implements Hub {
  readonly #links: Links;
  readonly #finder: Finder;
  readonly #calls: ToolCalls;
  readonly #readings: Readings;
  readonly #desk: ApprovalDesk;
  readonly #approver: Approver;
  readonly #trail: AuditTrail;

  constructor(options: HubOptions) {
    const { events, book, stateSecret, auditArguments, approvalTimeout, now = Date.now } = options;
    const states = new CallStates(stateSecret, now);
    this.#desk = new ApprovalDesk(events, now);
    this.#approver = new Approver(states, this.#desk, approvalTimeout, now);
    this.#trail = new AuditTrail(book, auditArguments, now);
    const refusals = new RefusalLog(events, now);
    const parts = {
      states,
      rates: new CallRates(() => performance.now()),
      approver: this.#approver,
      audit: this.#trail,
      refusals,
      now,
    };
    this.#links = new Links(options, now);
    this.#finder = new Finder(this.#links, this.#trail);
    this.#calls = new ToolCalls(parts);
    this.#readings = new Readings(parts);
  }

  update(settings: HubSettings): Promise<void> {
    this.#approver.time = settings.approvalTimeout;
    this.#trail.keepsContents = settings.auditArguments;
    return this.#links.update(settings);
  }

  async instructions(asker: Asker): Promise<string> {
    const { links } = this.#links.viewOf(asker);
    const signal = AbortSignal.timeout(1000);
    const said = await Promise.all(
      links.map(async (link): Promise<[ServerLink, string | undefined]> => {
        const offers = await withinTime(
          link.provider.offers(signal).catch(() => undefined),
          1000,
          signal,
        );
        const words = offers?.instructions;
        return [link, words !== undefined && this.#links.mayQuote(link, words) ? words : undefined];
      }),
    );
    const view = this.#links.viewOf(asker);
    return instructionsText(view, new Map(said), view.isSearching);
  }

  async tools(asker: Asker, signal: AbortSignal): Promise<readonly Tool[]> {
    await settled(this.#links.viewOf(asker).links, ["tools"], signal);
    const view = this.#links.viewOf(asker);
    return view.isSearching ? view.searchList : view.tools;
  }

  async resources(asker: Asker, signal: AbortSignal): Promise<readonly Resource[]> {
    await settled(this.#links.viewOf(asker).links, ["resources"], signal);
    return this.#links.viewOf(asker).resources;
  }

  async templates(asker: Asker, signal: AbortSignal): Promise<readonly ResourceTemplateType[]> {
    await settled(this.#links.viewOf(asker).links, ["templates"], signal);
    return this.#links.viewOf(asker).templates;
  }

  async prompts(asker: Asker, signal: AbortSignal): Promise<readonly Prompt[]> {
    await settled(this.#links.viewOf(asker).links, ["prompts"], signal);
    return this.#links.viewOf(asker).promptList;
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<CallToolResult>> {
    const known = this.#links.viewOf(asker).permits.get(name);
    if (known !== undefined) return this.#calls.run(known, args, asker, context, false);
    const found = await this.#finder.tool(name, args, asker, context);
    switch (found.is) {
      case "permit":
        return this.#calls.run(found.permit, found.args, asker, context, false);
      case "search":
        return search(this.#links.viewOf(asker).index, args);
      case "unreachable":
        return failedTool(found.error);
    }
  }

  async readResource(uri: string, asker: Asker, context: HubContext): Promise<Answer<ReadResourceResult>> {
    const { link, own } = this.#finder.resource(uri, asker);
    return this.#readings.resource(link, own, uri, asker, context);
  }

  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>>,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<GetPromptResult>> {
    const prompt = await this.#finder.prompt(name, asker, context.signal);
    if (prompt === undefined) throw unknownPrompt(name);
    return this.#readings.prompt(prompt, args, asker, context);
  }

  async complete(params: CompleteRequestParams, asker: Asker, context: HubContext): Promise<CompleteResult> {
    const { ref } = params;
    if (ref.type === "ref/resource") {
      const { link, own } = this.#finder.resource(ref.uri, asker);
      return this.#readings.complete(link, { ...params, ref: { ...ref, uri: own } }, asker, context);
    }
    const prompt = await this.#finder.prompt(ref.name, asker, context.signal);
    if (prompt === undefined) throw unknownPrompt(ref.name);
    const own = { ...ref, name: prompt.prompt.name };
    return this.#readings.complete(prompt.link, { ...params, ref: own }, asker, context);
  }

  async watch(uri: string, asker: Asker): Promise<() => void> {
    const { link, own } = this.#finder.resource(uri, asker);
    return this.#links.watches.watch(link, own, asker);
  }

  onChange(asker: Asker, listener: (change: HubChange) => void): () => void {
    return this.#links.watches.listen(asker, listener);
  }

  servers(): readonly HubServer[] {
    return this.#links.all.map((link) => link.view());
  }

  serversOf(asker: Asker): readonly string[] {
    return this.#links.viewOf(asker).links.map(({ name }) => name);
  }

  async toolsOf(
    server: string,
    asker: Asker,
    signal: AbortSignal,
  ): Promise<readonly { readonly tool: Tool; readonly needsApproval: boolean }[]> {
    const link = await this.#finder.server(server, asker, signal);
    return [...this.#links.viewOf(asker).permits.values()]
      .filter(({ entry }) => entry.link === link && entry.quarantine === undefined)
      .map(({ entry: { tool, needsApproval } }) => ({ tool, needsApproval }));
  }

  async callToolOf(
    server: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    asker: Asker,
    context: HubContext & { readonly approved?: boolean },
  ): Promise<Answer<CallToolResult>> {
    const { approved = false, ...rest } = context;
    const permitOf = (): Permit | undefined => this.#links.viewOf(asker).permitOf(server, tool);
    let permit = permitOf();
    if (permit === undefined) {
      await this.#finder.server(server, asker, rest.signal);
      permit = permitOf();
    }
    if (permit === undefined) throw this.#finder.unknown(tool, server, args, asker, rest);
    return this.#calls.run(permit, args, asker, rest, approved);
  }

  pins(): readonly Pin[] {
    return this.#links.pins.list();
  }

  acceptPin(server: string, tool: string, hash: string, by: string): void {
    this.#links.pins.accept(server, tool, hash, by);
    this.#links.judgeAgain(server);
  }

  approvals(): readonly PendingApproval[] {
    return this.#desk.list();
  }

  decide(id: string, approve: boolean, by: string): void {
    this.#desk.decide(id, approve, by);
  }

  audit(query: AuditQuery): readonly AuditEntry[] {
    return this.#trail.latest(query);
  }

  retry(server: string): void {
    const link = this.#links.all.find(({ name }) => name === server);
    if (link === undefined)
      throw new OmniError("mcp.unknown-server", `There is no MCP server ${visible(server, 64)}.`);
    link.provider.retry();
    for (const list of Object.values(link.lists)) if (list.why !== undefined) list.expire();
  }

  async close(): Promise<void> {
    this.#desk.close();
    await this.#links.close();
  }
}
