import { describe, expect, it } from "vitest";
import { egressRuleOf } from "../../../src/render/kubernetes/allowed-destination.ts";
import { clusterDeployment, findingsOf, objectsOf, podOf } from "./cluster-spec.ts";

const isolated = async (network: Readonly<Record<string, unknown>>, cni?: string, nodePort?: number) =>
  clusterDeployment({
    ...(cni === undefined ? {} : { guest: { cni } }),
    service: { networks: ["walled_garden"], ...(nodePort === undefined ? {} : { nodePort }) },
    more: { networks: { walled_garden: network } },
  });

const policyIn = (deployment: Awaited<ReturnType<typeof clusterDeployment>>) =>
  [...objectsOf(deployment).values()].find(({ kind }) => kind === "NetworkPolicy");

const ATTACHED = { podSelector: { matchLabels: { "network.omni.internal/walled_garden": "attached" } } };

describe("network policies", () => {
  it("let an isolated engine reach its peers, names, and what is allowed", async () => {
    const deployment = await isolated({ isolation: "no-outbound", allow: ["10.0.0.5:5432"] }, "cilium");
    expect(policyIn(deployment)).toMatchObject({
      metadata: {
        namespace: "ai",
        annotations: { "omni.internal/asked-for-by": "networks.walled_garden.isolation" },
      },
      spec: {
        ...ATTACHED,
        policyTypes: ["Egress"],
        egress: [
          { to: [ATTACHED] },
          {
            ports: [
              { port: 53, protocol: "UDP" },
              { port: 53, protocol: "TCP" },
            ],
          },
          { to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: [{ port: 5432, protocol: "TCP" }] },
        ],
      },
    });
    expect(podOf(deployment, "chat").metadata.labels).toMatchObject(ATTACHED.podSelector.matchLabels);
    expect(podOf(deployment, "test-node-gateway").metadata.labels).not.toMatchObject(
      ATTACHED.podSelector.matchLabels,
    );
    expect(findingsOf(deployment)).toEqual([]);
  });

  it("let only the gateway in where that is asked for, and say that a NodePort then answers nobody", async () => {
    const deployment = await isolated({ isolation: "gateway-only" }, "calico", 30_100);
    const gateway = { podSelector: { matchLabels: { "app.kubernetes.io/instance": "test-node-gateway" } } };
    expect(policyIn(deployment)).toMatchObject({
      spec: { policyTypes: ["Ingress", "Egress"], ingress: [{ from: [ATTACHED, gateway] }] },
    });
    expect(JSON.stringify(policyIn(deployment))).not.toContain("_from");
    expect(findingsOf(deployment)).toEqual([
      expect.stringContaining("NodePort 30100 of chat answers nobody"),
    ]);
  });

  it("are not rendered where nothing enforces them", async () => {
    const deployment = await isolated({ internal: true }, "flannel");
    expect(policyIn(deployment)).toBeUndefined();
    expect(findingsOf(deployment)).toEqual([
      expect.stringMatching(
        /^error networks\.walled_garden\.internal: No NetworkPolicy .* flannel .* reach the internet/,
      ),
    ]);
  });

  it("are rendered with a warning where nobody knows", async () => {
    const deployment = await isolated({ internal: true });
    expect(policyIn(deployment)).toBeDefined();
    expect(findingsOf(deployment)).toEqual([
      expect.stringMatching(/^warning networks\.walled_garden\.internal: Whether/),
    ]);
  });

  it("name what they cannot hold", async () => {
    const deployment = await isolated({ internal: true, allow: ["db.example.com:5432"] }, "cilium");
    expect(findingsOf(deployment)).toEqual([
      expect.stringContaining('"db.example.com:5432" is no address or network'),
    ]);
  });

  it("open the way to what an isolated engine waits for", async () => {
    const deployment = await clusterDeployment({
      guest: { cni: "cilium" },
      service: { networks: ["walled"], after: ["first"] },
      more: {
        networks: { walled: { internal: true } },
        services: {
          first: { model: "small", engine: "vllm", devices: "first", context: 4096 },
          chat: {
            model: "small",
            engine: "vllm",
            devices: "second",
            context: 4096,
            networks: ["walled"],
            after: ["first"],
          },
        },
      },
    });
    expect(JSON.stringify(policyIn(deployment))).toContain('"app.kubernetes.io/instance":"first"');
    const url = "http://first.ai.svc:8000/health";
    expect(podOf(deployment, "chat").spec).toMatchObject({
      initContainers: [{ name: "wait-for", args: [url] }],
    });
  });
});

describe("an allowed destination", () => {
  it.each([
    ["10.0.0.5", "10.0.0.5/32", undefined],
    ["10.0.0.5:5432", "10.0.0.5/32", 5432],
    ["10.0.0.0/8", "10.0.0.0/8", undefined],
    ["10.1.0.0/16:443", "10.1.0.0/16", 443],
    ["fd00::1", "fd00::1/128", undefined],
    ["fd00::/8", "fd00::/8", undefined],
    ["[fd00::1]:443", "fd00::1/128", 443],
  ])("%s is %s", (text, cidr, port) => {
    expect(egressRuleOf(text)).toEqual({
      to: [{ ipBlock: { cidr } }],
      ...(port === undefined ? {} : { ports: [{ port, protocol: "TCP" }] }),
    });
  });

  it.each([
    "db:5432",
    "10.0.0.5:0",
    "10.0.0.5:70000",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "fd00::1:443x",
    "",
    "[10.0.0.5",
  ])("%j is none", (text) => {
    expect(egressRuleOf(text)).toBeUndefined();
  });
});
