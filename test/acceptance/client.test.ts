import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openClient } from "../../src/acceptance/index.ts";

const folder = mkdtempSync(join(tmpdir(), "omni-client-"));
const signal = new AbortController().signal;

/** A certificate for this name that signs itself, and its key; `undefined` where this machine has no openssl. */
function certificateFor(name: string): { readonly cert: string; readonly key: string } | undefined {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");
  try {
    execFileSync("openssl", [...words, "-subj", `/CN=${name}`, "-out", cert, "-keyout", key], {
      stdio: "ignore",
    });
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } catch {
    return undefined;
  }
}

const own = certificateFor("ai.example.com");
const other = certificateFor("other.example.com");
rmSync(folder, { recursive: true, force: true });

test.skipIf(own === undefined)(
  "a server is trusted by its certificate, whatever name is in it, and by no other (needs openssl)",
  async () => {
    let asked = 0;
    const server = createServer({ ...own }, (_, response) => {
      asked++;
      response.end('{"well":true}');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const base = `https://127.0.0.1:${port}/v1`;
    const ask = async (certificate?: string): Promise<unknown> => {
      const client = openClient({ base, key: "sk", ...(certificate === undefined ? {} : { certificate }) });
      try {
        return (await client.ask("node:/readyz", { signal })).json;
      } finally {
        await client.close();
      }
    };
    try {
      expect(await ask(own?.cert)).toEqual({ well: true });
      await expect(ask(other?.cert)).rejects.toMatchObject({ code: "acceptance.no-server" });
      await expect(ask()).rejects.toMatchObject({ code: "acceptance.no-server" });
      // Nobody who is not trusted was shown the key.
      expect(asked).toBe(1);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);
