import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { URL_OPTION } from "../node-client.ts";

export const top: Command = {
  name: "top",
  summary: "Watch the node in the terminal: cards, services, events, as they are now.",
  positionals: [],
  options: {
    once: { kind: "flag", about: "Print one frame and end." },
    width: {
      kind: "value",
      placeholder: "N",
      about: "Columns of a frame that is printed; default: COLUMNS, or the terminal's.",
    },
    json: JSON_OPTION,
    url: URL_OPTION,
  },
  examples: [
    ["top", "arrows select a service, enter shows it, l u r d order, e events, ? help, q quits"],
    ["top --once", "the same on paper"],
    ["top --json", "what one frame shows, for a program"],
  ],
  run: async (invocation, terminal) => (await import("../top/run-top.ts")).runTop(invocation, terminal),
};
