import { expect, test } from "vitest";
import { planned, PAGED } from "../../engines/start/planned-service.fixture.ts";
import { withGgufFiles } from "../../engines/start/gguf-folder.ts";
import { tensorrtLlmStarter } from "../../engines/start/tensorrt-llm.ts";
import { wrappedCommand } from "./wrapped-command.ts";

test("the shell that looks for a file of a folder is taken off, whatever the program's path", () => {
  const plain = ["/opt/llama/llama-server", "--model", "/models/folder", "--port", "1"] as const;
  expect(wrappedCommand(withGgufFiles(plain, ["/models/folder"]))).toEqual(plain);
});

test("so is the one that writes a file of options first", () => {
  const { command } = tensorrtLlmStarter.start(
    planned("tensorrt-llm", PAGED),
    { servedName: "m", weights: "auto" },
    { runtime: "process", host: "127.0.0.1", port: 1, modelPath: "/models/m" },
  );
  expect(command[0]).toBe("/bin/sh");
  expect(wrappedCommand(command)[0]).toBe("trtllm-serve");
});

test("any other command stays as it is", () => {
  for (const command of [
    ["vllm", "serve"],
    ["/bin/sh", "-c", "x"],
    ["/bin/sh", "-ec", "x", "mine", "y"],
  ] as const)
    expect(wrappedCommand(command)).toBe(command);
});
