import { expect, test } from "vitest";
import { locatedSpec } from "../../../test/fakes/located-spec.ts";
import type { GpuInventory } from "../../inventory/index.ts";
import { cardIdentities } from "./card-identities.ts";

const gpu = (name: string, uuid: string, index: number, pci: string): GpuInventory => ({
  name,
  vendor: "nvidia",
  uuid,
  index,
  pci,
});
const U = (letter: string): string => `GPU-${letter.repeat(8)}-0000-4000-8000-000000000000`;
const BIG = gpu("NVIDIA GeForce RTX 5090", U("a"), 0, "0000:01:00.0");
const SMALL = gpu("NVIDIA GeForce RTX 3090", U("b"), 1, "0000:41:00.0");
const TWIN = gpu("NVIDIA GeForce RTX 3090", U("c"), 2, "0000:61:00.0");

const ids = (gpus: string, observed = [BIG, SMALL, TWIN]): Record<string, unknown> =>
  Object.fromEntries(
    cardIdentities(
      locatedSpec(`metal:\n  platform: linux\n  gpus: ${gpus}\nmodels: { m: ./m.gguf }`).spec,
      observed,
    ),
  );

test("what the spec names by UUID, PCI address or index is found on the machine and completed", () => {
  expect(
    ids(
      `{ a: { model: RTX 3090, uuid: ${U("c")} }, b: { model: RTX 5090, pci: "0000:01:00.0" }, c: { model: RTX 3090, index: 1 } }`,
    ),
  ).toEqual({
    a: { name: "RTX 3090", uuid: U("c"), index: 2, pci: "0000:61:00.0" },
    b: { name: "RTX 5090", uuid: U("a"), index: 0, pci: "0000:01:00.0" },
    c: { name: "RTX 3090", uuid: U("b"), index: 1, pci: "0000:41:00.0" },
  });
});

test("cards of which the spec says nothing are those of their model that nobody else is", () => {
  expect(
    ids(
      `{ one: { model: RTX 3090 }, two: { model: RTX 5090 }, three: { model: RTX 3090, uuid: ${U("b")} } }`,
    ),
  ).toMatchObject({
    one: { uuid: U("c") },
    two: { uuid: U("a") },
    three: { uuid: U("b") },
  });
});

test("a card that is not there keeps what the spec says, and is no other card", () => {
  expect(ids(`{ gone: { model: RTX 5090, uuid: ${U("d")} }, odd: { model: H100 } }`)).toEqual({
    gone: { name: "RTX 5090", uuid: U("d") },
    odd: { name: "H100" },
  });
});

test("of several machines only this one is looked at, and cards carry their machine's name", () => {
  const { spec } = locatedSpec(
    `machines:
  tower: { platform: linux, gpus: { gpu0: { model: RTX 5090 } } }
  shelf: { platform: linux, gpus: { gpu0: { model: RTX 5090 } } }
models: { m: ./m.gguf }`,
  );
  expect(Object.fromEntries(cardIdentities(spec, [BIG], "shelf"))).toEqual({
    "tower/gpu0": { name: "RTX 5090" },
    "shelf/gpu0": { name: "RTX 5090", uuid: U("a"), index: 0, pci: "0000:01:00.0" },
  });
});

test("without machines in the spec the cards are this machine's, as the plan names them", () => {
  const { spec } = locatedSpec("models: { m: ./m.gguf }");
  expect([...cardIdentities(spec, [SMALL, BIG]).keys()]).toEqual(["gpu1", "gpu0"]);
});
