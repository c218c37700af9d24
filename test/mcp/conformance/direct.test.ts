import { afterAll, beforeAll, test } from "vitest";
import { serveHttp } from "../fixture/serve-http.ts";
import { World } from "../fixture/world.ts";
import { INSTALLED, NEEDS } from "../suites.ts";
import { expectSuite } from "./expect-suite.ts";
import type { Exceptions } from "./expect-suite.ts";
import { ALL, REQUIRED_2025, REQUIRED_2026, SUITE_TIMEOUT, runServerSuite } from "./server-suites.ts";

/** A low-level server of the SDK leaves these headers to whoever wrote it; no scenario that counts looks at them. */
const unchecked: Exceptions = {
  "http-custom-header-server-validation": { outcome: "failed", reason: "the fixture does not check them" },
};

let fixture: Awaited<ReturnType<typeof serveHttp>> | undefined;
beforeAll(async () => {
  fixture = await serveHttp(new World());
});
afterAll(() => fixture?.close());

// What passes through the gateway proves something only where the server behind it answers everything by itself.
test.skipIf(!INSTALLED).each([ALL, REQUIRED_2025, { ...REQUIRED_2026, exceptions: unchecked }])(
  `the fixture passes $title by itself ${NEEDS}`,
  async (suite) => {
    const runs = await runServerSuite(suite, `http://127.0.0.1:${fixture?.port}/mcp`);
    expectSuite(runs, suite.scenarios, suite.exceptions);
  },
  SUITE_TIMEOUT,
);
