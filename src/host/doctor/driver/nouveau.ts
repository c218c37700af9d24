import { cardLabel, driverCards } from "../scope.ts";
import type { Check, Fix } from "../check.ts";
import { hasProgram, saidText } from "../said.ts";
import { loadedModules } from "./loaded-driver.ts";

const ID = "driver.nouveau";
const PATH = "/etc/modprobe.d/omni-nouveau.conf";

const fixWith = (argv: readonly [string, ...string[]]): Fix => ({
  title: "Keep nouveau from loading at boot, so that NVIDIA's driver, which is installed, takes the cards.",
  changes: [
    { kind: "write", path: PATH, content: "blacklist nouveau\noptions nouveau modeset=0\n", mode: 0o644 },
    { kind: "run", argv, timeout: 300_000 },
  ],
  needsReboot: true,
});

/** The kernel's own driver does not hold cards that NVIDIA's is to drive. */
export const nouveauInTheWay: Check = {
  id: ID,
  title: "nouveau out of the way",
  look: async (subject) => {
    const { view } = subject;
    const cards = driverCards(subject);
    if (cards.length === 0) return [];
    const held = cards.filter(({ kernelDriver }) => kernelDriver === "nouveau");
    const loaded = loadedModules(view).has("nouveau");
    if (held.length === 0)
      return loaded
        ? [
            {
              check: ID,
              state: "note",
              seen: "nouveau is loaded, but holds no card",
              remedy: `echo 'blacklist nouveau' > ${PATH}`,
            },
          ]
        : [{ check: ID, state: "ok", seen: "nouveau is not loaded" }];
    const installed = (await saidText(view, ["modinfo", "-F", "version", "nvidia"]))?.trim();
    const rebuild = await hasProgram(view, ["update-initramfs", "-V"]);
    return [
      {
        check: ID,
        subject: held.map(cardLabel).join(", "),
        state: "error",
        seen: `bound to nouveau; NVIDIA's driver is ${installed === undefined ? "not installed" : `installed (${installed})`}`,
        wanted: "bound to nvidia",
        why: "nouveau has no CUDA, and NVIDIA's module cannot take a card that another driver holds.",
        remedy:
          installed === undefined
            ? "apt install nvidia-driver (open kernel modules); it blacklists nouveau by itself. Then reboot."
            : `printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' > ${PATH}; update-initramfs -u; reboot`,
        // Without NVIDIA's module a screen would be lost for nothing.
        ...(installed !== undefined && rebuild ? { fix: fixWith(["update-initramfs", "-u"]) } : {}),
      },
    ];
  },
};
