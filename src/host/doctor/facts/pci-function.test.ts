import { expect, test } from "vitest";
import { addCard } from "../../../../test/fakes/hosts/graphics-card.ts";
import { emptyHost, viewOf } from "../../../../test/fakes/hosts/host-tree.ts";
import { functionsOf, readPciFunction } from "./pci-function.ts";

test("a card as sysfs shows it", async () => {
  const tree = emptyHost();
  addCard(tree, { slot: "0000:11:00", id: "10de:2b85", group: 12, driver: "vfio-pci" });
  using view = await viewOf(tree);
  const functions = functionsOf(view.root, "0000:11:00");
  expect(functions.map(({ address, id }) => [address, id])).toEqual([
    ["0000:11:00.0", "10de:2b85"],
    ["0000:11:00.1", "10de:22e8"],
  ]);
  expect(functions[0]).toMatchObject({
    driver: "vfio-pci",
    group: "12",
    bridge: false,
    bootVga: false,
    powerState: "D0",
    d3coldAllowed: false,
    powerControl: "on",
    resetMethods: ["flr", "bus"],
    silent: false,
    link: { lanes: 16, maxLanes: 16, generation: 1, maxGeneration: 5 },
    bars: [
      { number: 0, start: 0xf4000000, size: 64 * 2 ** 20, wide: false, assigned: true },
      { number: 1, start: 0x280_0000_0000, size: 128 * 2 ** 30, wide: true, assigned: true },
      { number: 3, start: 0x2a0_0000_0000, size: 32 * 2 ** 20, wide: true, assigned: true },
    ],
  });
});

test("a function that is not there has nothing", async () => {
  using view = await viewOf(emptyHost());
  expect(functionsOf(view.root, "0000:11:00")).toEqual([]);
  expect(readPciFunction(view.root, "0000:11:00.0")).toEqual({
    address: "0000:11:00.0",
    slot: "0000:11:00",
    id: ":",
    class: "",
    bridge: false,
    bootVga: false,
    silent: false,
    link: {},
    bars: [],
  });
});
