import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCpuList } from "./cpu.ts";
import { runBounded } from "./run-bounded.ts";

describe("a program of the system", () => {
  const limits = { timeout: 10_000 };
  const sh = (script: string, timeout = limits.timeout): ReturnType<typeof runBounded> =>
    runBounded("/bin/sh", ["-c", script], { timeout });

  it("that cannot be started is no exception", async () => {
    expect(await runBounded("no\0name", [], limits)).toMatchObject({ ended: false, why: "failed" });
    expect(await runBounded("/nonexistent/program", [], limits)).toMatchObject({
      ended: false,
      why: "absent",
    });
    expect(await runBounded("/etc/passwd", [], limits)).toMatchObject({ ended: false, why: "failed" });
  });

  it("that prints without end is stopped at a megabyte", async () => {
    const started = performance.now();
    expect(await sh("while :; do echo 0123456789012345678901234567890123456789; done")).toMatchObject({
      ended: false,
      why: "too-much",
    });
    expect(performance.now() - started).toBeLessThan(limits.timeout);
  });

  it.runIf(process.platform === "linux")("leaves no pipe behind, however it ends", async () => {
    const open = (): number => readdirSync("/proc/self/fd").length;
    await sh("true");
    const before = open();
    for (let time = 0; time < 10; time++)
      await Promise.all([
        sh("exit 3"),
        sh("echo x; exec sleep 60", 30),
        // A grandchild that keeps the pipes open.
        sh("sleep 60 & exit 0", 30),
        runBounded("no\0name", [], limits),
        runBounded("/nonexistent/program", [], limits),
      ]);
    await expect.poll(open, { timeout: 5000 }).toBeLessThanOrEqual(before);
  });
});

describe("a list of processors", () => {
  it("of more than any machine has is none", () => {
    expect(parseCpuList("0-4294967295,7,x-3,2-1")).toEqual([7]);
  });
});
