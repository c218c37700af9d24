import { batchEndpoints } from "../../gateway/batches/batch-endpoints.ts";
import { fileEndpoints } from "../../gateway/files/file-endpoints.ts";
import type { GatewayInside } from "../../gateway/index.ts";
import { imageEndpoints } from "../../gateway/images/image-endpoints.ts";
import type { ImageModels } from "../../gateway/images/image-models.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { GatewayStores } from "./gateway-stores.ts";

/** Names by which images are asked for, each with the services that make them. */
export const imageNames = (models: ImageModels): ReadonlyMap<string, readonly string[]> =>
  new Map([...models].map(([name, makers]) => [name, makers.map(({ service }) => service)]));

interface EndpointOptions {
  readonly stores: GatewayStores;
  readonly imageModels: ImageModels;
  /** Aborts when the node stops. */
  readonly stopping: AbortSignal;
  /** There is a batch more, or one to be ended; where its runner is in this process. */
  readonly batchesChanged?: () => void;
}

/** The paths beside the dialects: files, batches and images. */
export function gatewayEndpoints(
  { shared }: GatewayInside,
  { stores, imageModels, stopping, batchesChanged }: EndpointOptions,
): Readonly<Record<string, Endpoint>> {
  return {
    ...fileEndpoints(stores.files),
    ...batchEndpoints({
      store: stores.batches,
      files: stores.files,
      ...(batchesChanged === undefined ? {} : { changed: batchesChanged }),
    }),
    ...(imageModels.size === 0
      ? {}
      : imageEndpoints({
          backends: shared.backends,
          models: imageModels,
          kept: stores.images,
          events: shared.events,
          gate: shared.keys,
          stopping,
        })),
  };
}
