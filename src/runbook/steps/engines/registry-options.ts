import type { Deployment } from "../../../deployment/index.ts";

/** Plain HTTP is spoken only to a registry of which the spec says so. */
export const registryOptions = ({ guests }: Deployment, image: string): { readonly insecure: boolean } => ({
  insecure: guests.some(({ registries = {} }) =>
    Object.values(registries).some(
      ({ address, insecure }) => insecure === true && image.startsWith(`${address}/`),
    ),
  ),
});
