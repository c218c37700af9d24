import { messageOf } from "../../../core/index.ts";
import type { EventLog } from "../../../core/index.ts";
import type { ToolHost } from "../../../gateway/tools/tool-host.ts";
import { openMcpBook } from "../../../mcp/audit/mcp-book.ts";
import type { McpBook } from "../../../mcp/audit/mcp-book.ts";
import { createHub } from "../../../mcp/hub/create-hub.ts";
import type { ChangingHub } from "../../../mcp/hub/create-hub.ts";
import type { HubMember, HubSettings } from "../../../mcp/hub/hub-options.ts";
import { serverPolicy } from "../../../mcp/policy/server-policy.ts";
import { createMcpEndpoint } from "../../../mcp/transports/mcp-endpoint.ts";
import type { McpEndpoint } from "../../../mcp/transports/mcp-endpoint.ts";
import type { Spec } from "../../../spec/index.ts";
import type { LocatedSpec } from "../../node-spec.ts";
import { VERSION } from "../../version.ts";
import { hostedTools } from "../hosted-tools.ts";
import { createToolServer, isUpstream, toolsOf } from "./tool-servers.ts";
import type { ToolServersOptions } from "./tool-servers.ts";

/** How long a server of Omni's own may take until it is told that it cannot be used, ms. */
const LOOK_TIME = 15_000;

/** A server with what it was made of. */
interface Made {
  readonly member: HubMember;
  readonly written: string;
}

/** The tool gateway once it is needed: hub, endpoint, books, and the servers of the spec. */
export class OpenTools {
  readonly hub: ChangingHub;
  readonly endpoint: McpEndpoint;
  readonly host: ToolHost;
  readonly #book: McpBook;
  readonly #options: Omit<ToolServersOptions, "located">;
  #made: ReadonlyMap<string, Made>;
  /** One change after another. */
  #changes: Promise<void> = Promise.resolve();

  private constructor(
    options: Omit<ToolServersOptions, "located">,
    { spec }: LocatedSpec,
    made: ReadonlyMap<string, Made>,
  ) {
    const { events, stateFolder } = options;
    const { mcp } = spec.gateway;
    this.#options = options;
    this.#made = made;
    this.#book = openMcpBook(stateFolder, spec.telemetry.retention.audit);
    this.hub = createHub({ ...settingsOf(spec, made), events, book: this.#book });
    this.host = hostedTools(this.hub);
    this.endpoint = createMcpEndpoint({
      hub: this.hub,
      version: VERSION,
      sessions: mcp.sessions,
      sessionIdle: mcp.sessionIdle,
      // What is larger was refused before it was read.
      bodyLimit: Number.MAX_SAFE_INTEGER,
      legacySse: mcp.legacySse,
      path: mcp.path,
      roundTime: mcp.approvalTimeout,
      events,
    });
  }

  /** Makes every server of the spec; none is started before it is needed. */
  static async open(options: ToolServersOptions): Promise<OpenTools> {
    return new OpenTools(options, options.located, await makeServers(options, new Map()));
  }

  /** Takes over another spec: servers that are written as before go on with their connections, sessions of clients too. */
  update(located: LocatedSpec): Promise<void> {
    this.#changes = this.#change(located, this.#changes);
    return this.#changes;
  }

  async #change(located: LocatedSpec, before: Promise<void>): Promise<void> {
    await before.catch(() => undefined);
    this.#made = await makeServers({ ...this.#options, located }, this.#made);
    await this.hub.update(settingsOf(located.spec, this.#made));
  }

  /** Tells now of servers that may not be used as they are set up, such as by the role of a database, and not at night. */
  async look(): Promise<void> {
    const signal = AbortSignal.timeout(LOOK_TIME);
    await Promise.all(
      [...this.#made.values()].map(async ({ member: { name, provider, upstream, policy } }) => {
        // Somebody else's program is started when it is needed.
        if (upstream || !policy.enabled) return;
        await provider.offers(signal).catch((thrown: unknown) => tell(this.#options.events, name, thrown));
      }),
    );
  }

  /** Lets running calls finish for at most `deadline` ms, then ends everything; a second call with less hurries the first. */
  async close(deadline: number): Promise<void> {
    await this.endpoint.close(deadline);
    await this.#changes.catch(() => undefined);
    await this.hub.close();
    this.#book.close();
  }
}

const tell = (events: EventLog, name: string, thrown: unknown): void =>
  void events.record({
    kind: "mcp.server-failed",
    severity: "warning",
    message: `The tool server ${name} cannot be used: ${messageOf(thrown)}`,
    data: { server: name },
  });

/** The servers of a spec; those that are there already and written the same stay, unless they have failed. */
async function makeServers(
  options: ToolServersOptions,
  before: ReadonlyMap<string, Made>,
): Promise<ReadonlyMap<string, Made>> {
  const tools = Object.entries(toolsOf(options.located.spec));
  const made = tools.map(async ([name, tool]): Promise<[string, Made]> => {
    const { approval: _a, approver: _b, enabled: _c, allow: _d, deny: _e, ...own } = tool;
    const written = JSON.stringify(own);
    const kept = before.get(name);
    const provider =
      kept?.written === written && kept.member.provider.view().state !== "failed"
        ? kept.member.provider
        : await createToolServer(name, tool, options);
    return [
      name,
      { written, member: { name, provider, upstream: isUpstream(tool), policy: serverPolicy(tool) } },
    ];
  });
  return new Map(await Promise.all(made));
}

function settingsOf({ gateway }: Spec, made: ReadonlyMap<string, Made>): HubSettings {
  const { prefix, searchAbove, approvalTimeout, auditArguments } = gateway.mcp;
  const servers = [...made.values()].map(({ member }) => member);
  return { servers, prefix, searchAbove, approvalTimeout, auditArguments };
}
