import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, expect, it } from "vitest";
import { readNodeRecord } from "../../src/store/index.ts";
import { eventually, launch, omni, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Writes a certificate for 127.0.0.1 that signs itself, and its key; false where this machine has no openssl. */
function certify(name: string): boolean {
  const words = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  const files = ["-keyout", join(folder.path, "key.pem"), "-out", join(folder.path, "cert.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync("openssl", [...words, ...files, ...subject], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

interface Got {
  readonly status: number | undefined;
  readonly text: string;
  /** Common name of the certificate that was shown. */
  readonly shown: string | string[] | undefined;
}

/** Asks over a connection of its own, with trust in the certificate that lies there now. */
function ask(url: string, body?: unknown): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = {
      ca: readFileSync(join(folder.path, "cert.pem")),
      method: body === undefined ? "GET" : "POST",
      agent: false,
      headers: body === undefined ? {} : { "content-type": "application/json" },
    };
    const asked = request(url, options, (answer) => {
      const shown =
        answer.socket instanceof TLSSocket ? answer.socket.getPeerCertificate().subject.CN : undefined;
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.once("end", () => resolve({ status: answer.statusCode, text, shown }));
    });
    asked.once("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

it.skipIf(!certify("first"))(
  "a node with a certificate speaks TLS, and takes another one over while a stream runs",
  async () => {
    const state = join(folder.path, "state");
    const spec = join(folder.path, "omni.yaml");
    writeFileSync(
      spec,
      "omni: 1\nmodels: { chat: builtin:omni-demo }\n" +
        "gateway: { tls: { certificate: ./cert.pem, key: { file: ./key.pem } } }\n",
    );
    const child = launch(["up", spec, "--port", "0"], state);
    const ended = new Promise((resolve) => child.once("close", resolve));
    try {
      await eventually(() => readNodeRecord(state)?.url !== undefined || child.exitCode !== null);
      const url = readNodeRecord(state)?.url ?? "";
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      await eventually(async () => (await ask(`${url}/readyz`)).status === 200);
      const first = await ask(`${url}/v1/models`);
      expect(first).toMatchObject({ status: 200, shown: "first" });
      expect(first.text).toContain('"chat"');
      await expect(fetch(url.replace("https:", "http:"))).rejects.toThrow("fetch failed");

      const trust = { env: { NODE_EXTRA_CA_CERTS: join(folder.path, "cert.pem") } };
      expect(await omni(["status"], state, undefined, trust)).toMatchObject({ code: 0 });
      const stream = ask(`${url}/v1/chat/completions`, {
        model: "chat",
        stream: true,
        max_tokens: 32,
        messages: [{ role: "user", content: "hello" }],
      });
      const old = { env: { NODE_EXTRA_CA_CERTS: join(folder.path, "old.pem") } };
      writeFileSync(join(folder.path, "old.pem"), readFileSync(join(folder.path, "cert.pem")));
      certify("second");
      expect(await omni(["reload"], state, undefined, old)).toMatchObject({ code: 0 });
      expect(await ask(`${url}/v1/models`)).toMatchObject({ status: 200, shown: "second" });
      expect((await stream).text.endsWith("data: [DONE]\n\n")).toBe(true);

      // A certificate that does not go with its key changes nothing.
      const good = readFileSync(join(folder.path, "cert.pem"));
      writeFileSync(join(folder.path, "cert.pem"), readFileSync(join(folder.path, "old.pem")));
      writeFileSync(join(folder.path, "old.pem"), good);
      const refused = await omni(["reload"], state, undefined, old);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("gateway.tls");
      writeFileSync(join(folder.path, "cert.pem"), good);
      expect(await ask(`${url}/v1/models`)).toMatchObject({ status: 200, shown: "second" });
    } finally {
      child.kill("SIGINT");
      await ended;
    }
  },
  60_000,
);
