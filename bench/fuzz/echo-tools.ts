import type { ToolHost } from "../../src/gateway/tools/tool-host.ts";

/** One registered server with a tool that gives back what it was told, and one that takes its time. */
export const echoTools: ToolHost = {
  servers: () => ["lab"],
  list: () =>
    Promise.resolve([
      { name: "echo", inputSchema: { type: "object" }, needsApproval: false },
      { name: "weather", inputSchema: { type: "object" }, needsApproval: false },
    ]),
  call: async (_server, tool, args) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { text: JSON.stringify(args), isError: tool === "weather" };
  },
};
