import { describe, expect, test } from "vitest";
import { XIDS } from "../catalog/index.ts";
import { describeFault, recoveryFor } from "./describe-fault.ts";

const UUID = "GPU-00000001-1111-2222-3333-444444444444";

describe("what an Xid asks for", () => {
  test.each([
    ["GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)", "reset-card"],
    [
      "pid='<unknown>', name=<unknown>, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)",
      "restart-node",
    ],
    ["GPU recovery action changed from 0x0 (None) to 0x3 (Drain P2P)", "drain"],
    ["GPU recovery action changed from 0x1 (GPU Reset Required) to 0x4 (Drain and Reset)", "drain-and-reset"],
    ["GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)", "none"],
    ["something new", "watch"],
  ])("154 says so itself: %s", (text, action) => {
    expect(recoveryFor(154, text)).toMatchObject({ action, by: "driver" });
  });

  test("is in NVIDIA's catalog otherwise", () => {
    expect(recoveryFor(79).action).toBe("restart-node");
    expect(XIDS["reset-card"].map((xid) => recoveryFor(xid).action)).toEqual(
      XIDS["reset-card"].map(() => "reset-card"),
    );
    expect([13, 31, 94].map((xid) => recoveryFor(xid).action)).toEqual(Array(3).fill("restart-app"));
    expect([43, 45, 63].map((xid) => recoveryFor(xid).action)).toEqual(Array(3).fill("none"));
    expect(recoveryFor(9999)).toMatchObject({ action: "watch", by: "catalog" });
  });
});

describe("a fault in words", () => {
  const xid = (number: number, text: string) => ({
    kind: "xid" as const,
    uuid: UUID,
    pci: "0000:01:00.0",
    xid: number,
    text,
  });

  test("an Xid has its number, how often, the kernel's words and what to type", () => {
    const words = describeFault(
      { ...xid(119, "Timeout waiting for RPC from GSP"), count: 12 },
      "card 0 (RTX 3090)",
    );
    expect(words).toMatchObject({ code: "gpu.xid", severity: "error" });
    expect(words.message).toBe(
      "card 0 (RTX 3090) (0000:01:00.0) reports Xid 119, 12 times: Timeout waiting for RPC from GSP.",
    );
    expect(words.hint).toContain(`nvidia-smi --gpu-reset -i ${UUID}`);
    expect(describeFault(xid(45, ""), "card 0").severity).toBe("info");
    expect(describeFault(xid(31, "x"), "card 0").hint).toContain("which Omni does");
  });

  test("a lost card asks for a restart of the machine, or for what the driver or the last Xid says", () => {
    const lost = { kind: "lost" as const, uuid: UUID, reason: "GPU is lost" };
    const card = { uuid: UUID, index: 0, name: "RTX 3090" };
    expect(describeFault(lost, "card 0")).toMatchObject({
      code: "gpu.lost",
      message: "card 0 is lost: GPU is lost.",
    });
    expect(describeFault(lost, "card 0").hint).toContain("machine has to be restarted");
    expect(describeFault(lost, "card 0", { ...card, lastXid: 119 }).hint).toContain("--gpu-reset");
    expect(describeFault(lost, "card 0", { ...card, lastXid: 119 }).message).toContain("Xid 119");
    expect(
      describeFault(lost, "card 0", { ...card, recovery: "drain-and-reset", lastXid: 79 }).hint,
    ).toContain("linked with it");
    expect(
      describeFault({ ...lost, reason: "the card has to be reset before it can be used" }, "c").hint,
    ).toContain("--gpu-reset");
    expect(describeFault({ kind: "back", uuid: UUID }, "card 0")).toMatchObject({
      code: "gpu.back",
      severity: "info",
    });
  });
});
