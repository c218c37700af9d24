import { existsSync } from "node:fs";

/** Names and places of the library: by the loader's own search, and where systems keep it that do not tell the loader. */
const LIBRARIES: readonly string[] =
  process.platform === "win32"
    ? ["nvml.dll", "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll"]
    : [
        "libnvidia-ml.so.1",
        "/usr/lib/wsl/lib/libnvidia-ml.so.1",
        "/run/opengl-driver/lib/libnvidia-ml.so.1",
        "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
      ];

/** Signs of a loaded driver; the last is that of WSL. */
const SIGNS = ["proc/driver/nvidia/version", "dev/nvidiactl", "dev/dxg"];

/** Where to look for the library; nowhere where the driver is not loaded, so that nothing is started in vain. */
export function nvmlLibraries(wish: string | false, root: string): readonly string[] {
  if (wish === false) return [];
  if (wish !== "auto") return [wish];
  return process.platform === "win32" || SIGNS.some((sign) => existsSync(root + sign)) ? LIBRARIES : [];
}
