import { describe, expect, it } from "vitest";

import { isLoopback, NameGuard, presentedKey } from "./access.ts";

describe("loopback", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])("%s stays on this machine", (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(["0.0.0.0", "::", "192.168.1.2", "localhost.evil.example", "127.0.0.1.evil.example"])(
    "%s does not",
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe("name guard", () => {
  const guard = new NameGuard("127.0.0.1", ["https://chat.example"]);
  it.each(["localhost", "localhost:4664", "127.0.0.1:4664", "[::1]:4664", "LOCALHOST:1"])(
    "lets %s in",
    (host) => {
      expect(guard.allowsHost(host)).toBe(true);
    },
  );
  it.each([
    undefined,
    "",
    "evil.example",
    "evil.example:4664",
    "localhost:4664@evil.example",
    "127.0.0.1.evil.example",
  ])("keeps %s out", (host) => {
    expect(guard.allowsHost(host)).toBe(false);
  });
  it("knows pages of this machine, listed origins, and no others", () => {
    expect(guard.allowsOrigin(undefined)).toBe(true);
    expect(guard.allowsOrigin("http://localhost:3000")).toBe(true);
    expect(guard.allowsOrigin("https://chat.example")).toBe(true);
    expect(guard.allowsOrigin("https://evil.example")).toBe(false);
    expect(guard.allowsOrigin("null")).toBe(false);
    expect(guard.listsOrigin("https://chat.example")).toBe(true);
    expect(guard.listsOrigin("http://localhost:3000")).toBe(false);
  });
  it("does not ask for names where keys guard an open listener", () => {
    expect(new NameGuard("0.0.0.0", []).allowsHost("node.example")).toBe(true);
  });
});

describe("the key that a request shows", () => {
  it("stands in either header", () => {
    expect(presentedKey({ authorization: "Bearer sk-two" })).toBe("sk-two");
    expect(presentedKey({ authorization: "bearer sk-one" })).toBe("sk-one");
    expect(presentedKey({ "x-api-key": "sk-one" })).toBe("sk-one");
  });
  it("is none where neither holds one", () => {
    expect(presentedKey({})).toBeUndefined();
    expect(presentedKey({ authorization: "sk-one" })).toBeUndefined();
  });
});
