import { describe, expect, it } from "vitest";
import { configFiles } from "./config-files.ts";

const metadata = { name: "config", namespace: "ai" };
const contentAt = (files: ReturnType<typeof configFiles>, at: string): string | undefined => {
  const key = files.mounts.find(({ mountPath }) => mountPath === at)?.subPath;
  return files.object.data?.[key ?? ""];
};

describe("files in a ConfigMap", () => {
  it("are mounted one by one under names of their own", () => {
    const files = configFiles(metadata, "volume", [
      { at: "/r/model/config.pbtxt", content: "a" },
      { at: "/r/model/1/model.json", content: "b" },
    ]);
    expect(Object.keys(files.object.data ?? {})).toEqual(["config.pbtxt", "model.json"]);
    expect(contentAt(files, "/r/model/1/model.json")).toBe("b");
  });

  it("stay apart where names meet or are no keys", () => {
    const files = configFiles(metadata, "volume", [
      { at: "/a/x.json", content: "1" },
      { at: "/b/x.json", content: "2" },
      { at: "/c/ü y", content: "3" },
    ]);
    expect(["/a/x.json", "/b/x.json", "/c/ü y"].map((at) => contentAt(files, at))).toEqual(["1", "2", "3"]);
    for (const key of Object.keys(files.object.data ?? {})) expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
  });

  it("change the pod when a byte of them changes", () => {
    const of = (content: string) => configFiles(metadata, "volume", [{ at: "/a", content }]).annotation;
    expect(of("a")).not.toEqual(of("b"));
    expect(of("a")).toEqual(of("a"));
  });
});
