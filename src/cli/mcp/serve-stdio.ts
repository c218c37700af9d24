import { EXIT, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import type { Asker, Hub } from "../../mcp/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import { mcpAddress } from "./mcp-address.ts";
import { presentedKey } from "./presented-key.ts";

/** Clients close their end at 10 MiB a message. */
const MOST_MESSAGE = 10 * 1024 * 1024;

/** Whoever starts the program may do what it may; a node behind it has its own say by the key. */
const ASKER: Asker = {
  caller: { key: "local", admin: true, upstream: false, priority: 5 },
  channel: "stdio",
};

/**
 * `omni mcp [SPEC]`: MCP over standard input and output until the input ends: that of the running node, or of the spec's own
 * servers where none runs. Everything that is not MCP goes to standard error.
 */
export async function serveStdio(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const hub = await openHub(invocation, terminal);
  const { serveMcpStdio } = await import("../../mcp/transports/serve-stdio.ts");
  const served = serveMcpStdio({
    hub,
    asker: ASKER,
    version: VERSION,
    input: process.stdin,
    output: process.stdout,
    maxMessage: MOST_MESSAGE,
    log: (line) => terminal.err(line),
  });
  const end = (): void => void served.close();
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    await served.done;
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    await hub.close();
    process.stdin.destroy();
  }
  return EXIT.done;
}

async function openHub(invocation: Invocation, terminal: Terminal): Promise<Hub> {
  const [spec] = invocation.positionals;
  const address = invocation.flag("standalone") ? undefined : await runningNode(invocation, spec);
  if (address === undefined) return (await import("./standalone-hub.ts")).standaloneHub(spec, terminal);
  const key = presentedKey(invocation);
  return (await import("./bridge-hub.ts")).bridgeHub({ address, key, terminal });
}

/** Where the node's MCP is, `undefined` where none is named and none runs. */
const runningNode = (invocation: Invocation, spec: string | undefined): Promise<string | undefined> =>
  mcpAddress(invocation, spec).catch((thrown: unknown) => {
    if (thrown instanceof OmniError && thrown.code === "cli.no-node") return undefined;
    throw thrown;
  });
