import { expect, test } from "vitest";
import { comfyuiStarter } from "./comfyui.ts";
import { OPTIONS, PLACE, planned, SETTINGS } from "./planned-service.fixture.ts";

const place = { ...PLACE, port: 8188, modelPath: "" };

test("the command on a card and on the processor", () => {
  const start = comfyuiStarter.start(planned("comfyui", SETTINGS), OPTIONS, place);
  expect(start.command.join(" ")).toBe("python3 main.py --listen 0.0.0.0 --port 8188 --disable-auto-launch");
  expect(start.environment).toEqual({ CUDA_DEVICE_ORDER: "PCI_BUS_ID" });
  expect([start.readyPath, start.livePath]).toEqual(["/system_stats", "/system_stats"]);
  expect(start).not.toHaveProperty("metrics");
  const slow = comfyuiStarter.start(planned("comfyui", SETTINGS, { devices: ["cpu"] }), OPTIONS, place);
  expect(slow.command.at(-1)).toBe("--cpu");
});

test.each([
  ["/opt/venv/bin/python3.12", ["/opt/venv/bin/python3.12", "main.py", "--listen"]],
  ["/opt/ComfyUI/main.py", ["python3", "/opt/ComfyUI/main.py", "--listen"]],
  ["/usr/local/bin/comfyui", ["/usr/local/bin/comfyui", "--listen", "0.0.0.0"]],
])("%s as the program", (binary, words) => {
  const { command } = comfyuiStarter.start(
    planned("comfyui", SETTINGS),
    { ...OPTIONS, binary },
    { ...place, runtime: "process" },
  );
  expect(command.slice(0, 3)).toEqual(words);
});
