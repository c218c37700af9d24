import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { liveNetwork } from "../../../../src/host/doctor/network-view.ts";

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const serving = (listener: RequestListener): Promise<number> => listening(createHttpServer(listener));

it("tells status and headers, sends what it is given, and follows no redirect", async () => {
  const paths: string[] = [];
  const port = await serving((request, response) => {
    paths.push(`${request.url} ${request.headers.authorization ?? "nobody"}`);
    response
      .writeHead(302, { location: "/elsewhere", date: "Thu, 01 Jan 2026 00:00:00 GMT" })
      .end("x".repeat(1e6));
  });
  const answer = await liveNetwork().ask(`http://127.0.0.1:${port}/v2/`, {
    headers: { authorization: "Bearer t" },
  });
  expect(answer).toMatchObject({
    answered: true,
    status: 302,
    headers: { location: "/elsewhere", date: "Thu, 01 Jan 2026 00:00:00 GMT" },
  });
  expect(paths).toEqual(["/v2/ Bearer t"]);
});

it("says why nothing answered: a closed port, silence, plain HTTP to https, no URL", async () => {
  const network = liveNetwork();
  const closed = await listening(createServer());
  await new Promise((resolve) => open.splice(0)[0]?.close(resolve));
  expect(await network.ask(`http://127.0.0.1:${closed}/`)).toEqual({
    answered: false,
    message: `connect ECONNREFUSED 127.0.0.1:${closed}`,
  });
  const silent = await listening(createServer((socket) => socket.on("error", () => {}).resume()));
  expect(await network.ask(`http://127.0.0.1:${silent}/`, { timeout: 50 })).toEqual({
    answered: false,
    message: "no answer within 0.05 s",
  });
  const plain = await serving((_request, response) => response.end());
  expect(await network.ask(`https://127.0.0.1:${plain}/`)).toMatchObject({
    answered: false,
    message: expect.stringMatching(/SSL|EPROTO|TLS/),
  });
  expect(await network.ask("no url")).toMatchObject({ answered: false });
});

it("tells whether somebody listens, and what a name stands for", async () => {
  const network = liveNetwork();
  const port = await listening(createServer((socket) => socket.end()));
  expect(await network.listens(port)).toBe(true);
  expect(await network.resolve("localhost")).toContain("127.0.0.1");
  expect(typeof (await network.resolve("no-such-host.invalid"))).toBe("string");
});
