import { describe, expect, it } from "vitest";
import { everything, FILE, NODE, rendered } from "./lab.ts";

describe("networks of a compose file", () => {
  it("close what is to be closed, and the gateway is on both sides", async () => {
    const { fileAt } = await rendered(everything());
    expect(fileAt(FILE).networks).toEqual({
      open: {
        driver: "bridge",
        ipam: { config: [{ subnet: "10.9.0.0/24", gateway: "10.9.0.1" }] },
        labels: { x: "y" },
      },
      sealed: {
        driver: "bridge",
        driver_opts: { "com.docker.network.bridge.inhibit_ipv4": "true" },
        internal: true,
      },
      given: { external: true, name: "given" },
      lan: {
        driver: "macvlan",
        driver_opts: { parent: "eth0" },
        ipam: { config: [{ subnet: "10.8.0.0/24" }] },
      },
    });
    // Who has no way out has nobody to ask for names either, but Docker itself.
    expect(fileAt(FILE).services["chat"]?.["dns"]).toEqual(["127.0.0.1"]);
    expect(fileAt(FILE).services["quick"]?.["dns"]).toBeUndefined();
    expect(fileAt(FILE).services["gateway"]?.["dns"]).toBeUndefined();
    expect(fileAt(FILE).services["gateway"]).toMatchObject({
      networks: ["sealed", "open"],
      ports: [{ target: 4664, published: "4664", host_ip: "127.0.0.1", protocol: "tcp" }],
    });
  });

  it("are told of by findings where Docker has no form for what is asked", async () => {
    const { diagnostics } = await rendered(everything());
    const found = new Map(diagnostics.map(({ path, message }) => [path, message]));
    expect(found.get("networks.sealed.allow")).toContain("10.0.0.5:5432 cannot be reached from sealed");
    expect(found.get("services.chat.hostPort")).toContain("18080 stays closed");
  });

  it("that the gateway does not join leave a service without clients, and that is said", async () => {
    const { fileAt, diagnostics } = await rendered(
      `${NODE}\nnetworks: { dark: { internal: true } }\nservices: { chat: { model: small, engine: cpp, devices: big, networks: dark } }`,
    );
    expect(fileAt(FILE).services["gateway"]?.["networks"]).toEqual(["default"]);
    expect(diagnostics).toContainEqual(
      expect.objectContaining({
        path: "gateway.networks",
        message: "chat is only on dark, and the gateway is not: no client can reach it.",
      }),
    );
  });

  it("all without a way out: the gateway has the project's own beside them, to publish its port", async () => {
    const { fileAt } = await rendered(
      `${NODE}\nnetworks: { dark: { internal: true } }\ngateway: { networks: [dark] }\nservices: { chat: { model: small, engine: cpp, devices: big, networks: dark } }`,
    );
    expect(fileAt(FILE).services["gateway"]?.["networks"]).toEqual(["dark", "default"]);
    expect(fileAt(FILE).services["chat"]?.["networks"]).toEqual(["dark"]);
  });

  it("of the node itself: the engine is asked through the node, and everybody can ask it", async () => {
    const { fileAt, contentOf, diagnostics } = await rendered(
      `${NODE}\nnetworks: { metal: { driver: host } }\nservices: { chat: { model: small, engine: cpp, devices: big, networks: metal } }`,
    );
    expect(fileAt(FILE).services["chat"]).toMatchObject({ network_mode: "host" });
    expect(fileAt(FILE).services["chat"]?.["networks"]).toBeUndefined();
    expect(fileAt(FILE).services["gateway"]).toMatchObject({
      networks: ["default"],
      extra_hosts: ["host.docker.internal:host-gateway"],
    });
    expect(contentOf("compose/gateway/omni.yaml")).toContain("url: http://host.docker.internal:9931/v1");
    expect(diagnostics.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("listens on port 9931 of every address of the node"),
    );
  });

  it("publish on every address where the gateway listens on every address", async () => {
    const { fileAt } = await rendered(
      `${NODE}\ngateway: { host: 0.0.0.0 }\nservices: { chat: { model: small, engine: cpp, devices: big } }`,
    );
    expect(fileAt(FILE).services["gateway"]?.["ports"]).toEqual([
      { target: 4664, published: "4664", protocol: "tcp" },
    ]);
  });
});
