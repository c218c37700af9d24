import { afterAll, beforeAll, describe, test } from "vitest";
import { serveHttp } from "../fixture/serve-http.ts";
import type { Era } from "../fixture/serve-http.ts";
import { World } from "../fixture/world.ts";
import { startGateway } from "../harness/start.ts";
import type { RunningGateway } from "../harness/start.ts";
import { INSTALLED, NEEDS } from "../suites.ts";
import { expectSuite } from "./expect-suite.ts";
import type { Exceptions } from "./expect-suite.ts";
import { ALL, REQUIRED_2025, REQUIRED_2026, SUITE_TIMEOUT, runServerSuite } from "./server-suites.ts";
import type { ServerSuite } from "./server-suites.ts";

/**
 * The gateway answers a call with JSON unless there is something to tell before the answer, and this scenario looks at
 * nothing but streams: it makes no check at all, which the suites call good.
 */
const polling: Exceptions = {
  "server-sse-polling": {
    outcome: "silent",
    reason: "a call that tells nothing is answered without a stream",
  },
};

describe.skipIf(!INSTALLED).each<{ era: Era; suites: readonly ServerSuite[] }>([
  { era: "both", suites: [ALL, REQUIRED_2025, REQUIRED_2026] },
  { era: "legacy", suites: [ALL, REQUIRED_2025] },
])(`through the gateway, to a server that speaks $era ${NEEDS}`, ({ era, suites }) => {
  let fixture: Awaited<ReturnType<typeof serveHttp>> | undefined;
  let gateway: RunningGateway | undefined;
  beforeAll(async () => {
    fixture = await serveHttp(new World(), { era });
    gateway = await startGateway({ behind: { url: `http://127.0.0.1:${fixture.port}/mcp` } });
  });
  afterAll(async () => {
    await gateway?.close();
    await fixture?.close();
  });

  test.each(suites)(
    "$title",
    async (suite) => {
      const runs = await runServerSuite(suite, `${gateway?.url}/mcp`);
      expectSuite(runs, suite.scenarios, suite === REQUIRED_2026 ? {} : polling);
    },
    SUITE_TIMEOUT,
  );
});
