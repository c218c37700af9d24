import type { NodeState } from "../../src/cli/top/node-state.ts";

type Service = NodeState["status"]["services"][number];

/** What a node with these services told, and three events of its start. Times are few milliseconds after the epoch. */
export function nodeState(services: readonly string[], state: Service["state"] = "ready"): NodeState {
  return {
    status: {
      version: "0.1.0",
      url: "http://127.0.0.1:4664",
      pid: 4242,
      started: 0,
      uptime: 1000,
      stopping: false,
      services: services.map((name) => serviceNamed(name, state)),
      routes: [],
      diagnostics: [],
      traffic: {},
    },
    events: [1, 2, 3].map((seq) => ({
      seq,
      time: seq,
      severity: "info",
      kind: "service.starting",
      message: `Step ${seq} of the start.`,
    })),
    untold: [],
  };
}

/** A service of eight thousand tokens on no card. */
export const serviceNamed = (name: string, state: Service["state"] = "ready"): Service => ({
  name,
  engine: "llama-server",
  model: "qwen3-8b",
  state,
  restarts: 0,
  contextTokens: 8192,
  parallel: 4,
  since: 0,
});
