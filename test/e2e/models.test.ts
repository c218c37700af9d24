import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { llamaTensors, packed } from "../fakes/hugging-face-model.ts";
import { startModelHub } from "../fakes/model-hub.ts";
import { writeModelFolder } from "../fakes/safetensors-writer.ts";
import { omni, ROOT, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
const state = join(folder.path, "state");
afterAll(() => {
  folder.remove();
});
const inspect = (...args: string[]): ReturnType<typeof omni> => omni(["models", "inspect", ...args], state);
const DEMO = join(ROOT, "demo/omni-demo.gguf");

describe("models inspect", () => {
  it("tells what a GGUF file holds", async () => {
    const { code, stdout, stderr } = await inspect(DEMO, "--context", "1000");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/parameters +3\.54 M {2}\(3 541 248\)/);
    expect(stdout).toMatch(/quantization +Q8_0/);
    expect(stdout).toMatch(/cache +4\.00 KiB a token/);
    expect(stdout).toMatch(/chat template +yes/);
    expect(stdout).toMatch(/1 000 tokens +3\.91 MiB/);
  });

  it("tells what a folder of safetensors holds", async () => {
    const path = join(folder.path, "model");
    const widths = {
      layers: 80,
      hidden: 8192,
      heads: 64,
      kvHeads: 8,
      headLength: 128,
      feedForward: 28_672,
      vocabulary: 128_256,
    };
    const config = {
      architectures: ["LlamaForCausalLM"],
      num_hidden_layers: 80,
      hidden_size: 8192,
      intermediate_size: 28_672,
      num_attention_heads: 64,
      num_key_value_heads: 8,
      max_position_embeddings: 131_072,
      vocab_size: 128_256,
      quantization_config: {
        quant_method: "compressed-tensors",
        format: "pack-quantized",
        config_groups: { group_0: { weights: { num_bits: 4, type: "int" }, input_activations: null } },
      },
    };
    // 39.5 GB that take no disk: all of it is a hole.
    await writeModelFolder(path, config, llamaTensors(widths, packed), 9);
    const { stdout } = await inspect(path);
    expect(stdout).toMatch(/parameters +70\.55 B {2}\(70 553 706 496\)/);
    expect(stdout).toMatch(/quantization +W4A16 by compressed-tensors, 4\.48 bits/);
    expect(stdout).toMatch(/on disk +36\.79 GiB \(39\.50 GB\)/);
    expect(stdout).toMatch(/cache +320\.00 KiB a token/);
    const document: unknown = JSON.parse((await inspect(path, "--json", "--context", "32768")).stdout);
    expect(document).toMatchObject({
      architecture: "llamaforcausallm",
      parameters: 70_553_706_496,
      hasChatTemplate: false,
      attention: { full: 80 },
      bytesByPart: { embedding: 2_101_346_304, head: 2_101_346_304, experts: 0 },
      cache: { bytesPerToken: 327_680, contexts: [{ tokens: 32_768, bytes: 10 * 2 ** 30 }] },
    });
  });

  it("tells what a hub holds, by headers", async () => {
    const files = join(folder.path, "gguf");
    mkdirSync(files);
    copyFileSync(DEMO, join(files, "demo-Q8_0.gguf"));
    const hub = await startModelHub(files, "owner/demo");
    try {
      const env = { HF_ENDPOINT: hub.url, HF_TOKEN: "hf_secret" };
      const run = (target: string): ReturnType<typeof omni> =>
        omni(["models", "inspect", target], state, undefined, { env });
      const found = await run("hf:owner/demo:Q8_0");
      expect(found.stdout).toMatch(/read from the hub/);
      const absent = await run("hf:owner/demo:Q4_K_M");
      expect([absent.code, absent.stdout]).toEqual([2, ""]);
      expect(absent.stderr).toMatch(/hub\.not-found[\s\S]*no model that fits Q4_K_M: demo-Q8_0\.gguf/);
      expect((await run("hf:owner/other")).stderr).not.toContain("hf_secret");
    } finally {
      await hub.close();
    }
  });

  it("knows published models without their files, and the nearest to a slip", async () => {
    const known = await inspect("deepseek-v3:IQ1_S");
    expect(known.stdout).toMatch(/671\.03 B, 37\.55 B active/);
    expect(known.stdout).toMatch(/133\.74 GB/);
    expect(known.stdout).toMatch(/chat template +not known/);
    const slip = await inspect("DeepSek-V3");
    expect([slip.code, slip.stderr]).toEqual([2, expect.stringContaining("Did you mean DeepSeek-V3?")]);
  });

  it("refuses what it cannot read, with what to type", async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [["models", "look", DEMO], /models does not know "look"/],
      [["models", "inspect"], /needs FILE\|FOLDER\|hf:REPO/],
      [["models", "inspect", "hf:demo"], /Write it as hf:OWNER\/REPO/],
      [["models", "inspect", join(ROOT, "README.md")], /model\.not-gguf/],
      [["models", "inspect", join(folder.path, "absent.gguf")], /There is no file or folder/],
      [
        ["models", "inspect", "https://me:s3cret@hub/m.gguf?key=s3cret"],
        /  https:\/\/hub\/m\.gguf is an address/,
      ],
      [["models", "inspect", join(ROOT, "docs")], /neither safetensors nor GGUF/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await omni(args, state);
      expect([code, stdout], args.join(" ")).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
  });
});
