import { openTokenStore } from "../../src/mcp/oauth/token-store.ts";

/** Writes a login many times: `node grant-writer.ts FOLDER NAME TIMES`. */
const [folder = "", name = "", times = "0"] = process.argv.slice(2);
const store = openTokenStore(folder);
for (let i = 0; i < Number(times); i++) {
  const base = { url: "https://mcp.example.com/mcp", resource: "https://mcp.example.com/mcp", obtained: i };
  const long = `${name}-`.repeat(2000);
  const client = { id: name };
  // One that all write, and one of its own.
  for (const server of ["shared", name]) {
    await store.write({
      ...base,
      server,
      issuer: "https://login.example.com",
      client,
      tokens: { access: long },
    });
  }
}
