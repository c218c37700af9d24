import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { talos } from "../../../src/render/talos/index.ts";
import { referenceDeployment } from "../deployments.ts";
import { documentOf, fileOf, findingsOf, hasFile, renderSpec } from "./talos-render.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Ids that the image factory gave out for these lists. */
const OMNI_PRIME = "d58fba8495bf019d92030f7a24d2bbe8e942331625a6d87fcfd45db9a2b90b6d";
const OPEN_LTS = "44edfb0040972f72ad55aec57c23b47005a8897360819548c814fd1e9601a729";

describe("the schematic of a Talos image", () => {
  it.each([
    ["omni-prime", OMNI_PRIME, "v1.12.1"],
    ["omni-prime.fixed", OPEN_LTS, "v1.12.11"],
  ])("of %s is the file whose hash is the id", async (name, id, tag) => {
    const rendered = talos.render(await referenceDeployment(name));
    expect(sha256(fileOf(rendered, "schematic.yaml"))).toBe(id);
    expect(documentOf(rendered, "patches/10-install.yaml")).toEqual({
      machine: { install: { image: `factory.talos.dev/metal-installer/${id}:${tag}` } },
    });
    expect(fileOf(rendered, "README.md")).toContain(
      `https://factory.talos.dev/image/${id}/${tag}/metal-amd64.raw.xz`,
    );
    expect(rendered.diagnostics.map(({ code }) => code)).not.toContain("schematic-id-differs");
  });

  it("names the driver, not the word", async () => {
    const asWritten = talos.render(await referenceDeployment("omni-prime"));
    expect(fileOf(asWritten, "README.md")).toContain("570.195.03 (`-production` at Talos 1.12)");
    const fixed = talos.render(await referenceDeployment("omni-prime.fixed"));
    expect(fileOf(fixed, "README.md")).toContain("580.126.20 (`-lts` at Talos 1.12)");
  });

  it("shows both ids where the declared one is another, and uses the computed one", async () => {
    const rendered = await renderSpec(
      `    version: "1.12.11"\n    schematic: ${OMNI_PRIME}\n    extensions: [siderolabs/qemu-guest-agent]`,
    );
    const id = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
    const found = rendered.diagnostics.find(({ code }) => code === "schematic-id-differs");
    expect(found).toMatchObject({ severity: "error", path: "guests.node.talos.schematic" });
    expect(found?.message).toContain(OMNI_PRIME);
    expect(found?.message).toContain(id);
    expect(fileOf(rendered, "images.env")).toContain(`TALOS_SCHEMATIC=${id}`);
    expect(fileOf(rendered, "patches/10-install.yaml")).not.toContain(OMNI_PRIME);
  });

  it("is left to the factory where a text would need quotes", async () => {
    const rendered = await renderSpec(
      `    version: "1.12.11"\n    kernelArguments: ["dyndbg=file x +p", "on"]`,
    );
    expect(documentOf(rendered, "schematic.yaml")).toEqual({
      customization: { extraKernelArgs: ["dyndbg=file x +p", "on"] },
    });
    expect(findingsOf(rendered)).toContain("warning render.ask-factory guests.node.talos");
    expect(hasFile(rendered, "patches/10-install.yaml")).toBe(false);
    expect(fileOf(rendered, "apply.sh")).toContain('--install-image "$TALOS_INSTALLER"');
    expect(fileOf(rendered, "images.env")).not.toMatch(/^TALOS_SCHEMATIC=/m);
  });

  it.each([
    ["", "metal-installer", "metal-amd64.iso"],
    ["secureBoot: true", "metal-installer-secureboot", "metal-amd64-secureboot.iso"],
    ["platform: nocloud", "nocloud-installer", "nocloud-amd64.raw.xz"],
    ["architecture: arm64", "metal-installer", "cmdline-metal-arm64"],
    ["secureBoot: true", "metal-installer-secureboot", "metal-amd64-secureboot-uki.efi"],
  ])("gives the images of %j", async (line, installer, file) => {
    const readme = fileOf(await renderSpec(`    version: "1.12.11"\n    ${line}`), "README.md");
    const empty = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
    expect(readme).toContain(`factory.talos.dev/${installer}/${empty}:v1.12.11\``);
    expect(readme).toContain(`/image/${empty}/v1.12.11/${file}\``);
  });

  it("knows the names of older releases and of another factory", async () => {
    const old = fileOf(await renderSpec(`    version: "1.9.5"`), "README.md");
    expect(old).toMatch(/factory\.talos\.dev\/installer\/[0-9a-f]{64}:v1\.9\.5/);
    expect(old).toContain(
      "https://github.com/siderolabs/talos/releases/download/v1.9.5/talosctl-linux-amd64",
    );
    const own = fileOf(
      await renderSpec(`    version: "1.12.11"\n    factory: https://factory.example:8443/`),
      "README.md",
    );
    expect(own).toMatch(/`factory\.example:8443\/metal-installer\/[0-9a-f]{64}:v1\.12\.11`/);
    expect(own).toMatch(/`https:\/\/factory\.example:8443\/pxe\/[0-9a-f]{64}\/v1\.12\.11\/metal-amd64`/);
  });
});
