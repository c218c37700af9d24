import type { NodeEvent } from "../core/index.ts";
import { OmniError } from "../core/index.ts";
import { embedded } from "../engines/index.ts";
import { createGateway } from "../gateway/index.ts";
import type { Gateway, GatewayLimits } from "../gateway/index.ts";
import type { Plan } from "../plan/plan.ts";
import { createProcessRuntime } from "../runtimes/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { createSupervisor } from "../supervisor/index.ts";
import type { ServiceView, Supervisor } from "../supervisor/index.ts";
import { VERSION } from "./version.ts";

export interface NodeSettings {
  readonly plan: Plan;
  readonly stateFolder: string;
  /** Secrets of which a request must show one; empty asks for none. */
  readonly keys: readonly string[];
  readonly limits: Partial<GatewayLimits>;
  readonly corsOrigins: readonly string[];
  readonly onEvent: (event: NodeEvent) => void;
}

/** A node that listens; its engines may still be loading. */
export interface RunningNode {
  readonly url: string;
  services(): readonly ServiceView[];
  /** Resolves once each service is ready or has failed for good; rejects with the causes when none is ready. */
  settled(signal: AbortSignal): Promise<void>;
  /** Stops streams, then HTTP, then engines, within `deadline` ms; a later call with less time hurries an earlier one. */
  stop(deadline: number): Promise<void>;
}

/** What is left of a deadline goes to the engines even when streams used it up. */
const ENGINE_STOP = 5000;
const NEVER = 2 ** 31 - 1;

/**
 * Puts store, supervisor and gateway together and starts them. The port is bound before any engine starts, so that
 * a busy port costs nothing. Throws `OmniError`; whatever was started before the throw is stopped again.
 */
export async function runNode(settings: NodeSettings): Promise<RunningNode> {
  const store = openStore(settings.stateFolder);
  const unsubscribe = store.events.subscribe(settings.onEvent);
  try {
    const supervisor = createSupervisor({
      plan: settings.plan,
      drivers: [embedded],
      runtime: createProcessRuntime({ stateFolder: settings.stateFolder }),
      events: store.events,
    });
    const gateway = createGateway({
      backends: supervisor,
      events: store.events,
      host: settings.plan.gateway.host,
      port: settings.plan.gateway.port,
      version: VERSION,
      limits: settings.limits,
      keys: settings.keys,
      corsOrigins: settings.corsOrigins,
    });
    const { url } = await gateway.listen();
    return await begin({ store, supervisor, gateway, url, unsubscribe });
  } catch (thrown) {
    unsubscribe();
    store.close();
    throw thrown;
  }
}

interface Parts {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly gateway: Gateway;
  readonly url: string;
  readonly unsubscribe: () => void;
}

async function begin(parts: Parts): Promise<RunningNode> {
  const { store, supervisor, gateway, url } = parts;
  store.announce(url);
  store.events.record({
    kind: "node.started",
    severity: "info",
    message: `The node listens at ${url}.`,
    data: { version: VERSION, pid: process.pid },
  });
  await supervisor.start();
  let stopping: Promise<void> | undefined;
  return {
    url,
    services: () => supervisor.services(),
    settled: (signal) => settle(supervisor, signal),
    stop: async (deadline) => {
      if (stopping !== undefined) await Promise.all([gateway.close(deadline), supervisor.stop(deadline)]);
      stopping ??= stopAll(parts, deadline);
      await stopping;
    },
  };
}

async function stopAll({ store, supervisor, gateway, unsubscribe }: Parts, deadline: number): Promise<void> {
  const began = performance.now();
  await gateway.close(deadline);
  const left = deadline - (performance.now() - began);
  await supervisor.stop(deadline === 0 ? 0 : Math.max(ENGINE_STOP, left));
  store.events.record({ kind: "node.stopped", severity: "info", message: "The node stopped." });
  unsubscribe();
  store.close();
}

async function settle(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  const ready = await Promise.all(
    supervisor.services().map((service) => supervisor.whenReady(service.name, NEVER, signal)),
  );
  if (signal.aborted || ready.includes(true)) return;
  const diagnostics = supervisor.diagnostics().filter((diagnostic) => diagnostic.severity === "error");
  const [first] = diagnostics;
  throw new OmniError(first?.code ?? "engine.load-failed", "No service of this node could be started.", {
    diagnostics,
  });
}
