import { expect, test } from "vitest";
import { HEALTHY, nvidiaSmi } from "../../../../test/fakes/hosts/nvidia-smi-words.ts";
import { recordedView } from "../../../../test/fakes/recorded-host.ts";
import { askCardHealth } from "./card-health.ts";

test("a healthy card without ECC", async () => {
  using view = await recordedView({ commands: { "nvidia-smi": nvidiaSmi(HEALTHY) ?? "" } });
  expect(await askCardHealth(view)).toEqual(
    new Map([
      [
        "0000:11:00.0",
        {
          pci: "0000:11:00.0",
          uuid: "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601",
          persistence: true,
          temperature: 34,
          powerLimit: 600,
          maxPowerLimit: 600,
          throttled: [],
          busy: 0,
          link: { generation: 1, maxGeneration: 5 },
        },
      ],
    ]),
  );
});

test("a driver that does not know a field is asked without it, and once for all checks", async () => {
  const refusal = 'Field "clocks_event_reasons.active" is not a valid field to query.\n';
  const answer = nvidiaSmi(HEALTHY);
  using view = await recordedView({
    commands: {
      "nvidia-smi": (args) =>
        args[0]?.includes("clocks_event_reasons") === true
          ? { code: 2, stdout: refusal }
          : typeof answer === "function"
            ? answer(args)
            : undefined,
    },
  });
  const before = view.asked.length;
  const told = await askCardHealth(view);
  expect(told).toBe(await askCardHealth(view));
  expect(told instanceof Map ? told.get("0000:11:00.0")?.temperature : told).toBe(34);
  expect(view.asked.length - before).toBe(3);
});

test("no program, no answer; a program that fails, its words", async () => {
  using without = await recordedView({});
  expect(await askCardHealth(without)).toBeUndefined();
  using failing = await recordedView({
    commands: {
      "nvidia-smi": {
        code: 9,
        stderr: "NVIDIA-SMI has failed because it couldn't communicate with the driver.\n",
      },
    },
  });
  expect(await askCardHealth(failing)).toBe(
    "NVIDIA-SMI has failed because it couldn't communicate with the driver.",
  );
});
