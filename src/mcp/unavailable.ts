import type { OmniError } from "../core/index.ts";
import type { Provider, ProviderView } from "./provider.ts";

/** A server that cannot be made of what its owner wrote, such as one whose secret is not set: it stands among the others and says why. */
export function unavailable(transport: string, why: OmniError): Provider {
  const fail = async (): Promise<never> => {
    throw why;
  };
  const view: ProviderView = {
    state: "failed",
    transport,
    reason: why.hint === undefined ? why.message : `${why.message} ${why.hint}`,
    since: Date.now(),
    restarts: 0,
    connections: 0,
  };
  return {
    offers: fail,
    tools: fail,
    resources: fail,
    templates: fail,
    prompts: fail,
    callTool: fail,
    readResource: fail,
    getPrompt: fail,
    complete: fail,
    watch: fail,
    unwatch: async () => {},
    onChange: () => () => {},
    view: () => view,
    retry: () => {},
    close: async () => {},
  };
}
