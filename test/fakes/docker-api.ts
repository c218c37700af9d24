import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const createBody = z.looseObject({ Image: z.string(), Labels: z.record(z.string(), z.string()) });

/** A Docker engine that starts nothing: it takes every container, records what was asked, and refuses as told. */
export interface FakeDockerApi {
  /** `unix:///…`. */
  readonly socket: string;
  /** `POST /containers/create`, in order. */
  readonly requests: readonly string[];
  /** Bodies of containers that were created. */
  readonly created: readonly z.infer<typeof createBody>[];
  /** What the next starts answer instead of starting. */
  refuseStart(status: number, message: string): void;
  /** Port that containers are published on, as `docker inspect` shows it. */
  publishedOn(port: number): void;
  close(): Promise<void>;
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

const ID = "c0".repeat(32);

export async function startDockerApi(): Promise<FakeDockerApi> {
  const folder = mkdtempSync(join(tmpdir(), "omni-docker-api-"));
  const path = join(folder, "docker.sock");
  const requests: string[] = [];
  const created: z.infer<typeof createBody>[] = [];
  const waiting = new Set<ServerResponse>();
  let refusal: { readonly status: number; readonly message: string } | undefined;
  let published = 8000;
  let running = true;
  const inspected = (): unknown => ({
    Id: ID,
    Config: { Env: ["PATH=/usr/bin"], StopSignal: "" },
    State: { Running: running, ExitCode: running ? 0 : 137, Pid: 0 },
    HostConfig: { NetworkMode: "omni-node-a" },
    NetworkSettings: { Ports: { "8000/tcp": [{ HostIp: "127.0.0.1", HostPort: String(published) }] } },
  });
  const routes: readonly [RegExp, (response: ServerResponse, body: string) => void][] = [
    [/^GET \/info/, (to) => json(to, 200, { DockerRootDir: folder, SecurityOptions: [] })],
    [/^GET \/images\//, (to) => json(to, 200, { Id: "sha256:1" })],
    [/^GET \/networks\//, (to) => json(to, 200, { Driver: "bridge", Internal: false, Options: {} })],
    [
      /^POST \/containers\/create/,
      (to, body) => {
        created.push(createBody.parse(JSON.parse(body)));
        json(to, 201, { Id: ID, Warnings: [] });
      },
    ],
    [
      /^HEAD \/containers\/\w+\/archive/,
      (to) => {
        const stat = Buffer.from(JSON.stringify({ name: "program", mode: 0o755 })).toString("base64");
        to.writeHead(200, { "x-docker-container-path-stat": stat }).end();
      },
    ],
    [
      /^POST \/containers\/\w+\/start/,
      (to) =>
        refusal === undefined
          ? void to.writeHead(204).end()
          : json(to, refusal.status, { message: refusal.message }),
    ],
    [/^GET \/containers\/json/, (to) => json(to, 200, [])],
    [/^GET \/containers\/\w+\/json/, (to) => json(to, 200, inspected())],
    [
      /^(?:POST \/containers\/\w+\/wait|GET \/containers\/\w+\/logs)/,
      (to) => {
        to.writeHead(200).flushHeaders();
        if (running) waiting.add(to);
        else to.end();
      },
    ],
    [
      /^POST \/containers\/\w+\/kill/,
      (to) => {
        to.writeHead(204).end();
        running = false;
        for (const response of waiting)
          response.end(response.req.method === "POST" ? '{"StatusCode":137}' : "");
        waiting.clear();
      },
    ],
    [/^DELETE /, (to) => void to.writeHead(204).end()],
  ];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    const line = `${request.method} ${(request.url ?? "").replace(/\?.*/, "")}`;
    requests.push(line);
    const route = routes.find(([pattern]) => pattern.test(line));
    if (route === undefined) json(response, 404, { message: "page not found" });
    else route[1](response, body);
  };
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return {
    socket: `unix://${path}`,
    requests,
    created,
    refuseStart: (status, message) => {
      refusal = { status, message };
    },
    publishedOn: (port) => {
      published = port;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
