import { Pool } from "undici";

const CLIENT = { name: "abandons", version: "1.0.0" };

/**
 * Opens sessions of the older era, lets each list the tools once, and goes away without ending any; every tenth leaves a
 * stream open that is cut with its connection.
 */
export async function openAndAbandon(url: string, count: number): Promise<void> {
  const pool = new Pool(url, { connections: 16 });
  const post = async (message: object, session: Readonly<Record<string, string>>) => {
    const { statusCode, headers, body } = await pool.request({
      method: "POST",
      path: "/mcp",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...session,
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${statusCode}: ${text.slice(0, 200)}`);
    return headers["mcp-session-id"];
  };
  const one = async (at: number): Promise<void> => {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: CLIENT };
    const id = await post({ id: 0, method: "initialize", params }, {});
    const session = { "mcp-session-id": String(id), "mcp-protocol-version": "2025-11-25" };
    await post({ method: "notifications/initialized" }, session);
    await post({ id: 1, method: "tools/list", params: {} }, session);
    if (at % 10 !== 0) return;
    const cut = new AbortController();
    const headers = { accept: "text/event-stream", ...session };
    const stream = await pool.request({ method: "GET", path: "/mcp", headers, signal: cut.signal });
    stream.body.on("error", () => undefined);
    cut.abort();
  };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: 16 }, work));
  await pool.destroy();
}
