import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { OmniError } from "../core/index.ts";
import { digestOf, startImageRegistry } from "../../test/fakes/image-registry.ts";
import { tarArchive, tarHeader } from "../../test/fakes/tar-writer.ts";
import { inspectImage } from "./inspect-image.ts";
import { parseImageName } from "./image-name.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  );
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const AUTH = { user: "reader", password: "hunter2" };
const basic = (host: string): NodeJS.ProcessEnv => ({
  HOME: "/nonexistent",
  DOCKER_AUTH_CONFIG: JSON.stringify({
    auths: { [host]: { auth: Buffer.from(`${AUTH.user}:${AUTH.password}`).toString("base64") } },
  }),
});
const saidBy = (thrown: unknown): string => {
  if (!(thrown instanceof OmniError)) throw thrown;
  const causes: string[] = [];
  for (let at: unknown = thrown; at instanceof Error; at = at.cause)
    causes.push(String(at.stack), at.message);
  return [thrown.hint, JSON.stringify(thrown.toDiagnostic()), ...causes].join("\n");
};
const refusal = (image: string, environment: NodeJS.ProcessEnv): Promise<unknown> =>
  inspectImage(image, { environment, layers: true }).then(
    () => "no refusal",
    (thrown: unknown) => thrown,
  );

describe("credentials of a registry", () => {
  it("go to no other host that it redirects to", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const host = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://${other}${request.url}` }).end();
    });
    const thrown = await refusal(`${host}/team/image:1`, basic(host));
    expect(thrown).toMatchObject({ code: "image.unreachable" });
    expect(seen).toEqual([undefined]);
  });

  it("that are no header stand in no error", async () => {
    const host = await serve((_, response) => {
      response.writeHead(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:1/token"' }).end();
    });
    const environment = {
      HOME: "/nonexistent",
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { registrytoken: "sesame\u0001open" } } }),
    };
    const said = saidBy(await refusal(`${host}/team/image:1`, environment));
    expect(said).toContain("HTTP 401");
    expect(said).not.toContain("sesame");
  });

  it("in the name of an image stand in no error", () => {
    const name = "https://reader:hunter2@registry.example/team/image:1";
    expect(() => parseImageName(name)).toThrow('"…@registry.example/team/image:1" is no name of an image.');
  });
});

describe("what an image says", () => {
  it("is shown without the tokens that its builder left in it", async () => {
    const registry = await startImageRegistry();
    closing.push(() => registry.close());
    registry.put("team/image", "1", {
      environment: [
        "TORCH_INDEX=https://reader:hunter2@wheels.example/simple",
        "VLLM_AUTH=hunter2",
        "CUDA_VERSION=12.8.1",
      ],
      labels: {
        "org.opencontainers.image.source": "https://x-access-token:hunter2@github.com/team/image",
        "org.opencontainers.image.authors": "team",
        "team.build-token": "hunter2",
      },
      layers: [],
    });
    const report = await inspectImage(`${registry.host}/team/image:1`, {
      environment: { HOME: "/nonexistent" },
    });
    expect(JSON.stringify(report)).not.toContain("hunter2");
    expect(report.environment).toEqual({
      TORCH_INDEX: "https://…@wheels.example/simple",
      CUDA_VERSION: "12.8.1",
    });
    expect(report.labels).toEqual({
      "org.opencontainers.image.source": "https://…@github.com/team/image",
      "org.opencontainers.image.authors": "team",
    });
  });
});

describe("a registry that does not end", () => {
  const endless = (response: ServerResponse): void => {
    const piece = Buffer.alloc(1 << 16, " ");
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  };

  it("in its redirects is refused", async () => {
    const host = await serve((request, response) => {
      response.writeHead(302, { location: `${request.url}/x` }).end();
    });
    expect(saidBy(await refusal(`${host}/team/image:1`, { HOME: "/nonexistent" }))).toContain(
      "it redirects more than 5 times",
    );
  });

  it.each(["ftp://127.0.0.1/x", "http://reader:hunter2@127.0.0.1/x"])(
    "or redirects to %s",
    async (location) => {
      const host = await serve((_, response) => {
        response.writeHead(302, { location }).end();
      });
      const said = saidBy(await refusal(`${host}/team/image:1`, { HOME: "/nonexistent" }));
      expect(said).toMatch(/it redirects to (?:ftp|http):\/\/127\.0\.0\.1\./);
      expect(said).not.toContain("hunter2");
    },
  );

  it("in a document, or in the answer of its token service, is refused", async () => {
    const documents = await serve((_, response) => {
      endless(response.writeHead(200));
    });
    expect(saidBy(await refusal(`${documents}/team/image:1`, { HOME: "/nonexistent" }))).toContain(
      "a document has more than 8388608 bytes",
    );
    const tokens = await serve((request, response) => {
      if (request.url?.startsWith("/token") === true) endless(response.writeHead(200));
      else
        response
          .writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` })
          .end();
    });
    expect(saidBy(await refusal(`${tokens}/team/image:1`, { HOME: "/nonexistent" }))).toContain(
      "its token service does not answer: more than 1048576 bytes",
    );
  });

  it("in a layer is refused at the size of the manifest", async () => {
    const registry = await startImageRegistry();
    closing.push(() => registry.close());
    const layer = { bytes: gzipSync(tarArchive([{ path: "a" }])), mediaType: "" };
    registry.put("team/image", "1", { layers: [layer] });
    registry.corrupt(digestOf(layer.bytes));
    const thrown = await refusal(`${registry.host}/team/image:1`, { HOME: "/nonexistent" });
    expect(thrown).toMatchObject({ code: "image.malformed" });
    expect(String(thrown)).toContain(`is longer than the ${layer.bytes.length} bytes of the manifest`);
  });
});

describe("a document that is index and image at once", () => {
  it("is neither", async () => {
    const host = await serve((_, response) => {
      response.writeHead(200).end(JSON.stringify({ manifests: [], layers: [] }));
    });
    const thrown = await refusal(`${host}/team/image:1`, { HOME: "/nonexistent" });
    expect(thrown).toMatchObject({ code: "image.malformed" });
    expect(String(thrown)).toContain("under 1 is an index and an image");
  });
});

describe.runIf(process.platform === "linux")("connections", () => {
  const openFiles = (): number => readdirSync("/proc/self/fd").length;

  it("of layers that are given up are closed, also when the registry goes silent within them", async () => {
    const layer = Buffer.concat([tarHeader("a", "0", 10), Buffer.alloc(512, 7), Buffer.alloc(1 << 20, 1)]);
    const config = Buffer.from(JSON.stringify({ config: {} }));
    const manifest = Buffer.from(
      JSON.stringify({
        config: { digest: digestOf(config), size: config.length },
        layers: [{ digest: digestOf(layer), size: layer.length }],
      }),
    );
    const host = await serve((request, response) => {
      const url = request.url ?? "";
      if (url.includes("/manifests/")) response.end(manifest);
      else if (url.endsWith(digestOf(config))) response.end(config);
      // Enough to see that it is no archive, and then nothing.
      else response.writeHead(200).write(layer.subarray(0, 200_000));
    });
    const environment = { HOME: "/nonexistent" };
    expect(String(await refusal(`${host}/team/image:1`, environment))).toContain("a header is damaged");
    const before = openFiles();
    for (let time = 0; time < 25; time++)
      expect(await refusal(`${host}/team/image:1`, environment)).toMatchObject({ code: "image.malformed" });
    // The client keeps a connection or two for the next request.
    await expect.poll(openFiles, { timeout: 5000 }).toBeLessThan(before + 6);
  });
});
