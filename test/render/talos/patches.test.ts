import { describe, expect, it } from "vitest";
import { talos } from "../../../src/render/talos/index.ts";
import { deploymentOf, referenceDeployment } from "../deployments.ts";
import { documentOf, documentsOf, fileOf, findingsOf, hasFile, renderSpec } from "./talos-render.ts";

const V = `    version: "1.12.11"\n`;

describe("machine config patches", () => {
  it("load NVIDIA's modules where the extensions bring them and the spec names none", async () => {
    const rendered = talos.render(await referenceDeployment("omni-prime"));
    expect(documentOf(rendered, "patches/20-modules.yaml")).toEqual({
      machine: {
        kernel: {
          modules: [
            { name: "nvidia" },
            { name: "nvidia_uvm" },
            { name: "nvidia_drm" },
            { name: "nvidia_modeset" },
          ],
        },
      },
    });
    const fixed = talos.render(await referenceDeployment("omni-prime.fixed"));
    expect(documentOf(fixed, "patches/20-modules.yaml")).toMatchObject({
      machine: { kernel: { modules: [{}, {}, {}, { name: "nvidia_drm", parameters: ["modeset=0"] }] } },
    });
  });

  it("write sysctls as texts", async () => {
    const rendered = await renderSpec(
      `${V}    sysctls: { net.core.bpf_jit_harden: 1, vm.overcommit_memory: "1" }`,
    );
    expect(documentOf(rendered, "patches/30-sysctls.yaml")).toEqual({
      machine: { sysctls: { "net.core.bpf_jit_harden": "1", "vm.overcommit_memory": "1" } },
    });
  });

  it.each([
    ["serial: S7", { diskSelector: { serial: "S7" } }],
    ['wwn: "0x5000c"', { diskSelector: { wwid: "naa.5000c" } }],
    ["wwn: eui.0025", { diskSelector: { wwid: "eui.0025" } }],
    ["byId: nvme-X", { disk: "/dev/disk/by-id/nvme-X" }],
    ["device: /dev/nvme0n1", { disk: "/dev/nvme0n1" }],
  ])("install on a disk with %s", async (identity, install) => {
    const rendered = await renderSpec(`${V}    installDisk: system`, {
      metal: `  disks: { system: { ${identity} } }`,
    });
    expect(documentOf(rendered, "patches/10-install.yaml")).toMatchObject({ machine: { install } });
  });

  it("install on the second virtual disk", async () => {
    const rendered = await renderSpec(`${V}    installDisk: scsi2`, {
      guest: `  vm: { id: 105, cores: 8, memory: 32GiB, disks: { scsi2: { storage: a, size: 32GiB }, scsi0: { storage: a, size: 4GiB } } }`,
    });
    expect(documentOf(rendered, "patches/10-install.yaml")).toMatchObject({
      machine: { install: { disk: "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi2" } },
    });
    expect(findingsOf(rendered)).toEqual([]);
  });

  it.each([
    ["ovmf", "1.12.11", false],
    ["seabios", "1.12.11", false],
    ["ovmf", "1.11.3", false],
    ["seabios", "1.11.3", true],
    ["ovmf", "1.9.5", true],
  ])("carry kernel arguments under %s and Talos %s: %s", async (firmware, version, honoured) => {
    const rendered = await renderSpec(
      `    version: "${version}"\n    kernelArguments: { by: machine-config, arguments: [console=tty0] }`,
      { guest: `  vm: { id: 105, cores: 8, memory: 32GiB, firmware: ${firmware} }` },
    );
    expect(hasFile(rendered, "patches/70-kernel-arguments.yaml")).toBe(honoured);
    const finding = "error render.not-applicable guests.node.talos.kernelArguments.by";
    expect(findingsOf(rendered).includes(finding)).toBe(!honoured);
    expect(rendered.artifacts.some(({ content }) => content.includes("extraKernelArgs"))).toBe(honoured);
  });

  it("install on the only virtual disk that is not the owner's, where the spec names none", async () => {
    const install = async (disks: string): Promise<unknown> => {
      const rendered = await renderSpec(V.trimEnd(), {
        guest: `  vm: { id: 105, cores: 8, memory: 32GiB, disks: { ${disks} } }`,
      });
      return [documentOf(rendered, "patches/10-install.yaml"), findingsOf(rendered)];
    };
    expect(
      await install("scsi0: { storage: a, disk: nvme }, scsi1: { storage: a, size: 32GiB }"),
    ).toMatchObject([
      { machine: { install: { disk: "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1" } } },
      [],
    ]);
    const two = await install("scsi0: { storage: a, size: 4GiB }, scsi1: { storage: a, size: 32GiB }");
    expect(two).toMatchObject([
      { machine: { install: { image: expect.any(String) } } },
      [expect.stringContaining("talos.installDisk")],
    ]);
  });

  it("mirror registries, those of plain HTTP by themselves", async () => {
    const registries = `  registries:
    a: { address: "10.0.0.1:5000", insecure: true, mirrorOf: [docker.io] }
    b: { address: mirror.example, mirrorOf: [docker.io], username: omni, password: { env: REGISTRY_PASSWORD } }`;
    const rendered = await renderSpec(V, { guest: registries });
    expect(documentsOf(fileOf(rendered, "patches/50-registries.yaml"))).toEqual([
      {
        apiVersion: "v1alpha1",
        kind: "RegistryMirrorConfig",
        name: "10.0.0.1:5000",
        endpoints: [{ url: "http://10.0.0.1:5000" }],
        skipFallback: true,
      },
      {
        apiVersion: "v1alpha1",
        kind: "RegistryMirrorConfig",
        name: "docker.io",
        endpoints: [{ url: "http://10.0.0.1:5000" }, { url: "https://mirror.example" }],
      },
    ]);
    expect(findingsOf(rendered)).toContain("warning render.not-applicable guests.node.registries.b");
    expect(rendered.artifacts.some(({ content }) => content.includes("REGISTRY_PASSWORD"))).toBe(false);
    const old = await renderSpec(`    version: "1.11.3"`, { guest: registries });
    expect(documentOf(old, "patches/50-registries.yaml")).toEqual({
      machine: {
        registries: {
          mirrors: {
            "10.0.0.1:5000": { endpoints: ["http://10.0.0.1:5000"], skipFallback: true },
            "docker.io": { endpoints: ["http://10.0.0.1:5000", "https://mirror.example"] },
          },
        },
      },
    });
  });

  it.each([
    ["1.12.11", "cni: cilium", { cni: { name: "none" } }],
    ["1.12.11", "cni: flannel", { cni: { name: "flannel" } }],
    ["1.13.0", "cni: flannel", { cni: { name: "flannel", flannel: { kubeNetworkPoliciesEnabled: true } } }],
    [
      "1.12.11",
      "podSubnet: 10.1.0.0/16, serviceSubnet: 10.2.0.0/16",
      { podSubnets: ["10.1.0.0/16"], serviceSubnets: ["10.2.0.0/16"] },
    ],
  ])("set the cluster's network for Talos %s and %s", async (version, lines, network) => {
    const rendered = await renderSpec(`    version: "${version}"`, {
      guest: `  kubernetes: { version: "1.34.0", ${lines} }`,
    });
    expect(documentOf(rendered, "patches/85-cluster.yaml")).toEqual({ cluster: { network } });
  });

  it("say that flannel of 1.12 enforces nothing where the spec says it does", async () => {
    const rendered = await renderSpec(V, {
      guest: `  kubernetes: { version: "1.34.0", cni: flannel, networkPolicies: true }`,
    });
    expect(findingsOf(rendered)).toContain(
      "error render.version-mismatch guests.node.kubernetes.networkPolicies",
    );
  });

  it.each([
    ["1.12.11", "1.29.0", true],
    ["1.12.11", "1.30.0", false],
    ["1.12.11", "1.35.2", false],
    ["1.12.11", "1.36.0", true],
    ["1.13.0", "1.36.0", false],
    ["1.8.0", "1.36.0", false],
  ])("refuse Kubernetes by the range of Talos %s: %s, %s", async (version, kubernetes, refused) => {
    const rendered = await renderSpec(`    version: "${version}"`, {
      guest: `  kubernetes: { version: "${kubernetes}" }`,
    });
    const finding = "error render.version-mismatch guests.node.kubernetes.version";
    expect(findingsOf(rendered).includes(finding)).toBe(refused);
  });

  it("name and label nodes, in the form of their version", async () => {
    const guest = `  kubernetes: { version: "1.34.0", nodes: { first: { address: 192.168.3.2, labels: { zone: a } } } }`;
    expect(documentsOf(fileOf(await renderSpec(V, { guest }), "nodes/first.yaml"))).toEqual([
      { apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "off", hostname: "first" },
      { machine: { nodeLabels: { zone: "a" } } },
    ]);
    expect(documentOf(await renderSpec(`    version: "1.11.3"`, { guest }), "nodes/first.yaml")).toEqual({
      machine: { network: { hostname: "first" }, nodeLabels: { zone: "a" } },
    });
  });

  it("say which label is none, and what a worker may not give itself", async () => {
    const rendered = await renderSpec(V, {
      guest: `  kubernetes:
    version: "1.35.0"
    nodes:
      head: { role: control-plane, address: 10.0.0.2, labels: { "a:b/c": x, zone: "rack 1", "node-role.kubernetes.io/gpu": "" } }
      hand: { role: worker, address: 10.0.0.3, labels: { "node-role.kubernetes.io/gpu": "", "topology.kubernetes.io/zone": z, "example.org/tier": "1" } }`,
    });
    expect(rendered.diagnostics.filter(({ path }) => path?.includes("nodes"))).toMatchObject([
      { severity: "error", message: expect.stringContaining('"a:b/c": "x" is no label') },
      { severity: "error", message: expect.stringContaining('"zone": "rack 1" is no label') },
      { severity: "warning", message: expect.stringContaining("hand may not give itself") },
    ]);
  });

  it("name each registry once", async () => {
    const rendered = await renderSpec(V, {
      guest: `  registries:
    own: { address: "10.0.0.1:5000", insecure: true, mirrorOf: ["10.0.0.1:5000", docker.io] }
    second: { address: reg.lan, mirrorOf: ["10.0.0.1:5000"] }`,
    });
    expect(documentsOf(fileOf(rendered, "patches/50-registries.yaml"))).toMatchObject([
      {
        name: "10.0.0.1:5000",
        endpoints: [{ url: "http://10.0.0.1:5000" }, { url: "https://reg.lan" }],
        skipFallback: true,
      },
      { name: "docker.io", endpoints: [{ url: "http://10.0.0.1:5000" }] },
    ]);
  });

  it.each(["secureBoot: true", "bootloader: sd-boot"])("say that SeaBIOS does not start %s", async (key) => {
    const seabios = await renderSpec(`${V}    ${key}`, {
      guest: "  vm: { id: 105, cores: 8, memory: 32GiB, firmware: seabios }",
    });
    expect(findingsOf(seabios)[0]).toBe("error render.not-applicable guests.node.vm.firmware");
    expect(findingsOf(await renderSpec(`${V}    ${key}`)).join()).not.toContain("firmware");
  });

  it("say that the VM does not get a disk that they choose", async () => {
    const rendered = await renderSpec(
      `${V}    installDisk: scsi0\n    userVolumes: { data: { disk: nvme } }`,
      {
        guest: "  vm: { id: 105, cores: 8, memory: 32GiB, disks: { scsi0: { storage: a, size: 32GiB } } }",
      },
    );
    expect(findingsOf(rendered)).toEqual(["warning render.needs-value guests.node.vm.disks"]);
    expect(rendered.diagnostics[0]?.message).toContain("VM 105 does not get the disk nvme of its host");
  });

  it("say so where a node runs on another machine than its guest", async () => {
    const deployment = await deploymentOf(`omni: 1
name: two
machines:
  one: { disks: { nvme: { serial: A } }, gpus: { card: RTX 5090 } }
  other: { disks: { nvme: { serial: B } } }
guests:
  lab:
    machine: one
    talos: { version: "1.12.11", installDisk: nvme }
    kubernetes:
      version: "1.35.0"
      nodes:
        first: { address: 192.168.3.2, machine: one }
        second: { address: 192.168.3.3, machine: other, role: worker }
`);
    expect(findingsOf(talos.render(deployment))).toEqual([
      "warning render.not-applicable guests.lab.kubernetes.nodes.second.machine",
    ]);
  });

  it("reserve hugepages of a machine, not those under a VM", async () => {
    const metal = (size: string): string =>
      `  memory: { size: 64GiB, hugepages: { size: ${size}, count: 16 } }`;
    const bare = '  kubernetes: { version: "1.34.0" }';
    const small = await renderSpec(V, { guest: bare, metal: metal("2MiB") });
    expect(documentOf(small, "patches/80-hugepages.yaml")).toEqual({
      machine: { sysctls: { "vm.nr_hugepages": "16" } },
    });
    const large = await renderSpec(V, { guest: bare, metal: metal("1GiB") });
    expect(hasFile(large, "patches/80-hugepages.yaml")).toBe(false);
    expect(findingsOf(large)).toContain("warning render.not-applicable guests.node.talos.kernelArguments");
    expect(hasFile(await renderSpec(V, { metal: metal("2MiB") }), "patches/80-hugepages.yaml")).toBe(false);
  });

  it("exempt the GPU operator from PodSecurity, and nobody else", async () => {
    const operator = await renderSpec(V, { guest: `  kubernetes: { version: "1.34.0", gpuOperator: {} }` });
    expect(documentOf(operator, "patches/60-pod-security.yaml")).toMatchObject({
      cluster: {
        apiServer: {
          admissionControl: [
            { name: "PodSecurity", configuration: { exemptions: { namespaces: ["gpu-operator"] } } },
          ],
        },
      },
    });
    expect(fileOf(operator, "apply.sh")).toContain(
      '--config-patch-control-plane "@$here/patches/60-pod-security.yaml"',
    );
    expect(hasFile(await renderSpec(V), "patches/60-pod-security.yaml")).toBe(false);
  });
});
