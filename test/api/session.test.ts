import { expect, it } from "vitest";

import { openApiEndpoint, sessionEndpoint } from "../../src/api/endpoints/index.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";

it("a session says who asks and what of the node there is, as it stands now", async () => {
  let node = "first";
  const guest = { key: "guest", admin: false, upstream: false, priority: 5 };
  await using server = await startEndpoints(
    sessionEndpoint(() => ({ node, version: "1", keysRequired: true, simulated: false, parts: ["tools"] })),
    [guest],
  );
  const ask = async (key: string): Promise<unknown> =>
    (await fetch(`${server.url}/api/session`, { headers: { authorization: `Bearer ${key}` } })).json();
  const about = { version: "1", keysRequired: true, simulated: false, parts: ["tools"] };
  expect(await ask("guest")).toEqual({ ...about, node: "first", key: "guest", admin: false });
  node = "second";
  expect(await ask("anybody")).toEqual({ ...about, node: "second", key: "local", admin: true });
});

it("the document of the API is served as it is made", async () => {
  await using server = await startEndpoints(openApiEndpoint("1.2.3"));
  const response = await fetch(`${server.url}/api/openapi.json`);
  expect(await response.json()).toMatchObject({ openapi: "3.1.1", info: { version: "1.2.3" } });
});
