import { createServer } from "node:net";

/** A port of loopback that is free now, `preferred` if it is. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    const port = await tryPort(preferred).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return tryPort(0);
}

function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(port, "127.0.0.1", () => {
      const bound = probe.address();
      const found = typeof bound === "object" && bound !== null ? bound.port : 0;
      probe.close(() => resolve(found));
    });
  });
}
