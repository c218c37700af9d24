import { expect, it } from "vitest";
import type { Endpoint } from "./surface.ts";
import { joinedEndpoints } from "./surface.ts";

const handler = (): void => undefined;
const joined = (earlier: Endpoint, later: Endpoint): readonly string[] =>
  Object.keys(joinedEndpoints({ "/x": earlier }, { "/x": later })["/x"] ?? {}).toSorted();

it("adds what a later table has for a path to what an earlier one has", () => {
  expect(joined({ GET: handler }, { DELETE: handler })).toEqual(["DELETE", "GET"]);
  expect(Object.keys(joinedEndpoints({ "/a": {} }, { "/b": {} }))).toEqual(["/a", "/b"]);
});

it("lets the later one have the POST, by whichever way each of them takes it", () => {
  expect(joined({ whole: handler, GET: handler }, { POST: handler })).toEqual(["GET", "POST"]);
  expect(joined({ POST: handler }, { whole: handler })).toEqual(["whole"]);
  expect(joined({ whole: handler }, { GET: handler })).toEqual(["GET", "whole"]);
});
